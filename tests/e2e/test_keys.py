# SPDX-License-Identifier: ISC
"""own-key behind a real Postfix: whose keys a message is encrypted to, what the refused are told, and where the key is; with
certificates and messages of gpg and sq."""

import base64
import contextlib
import glob
import http.server
import json
import os
import re
import socket
import socketserver
import sqlite3
import ssl
import subprocess
import tempfile
import threading
import time
import types
import urllib.request

import pytest

from harness import certificates, messages
from harness.pair import Pair, program, run_program
from harness.place import free_port, wait_until
from harness.smtp import send

ALICE, BOB, SENDER = "alice@example.org", "bob@example.org", "eve@sender.example"
DATAERR = 65


class People:
    """A keyring with alice, bob and more, by gpg; and what one who writes to them knows."""

    def __init__(self, keys):
        self.keys = keys
        for who in (BOB, "carol@example.org", "team@example.org"):
            keys.gpg("--quick-gen-key", who, "future-default", "default", "never")
        keys.gpg("--quick-gen-key", "Old <old@example.org>", "rsa2048", "sign", "never")
        keys.gpg("--quick-add-key", self.fingerprints("old@example.org")[0], "rsa2048", "encr", "never")

    def export(self, who):
        return self.keys.gpg("--export", "--armor", who)

    def file(self, place, name, text):
        path = os.path.join(place.directory("certificates"), name)
        with open(path, "wb") as f:
            f.write(text.encode() if isinstance(text, str) else text)
        os.chmod(path, 0o644)
        return path

    def fingerprints(self, who):
        """Of the primary key, of the encryption key."""
        lines = self.keys.gpg("--list-keys", "--with-colons", who)
        return re.findall(r"^fpr:+([0-9A-F]+):", lines, re.M)[:2]

    def message(self, *to, words=()):
        recipients = [w for who in to for w in ("-r", who)]
        return messages.pgp_mime(self.keys.gpg("--armor", "--encrypt", *recipients, *words,
                                               data=messages.SECRET.encode()))


@pytest.fixture(scope="module")
def people(keys):
    return People(keys)


@pytest.fixture(scope="module")
def make_shelf(place):
    """As make_pair(), and no daemon runs: each takes seconds to end."""
    def make(name, **settings):
        pair = Pair(place, name, enforce="yes", **settings)
        pair.must("db", "init")
        return pair
    return make


@pytest.fixture(scope="module")
def guarded(make_pair, people):
    pair = make_pair("keys", key_url="wkd")
    for who in (ALICE, BOB, "team@example.org", "nobody@example.org", "some@example.org"):
        pair.must("require", "--level", "own-key", who)
    for who in (ALICE, BOB):
        pair.must("keys", "import", who, "-", data=people.export(who).encode())
    pair.must("keys", "group", "team@example.org", "=", ALICE + ",", BOB)
    return pair


@pytest.fixture(scope="module")
def guarded_mx(make_postfix, guarded):
    return make_postfix("keys", guarded)


@pytest.mark.parametrize("recipient, to, words, code", [
    (ALICE, [ALICE], [], 250),
    (ALICE, [BOB], [], 550),
    (ALICE, [ALICE, BOB], [], 250),
    ("alice+tag@example.org", [ALICE], [], 250),
    (ALICE, ["carol@example.org", ALICE], [], 250),
    (ALICE, [BOB], ["--throw-keyids"], 250),
    ("team@example.org", [BOB], [], 250),
    ("team@example.org", ["carol@example.org"], [], 550),
    ("nobody@example.org", ["carol@example.org"], [], 250),
])
def test_a_message_is_for_its_recipient(guarded_mx, people, recipient, to, words, code):
    assert send(guarded_mx.port, SENDER, recipient, people.message(*to, words=words)).code == code


def test_the_refusal_and_the_record_say_why(guarded, guarded_mx, people):
    sent = send(guarded_mx.port, SENDER, BOB, people.message(ALICE))
    (_, alices), (_, bobs) = people.fingerprints(ALICE), people.fingerprints(BOB)
    text = sent.final.text
    assert sent.code == 550
    assert f"<{BOB}> takes only mail encrypted to its key 0x{bobs[-16:]}: this message is for 0x{alices[-16:]}" in text
    assert "The key of <bob@example.org> is at <https://openpgpkey.example.org/.well-known/openpgpkey/example.org/hu/" in text
    row = guarded.json("log", "--recipient", BOB)[-1]
    assert (row["verdict"], row["reason"], row["action"]) == ("encrypted", "other-key", "refuse"), row
    assert "0x" not in row["detail"]
    cleartext = send(guarded_mx.port, SENDER, BOB, messages.cleartext())
    assert cleartext.code == 550 and "The key of <bob@example.org> is at" in cleartext.final.text


def test_two_recipients_part_and_the_key_is_had_from_its_address(make_pair, make_postfix, people, place):
    """Encrypted to Alice alone: Alice has it; Bob's sender fetches the key from where the refusal says, and then Bob has it."""
    port = free_port()
    pair = make_pair("fetched", key_url=f"https://127.0.0.1:{port}/.well-known/openpgpkey/%d/hu/%h?l=%l")
    mx = make_postfix("fetched", pair)
    for who in (ALICE, BOB):
        pair.must("require", "--level", "own-key", who)
        pair.must("keys", "import", who, "-", data=people.export(who).encode())
    root = os.path.join(place.path, "wkd")
    pair.must("keys", "export", "--wkd", root)
    message, both = people.message(ALICE), [ALICE, BOB]
    assert send(mx.port, SENDER, both, message).code == 451
    sent = send(mx.port, SENDER, both, message)
    assert (sent.code, sent.recipients[ALICE].code, sent.recipients[BOB].code) == (250, 250, 450)
    refused = send(mx.port, SENDER, [BOB], message)
    assert refused.code == 550
    url = re.search(r"The key of <bob@example\.org> is at <([^>]+)>", refused.final.text)[1]

    with WebServer(place, root, port) as server:
        with urllib.request.urlopen(url, context=server.client) as answer:
            certificate = answer.read()
    home = place.directory("sender-home", mode=0o700)
    gpg = ["gpg", "--homedir", home, "--batch", "--quiet", "--trust-model", "always"]
    subprocess.run([*gpg, "--import"], input=certificate, check=True, capture_output=True)
    armor = subprocess.run([*gpg, "--armor", "--encrypt", "-r", BOB], input=b"Now for you.\n", check=True,
                           capture_output=True).stdout.decode()
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True)
    assert send(mx.port, SENDER, [BOB], messages.pgp_mime(armor)).code == 250


class WebServer:
    """A folder over TLS, with a certificate of its own."""

    def __init__(self, place, root, port):
        pem = os.path.join(place.path, "tls.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pem + ".key", "-out", pem],
                       check=True, capture_output=True)
        self.client = ssl.create_default_context(cafile=pem)

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=root)

            def log_message(self, *_):
                pass
        self.server = socketserver.TCPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, pem + ".key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_the_directory_is_the_one_that_sq_makes(guarded, people, place):
    root, theirs = os.path.join(place.path, "ours"), os.path.join(place.path, "theirs")
    guarded.must("keys", "export", "--wkd", root)
    ring = people.file(place, "both.pgp", people.export(ALICE) + people.export(BOB))
    subprocess.run(["sq", "wkd", "generate", theirs, "example.org", ring], check=True, capture_output=True)

    def names(top):
        return sorted(os.path.basename(p) for p in glob.glob(f"{top}/**/hu/*", recursive=True, include_hidden=True))
    assert len(names(theirs)) == 2
    assert sorted(set(names(root))) == names(theirs)
    for who in (ALICE, BOB):
        url = subprocess.run(["sq", "wkd", "url", who], check=True, capture_output=True, text=True).stdout.strip()
        path = url.replace("https://openpgpkey.example.org", root).partition("?")[0]
        inspected = subprocess.run(["sq", "inspect", path], check=True, capture_output=True, text=True).stdout
        assert people.fingerprints(who)[0] in inspected.replace(" ", "")
        refused = guarded.json("explain", who)[0]
        assert refused["requirement"] == "own-key"


def test_a_web_key_directory_is_imported_as_it_is_served(make_shelf, people, place):
    """Fetched over TLS, file by file, then taken without a word on whose each is: by both methods."""
    source, port, root = make_shelf("wkd-source"), free_port(), os.path.join(place.path, "served")
    net = certificates.Certificate(place.directory("made"), "Nora <Nora.N@example.net>", [certificates.X25519])
    for who, text in ((ALICE, people.export(ALICE)), (BOB, people.export(BOB)), ("nora.n@example.net", net.armor())):
        source.must("keys", "import", who, "-", data=text.encode())
    source.must("keys", "export", "--wkd", root)
    fetched = os.path.join(place.path, "fetched-wkd")
    with WebServer(place, root, port) as server:
        for path in glob.glob(f"{root}/**/openpgpkey/**/*", recursive=True, include_hidden=True):
            name = os.path.relpath(path, root)
            if os.path.isfile(path):
                os.makedirs(os.path.dirname(os.path.join(fetched, name)), exist_ok=True)
                with urllib.request.urlopen(f"https://127.0.0.1:{port}/{name}", context=server.client) as answer, \
                        open(os.path.join(fetched, name), "wb") as f:
                    f.write(answer.read())
    want = {(r["pattern"], r["fingerprint"]) for r in source.json("keys", "list")}
    assert len(want) == 3
    for name, top, whose in (("both", fetched, want), ("advanced", f"{fetched}/.well-known", want),
                             ("direct", f"{fetched}/direct/example.net", {w for w in want if "@example.net" in w[0]})):
        pair = make_shelf(f"wkd-{name}")
        pair.must("keys", "import", "--wkd", top)
        assert {(r["pattern"], r["fingerprint"]) for r in pair.json("keys", "list")} == whose, name
        n = len(pair.must("--json", "rules", "--history").splitlines())
        again = pair.must("keys", "import", "--wkd", top)
        assert again.startswith("0 added, 0 changed, 0 removed") and len(pair.must("--json", "rules", "--history").splitlines()) == n
    hu = f"{fetched}/.well-known/openpgpkey/example.org/hu"
    alices, bobs = (f"{hu}/{h}" for h in ("kei1q4tipxxu1yj79k9kfukdhfy631xe", "jycbiujnsxs47xrkethgtj69xuunurok"))
    # under another's name, and in another domain
    os.rename(alices, alices + ".kept")
    os.link(bobs, alices)
    result = run_import(pair, "--wkd", fetched)
    assert result.code == DATAERR and "no address that its file is named by" in result.err and alices in result.err, result
    os.replace(alices + ".kept", alices)
    os.makedirs(f"{fetched}/.well-known/openpgpkey/other.example/hu")
    os.link(alices, f"{fetched}/.well-known/openpgpkey/other.example/hu/{os.path.basename(alices)}")
    result = run_import(pair, "--wkd", fetched)
    assert result.code == DATAERR and "other.example" in result.err and "1 of" in result.err, result


def in_web_world(place, sites, *command):
    """Runs a command where these hosts are served over TLS from these folders. Returns (its output, requests as "HOST PATH STATUS")."""
    folder = tempfile.mkdtemp(dir=place.directory("world"))
    log = os.path.join(folder, "log")
    world = os.path.join(os.path.dirname(os.path.realpath(__file__)), "harness", "web_world.py")
    unshare = ["unshare", "--mount", "--net"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        pytest.skip("namespaces cannot be had here")
    run = run_program([*unshare, "/usr/bin/python3", "-B", world, folder, log, ",".join(sites), ",".join(sites.values()), *command],
                      timeout=60)
    requests = open(log, encoding="ascii").read().splitlines() if os.path.exists(log) else []
    return run, requests


@pytest.mark.parametrize("method", ["advanced", "direct"])
def test_programs_find_by_themselves_what_is_published(guarded, people, place, method):
    """gpg --locate-keys and sq, over TLS, with an authority of our own: for a name with capitals, and a certificate whose owner has
    another address that is nobody's business there."""
    root, who = os.path.join(place.path, "published"), "joe.doe@example.org"
    if not os.path.exists(root):
        people.keys.gpg("--quick-gen-key", "Joe <Joe.Doe@example.org>", "future-default", "default", "never")
        people.keys.gpg("--quick-add-uid", who, "Joe <joe@home.example>")
        guarded.must("keys", "import", who, "-", data=people.export(who).encode())
        guarded.must("keys", "import", "--any-user-id", "desk@example.org", "-", data=people.export(who).encode())
        exported = guarded.run("keys", "export", "--wkd", root)
        assert exported.code == 0 and "desk@example.org is left out" in exported.err
    host = "openpgpkey.example.org" if method == "advanced" else "example.org"
    site = root if method == "advanced" else os.path.join(root, "direct", "example.org")
    path = "/.well-known/openpgpkey/" + ("example.org/" if method == "advanced" else "")
    # of section 3.1 of the draft
    url = f"{path}hu/iy9q119eutrkn8s1mk4r39qejnbu3n5q?l="
    home = tempfile.mkdtemp(dir=place.path)
    with open(os.path.join(home, "dirmngr.conf"), "w", encoding="ascii") as f:
        f.write("standard-resolver\n")
    gpg = f"gpg --homedir {home} --batch --auto-key-locate clear,nodefault,wkd"
    run, requests = in_web_world(place, {host: site}, "sh", "-c", f"""
        {gpg} --with-colons --locate-keys Joe.Doe@example.org; {gpg} --locate-keys nobody@example.org
        sq wkd get Joe.Doe@example.org >{home}/sq.asc; gpgconf --homedir {home} --kill all""")
    assert f"fpr:::::::::{people.fingerprints(who)[0]}:" in run.out and "<Joe.Doe@example.org>" in run.out, run
    assert "home.example" not in run.out
    assert [r.lower() for r in requests].count(f"{host} {url}joe.doe 200") == 2, (requests, run)
    assert any(r.endswith("?l=nobody 404") for r in requests), requests
    inspected = subprocess.run(["sq", "inspect", f"{home}/sq.asc"], check=True, capture_output=True, text=True).stdout
    assert people.fingerprints(who)[0] in inspected.replace(" ", "") and "home.example" not in inspected
    assert open(os.path.join(site, path.strip("/"), "policy"), "rb").read() == b""


def doctor(pair, *words):
    """Findings on keys, as (state, text, mend)."""
    result = pair.run("--json", "doctor", *words)
    return [(o["state"], o["text"], o["mend"]) for o in map(json.loads, result.out.splitlines()) if o["topic"] in ("keys", "wkd")]


def test_doctor_looks_at_keys_and_at_what_is_published(make_shelf, guarded_mx, place):
    pair, folder, root = make_shelf("examined"), place.directory("made"), os.path.join(place.path, "examined-wkd")
    day, now = 86400, int(time.time())
    for who, age_days, life_days in ((ALICE, 1, 100), (BOB, 1, 11), ("gone@example.org", 90, 10), ("late@example.net", 30, 20)):
        c = certificates.Certificate(folder, who, [certificates.X25519], created=now - age_days * day, expires_s=life_days * day)
        pair.must("keys", "import", who, "-", data=c.armor().encode())
        pair.must("require", "--level", "own-key", who)
    pair.must("require", "--level", "own-key", "nobody@example.org")
    other = certificates.Certificate(folder, "carol@example.net", [certificates.X25519])
    pair.must("keys", "import", "carol@example.net", "-", data=other.armor().encode())
    found = {re.search(r"\S+@\S+", t)[0] if "@" in t else t: (s, t, m) for s, t, m in doctor(pair, "--postfix-config", guarded_mx.etc)}
    assert found["nobody@example.org"][0] == "note" and "no key of it is known" in found["nobody@example.org"][1]
    assert found["gone@example.org"][0] == "problem" and found["gone@example.org"][1].endswith("is refused")
    assert found["late@example.net"][0] == "problem" and "is refused from 20" in found["late@example.net"][1]
    assert found["gone@example.org"][2].endswith(" keys import gone@example.org FILE")
    assert "1 keys of recipients end within 30 days" in found and len(found) == 4, found

    def wkd():
        return [f for f in doctor(pair, "--postfix-config", guarded_mx.etc, "--wkd", root) if ".well-known" in f[1] or f[0] == "ok" or "nobody who" in f[1]]
    assert "No such file" in doctor(pair, "--postfix-config", guarded_mx.etc, "--wkd", root)[-1][1]
    pair.must("keys", "export", "--wkd", root)
    assert wkd() == [("ok", "3 addresses", None)]
    alices, bobs, carols = (glob.glob(f"{root}/.well-known/openpgpkey/{d}/hu/{h}*")[0] for d, h in (
        ("example.org", "kei1q4tipxxu1yj79k9kfukdhfy631xe"), ("example.org", "jycbiujnsxs47xrkethgtj69xuunurok"), ("example.net", "")))
    os.unlink(alices)
    os.chmod(bobs, 0o600)
    with open(carols, "ab") as f:
        f.write(b"x")
    found = wkd()
    assert all(state == "problem" and mend.endswith(f" keys export --wkd {root}") for state, _, mend in found)
    assert [re.sub("^.* of ", "", text) for _, text, _ in found] == [
        f"{ALICE} is missing", f"{BOB} is closed to a web server", "carol@example.net is not what is kept here now"]
    pair.must("keys", "export", "--wkd", root)
    os.chmod(os.path.dirname(alices), 0o700)
    assert "closed to a web server" in wkd()[0][1]
    os.chmod(os.path.dirname(alices), 0o755)
    pair.must("keys", "forget", ALICE)
    assert [f[:1] for f in wkd()] == [("note",), ("ok",)] and "1 files of it are of nobody" in wkd()[0][1]


def test_the_policy_server_acts_on_it(make_pair, make_postfix):
    pair = make_pair("acts", policy_actions="own-key=REJECT no mail for you, readable=REJECT nor for you", default_requirement="observe")
    mx = make_postfix("acts", pair)
    pair.must("require", "--level", "own-key", ALICE)
    pair.must("require", "--level", "readable", BOB)
    for who, said in ((ALICE, "no mail for you"), (BOB, "nor for you")):
        sent = send(mx.port, SENDER, who, messages.cleartext())
        assert sent.recipients[who].code == 554 and said in sent.recipients[who].text, sent
    exported = pair.must("export")
    assert "own-key alice@example.org" in exported and "readable bob@example.org" in exported
    assert "2 unchanged" in pair.must("import", "-", data=exported.encode())


# ---- certificates that are bad ----

def run_import(pair, *words, data=b""):
    before = pair.json("keys", "list")
    result = pair.run("keys", "import", *words, data=data)
    if result.code:
        assert pair.json("keys", "list") == before, "all or nothing"
    return result


@pytest.fixture(scope="module")
def shelf(make_shelf):
    return make_shelf("shelf")


def test_certificates_in_every_wrapping(shelf, people, place):
    armored = people.export(ALICE) + people.export(BOB)
    crlf = armored.replace("\n", "\r\n")
    blank_first = people.export(ALICE).replace("BLOCK-----\n", "BLOCK-----\n\nComment: of a key server\n", 1)
    binary = subprocess.run(["gpg", "--dearmor"], input=people.export(ALICE).encode(), capture_output=True, check=True).stdout
    for name, data, n in (("armored", armored, 2), ("crlf", crlf, 2), ("blank", blank_first, 1), ("binary", binary, 1),
                          ("two-binary", binary + binary, 1)):
        path = people.file(place, name, data)
        result = run_import(shelf, "--domain", "example.org", "--dry-run", path)
        assert (result.code, result.out.count("would be added")) == (0, n), (name, result)


def test_bad_certificates_are_named_and_nothing_is_kept(shelf, people, place):
    good = people.export(ALICE)
    secret = people.keys.gpg("--export-secret-keys", "--armor", ALICE)
    signing = people.keys.gpg("--quick-gen-key", "signer@example.org", "ed25519", "sign", "never")
    assert signing == ""
    message = people.keys.gpg("--armor", "--encrypt", "-r", ALICE, data=b"x")
    for name, data, said in (
            ("secret", secret, "secret key"),
            ("no-key", people.export("signer@example.org"), "no key to encrypt to"),
            ("not-hers", people.export(BOB), "is not of alice@example.org"),
            ("message", message, "not a certificate but a message"),
            ("text", "Dear administrator, here is my key.\n", "holds no OpenPGP certificate"),
            ("empty", "", "empty"),
            ("cut", good[:len(good) // 2], "its armor has no end"),
            ("damaged", good.replace("\n\n", "\n\n*", 1), "no base64"),
            ("large", b"\x99" * (5 << 20), "larger than 4 MB")):
        path = people.file(place, name, data)
        result = run_import(shelf, ALICE, path)
        assert result.code == DATAERR and said in result.err and path in result.err, (name, result)
        assert "nothing was changed" in result.err
    stored = b"".join(open(p, "rb").read() for p in glob.glob(os.path.join(shelf.state, "*")))
    assert b"PRIVATE KEY" not in stored and not shelf.json("keys", "list")
    later = certificates.Certificate(place.directory("made-later"), ALICE, [certificates.X25519], created=int(time.time()) + 90_000)
    result = run_import(shelf, ALICE, people.file(place, "later", later.armor()))
    assert result.code == DATAERR and "made in the future" in result.err, result
    # one bad one among good ones
    path = people.file(place, "mixed", good + secret)
    result = run_import(shelf, "--domain", "example.org", path)
    assert result.code == DATAERR and f"{path}: certificate 2" in result.err


def judged_whole(pair, place, recipient, message, *options):
    """What `explain` says of a message, bytes or armor, that is judged as the filter would."""
    path = os.path.join(place.directory("judged"), "message.eml")
    with open(path, "wb") as f:
        f.write(message if isinstance(message, bytes) else messages.pgp_mime(message, to=recipient))
    return pair.json(*options, "explain", recipient, "--message", path)[0]


def judged(*arguments):
    """Of that, (action, reason)."""
    answer = judged_whole(*arguments)
    return answer["action"], answer["reason"]


ACCEPTED = ("accept", "ok")


def keys_of(pair, who):
    return {row["fingerprint"]: row for row in pair.json("keys", "list", who)}


def unsigned_revocation(kind, issuer, algorithm=22):
    """kind: 0x20 of a certificate, 0x28 of a subkey; compromised, and the signature is none."""
    parts = [b"\x02" + int(time.time() - 60).to_bytes(4, "big"), b"\x1d\x02", b"\x21\x04" + issuer, b"\x10" + issuer[-8:]]
    area = b"".join(bytes([len(p)]) + p for p in parts)
    end = os.urandom(64) if algorithm == certificates.ED25519 else certificates.mpi(os.urandom(32)) * 2
    return certificates.packet(2, bytes([4, kind, algorithm, 8]) + len(area).to_bytes(2, "big") + area + bytes(2) + os.urandom(2) + end)


@pytest.mark.parametrize("kind", [0x20, 0x28])
def test_whoever_is_not_its_owner_revokes_no_key(make_shelf, people, place, kind):
    pair = make_shelf(f"revoked{kind}")
    good = certificates.dearmor(people.export(ALICE))
    primary = next(certificates.packets_of(good))[2]
    own = bytes.fromhex(people.fingerprints(ALICE)[0])
    for name, forged in (("own", unsigned_revocation(kind, own)), ("stranger", unsigned_revocation(kind, os.urandom(20))),
                         ("unknown", unsigned_revocation(kind, own, certificates.ED25519))):
        data = primary + forged + good[len(primary):] if kind == 0x20 else good + forged
        pair.must("keys", "import", ALICE, people.file(place, name, data))
        assert [row["state"] for row in pair.json("keys", "list", ALICE)] == ["active"], name


def test_a_subkey_ends_with_its_primary_key(make_shelf, place):
    """gpg gives each key its own end: a subkey without one of its own is over all the same."""
    pair = make_shelf("ends", default_requirement="own-key")
    day = 86400
    for who, age_days, life_days, state in (("soon@example.org", 1, 11, "active"), ("gone@example.org", 60, 10, "expired")):
        created = int(time.time()) - age_days * day
        c = certificates.Certificate(place.directory("made"), who, [certificates.X25519], created=created, expires_s=life_days * day)
        pair.must("keys", "import", who, "-", data=c.armor().encode())
        row = keys_of(pair, who)[c.subkeys[0].fingerprint]
        assert row["state"] == state and row["until_at"] is not None, row
        want = ACCEPTED if state == "active" else ("refuse", "expired-key")
        assert judged(pair, place, who, certificates.message(c.subkeys[0])) == want
    assert pair.run("keys", "expiring", "--within", "5d").code == 0
    assert "soon@example.org" in pair.run("keys", "expiring", "--within", "20d").out


def test_a_subkey_of_an_algorithm_that_gpg_does_not_have(make_shelf, place):
    """It is bound by a signature that gpg checks, and so it counts; one that is only put there does not."""
    pair = make_shelf("new-algorithm", default_requirement="own-key")
    folder = place.directory("made")
    new = [certificates.ML_KEM_768_X25519, certificates.X25519, certificates.X448]
    c = certificates.Certificate(folder, ALICE, new)
    pair.must("keys", "import", ALICE, "-", data=c.armor().encode())
    assert set(keys_of(pair, ALICE)) == {k.fingerprint for k in c.subkeys}
    stranger = certificates.Certificate(folder, BOB, new)
    for k in c.subkeys:
        assert judged(pair, place, ALICE, certificates.message(k)) == ACCEPTED
        assert judged(pair, place, ALICE, certificates.message(stranger.subkeys[0], k)) == ACCEPTED
        assert judged(pair, place, ALICE, certificates.message(k.algorithm)) == ACCEPTED, "hidden"
    assert judged(pair, place, ALICE, certificates.message(stranger.subkeys[0])) == ("refuse", "other-key")
    # a subkey of a stranger, with the signature that binds it there, or none, behind a good certificate
    good = certificates.Certificate(folder, BOB, [certificates.X25519])
    theirs = list(certificates.packets_of(stranger.packets))
    grafted = good.packets + theirs[3][2] + theirs[4][2] + theirs[5][2]
    pair.must("keys", "import", BOB, "-", data=certificates.armor("PUBLIC KEY BLOCK", grafted).encode())
    assert set(keys_of(pair, BOB)) == {good.subkeys[0].fingerprint}


@pytest.mark.parametrize("version, algorithms", [
    (4, [certificates.X25519]),
    (4, [certificates.ML_KEM_768_X25519, certificates.X448]),
    (5, [certificates.X25519]),
    (5, [certificates.ML_KEM_768_X25519, certificates.X448]),
    (6, [certificates.X25519]),
    (6, [certificates.ML_KEM_768_X25519, certificates.ML_KEM_1024_X448]),
])
def test_what_gpg_cannot_check_is_added_by_the_commands_that_it_is_told(make_shelf, place, version, algorithms):
    pair = make_shelf(f"unread{version}-{len(algorithms)}", default_requirement="own-key")
    c = certificates.Certificate(place.directory("made"), ALICE, algorithms, version=version, primary=certificates.ED25519)
    result = run_import(pair, ALICE, "-", data=c.armor().encode())
    commands = re.findall(r"pgpgate (keys add \S+ [0-9A-F]+)", result.err)
    assert result.code == DATAERR and f"version {version} key" in result.err
    assert commands == [f"keys add {ALICE} {k.fingerprint}" for k in c.subkeys]
    for command in commands:
        pair.must(*command.split())
    session_key_version = 6 if version == 6 else 3
    other = certificates.Certificate(place.directory("made"), BOB, algorithms, version=version, primary=certificates.ED25519)
    for k in c.subkeys:
        assert judged(pair, place, ALICE, certificates.message(k, version=session_key_version)) == ACCEPTED
    assert judged(pair, place, ALICE, certificates.message(*other.subkeys, version=session_key_version)) == ("refuse", "other-key")


def test_a_certificate_of_version_5_and_what_gnupg_encrypts_to_it(make_shelf, people, place):
    """LibrePGP: the key id is the beginning of the fingerprint, and session keys are of version 3. gpg 2.4 reads it; of 2.2 the
    administrator is told what to add."""
    pair, who = make_shelf("version5", default_requirement="own-key"), certificates.GNUPG_V5_ADDRESS
    result = pair.run("keys", "import", who, "-", data=certificates.GNUPG_V5_CERTIFICATE.encode())
    if result.code:
        assert f"pgpgate keys add {who} {certificates.GNUPG_V5_KEY}\n" in result.err and "version 5 key" in result.err
        pair.must("keys", "add", who, certificates.GNUPG_V5_KEY)
    pair.must("keys", "import", ALICE, "-", data=people.export(ALICE).encode())
    assert keys_of(pair, who)[certificates.GNUPG_V5_KEY]["key_id"] == certificates.GNUPG_V5_KEY[:16]
    assert judged(pair, place, who, certificates.GNUPG_V5_MESSAGE) == ACCEPTED
    assert judged(pair, place, ALICE, certificates.GNUPG_V5_MESSAGE) == ("refuse", "other-key")
    assert judged(pair, place, who, people.message(ALICE)) == ("refuse", "other-key")
    hidden = message_to("0" * 16)
    assert judged(pair, place, who, hidden) == ACCEPTED


def test_mail_to_a_primary_key_that_only_signs(make_shelf, people, place):
    """Programs that look no closer encrypt to an RSA primary key, and GnuPG and RNP decrypt it. Nobody is told to do so."""
    pair = make_shelf("primary", default_requirement="own-key", key_url="https://keys.example.org/%f")
    who = "old@example.org"
    pair.must("keys", "import", who, "-", data=people.export(who).encode())
    primary, subkey = people.fingerprints(who)
    rows = keys_of(pair, who)
    assert {f: row["source"] for f, row in rows.items()} == {primary: "spare", subkey: "import"}
    message = certificates.message(certificates.X25519)
    as_if_to_primary = message_to(primary[-16:])
    assert judged(pair, place, who, as_if_to_primary) == ACCEPTED
    assert judged(pair, place, who, message) == ACCEPTED, "hidden"
    other = judged_whole(pair, place, who, people.message(BOB))
    assert (other["action"], other["reason"]) == ("refuse", "other-key")
    assert subkey in str(other["reply"]) and primary[-16:] not in str(other["reply"]), other
    # the subkey ends: then nothing is left to encrypt to, whatever the primary key says
    pair.must("keys", "forget", who, subkey)
    pair.must("keys", "add", who, subkey, "--until", "10d")
    assert subkey in pair.run("keys", "expiring").out


def test_supersede_replace_all_and_every_change_taken_back(make_shelf, people, place):
    """Each change of keys is one change of the history, and undo makes it what it was: rows, groups, the certificate."""
    pair, folder = make_shelf("undone"), place.directory("made")
    old, new, bobs = (certificates.Certificate(folder, who, [certificates.X25519]) for who in (ALICE, ALICE, BOB))

    def state():
        rows = pair.json("keys", "list")
        return sorted((r["pattern"], r.get("fingerprint", r.get("member")), r.get("state"), r.get("note"), r.get("source"), r.get("all"),
                       r.get("until_at")) for r in rows)

    def take(c, *words):
        pair.must("keys", "import", *words, "-", data=c.armor().encode())
    steps = [
        lambda: take(old, "--note", "from her, by phone", ALICE),
        lambda: take(bobs, BOB),
        lambda: take(new, "--supersede", ALICE),
        lambda: pair.must("keys", "group", "team@example.org", "=", ALICE, BOB, "carol@example.org"),
        lambda: pair.must("keys", "group", "--all", "team@example.org", "=", ALICE, BOB),
        lambda: pair.must("keys", "add", BOB, "AB" * 32, "--until", "100d", "--note", "v6"),
        lambda: pair.must("keys", "forget", "team@example.org"),
        lambda: take(new, "--replace-all", ALICE),
        lambda: pair.must("keys", "forget", ALICE),
    ]
    states = [state()]
    for step in steps:
        step()
        states.append(state())
    superseded = dict((r[1], r[2]) for r in states[3] if r[0] == ALICE)
    assert superseded == {old.subkeys[0].fingerprint: "superseded", new.subkeys[0].fingerprint: "active"}
    assert dict((r[1], r[2]) for r in states[3] if r[0] == BOB) == {bobs.subkeys[0].fingerprint: "active"}, "nobody else's"
    assert [r[:2] for r in states[8]] == [(ALICE, new.subkeys[0].fingerprint)] and not states[9]
    n = len(pair.must("rules", "--history").splitlines())
    would = pair.must("undo", "--dry-run")
    assert "would take back" in would and state() == states[9] and len(pair.must("rules", "--history").splitlines()) == n
    pair.must("undo")
    root = os.path.join(place.path, "undone-wkd")
    pair.must("keys", "export", "--wkd", root)
    assert glob.glob(f"{root}/.well-known/openpgpkey/example.org/hu/*"), "the certificate is there again"
    for wanted in reversed(states[:8]):
        pair.must("undo")
        assert state() == wanted
    assert pair.run("undo").code == 1
    # by number: the undo of the first, then a change that was overtaken
    history = [json.loads(line) for line in pair.must("--json", "rules", "--history").splitlines()]
    assert {h["what"] for h in history} == {"keys", "undo"} and len({h["number"] for h in history}) == 2 * len(steps)
    pair.must("undo", str(max(h["number"] for h in history)))
    assert state() == states[1]
    pair.must("keys", "forget", ALICE)
    overtaken = pair.run("undo", "1")
    assert overtaken.code == 1 and "were changed" in overtaken.err


def rows_of(pair):
    """All that the tables of the database hold."""
    with contextlib.closing(sqlite3.connect(pair.database)) as database:
        tables = [name for name, in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        values = (v for t in tables for row in database.execute(f'SELECT * FROM "{t}"') for v in row if v is not None)
        return b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in values)


@pytest.mark.parametrize("log_addresses", ["full", "hashed"])
def test_a_certificate_brings_nobody_else_into_the_database_and_forget_takes_its_owner_out(make_shelf, people, place, log_addresses):
    pair, who = make_shelf(f"owners-{log_addresses}", log_addresses=log_addresses), f"dora-{log_addresses}@example.org"
    people.keys.gpg("--quick-gen-key", f"Dora Private <{who}>", "future-default", "default", "never")
    people.keys.gpg("--quick-add-uid", who, "Dora <dora@home.example>")
    certificate = people.export(who).encode()
    pair.must("keys", "import", who, "-", data=certificate)
    pair.must("keys", "import", "--any-user-id", "desk@example.org", "-", data=certificate)
    pair.must("keys", "group", "team@example.org", "=", who, "desk@example.org")
    root = os.path.join(place.path, f"owners-{log_addresses}")
    pair.must("keys", "export", "--wkd", root)
    assert len(glob.glob(f"{root}/.well-known/openpgpkey/example.org/hu/*")) == 1, "the second import left her user id in it"
    assert b"home.example" not in rows_of(pair) and (b"Dora Private" in rows_of(pair)) == (log_addresses == "full")
    exported = pair.must("--json", "forget", "--person", who, "--export").splitlines()
    assert sorted(json.loads(line)["kind"] for line in exported) == ["group", "key"]
    assert pair.must("forget", "--person", who, "--dry-run").endswith("-2 keys\n")
    # the desk keeps the key, and its certificate names her no more
    pair.must("forget", "--person", who)
    pair.write_conf(log_addresses="full")
    pair.must("db", "init")
    left = rows_of(pair)
    assert who.encode() not in left and b"Dora Private" not in left
    fingerprint = people.fingerprints(who)[0]
    assert fingerprint.encode() in left and bytes.fromhex(fingerprint)[-4:] in left, "the certificate is there"
    assert pair.run("forget", "--person", who, "--dry-run").code == 1


def message_to(key_id):
    key = types.SimpleNamespace(algorithm=certificates.X25519, key_id=key_id)
    return certificates.message(key)


def test_what_lies_in_a_directory_that_others_write(make_shelf, people, place):
    """Root reads it: nothing of it makes root wait, follow, or take what is no certificate."""
    pair = make_shelf("hostile")
    good, folder = people.export(ALICE), place.directory("upload")
    with open(os.path.join(folder, "good.asc"), "w", encoding="ascii") as f:
        f.write(good)
    secret_file = people.file(place, "elsewhere", good)

    def in_folder(name):
        return os.path.join(folder, name)

    def fifo(path):
        os.mkfifo(path)

    def socket_file(path):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
    hundred_mb = 100 << 20
    for make, said in ((fifo, "no plain file"), (socket_file, "no plain file"), (lambda p: os.symlink(secret_file, p), "not followed"),
                       (lambda p: os.symlink("/dev/zero", p), "not followed"),
                       (lambda p: os.truncate(os.open(p, os.O_CREAT | os.O_WRONLY), hundred_mb), "larger than 4 MB")):
        make(in_folder("odd"))
        result = run_import(pair, ALICE, folder)
        assert result.code == DATAERR and said in result.err and f"{in_folder('odd')}: " in result.err, result
        assert "1 of 2 certificates are bad" in result.err
        os.unlink(in_folder("odd"))
    os.mkfifo(in_folder("alone"))
    result = run_import(pair, ALICE, in_folder("alone"))
    assert result.code == DATAERR and "empty" in result.err
    # one of another user, who keeps it open and never writes: nobody waits for that
    os.mkfifo(in_folder("theirs"))
    os.chown(in_folder("theirs"), place.user.pw_uid, place.user.pw_gid)
    held = os.open(in_folder("theirs"), os.O_RDWR)
    result = run_program([program("pgpgate"), "-c", pair.conf, "keys", "import", ALICE, in_folder("theirs")], timeout=30)
    os.close(held)
    assert result.code == DATAERR and "a pipe of another user" in result.err, result
    # a pipe that somebody writes into is read, as the shell's <(...)
    read_end, write_end = os.pipe()
    os.write(write_end, good.encode())
    os.close(write_end)
    piped = subprocess.run([program("pgpgate"), "-c", pair.conf, "keys", "import", ALICE, f"/dev/fd/{read_end}"], pass_fds=[read_end],
                           capture_output=True, text=True)
    os.close(read_end)
    assert piped.returncode == 0 and "1 added" in piped.stdout, piped


def test_a_million_packets_and_keys_and_what_hides_a_secret_key(make_shelf, people, place):
    pair = make_shelf("packets")
    good = certificates.dearmor(people.export(ALICE))
    secret = certificates.dearmor(people.keys.gpg("--export-secret-keys", "--armor", ALICE))
    primary = next(certificates.packets_of(good))[2]
    compressed = b"\x00" + secret
    for name, data, said in (
            ("many-user-ids", primary + b"\xcd\x01x" * 1_000_000, "more than 10,000 packets"),
            ("many-keys", b"\xc6\x01\x04" * 1_000_000, "there may be more"),
            ("in-compressed", good + certificates.packet(8, compressed), "belongs in no certificate"),
            ("in-literal", good + certificates.packet(11, b"b\0" + bytes(4) + secret), "belongs in no certificate"),
            ("behind", good + secret, "a secret key; it was not kept"),
            ("secret-subkey", good + [w for t, _, w in certificates.packets_of(secret) if t == 7][0], "a secret key; it was not kept"),
            ("named-public", certificates.armor("PUBLIC KEY BLOCK", secret), "a secret key; it was not kept"),
            ("secret-armor", certificates.armor("PRIVATE KEY BLOCK", good), "a secret key; it was not kept"),
            ("keybox", b"\0\0\0\x20\1\1\0\2KBXf" + bytes(16), "gpg --export"),
            ("garbage", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + b"QUJD" * 500_000 + b"\n", "its armor has no end"),
            ("random", certificates.armor("PUBLIC KEY BLOCK", os.urandom(100_000)), "certificate 1: ")):
        path = people.file(place, name, data)
        result = run_import(pair, ALICE, path)
        assert result.code == DATAERR and said in result.err and path in result.err, (name, result)
    for path in glob.glob(os.path.join(pair.state, "*")):
        with open(path, "rb") as f:
            assert secret[6:60] not in f.read()


def test_without_gpg_and_with_one_that_hangs(shelf, people, place):
    path = people.file(place, "good", people.export(ALICE))
    result = run_import(shelf, "--gpg", "/nonexistent/gpg", ALICE, path)
    assert result.code == 69 and "apt install gpg" in result.err and "keys add" in result.err
    hanging = people.file(place, "hanging-gpg", '#!/bin/sh\n[ "$1" = --version ] && exit 0\nexec sleep 600\n')
    os.chmod(hanging, 0o755)
    result = run_import(shelf, "--gpg", hanging, ALICE, path)
    assert result.code == DATAERR and "did not end within 5 s" in result.err


def test_a_directory_of_certificates_with_some_damaged(shelf, people, place):
    """PGPGATE_MANY of them, one in fifty damaged: 1,000 in `./runtests keys_table`."""
    folder, n = place.directory("many"), int(os.environ.get("PGPGATE_MANY", "100"))
    good = people.export(ALICE)
    for i in range(n):
        with open(os.path.join(folder, f"{i:04}.asc"), "w", encoding="ascii") as f:
            f.write(good[:-300] if i % 50 == 7 else good)
    os.chmod(folder, 0o755)
    result = run_import(shelf, ALICE, folder)
    assert result.code == DATAERR and f"{n // 50} of {n} certificates are bad" in result.err
    assert result.err.count("certificate 1: damaged") == n // 50


def test_keys_expire_are_forgotten_and_learned(guarded, guarded_mx, people, shelf):
    fingerprint = people.fingerprints("carol@example.org")[1]
    shelf.must("keys", "add", "carol@example.org", fingerprint, "--until", "20d")
    assert shelf.run("keys", "expiring", "--within", "10d").code == 0
    assert shelf.run("keys", "expiring", "--within", "30d").code == 1
    assert shelf.run("keys", "forget", "carol@example.org", fingerprint).code == 0
    assert shelf.run("keys", "forget", "carol@example.org", fingerprint).code == 1
    assert shelf.run("undo").code == 0 and keys_of(shelf, "carol@example.org")[fingerprint]["until_at"] is not None
    shelf.must("keys", "forget", "carol@example.org", fingerprint)

    shells = "x`id`@example.org"
    for i in range(6):
        for who in ("some@example.org", shells):
            assert send(guarded_mx.port, f"friend{i % 2}@there.example", who, people.message("carol@example.org")).code == 250
    for who, code in ((ALICE, 250), (BOB, 550)):
        assert send(guarded_mx.port, SENDER, who, people.message(ALICE)).code == code
    learned = [o for o in guarded.json("keys", "learn") if o["pattern"] == "some@example.org"]
    assert [o["key_id"] for o in learned] == [fingerprint[-16:]] and learned[0]["senders"] == 2
    assert f"pgpgate keys import '{shells}' -\n" in guarded.must("keys", "learn"), "whoever copies it runs nothing else"
    used = guarded.json("keys", "list", ALICE)
    assert used[0]["messages"] > 0
    checked = guarded.run("--json", "keys", "check")
    rows = {o["recipient"]: o for o in map(json.loads, checked.out.splitlines())}
    assert checked.code == 1 and rows[BOB]["other"] >= 1 and rows[BOB]["old"] == 0, rows
    assert rows["some@example.org"]["unknown"] == rows["some@example.org"]["messages"] == 6
    assert "to another key" in guarded.run("keys", "check").out
    simulated = guarded.json("simulate", "own-key", BOB)[0]
    assert simulated["messages"] > 0


def test_suggest_report_and_explain_know_it(make_pair, make_postfix, people):
    """Whose encrypted mail is all to keys of theirs could demand it; who encrypts to another key is no sender to exempt."""
    pair = make_pair("suggests", default_requirement="encrypted", mail_providers="")
    mx = make_postfix("suggests", pair)
    carol, dave, erin = "carol@example.org", "dave@example.org", "erin@example.org"
    for who in (ALICE, BOB):
        pair.must("keys", "import", who, "-", data=people.export(who).encode())
    for who in (dave, erin):
        pair.must("keys", "import", "--any-user-id", who, "-", data=people.export(ALICE).encode())
    pair.must("observe", dave)
    pair.must("require", "--level", "own-key", erin)
    pair.must("require", "--level", "own-key", "frank@example.org")
    for _ in range(10):
        assert send(mx.port, SENDER, [ALICE, BOB, carol, dave], people.message(ALICE, BOB)).code == 250
    wrong = people.message(BOB)
    for _ in range(2):
        for _ in range(3):
            assert send(mx.port, SENDER, erin, wrong).code == 550
        pair.let_time_pass(86400)

    def suggested():
        return {o["kind"]: o["command"] for o in pair.json("suggest")}
    assert suggested() == {"own-key": f"pgpgate require --level own-key {ALICE} {BOB} {dave}"}
    # one message to another key, and one in the clear
    assert send(mx.port, SENDER, BOB, people.message(carol)).code == 250
    assert send(mx.port, SENDER, dave, messages.cleartext()).code == 250
    wait_until(lambda: len(pair.json("log")) == 18, "all on record")
    assert suggested() == {"own-key": f"pgpgate require --level own-key {ALICE}"}
    assert "could demand mail to their own keys" in pair.must("suggest")
    by_reason = {o["key"]: o for o in pair.json("report", "--by", "reason") if o["by"] == "reason"}
    assert (by_reason["other-key"]["messages"], by_reason["other-key"]["refused"]) == (6, 6), by_reason
    assert pair.explain(erin)["key"] == people.fingerprints(ALICE)[1] and pair.explain(ALICE)["key"] is None
    assert people.fingerprints(ALICE)[1] in pair.must("explain", erin)
    assert "none is known, so this is the same as encrypted" in " ".join(pair.must("explain", "frank@example.org").split())
    pair.must("keys", "add", "frank@example.org", "AB" * 20, "--until", "2020-01-01")
    assert "all that are known have ended" in " ".join(pair.must("explain", "frank@example.org").split())


@pytest.mark.parametrize("name, refused, reason", [
    ("openpgpjs6-aead-eax", "mdc, ocb", "aead-container"),
    ("openpgpjs4-aead", "mdc, aead", "ocb-container"),
    ("openpgpjs6-binary", "aead, ocb", "mdc-container"),
])
def test_containers_that_are_not_accepted(shelf, name, refused, reason):
    path = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "mail", f"{name}.eml")
    assert shelf.json("check", path)[0]["verdict"] == "encrypted"
    got = shelf.json("-o", f"accept_containers={refused}", "check", path)[0]
    assert (got["verdict"], got["reason"]) == ("invalid", reason)
    other = {"mdc", "aead", "ocb"} - set(refused.split(", "))
    assert shelf.json("-o", f"accept_containers={other.pop()}", "check", path)[0]["verdict"] == "encrypted"


# ---- hashed mode, and encrypting instead of refusing ----

def written_forms(digits):
    """What would show a key id or a fingerprint: its octets in either order, digits in either case, base64 wherever it begins."""
    octets = bytes.fromhex(digits)
    yield from (octets, octets[::-1], digits.encode(), digits.lower().encode())
    for before in range(3):
        text = base64.b64encode(bytes(before) + octets).rstrip(b"=")
        # what is not also of the octets around it
        yield text[(0, 2, 3)[before]:len(text) - 1]


def look_for(names, paths):
    """Names that can be read in these files, whatever they are: nothing may be."""
    found = []
    for path in paths:
        with open(path, "rb") as f:
            content = f.read()
        found += [(n, os.path.basename(path)) for n in names if any(form in content for form in written_forms(n))]
    return found


def essence(rows):
    """Of what keys list tells: which keys, not by whom and since when."""
    return sorted(tuple(str(r.get(k)) for k in ("pattern", "fingerprint", "key_id", "certificate", "state", "until_at", "source", "member"))
                  for r in rows)


def test_hashed_mode_shows_no_key_id_and_all_works(make_pair, make_postfix, people, place):
    """No key id and no fingerprint, of messages or of keys that are kept, can be read in any file; and every command still does
    what it does."""
    pair = make_pair("keys-hashed", log_addresses="hashed", key_url="https://keys.example.org/%f", default_requirement="own-key")
    mx = make_postfix("keys-hashed", pair)
    folder = place.directory("made-hashed")
    made = {who: certificates.Certificate(folder, who, [certificates.X25519]) for who in ("gina@example.org", "hans@example.org")}
    added, folks = "AB12CD34" * 8, (ALICE, BOB, "carol@example.org")
    names = {digits for who in folks for f in people.fingerprints(who) for digits in (f, f[-16:])}
    names |= {digits for c in made.values() for k in [c.primary, *c.subkeys] for digits in (k.fingerprint, k.key_id)}
    names |= {added, added[:16]}

    def files():
        return glob.glob(os.path.join(pair.state, "*")) + [pair.filter.log_path, pair.policyd.log_path]
    assert send(mx.port, SENDER, "dave@example.org", people.message(BOB, "carol@example.org")).code == 250
    for who in (ALICE, BOB):
        pair.must("keys", "import", who, "-", data=people.export(who).encode())
    for who, c in made.items():
        pair.must("keys", "import", who, "-", data=c.armor().encode())
    pair.must("keys", "add", "six@example.org", added, "--until", "20d")
    pair.must("keys", "group", "team@example.org", "=", ALICE, BOB)
    (alices, alice), (_, bob) = people.fingerprints(ALICE), people.fingerprints(BOB)
    sent = send(mx.port, SENDER, ALICE, people.message(BOB, "carol@example.org"))
    assert sent.code == 550 and f"0x{bob[-16:]}" in sent.final.text, "whose it is"
    assert f"its key 0x{alice[-16:]}" in sent.final.text and f"https://keys.example.org/{alice}>" in sent.final.text, "whose it should be"
    for who, to, code in ((ALICE, ALICE, 250), ("team@example.org", BOB, 250), ("team@example.org", "carol@example.org", 550)):
        assert send(mx.port, SENDER, who, people.message(to)).code == code
    assert pair.json("simulate", "own-key", ALICE)[0]["refused"] == 1
    wait_until(lambda: len(pair.json("log")) == 5, "all on record")

    listed = {row["fingerprint"]: row for row in pair.json("keys", "list") if "fingerprint" in row}
    assert {alice, bob, added} < set(listed) and listed[alice]["certificate"] == alices and listed[alice]["messages"] == 1
    assert added in pair.run("keys", "expiring", "--within", "30d").out
    assert {row["pattern"] for row in listed.values()} == {ALICE, BOB, *made, "six@example.org"}
    checked = pair.run("--json", "keys", "check")
    assert checked.code in (0, 1) and checked.err == "", checked
    root = os.path.join(place.path, "hashed-wkd")
    pair.must("keys", "export", "--wkd", root)
    published = glob.glob(f"{root}/.well-known/openpgpkey/example.org/hu/*")
    assert len(published) == 4
    imported = b"".join(open(p, "rb").read() for p in published)
    assert bytes.fromhex(people.fingerprints(ALICE)[0]) in imported, "what is looked for below would be found"
    assert not [f for f in doctor(pair, "--wkd", root) if f[0] == "problem" and ".well-known" in f[1]]
    # the history names keys to who has the key file, and each change is taken back
    before = pair.json("keys", "list")
    pair.must("keys", "import", "--supersede", "--any-user-id", ALICE, "-", data=made["gina@example.org"].armor().encode())
    assert {r["state"] for r in pair.json("keys", "list", ALICE)} == {"active", "superseded"}
    assert f"key {ALICE} {alice} state=superseded" in " ".join(pair.must("rules", "--history").split())
    pair.must("undo")
    assert essence(pair.json("keys", "list")) == essence(before)
    pair.must("keys", "forget", "six@example.org", added)
    assert pair.run("keys", "forget", "six@example.org").code == 1
    pair.must("undo")
    pair.must("keys", "import", ALICE, "-", data=people.export(ALICE).encode())
    pair.must("keys", "forget", "hans@example.org")
    backup = os.path.join(place.path, "hashed-backup.db")
    pair.must("db", "backup", backup)
    assert look_for(names, files() + [backup]) == []
    assert not any(b"l=alice" in open(p, "rb").read() for p in files())

    # another key: what is kept is kept under that from now on
    pair.stop()
    pair.must("db", "init", "--new-key")
    assert essence(pair.json("keys", "list")) == essence(r for r in before if r.get("pattern") != "hans@example.org")
    assert f"key {ALICE} {alice} state=superseded" in " ".join(pair.must("rules", "--history").split())
    # and in the clear once it is so wanted, and hashed again
    pair.write_conf(log_addresses="full")
    pair.must("keys", "add", "seven@example.org", "CD" * 20)
    assert alice.encode() in rows_of(pair) and {r["fingerprint"] for r in pair.json("keys", "list", ALICE)} == {alice}
    pair.write_conf(log_addresses="hashed")
    assert {r["fingerprint"] for r in pair.json("keys", "list", ALICE)} == {alice}
    pair.must("keys", "forget", "seven@example.org")
    assert {r["fingerprint"] for r in pair.json("keys", "list", ALICE)} == {alice}
    pair.must("db", "compact")
    assert look_for(names | {"CD" * 20}, glob.glob(os.path.join(pair.state, "*"))) == []


def test_hashed_mode_learns_checks_and_suggests_by_what_is_known(make_pair, make_postfix, people, place):
    """A hash tells neither key nor recipient; certificates that are given do, and the addresses that keys and rules are for."""
    pair = make_pair("keys-hashes", log_addresses="hashed", default_requirement="encrypted", mail_providers="")
    mx = make_postfix("keys-hashes", pair)
    carol, folder = "carol@example.org", place.directory("its keys")
    path = os.path.join(folder, "carol; and others.asc")
    for name, text in ((path, people.export(carol)), (os.path.join(folder, "bad.asc"), people.export(BOB)[:-300])):
        with open(name, "w", encoding="ascii") as f:
            f.write(text)
    to_carol = people.message(carol)
    for i in range(10):
        assert send(mx.port, f"friend{i % 2}@there.example", carol, to_carol).code == 250
    for i in range(5):
        assert send(mx.port, f"friend{i % 2}@there.example", "some@example.org", to_carol).code == 250
    wait_until(lambda: len(pair.json("log")) == 15, "all on record")
    assert pair.json("keys", "learn") == [] and "2 more are hashed" in pair.must("keys", "learn")

    def learned(*words):
        result = pair.run("--json", "keys", "learn", *words)
        assert result.code == 0, result
        return {o["pattern"]: (o["key_id"], o["messages"], o["senders"], o["command"]) for o in map(json.loads, result.out.splitlines())}
    key = people.fingerprints(carol)[1]
    by_file = learned("--from", folder)
    assert by_file == {carol: (key[-16:], 10, 2, f"pgpgate keys import {carol} '{path}'")}
    assert "bad.asc: certificate 1: " in pair.run("keys", "learn", "--from", folder).err
    # a rule tells whose the other is, and it is not in the certificate; so it is said in the command
    pair.must("observe", "some@example.org")
    assert learned("--from", folder)["some@example.org"][3] == f"pgpgate keys import --any-user-id some@example.org '{path}'"
    pair.must("keys", "import", carol, path)
    assert learned("--from", folder).keys() == {"some@example.org"}
    assert learned()["some@example.org"][3] == f"pgpgate keys add some@example.org {key}", "a key that is kept is known by its hash"

    assert {o["kind"]: o["command"] for o in pair.json("suggest")} == {"own-key": f"pgpgate require --level own-key {carol}"}
    pair.must("keys", "import", "some@example.org", "--any-user-id", "-", data=people.export(BOB).encode())
    checked = pair.run("--json", "keys", "check")
    assert checked.code == 1 and [(o["recipient"], o["messages"], o["other"]) for o in map(json.loads, checked.out.splitlines())] == [
        ("some@example.org", 5, 5)], checked


def test_keys_that_are_kept_under_a_key_that_is_lost(make_shelf, people):
    """Nobody is refused for it, and commands and doctor say what is missing."""
    pair = make_shelf("keys-lost", log_addresses="hashed", default_requirement="own-key")
    pair.must("keys", "import", ALICE, "-", data=people.export(ALICE).encode())
    os.rename(pair.database + ".key", pair.database + ".elsewhere")
    assert "is lost" in pair.run("keys", "list").err
    pair.write_conf(log_addresses="full")
    for other in (b"", b"another, that is as long as that"):  # nothing is there, and 32 other octets
        if other:
            with open(pair.database + ".key", "wb") as f:
                f.write(other)
            os.chmod(pair.database + ".key", 0o644)
        for words in (("keys", "list"), ("keys", "forget", ALICE), ("keys", "add", BOB, "AB" * 20)):
            result = pair.run(*words)
            assert result.code != 0 and ".key" in result.err and "--new-key" in result.err, result
    told = [json.loads(line) for line in pair.run("--json", "doctor").out.splitlines()]
    told = [f for f in told if f["topic"] == "keys" and f["state"] == "problem"]
    assert len(told) == 1 and ".key" in told[0]["text"] and "451" in told[0]["text"], told
    os.rename(pair.database + ".elsewhere", pair.database + ".key")
    assert len(pair.json("keys", "list", ALICE)) == 1
    os.unlink(pair.database + ".key")
    pair.must("db", "init", "--new-key")
    assert pair.json("keys", "list") == []
    pair.must("keys", "import", ALICE, "-", data=people.export(ALICE).encode())
    assert len(pair.json("keys", "list", ALICE)) == 1


class Gateway(socketserver.ThreadingTCPServer):
    """A stand-in for a gateway that encrypts: it takes mail by SMTP and keeps it."""

    daemon_threads = True

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 gateway\r\n")
            for line in self.rfile:
                verb = line.split(b" ")[0].strip().upper()
                if verb == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    text = b"".join(iter(self.rfile.readline, b".\r\n"))
                    self.server.taken.append(text.decode(errors="replace"))
                self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 gateway\r\n")
                if verb == b"QUIT":
                    return

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.taken = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_cleartext_goes_to_an_encrypting_gateway(make_pair, make_postfix, people, place):
    gateway = Gateway()
    checks = people.file(place, "to-gateway", "/^X-PGP-Gate: .*; reason=/ FILTER smtp:[127.0.0.1]:%d\n" % gateway.server_address[1])
    pair = make_pair("tagged", on_refusal="tag")
    mx = make_postfix("tagged", pair, settings={"milter_header_checks": f"regexp:{checks}"})
    plain, secret, forged = messages.token(), messages.token(), messages.token()
    assert send(mx.port, SENDER, ALICE, messages.cleartext(plain)).code == 250
    armor = people.keys.gpg("--armor", "--encrypt", "-r", ALICE, data=b"secret\n")
    assert send(mx.port, SENDER, ALICE, messages.pgp_mime(armor, secret)).code == 250
    # whoever writes the field himself is not believed: it is removed, and the message goes its way
    message = messages.pgp_mime(armor, forged)
    message = b"X-PGP-Gate: verdict=cleartext; form=none; reason=no-openpgp\r\n" + (
        message if isinstance(message, bytes) else message.encode())
    assert send(mx.port, SENDER, ALICE, message).code == 250
    wait_until(lambda: mx.delivered_to(secret) and mx.delivered_to(forged) and gateway.taken, "mail")
    mx.wait_empty()
    assert len(gateway.taken) == 1 and plain in gateway.taken[0]
    assert not mx.delivered_to(plain)
    assert not any("reason=no-openpgp" in str(text) for text in mx.mail_texts())
    gateway.shutdown()

# SPDX-License-Identifier: ISC
"""Certificates of several programs and kinds times messages to the right key, to another one, to both, hidden, with an archive's
key beside it, to a group, to an old key: who is refused, and who is not. Judged by `explain --message`, which decides as the filter
does. Programs that are not there are left out, with a word; `./runtests keys_table` brings them and then wants them all
(PGPGATE_CERTIFICATES=all). PGPGATE_OPENPGPJS names a folder with node_modules/openpgp5 and openpgp6."""

import os
import re
import shutil
import subprocess

import pytest

from harness import certificates, messages

HERE = os.path.dirname(os.path.realpath(__file__))
GPG_KINDS = {  # algorithm and usage of the primary key, algorithms of encryption subkeys
    "rsa2048": ("rsa2048", "cert,sign", ["rsa2048"]), "rsa4096": ("rsa4096", "cert,sign", ["rsa4096"]),
    "one-rsa": ("rsa2048", "cert,sign,encr", []), "dsa-elgamal": ("dsa2048", "cert,sign", ["elg2048"]),
    "ed25519": ("ed25519", "cert,sign", ["cv25519"]), "two": ("ed25519", "cert,sign", ["cv25519", "cv25519"]),
    "two-kinds": ("rsa2048", "cert,sign", ["rsa2048", "cv25519"]),
    "nistp256": ("nistp256", "cert,sign", ["nistp256"]), "nistp384": ("nistp384", "cert,sign", ["nistp384"]),
    "nistp521": ("nistp521", "cert,sign", ["nistp521"]), "secp256k1": ("secp256k1", "cert,sign", ["secp256k1"]),
    "brainpool256": ("brainpoolP256r1", "cert,sign", ["brainpoolP256r1"]),
    "brainpool384": ("brainpoolP384r1", "cert,sign", ["brainpoolP384r1"]),
    "brainpool512": ("brainpoolP512r1", "cert,sign", ["brainpoolP512r1"]),
}
JARS = [f"/usr/share/java/{name}.jar" for name in ("bcpg", "bcprov")]


class Certificate:
    """text: armored. message, hidden, both: armored, encrypted by the program itself; hidden and both may be None."""

    def __init__(self, name, text, message, hidden=None, both=None):
        self.name, self.text, self.message, self.hidden, self.both = name, text, message, hidden, both
        self.address = f"{name}@table.example"


def command(*words, data=b""):
    return subprocess.run(words, input=data, check=True, capture_output=True).stdout.decode()


def session_keys(armor):
    """Of a message: its session keys, whole, and the rest."""
    packets = list(certificates.packets_of(certificates.dearmor(armor)))
    return [p for p in packets if p[0] == 1], b"".join(p[2] for p in packets if p[0] != 1)


def spliced(armor, other):
    """The session keys of another message before its own: no program could tell, without the secret key."""
    theirs, _ = session_keys(other)
    ours, rest = session_keys(armor)
    return certificates.armor("MESSAGE", b"".join(p[2] for p in theirs + ours) + rest)


def without_ids(armor):
    """Session keys that name nobody (RFC 9580 section 5.1.8)."""
    ours, rest = session_keys(armor)
    bodies = [b"\x03" + bytes(8) + body[9:] if body[0] == 3 else b"\x06\x00" + body[2 + body[1]:] for _, body, _ in ours]
    return certificates.armor("MESSAGE", b"".join(certificates.packet(1, b) for b in bodies) + rest)


class Makers:
    def __init__(self, keys, place):
        self.keys, self.place = keys, place
        self.folder = place.directory("table")

    def colon(self, who):
        return re.findall(r"^fpr:+([0-9A-F]+):", self.keys.gpg("--list-keys", "--with-colons", who), re.M)

    def encrypt(self, *to, words=()):
        return self.keys.gpg("--armor", "--encrypt", *[w for k in to for w in ("-r", k)], *words, data=b"text\n")

    def by_gpg(self, name, primary="ed25519", usage="cert,sign", subkeys=("cv25519",)):
        address = f"{name}@table.example"
        self.keys.gpg("--quick-gen-key", address, primary, usage, "never")
        fingerprint = self.colon(address)[0]
        for algorithm in subkeys:
            self.keys.gpg("--quick-add-key", fingerprint, algorithm, "encr", "never")
        key = f"{(self.colon(address) + [fingerprint])[1 if subkeys else 0]}!"
        c = Certificate(name, self.keys.gpg("--export", "--armor", address), self.encrypt(key),
                        self.encrypt(key, words=["--throw-keyids"]), self.encrypt("other@elsewhere.example", key))
        c.key = key
        return c

    def by_sq(self, name, suite):
        path = os.path.join(self.folder, f"{name}.sq")
        command("sq", "key", "generate", "--userid", f"<{name}@table.example>", "--cipher-suite", suite, "--export", path)
        public = command("sq", "key", "extract-cert", path)
        with open(path + ".pub", "w", encoding="ascii") as f:
            f.write(public)
        return Certificate(name, public, command("sq", "encrypt", "--recipient-cert", path + ".pub", data=b"text\n"))

    def by_sop(self, program):
        """A program with the Stateless OpenPGP interface."""
        name = program.partition("-")[0]
        secret = command(program, "generate-key", f"<{name}@table.example>")
        public = command(program, "extract-cert", data=secret.encode())
        path = os.path.join(self.folder, f"{name}.sop")
        with open(path, "w", encoding="ascii") as f:
            f.write(public)
        return Certificate(name, public, command(program, "encrypt", path, data=b"text\n"))

    def by_rnp(self, name, *words):
        home = self.place.directory(f"rnp-{name}", mode=0o700)
        address = f"<{name}@table.example>"
        rnpkeys = ["rnpkeys", "--homedir", home]
        command(*rnpkeys, "--password", "", "--userid", address, "--generate-key", *words)
        source = os.path.join(home, "text")
        with open(source, "w", encoding="ascii") as f:
            f.write("text\n")
        command("rnp", "--homedir", home, "--encrypt", "--armor", "-r", address, "--overwrite", "--output", source + ".asc", source)
        with open(source + ".asc", encoding="ascii") as f:
            return Certificate(name, command(*rnpkeys, "--export-key", address), f.read())

    def by_program(self, *words):
        """Programs of ours around a library: each writes NAME.cert, NAME.message, and some NAME.hidden, into a folder."""
        folder = self.place.directory(f"made-{os.path.basename(words[-1])}")
        command(*words, folder)

        def content(name):
            path = os.path.join(folder, name)
            return open(path, encoding="ascii").read() if os.path.exists(path) else None
        for name in sorted(n[:-5] for n in os.listdir(folder) if n.endswith(".cert")):
            yield Certificate(name, content(f"{name}.cert"), content(f"{name}.message"), content(f"{name}.hidden"))

    def by_hand(self, name, algorithms, version, primary):
        c = certificates.Certificate(self.folder, f"<{name}@table.example>", algorithms, version=version, primary=primary)
        return Certificate(name, c.armor(), certificates.message(c.subkeys[0], version=6 if version == 6 else 3))


@pytest.fixture(scope="module")
def table(make_pair):
    return make_pair("table", default_requirement="own-key")


@pytest.fixture(scope="module")
def makers(keys, place):
    made = Makers(keys, place)
    for who in ("other@elsewhere.example", "archive@elsewhere.example"):
        keys.gpg("--quick-gen-key", who, "future-default", "default", "never")
    return made


def judge(pair, place, recipient, armor, *options):
    path = os.path.join(place.directory("judged"), "message.eml")
    message = messages.pgp_mime(armor, to=recipient)
    with open(path, "wb") as f:
        f.write(message if isinstance(message, bytes) else message.encode())
    answer = pair.json(*options, "explain", recipient, "--message", path)[0]
    return answer["action"], answer["reason"]


ACCEPT = "accept"


def made(makers, absent):
    for name, kind in GPG_KINDS.items():
        yield makers.by_gpg(f"gpg-{name}", *kind)

    def there(program):
        if not shutil.which(program):
            absent.append(program)
        return shutil.which(program)
    if there("sq"):
        for suite in ("cv25519", "rsa3k"):
            yield makers.by_sq(f"sq-{suite}", suite)
    for program in ("sqop", "gosop", "pgpainless-cli"):
        if there(program):
            yield makers.by_sop(program)
    if there("rnp"):
        yield makers.by_rnp("rnp-default")
        yield makers.by_rnp("rnp-rsa", "--numbits", "2048")
    if os.environ.get("PGPGATE_OPENPGPJS"):
        yield from makers.by_program("node", os.path.join(HERE, "certificates", "openpgpjs.cjs"), os.environ["PGPGATE_OPENPGPJS"])
    else:
        absent.append("OpenPGP.js")
    if os.path.isdir("/usr/lib/python3/dist-packages/pgpy"):
        yield from makers.by_program("/usr/bin/python3", "-B", os.path.join(HERE, "certificates", "pgpy_certificates.py"))
    else:
        absent.append("PGPy")
    if there("javac") and all(map(os.path.exists, JARS)):
        yield from makers.by_program("java", "-cp", ":".join(JARS), os.path.join(HERE, "certificates", "BouncyCastle.java"))
    else:
        absent.append("Bouncy Castle")
    ml_kem = [certificates.ML_KEM_768_X25519]
    yield makers.by_hand("ml-kem-v4", ml_kem, 4, certificates.EDDSA_LEGACY)
    yield makers.by_hand("ml-kem-v4-new", ml_kem, 4, certificates.ED25519)
    yield makers.by_hand("ml-kem-v6", ml_kem, 6, certificates.ED25519)
    yield makers.by_hand("ml-kem-1024-v6", [certificates.ML_KEM_1024_X448], 6, certificates.ED25519)


def take(table, c):
    """Imports it, or does what the refusal says. Whether it was imported."""
    result = table.run("keys", "import", c.address, "-", data=c.text.encode())
    if result.code == 0:
        return True
    assert result.code == 65 and "of a kind that gpg does not read" in result.err, (c.name, result)
    adding = re.findall(r"pgpgate (keys add \S+ [0-9A-F]+)", result.err)
    assert adding, (c.name, result)
    for words in adding:
        table.must(*words.split())
    return False


def test_every_certificate_times_every_message(table, makers, place):
    wrong, absent, n_imported, n_added, n_cells = [], [], 0, 0, 0
    wants_all = os.environ.get("PGPGATE_CERTIFICATES") == "all"
    other, archive = (makers.encrypt(f"{who}@elsewhere.example") for who in ("other", "archive"))
    fresh = makers.by_gpg("fresh").text
    table.must("keys", "import", "--any-user-id", "second@table.example", "-", data=fresh.encode())

    def cell(label, recipient, armor, want, *options):
        nonlocal n_cells
        n_cells += 1
        got = judge(table, place, recipient, armor, *options)
        if got != want:
            wrong.append((label, got, want))

    for c in made(makers, absent):
        is_imported = take(table, c)
        n_imported, n_added = n_imported + is_imported, n_added + (not is_imported)
        group = f"group-{c.name}@table.example"
        table.must("keys", "group", group, "=", c.address, "second@table.example")
        table.must("keys", "group", "--all", f"all-{group}", "=", c.address, "second@table.example")
        good, other_key = (ACCEPT, "ok"), ("refuse", "other-key")
        hidden = c.hidden or without_ids(c.message)
        cell(f"{c.name}: right", c.address, c.message, good)
        cell(f"{c.name}: another", c.address, other, other_key)
        cell(f"{c.name}: both", c.address, c.both or spliced(c.message, other), good)
        cell(f"{c.name}: an archive's beside it", c.address, spliced(c.message, archive), good)
        cell(f"{c.name}: another's and an archive's", c.address, spliced(other, archive), other_key)
        cell(f"{c.name}: hidden", c.address, hidden, good)
        cell(f"{c.name}: hidden, all", c.address, without_ids(c.message), good)
        cell(f"{c.name}: hidden, refused", c.address, hidden, ("refuse", "hidden-recipient"), "-o", "hidden_recipients=refuse")
        cell(f"{c.name}: one of a group", group, c.message, good)
        cell(f"{c.name}: none of a group", group, other, other_key)
        cell(f"{c.name}: one where all are wanted", f"all-{group}", c.message, other_key)
        cell(f"{c.name}: another recipient's", "second@table.example", c.message, other_key)
        # a new key takes its place: the old one still does for key_grace
        table.must("keys", "import", "--any-user-id", "--supersede", c.address, "-", data=fresh.encode())
        cell(f"{c.name}: an old key", c.address, c.message, good)
        cell(f"{c.name}: an old key after its grace", c.address, c.message, ("refuse", "revoked-key"), "-o", "key_grace=0")
        cell(f"{c.name}: another beside an old key", c.address, other, other_key)
    print(f"{n_imported} certificates imported, {n_added} added by fingerprint, {n_cells} cells, {len(wrong)} wrong"
          f"{', not there: ' if absent else ''}{', '.join(absent)}")
    assert not wrong, wrong
    if wants_all:
        assert not absent and n_imported + n_added >= 40


REASONS = {"0": "superseded", "1": "compromised", "2": "superseded", "3": "superseded"}  # gpg's menu: none, compromised, superseded, retired


@pytest.mark.parametrize("answer", sorted(REASONS))
def test_a_subkey_revoked_for_each_reason(table, makers, place, answer):
    name = f"revoked{answer}"
    c = makers.by_gpg(name, subkeys=["cv25519", "cv25519"])
    before = c.message
    makers.keys._run(["gpg", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", "--command-fd", "0",
                      "--edit-key", c.address], f"key 1\nrevkey\ny\n{answer}\n\ny\nsave\n".encode())
    table.must("keys", "import", c.address, "-", data=makers.keys.gpg("--export", "--armor", c.address).encode())
    rows = {row["fingerprint"]: row["state"] for row in table.json("keys", "list", c.address)}
    assert sorted(rows.values()) == sorted(["active", REASONS[answer]]), rows
    assert rows[c.key.rstrip("!")] == REASONS[answer]
    want = ("refuse", "revoked-key") if answer == "1" else (ACCEPT, "ok")  # within key_grace
    assert judge(table, place, c.address, before) == want
    no_grace = table.run("-o", "key_grace=0", "--json", "explain", c.address, "--message",
                         os.path.join(place.directory("judged"), "message.eml"))
    assert '"reason":"revoked-key"' in no_grace.out


def test_a_whole_certificate_revoked_and_one_that_expired(table, makers, place):
    c = makers.by_gpg("gone")
    before = c.message
    makers.keys._run(["gpg", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", "--command-fd", "0",
                      "--edit-key", c.address], b"revkey\ny\n1\n\ny\nsave\n")
    table.must("keys", "import", c.address, "-", data=makers.keys.gpg("--export", "--armor", c.address).encode())
    assert [row["state"] for row in table.json("keys", "list", c.address)] == ["compromised"]
    assert judge(table, place, c.address, before) == ("refuse", "revoked-key")

    address = "late@table.example"
    old = ["--faked-system-time", "20250101T000000!"]
    makers.keys.gpg(*old, "--quick-gen-key", address, "ed25519", "cert,sign", "never")
    fingerprint = makers.colon(address)[0]
    makers.keys.gpg(*old, "--quick-add-key", fingerprint, "cv25519", "encr", "30d")
    armor = makers.keys.gpg("--faked-system-time", "20250102T000000!", "--armor", "--encrypt", "-r", address, data=b"text\n")
    table.must("keys", "import", address, "-", data=makers.keys.gpg("--export", "--armor", address).encode())
    assert [row["state"] for row in table.json("keys", "list", address)] == ["expired"]
    assert judge(table, place, address, armor) == ("refuse", "expired-key")
    # rotated: the new key beside the old one
    makers.keys.gpg("--quick-add-key", fingerprint, "cv25519", "encr", "never")
    table.must("keys", "import", address, "-", data=makers.keys.gpg("--export", "--armor", address).encode())
    assert judge(table, place, address, makers.keys.gpg("--armor", "--encrypt", "-r", address, data=b"x")) == (ACCEPT, "ok")
    assert judge(table, place, address, armor) == ("refuse", "expired-key")

# SPDX-License-Identifier: ISC
"""Certificates of several programs and kinds times messages to the right key, to another one, to both, hidden, with an archive's
key beside it, to a group, to an old key: who is refused, and who is not. Judged by `explain --message`, which decides as the filter
does. PGPGATE_OPENPGPJS names a folder with node_modules/openpgp (6): then version 6 certificates and OpenPGP.js's own come too."""

import os
import re
import shutil
import subprocess

import pytest

from harness import messages

GPG_KINDS = {  # algorithm, usage of the first encryption subkey
    "rsa2048": ("rsa2048", "rsa2048"), "rsa3072": ("rsa3072", "rsa3072"), "dsa-elgamal": ("dsa2048", "elg2048"),
    "ed25519": ("ed25519", "cv25519"), "nistp256": ("nistp256", "nistp256"), "nistp384": ("nistp384", "nistp384"),
    "nistp521": ("nistp521", "nistp521"), "brainpool256": ("brainpoolP256r1", "brainpoolP256r1"),
    "brainpool384": ("brainpoolP384r1", "brainpoolP384r1"), "brainpool512": ("brainpoolP512r1", "brainpoolP512r1"),
}


class Certificate:
    def __init__(self, name, text, encrypt, words=()):
        self.name, self.text, self.encrypt, self.words = name, text, encrypt, words
        self.address = f"{name}@table.example"


class Makers:
    def __init__(self, keys, place):
        self.keys, self.place = keys, place
        self.folder = place.directory("table")

    def colon(self, who):
        return re.findall(r"^fpr:+([0-9A-F]+):", self.keys.gpg("--list-keys", "--with-colons", who), re.M)

    def by_gpg(self, name, primary, subkey, *more):
        address = f"{name}@table.example"
        self.keys.gpg("--quick-gen-key", address, primary, "cert,sign", "never")
        fingerprint = self.colon(address)[0]
        for algorithm in (subkey, *more):
            self.keys.gpg("--quick-add-key", fingerprint, algorithm, "encr", "never")
        return self.gpg_certificate(name, f"{self.colon(address)[1]}!")

    def gpg_certificate(self, name, key):
        def encrypt(*others, hidden=False):
            words = [w for k in (key, *others) for w in ("-r", k)]
            return self.keys.gpg("--armor", "--encrypt", *words, *(["--throw-keyids"] if hidden else []), data=b"text\n")
        certificate = Certificate(name, self.keys.gpg("--export", "--armor", f"{name}@table.example"), encrypt)
        certificate.key = key
        return certificate

    def by_file(self, name, command, export, encrypt):
        subprocess.run(command, check=True, capture_output=True)
        return Certificate(name, subprocess.run(export, check=True, capture_output=True, text=True).stdout, encrypt)

    def by_sq(self, name, suite):
        path = os.path.join(self.folder, f"{name}.sq")
        subprocess.run(["sq", "key", "generate", "--userid", f"<{name}@table.example>", "--cipher-suite", suite, "--export", path],
                       check=True, capture_output=True)
        public = subprocess.run(["sq", "key", "extract-cert", path], check=True, capture_output=True, text=True).stdout
        with open(path + ".pub", "w", encoding="ascii") as f:
            f.write(public)

        def encrypt(*others, hidden=False):
            return subprocess.run(["sq", "encrypt", "--recipient-cert", path + ".pub"], input=b"text\n", check=True,
                                  capture_output=True).stdout.decode()
        return Certificate(name, public, encrypt)

    def by_rnp(self, name, *words):
        home = self.place.directory(f"rnp-{name}", mode=0o700)
        address = f"<{name}@table.example>"
        subprocess.run(["rnpkeys", "--homedir", home, "--password", "", "--userid", address, "--generate-key", *words],
                       check=True, capture_output=True)
        public = subprocess.run(["rnpkeys", "--homedir", home, "--export-key", address], check=True, capture_output=True,
                                text=True).stdout

        def encrypt(*others, hidden=False):
            source = os.path.join(home, "text")
            with open(source, "w", encoding="ascii") as f:
                f.write("text\n")
            subprocess.run(["rnp", "--homedir", home, "--encrypt", "--armor", "-r", address, "--overwrite", "--output",
                            source + ".asc", source], check=True, capture_output=True)
            with open(source + ".asc", encoding="ascii") as f:
                return f.read()
        return Certificate(name, public, encrypt)

    def by_js(self, name, options):
        path = os.path.join(self.folder, f"{name}.js.asc")
        run_js(f"""const k = await openpgp.generateKey({{userIDs: [{{email: '{name}@table.example'}}], {options}, format: 'armored'}});
               require('fs').writeFileSync('{path}', k.publicKey);""")

        def encrypt(*others, hidden=False):
            return run_js(f"""const key = await openpgp.readKey({{armoredKey: require('fs').readFileSync('{path}', 'utf8')}});
                process.stdout.write(await openpgp.encrypt({{message: await openpgp.createMessage({{text: 'text'}}),
                encryptionKeys: key, config: {{rejectCurves: new Set()}}}}));""")
        with open(path, encoding="ascii") as f:
            return Certificate(name, f.read(), encrypt)


def run_js(body):
    folder = os.environ["PGPGATE_OPENPGPJS"]
    program = f"const openpgp = require('openpgp'); (async () => {{ {body} }})().catch(e => {{ console.error(e); process.exit(1); }});"
    return subprocess.run(["node", "-e", program], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def table(make_pair):
    return make_pair("table", default_requirement="own-key")


@pytest.fixture(scope="module")
def makers(keys, place):
    made = Makers(keys, place)
    for who in ("other@elsewhere.example", "archive@elsewhere.example"):
        keys.gpg("--quick-gen-key", who, "future-default", "default", "never")
    return made


def judge(pair, place, recipient, armor):
    path = os.path.join(place.directory("judged"), "message.eml")
    message = messages.pgp_mime(armor, to=recipient)
    with open(path, "wb") as f:
        f.write(message if isinstance(message, bytes) else message.encode())
    answer = pair.explain(recipient, "--message", path)
    return answer["action"], answer["reason"]


ACCEPT = "accept"


def certificates(makers):
    for name, (primary, subkey) in GPG_KINDS.items():
        yield makers.by_gpg(f"gpg-{name}", primary, subkey)
    yield makers.by_gpg("gpg-two", "ed25519", "cv25519", "cv25519")
    if shutil.which("sq"):
        for suite in ("cv25519", "rsa3k"):
            yield makers.by_sq(f"sq-{suite}", suite)
    if shutil.which("rnp"):
        yield makers.by_rnp("rnp-default")
        yield makers.by_rnp("rnp-rsa", "--numbits", "2048")
    if os.environ.get("PGPGATE_OPENPGPJS"):
        yield makers.by_js("js-ecc", "type: 'ecc'")
        yield makers.by_js("js-rsa", "type: 'rsa', rsaBits: 2048")
        yield makers.by_js("js-nist", "type: 'ecc', curve: 'nistP384'")


def test_every_certificate_times_every_message(table, makers, place):
    wrong, n_certificates, n_cells = [], 0, 0

    def cell(label, recipient, armor, want):
        nonlocal n_cells
        n_cells += 1
        got = judge(table, place, recipient, armor)
        if got != want:
            wrong.append((label, got, want))

    other = makers.keys.gpg("--armor", "--encrypt", "-r", "other@elsewhere.example", data=b"text\n")
    for c in certificates(makers):
        n_certificates += 1
        table.must("keys", "import", c.address, "-", data=c.text.encode())
        table.must("keys", "group", f"group-{c.name}@table.example", "=", c.address, "nobody@table.example")
        cell(f"{c.name}: right", c.address, c.encrypt(), (ACCEPT, "ok"))
        cell(f"{c.name}: another", c.address, other, ("refuse", "other-key"))
        cell(f"{c.name}: a group", f"group-{c.name}@table.example", c.encrypt(), (ACCEPT, "ok"))
        if hasattr(c, "key"):
            cell(f"{c.name}: both", c.address, c.encrypt("other@elsewhere.example"), (ACCEPT, "ok"))
            cell(f"{c.name}: an archive", c.address, c.encrypt("archive@elsewhere.example"), (ACCEPT, "ok"))
            cell(f"{c.name}: hidden", c.address, c.encrypt(hidden=True), (ACCEPT, "ok"))
    print(f"{n_certificates} certificates, {n_cells} cells")
    assert not wrong, wrong


REASONS = {"0": "superseded", "1": "compromised", "2": "superseded", "3": "superseded"}  # gpg's menu: none, compromised, superseded, retired


@pytest.mark.parametrize("answer", sorted(REASONS))
def test_a_subkey_revoked_for_each_reason(table, makers, place, answer):
    name = f"revoked{answer}"
    c = makers.by_gpg(name, "ed25519", "cv25519", "cv25519")
    before = c.encrypt()
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
    c = makers.by_gpg("gone", "ed25519", "cv25519")
    before = c.encrypt()
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


@pytest.mark.skipif(not os.environ.get("PGPGATE_OPENPGPJS"), reason="PGPGATE_OPENPGPJS names no folder with OpenPGP.js 6")
def test_a_version_6_certificate_is_added_by_fingerprint(table, makers, place):
    c = makers.by_js("js-v6", "type: 'curve25519', config: {v6Keys: true}")
    result = table.run("keys", "import", c.address, "-", data=c.text.encode())
    assert result.code == 65 and "version 6" in result.err
    fingerprint = re.search(r"keys add \S+ ([0-9A-F]{64})", result.err)[1]
    both = c.text + makers.keys.gpg("--export", "--armor", "other@elsewhere.example")
    assert "1 of 2 certificates are bad" in table.run("keys", "import", "--any-user-id", c.address, "-", data=both.encode()).err
    other = makers.keys.gpg("--armor", "--encrypt", "-r", "other@elsewhere.example", data=b"text\n")
    table.must("keys", "add", c.address, fingerprint)
    assert judge(table, place, c.address, c.encrypt()) == (ACCEPT, "ok")
    assert judge(table, place, c.address, other) == ("refuse", "other-key")

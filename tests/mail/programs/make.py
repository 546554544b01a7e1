#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Makes the golden messages that real programs encrypted: runs each program in each mode, and wraps what
it writes as a mail program would. Keys and ciphertext are random, so the messages are made once and
kept; this says how.

    programs/make.py SCRATCH     writes ../PROGRAM-*.eml and .verdict that do not exist yet

Wants gpg 2.2, sq, sqop, rnp, pgpainless-cli; in SCRATCH/js4, js and js6, OpenPGP.js 4, 5 and 6 (npm); and
Encrypt.class, encrypt-go and encrypt-x, built there from the sources beside this file. What is missing
is passed over, and said.
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MAIL = os.path.dirname(HERE)
sys.path.insert(0, MAIL)

import styles

TEXT = b"Numbers for the third quarter: 17, 4, 23. Meet me at eight.\n" * 3
SHORT = b"17\n"
LONG = bytes((i * i * 31 + i) % 251 for i in range(3500))
KEYS = ["rsa2048", "rsa3072", "ecc", "nistp256", "brainpoolP256r1", "elg"]


def run(command, text=TEXT):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(command), done.stderr.decode(errors="replace")[-300:]))
    return done.stdout


def key_generation(scratch):
    if os.path.exists(scratch + "/keys/rsa2048.asc"):
        return
    os.makedirs(scratch + "/keys", exist_ok=True)
    os.makedirs(scratch + "/gh", mode=0o700, exist_ok=True)
    curve = "%%no-protection\nKey-Type: ECDSA\nKey-Curve: %s\nSubkey-Type: ECDH\nSubkey-Curve: %s\n"
    plain = "%%no-protection\nKey-Type: %s\nKey-Length: %s\nSubkey-Type: %s\nSubkey-Length: %s\n"
    for key in KEYS:
        address = key + "@receiver.example"
        if key == "ecc":
            run(gpg(scratch) + ["--passphrase", "", "--quick-gen-key", address, "future-default", "default", "never"])
        else:
            script = plain % ("RSA", key[3:], "RSA", key[3:]) if key.startswith("rsa") \
                else plain % ("DSA", 2048, "ELG-E", 1536) if key == "elg" else curve % (key, key)
            run(gpg(scratch) + ["--gen-key"], (script + "Name-Email: %s\nExpire-Date: 0\n" % address).encode())
        with open("%s/keys/%s.asc" % (scratch, key), "wb") as f:
            f.write(run(gpg(scratch) + ["--armor", "--export", address]))


def gpg(scratch):
    return ["gpg", "--homedir", scratch + "/gh", "--batch", "--quiet", "--no-tty", "--trust-model", "always"]


def programs(s):
    """name, command, text, style, settings"""
    key = {k: "%s/keys/%s.asc" % (s, k) for k in KEYS}
    to = lambda *names: [x for n in names for x in ("-r", n + "@receiver.example")]
    G = gpg(s)
    E = G + ["--armor", "--encrypt"]
    password = {"accept_password_only": "yes"}
    rows = [
        ("gpg-rsa", E + to("rsa2048"), TEXT, "enigmail", {}),
        ("gpg-rsa3072", E + to("rsa3072"), TEXT, "mutt", {}),
        ("gpg-curve25519", E + to("ecc"), TEXT, "thunderbird", {}),
        ("gpg-nistp256", E + to("nistp256"), TEXT, "kmail", {}),
        ("gpg-brainpool", E + to("brainpoolP256r1"), TEXT, "claws", {}),
        ("gpg-elgamal", E + to("elg"), TEXT, "apple", {}),
        ("gpg-all-keys", E + to(*KEYS), TEXT, "evolution", {}),
        ("gpg-throw-keyids", E + ["--throw-keyids"] + to("rsa2048", "ecc"), TEXT, "mutt", {}),
        ("gpg-hidden-recipient", E + to("ecc") + ["-R", "rsa2048@receiver.example"], TEXT, "k9", {}),
        ("gpg-rfc4880", E + ["--rfc4880"] + to("rsa2048"), TEXT, "inline", {}),
        ("gpg-openpgp", E + ["--openpgp"] + to("rsa2048"), TEXT, "enigmail", {}),
        ("gpg-rfc2440", E + ["--rfc2440"] + to("rsa2048"), TEXT, "inline", "legacy-encryption"),
        ("gpg-symmetric", G + ["--armor", "--symmetric", "--passphrase", "secret", "--pinentry-mode", "loopback"], TEXT, "inline", password),
        ("gpg-symmetric-refused", G + ["--armor", "--symmetric", "--passphrase", "secret", "--pinentry-mode", "loopback"], TEXT, "inline", "password-only"),
        ("gpg-symmetric-s2k-0", G + ["--armor", "--symmetric", "--s2k-mode", "0", "--passphrase", "secret", "--pinentry-mode", "loopback"], TEXT, "inline", password),
        ("gpg-symmetric-s2k-1", G + ["--armor", "--symmetric", "--s2k-mode", "1", "--passphrase", "secret", "--pinentry-mode", "loopback"], TEXT, "inline", password),
        ("gpg-key-and-password", E + ["--symmetric", "--passphrase", "secret", "--pinentry-mode", "loopback"] + to("ecc"), TEXT, "kmail", {}),
        ("gpg-signed", E + ["--sign", "-u", "ecc@receiver.example"] + to("ecc"), TEXT, "thunderbird", {}),
        ("gpg-no-compression", E + ["--compress-algo", "none"] + to("ecc"), TEXT, "gpgol", {}),
        ("gpg-bzip2", E + ["--compress-algo", "bzip2"] + to("ecc"), TEXT, "mutt", {}),
        ("gpg-zlib", E + ["--compress-algo", "zlib", "--compress-level", "9"] + to("ecc"), LONG, "mailvelope", {}),
        ("gpg-3des", E + ["--cipher-algo", "3DES"] + to("rsa2048"), TEXT, "mutt", {}),
        ("gpg-cast5", E + ["--cipher-algo", "CAST5"] + to("rsa2048"), TEXT, "mutt", {}),
        ("gpg-camellia", E + ["--cipher-algo", "CAMELLIA256"] + to("rsa2048"), TEXT, "mutt", {}),
        ("gpg-twofish", E + ["--cipher-algo", "TWOFISH"] + to("rsa2048"), TEXT, "mutt", {}),
        ("gpg-version", E + ["--emit-version", "--comment", "Using GnuPG with Thunderbird - https://www.enigmail.example/"] + to("ecc"), TEXT, "enigmail", {}),
        ("gpg-many-comments", E + ["--emit-version", "--comment", "one", "--comment", "two", "--comment", "three"] + to("ecc"), TEXT, "inline", {}),
        ("gpg-short", E + to("ecc"), SHORT, "inline", {}),
        ("gpg-empty", E + to("ecc"), b"", "thunderbird", {}),
        ("gpg-large", E + ["--compress-algo", "none"] + to("ecc"), LONG, "mutt", {}),
        ("gpg-binary-attachment", G + ["--encrypt"] + to("ecc"), TEXT, "attachment", {}),
        ("gpg-binary-partial", G + ["--encrypt", "--compress-algo", "none"] + to("ecc"), LONG, "attachment", {}),
        ("gpg-inline-qp", E + to("ecc"), TEXT, "inline-qp", {}),
        ("gpg-inline-base64", E + to("ecc"), TEXT, "inline-base64", {}),
        ("gpg-exchange", E + to("ecc"), TEXT, "exchange", {}),
        ("gpg-bridge", E + to("ecc"), TEXT, "bridge", {}),
        ("gpg-deltachat", E + ["--throw-keyids"] + to("ecc"), TEXT, "deltachat", {}),
        ("gpg-mailman", E + to("ecc"), TEXT, "mailman", {}),
        ("gpg-pep", E + to("rsa2048", "ecc"), TEXT, "pep", {}),
        ("gpg-courier", E + to("rsa2048"), TEXT, "courier", {}),
        ("gpg-roundcube", E + ["--sign", "-u", "ecc@receiver.example"] + to("rsa2048"), TEXT, "roundcube", {}),
        ("gpg-gnus", E + to("nistp256"), TEXT, "gnus", {}),
        ("gpg-rails", E + to("rsa3072"), TEXT, "rails", {}),
        ("gpg-python", E + to("ecc"), TEXT, "python", {}),
        ("gpg-sailfish", E + to("ecc"), TEXT, "sailfish", {}),
        ("gpg-ipgmail", E + to("rsa2048"), TEXT, "ipgmail", {}),
        ("gpg-gpgol-exchange", E + to("rsa3072", "ecc"), TEXT, "gpgol-exchange", {}),
        ("gpg-universal", E + ["--cipher-algo", "CAST5"] + to("elg"), TEXT, "universal", {}),
        ("gpg-old-apple", E + to("rsa2048"), TEXT, "old-apple", {}),
        ("gpg-hushmail", E + to("elg"), TEXT, "hushmail", {}),
        ("gpg-disable-mdc", E + ["--disable-mdc"] + to("elg"), TEXT, "inline", {}),
        ("gpg-signed-only", G + ["--armor", "--sign", "-u", "ecc@receiver.example"], TEXT, "inline", "not-encrypted"),
        ("gpg-store", G + ["--armor", "--store"], TEXT, "inline", "not-encrypted"),
        ("gpg-clearsigned", G + ["--clearsign", "-u", "ecc@receiver.example"], TEXT, "inline", "signed"),
        ("gpg-public-key", G + ["--armor", "--export", "ecc@receiver.example"], b"", "inline", "no-openpgp"),
        ("gpg-detached", G + ["--armor", "--detach-sign", "-u", "ecc@receiver.example"],
         styles.SIGNED_BODY.replace(b"\n", b"\r\n"), "signed", "signed"),
        ("sq-ecc", ["sq", "encrypt", "--recipient-cert", key["ecc"]], TEXT, "thunderbird", {}),
        ("sq-two", ["sq", "encrypt", "--recipient-cert", key["ecc"], "--recipient-cert", key["rsa3072"]], TEXT, "mutt", {}),
        ("sq-rest", ["sq", "encrypt", "--mode", "all", "--compression", "none", "--recipient-cert", key["nistp256"]], TEXT, "k9", {}),
        ("sq-zip", ["sq", "encrypt", "--compression", "zip", "--recipient-cert", key["rsa2048"]], TEXT, "inline", {}),
        ("sq-bzip2", ["sq", "encrypt", "--compression", "bzip2", "--recipient-cert", key["rsa2048"]], TEXT, "apple", {}),
        ("sq-binary", ["sq", "encrypt", "-B", "--recipient-cert", key["rsa2048"]], TEXT, "attachment", {}),
        ("sq-large", ["sq", "encrypt", "--compression", "none", "--recipient-cert", key["ecc"]], LONG, "mutt", {}),
        ("sq-pep", ["sq", "encrypt", "--recipient-cert", key["rsa3072"]], TEXT, "pep", {}),
        ("sq-rails", ["sq", "encrypt", "--recipient-cert", key["ecc"]], LONG, "rails", {}),
        ("sq-universal", ["sq", "encrypt", "--recipient-cert", key["rsa2048"]], TEXT, "universal", {}),
        ("sqop-ecc", ["sqop", "encrypt", key["ecc"]], TEXT, "thunderbird", {}),
        ("sqop-text", ["sqop", "encrypt", "--as=text", key["rsa2048"], key["ecc"]], TEXT, "evolution", {}),
        ("sqop-no-armor", ["sqop", "encrypt", "--no-armor", key["ecc"]], TEXT, "attachment", {}),
        ("sqop-password", ["sqop", "encrypt", "--with-password=%s/password" % s], TEXT, "inline", password),
        ("pgpainless-ecc", ["pgpainless-cli", "encrypt", key["ecc"]], TEXT, "k9", {}),
        ("pgpainless-two", ["pgpainless-cli", "encrypt", key["ecc"], key["rsa3072"]], LONG, "thunderbird", {}),
        ("pgpainless-no-armor", ["pgpainless-cli", "encrypt", "--no-armor", key["ecc"]], TEXT, "attachment", {}),
        ("pgpainless-password", ["pgpainless-cli", "encrypt", "--with-password=%s/password" % s], TEXT, "inline", password),
        ("go-plain", [s + "/encrypt-go", key["rsa2048"], "plain"], TEXT, "protonmail", {}),
        ("go-ecc", [s + "/encrypt-go", key["ecc"], "plain"], LONG, "protonmail", {}),
        ("go-aead", [s + "/encrypt-go", key["ecc"], "aead"], TEXT, "protonmail", {}),
        ("go-headers", [s + "/encrypt-go", key["ecc"], "headers"], TEXT, "inline", {}),
        ("go-password", [s + "/encrypt-go", key["ecc"], "password"], TEXT, "inline", password),
        ("go-x-crypto", [s + "/encrypt-x", key["rsa2048"]], TEXT, "mutt", {}),
        ("go-x-crypto-large", [s + "/encrypt-x", key["rsa2048"]], LONG, "inline", {}),
    ]
    java = ["java", "-cp", s + ":/usr/share/java/bcpg.jar:/usr/share/java/bcprov.jar", "Encrypt"]
    rows += [("bc-" + mode, java + [key[k], mode], text, style, settings) for mode, k, text, style, settings in (
        ("mdc", "rsa2048", TEXT, "k9", {}), ("buffered", "rsa3072", LONG, "inline", {}), ("ecdh", "ecc", TEXT, "k9", {}),
        ("password", "ecc", TEXT, "inline", password), ("old", "rsa2048", TEXT, "inline", "legacy-encryption"))]
    for version, modules in (("4", "js4"), ("5", "js"), ("6", "js6")):
        node = ["node", HERE + ("/encrypt4.js" if version == "4" else "/encrypt.js"), s + "/" + modules]
        rows += [("openpgpjs%s-%s" % (version, mode), node + [mode] + [key[k] for k in keys.split()], TEXT, style, settings)
                 for mode, keys, style, settings in (
                     ("plain", "rsa2048", "protonmail", {}), ("ecc", "ecc rsa3072", "flowcrypt", {}), ("aead", "ecc", "mailvelope", {}),
                     ("aead-eax", "ecc", "mailvelope", {}), ("hidden", "ecc rsa2048", "protonmail", {}),
                     ("password", "", "inline", password), ("password-aead", "", "inline", password), ("compress", "ecc", "flowcrypt", {}),
                     ("comment", "ecc", "mailvelope", {}), ("binary", "ecc", "attachment", {}))]
    rnp = ["rnp", "--homedir", s + "/rnp", "--notty"]
    rows += [("rnp-" + name, rnp + ["-e", "-f", key[k]] + to(k) + extra, text, style, {}) for name, k, extra, text, style in (
        ("rsa", "rsa2048", ["--armor"], TEXT, "thunderbird"), ("ecc", "ecc", ["--armor"], TEXT, "thunderbird"),
        ("elgamal", "elg", ["--armor"], TEXT, "thunderbird"), ("aead-ocb", "ecc", ["--armor", "--aead=OCB"], TEXT, "thunderbird"),
        ("aead-eax", "ecc", ["--armor", "--aead=EAX"], TEXT, "thunderbird"), ("aead-large", "ecc", ["--armor", "--aead=OCB", "-z", "0"], LONG, "mutt"),
        ("twofish", "rsa2048", ["--armor", "--cipher", "TWOFISH"], TEXT, "mutt"), ("bzip", "ecc", ["--armor", "--bzip"], TEXT, "thunderbird"),
        ("no-wrap", "ecc", ["--armor", "--no-wrap", "-z", "0"], LONG, "inline"), ("binary", "ecc", [], TEXT, "attachment"))]
    rows += [("rnp-password", rnp + ["-c", "--password", "secret", "--armor"], TEXT, "inline", password),
             ("rnp-password-aead", rnp + ["-c", "--password", "secret", "--armor", "--aead=OCB"], TEXT, "inline", password)]
    return rows


def verdict(name, style, settings):
    form = styles.FORMS[style]
    lines = ["# made by %s, as %s would send it" % (name.split("-")[0], style)]
    if isinstance(settings, str):
        word = {"signed": "signed", "no-openpgp": "cleartext"}.get(settings, "invalid")
        lines += ["verdict: " + word, "form: none", "reason: " + settings]
        settings = {}
    else:
        lines += ["verdict: encrypted", "form: " + form, "reason: ok"]
    return "\n".join(lines + ["%s: %s" % pair for pair in settings.items()]) + "\n"


def main():
    s = os.path.abspath(sys.argv[1])
    key_generation(s)
    with open(s + "/password", "w") as f:
        f.write("secret")
    made = 0
    for name, command, text, style, settings in programs(s):
        path = os.path.join(MAIL, name)
        if os.path.exists(path + ".eml"):
            continue
        try:
            out = run(command, text)
        except (RuntimeError, OSError) as e:
            print("passed over: %s: %s" % (name, e))
            continue
        with open(path + ".eml", "wb") as f:
            f.write(styles.STYLES[style](out))
        with open(path + ".verdict", "w") as f:
            f.write(verdict(name, style, settings))
        made += 1
    print("%d messages made" % made)


if __name__ == "__main__":
    main()

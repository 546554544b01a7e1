#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What gpg, sq and rnp encrypt, in any mode, is never refused: random modes of each program, armored in
random ways, wrapped as random mail programs do, with any line end.

    never_refused.py BUILDDIR [-n CIPHERTEXTS] [--wraps N] [--seed N] [--keep DIR]
"""

import argparse
import base64
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter

from programs import MAIL, Talker, save

sys.path.insert(0, os.path.join(MAIL, "programs"))
import styles

from pgppackets import armor

KEYS = {"rsa": ("RSA", "RSA", "Key-Length: 2048", "Subkey-Length: 2048"), "cv25519": ("EDDSA", "ECDH", "Key-Curve: ed25519", "Subkey-Curve: cv25519"),
        "nistp384": ("ECDSA", "ECDH", "Key-Curve: nistp384", "Subkey-Curve: nistp384"),
        "brainpool": ("ECDSA", "ECDH", "Key-Curve: brainpoolP256r1", "Subkey-Curve: brainpoolP256r1"),
        "secp256k1": ("ECDSA", "ECDH", "Key-Curve: secp256k1", "Subkey-Curve: secp256k1")}


class Workshop:
    """A scratch home with keys."""

    def __init__(self, folder):
        self.folder = folder
        self.gpg = ["gpg", "--homedir", folder, "--batch", "--quiet", "--no-tty", "--trust-model", "always", "--pinentry-mode", "loopback", "--passphrase", "secret"]
        for name, (primary, sub, a, b) in KEYS.items():
            script = "%%no-protection\nKey-Type: %s\n%s\nSubkey-Type: %s\n%s\nName-Email: %s@receiver.example\nExpire-Date: 0\n" % (primary, a, sub, b, name)
            self.run(self.gpg + ["--gen-key"], script.encode())
            with open("%s/%s.asc" % (folder, name), "wb") as f:
                f.write(self.run(self.gpg + ["--armor", "--export", name + "@receiver.example"], b""))

    def run(self, command, text):
        done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError("%s: %s" % (" ".join(command), done.stderr.decode(errors="replace")[-200:]))
        return done.stdout

    def close(self):
        subprocess.run(["gpgconf", "--homedir", self.folder, "--kill", "all"], check=False)


def plaintext(rng):
    size = rng.choice([0, 1, 17, 200, 1000, 5000, 8300, 20000, 70000])
    return rng.randbytes(size) if rng.random() < 0.5 else (b"Meet me at eight. " * (size // 18 + 1))[:size]


def with_gpg(rng, shop):
    command = list(shop.gpg)
    who = rng.sample(sorted(KEYS), rng.randrange(0, 4))
    for name in who:
        command += [rng.choice(["-r", "-r", "-R"]), name + "@receiver.example"]
    if who:
        command += ["--encrypt"]
    if not who or rng.random() < 0.2:
        command += ["--symmetric", "--s2k-mode", rng.choice("013")]
    for options, chance in ((["--rfc4880"], 0.2), (["--openpgp"], 0.1), (["--throw-keyids"], 0.2), (["--compress-algo", rng.choice(["none", "zip", "zlib", "bzip2"])], 0.5),
                            (["--cipher-algo", rng.choice(["3DES", "CAST5", "BLOWFISH", "AES", "AES192", "AES256", "TWOFISH", "CAMELLIA128", "CAMELLIA256"])], 0.6),
                            (["--textmode"], 0.1), (["--sign", "-u", "cv25519@receiver.example"] if "--symmetric" not in command or who else [], 0.2),
                            (["--set-filename", "x" * 200], 0.1), (["--for-your-eyes-only"], 0.1), (["--emit-version", "--armor"], 0.2),
                            (["--comment", "Comment %d" % rng.randrange(99), "--armor"], 0.2), (["--armor"], 0.6)):
        if rng.random() < chance:
            command += options
    return command


def with_sq(rng, shop):
    command = ["sq", "encrypt", "--compression", rng.choice(["none", "pad", "zip", "zlib", "bzip2"])]
    for name in rng.sample([k for k in sorted(KEYS) if k not in ("brainpool", "secp256k1")], rng.randrange(1, 4)):
        command += ["--recipient-cert", "%s/%s.asc" % (shop.folder, name)]
    return command + (["-B"] if rng.random() < 0.4 else [])


def with_rnp(rng, shop):
    command = ["rnp", "--homedir", shop.folder + "/rnp", "--notty"]
    if rng.random() < 0.25:
        command += ["-c", "--password", "secret"]
    else:
        name = rng.choice([k for k in sorted(KEYS)])
        command += ["-e", "-f", "%s/%s.asc" % (shop.folder, name), "-r", name + "@receiver.example"]
    for options, chance in ((["--armor"], 0.6), (["--aead=" + rng.choice(["EAX", "OCB"])], 0.4), (["-z", str(rng.randrange(10))], 0.3), (["--no-wrap"], 0.2),
                            (["--cipher", rng.choice(["AES128", "AES192", "AES256", "TWOFISH", "CAMELLIA128", "CAMELLIA256"])], 0.5), (["--zlib"], 0.1), (["--bzip"], 0.1)):
        if rng.random() < chance:
            command += options
    return command


def dearmored(data):
    if not data.startswith(b"-----"):
        return data
    data = data.replace(b"\r\n", b"\n")  # rnp ends lines so
    lines = data.split(b"-----\n", 1)[1].split(b"-----END", 1)[0]
    body = lines.split(b"\n\n", 1)[1] if b"\n\n" in lines else lines
    return base64.b64decode(b"".join(l for l in body.split(b"\n") if not l.startswith(b"=")))


def rearmored(rng, data):
    """Armored anew: any width, headers, checksum or none."""
    headers = rng.sample([("Version", "GnuPG v2.0.22 (GNU/Linux)"), ("Comment", "Grüße aus Köln"), ("Comment", "https://gpgtools.example"), ("Charset", "utf-8"),
                          ("MessageID", "0123456789abcdef0123456789abcdef"), ("X-Thing", "a: b: c"), ("Hash", "SHA512"), ("Version", "BCPG v1.58")], rng.randrange(4))
    crc = rng.choice([True, True, False, "=AAAA", "=", "=ab=="])
    return armor(data, headers=headers, width=rng.choice([64, 64, 76, 60, 48, 72, 200, 998, rng.randrange(40, 998)]), crc=crc, tail=rng.choice(["", "", " ", "\t", "\xa0"]),
                 blank=rng.choice(["\n", "\n", " \n", "\t\n", "\n\n"]))


def wrapped(rng, data):
    """A message that holds data, and how it was made."""
    style = rng.choice([s for s in sorted(styles.STYLES) if s != "signed"])
    if style == "attachment":
        packets = dearmored(data)
        message = styles.STYLES[style](packets if rng.random() < 0.5 else rearmored(rng, packets))
    else:
        if not data.startswith(b"-----") or rng.random() < 0.5:
            data = rearmored(rng, dearmored(data))
        message = styles.STYLES[style](data)
    ends = rng.choice(["LF", "CR LF", "as it is"])
    if ends == "LF":
        message = message.replace(b"\r\n", b"\n")
    elif ends == "CR LF":
        message = re.sub(rb"(?<!\r)\n", b"\r\n", message)
    return message, "%s, %s" % (style, ends)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("-n", type=int, default=120)
    options.add_argument("--wraps", type=int, default=40)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", default="refused")
    options = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # no gpg-agent is left behind
    judge = Talker(options.build + "/judge_lines")
    failures, made, count = 0, Counter(), 0
    with tempfile.TemporaryDirectory(prefix="pgpgate-") as folder:
        shop = Workshop(folder)
        try:
            for i in range(options.n):
                rng = random.Random("%d/%d" % (options.seed, i))
                program, build = rng.choice([("gpg", with_gpg), ("gpg", with_gpg), ("sq", with_sq), ("rnp", with_rnp)])
                command = build(rng, shop)
                try:
                    data = shop.run(command, plaintext(rng))
                except RuntimeError as e:
                    made[program + " declined"] += 1
                    print("# declined: %s" % str(e).strip().replace("\n", " ")[-120:])
                    continue
                made[program] += 1
                for wrap in range(options.wraps):
                    message, how = wrapped(rng, data)
                    count += 1
                    answer = judge.line(message)
                    if not answer.startswith("encrypted "):
                        failures += 1
                        save(options.keep, "%d-%d-%d" % (options.seed, i, wrap), message, "%s\n%s\n%s" % (answer, how, " ".join(command)))
                        print("FAIL %s, %s: %s" % (" ".join(command[:4]), how, answer))
        finally:
            shop.close()
    judge.close()
    for program in ("gpg", "sq", "rnp"):
        if made[program] < made[program + " declined"] or not made.total():  # a few modes want a newer version
            failures += 1
            count += 1
            print("FAIL %s declined %d of %d ciphertexts" % (program, made[program + " declined"], options.n))
    print("never refused: %d messages around %s" % (count, ", ".join("%d by %s" % (n, p) for p, n in sorted(made.items()))))
    print("%d passed, %d failed, 0 skipped" % (count - failures, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Is each reader of the canary a witness? Messages that show a word, in the ways of ordinary mail, are shown to each;
one that does not see a word could not see a leak either, and is a failure. So is one that sees a word where none is.

    planted.py BUILDDIR [--slow] [--readers NAME,NAME...]
"""

import argparse
import base64
import os
import sys

import canary

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "readers"))

import readers  # noqa: E402

ENOUGH = 12  # pgpgate-verdicts(7) names more
WORD = "canary-123456!"
HEAD = b"From: Alice <alice@sender.example>\nTo: bob@receiver.example\nSubject: x\nMIME-Version: 1.0\n"
TEXT = b"Meet me: " + WORD.encode() + b"\n"
ARMOR = b"-----BEGIN PGP MESSAGE-----\n\n" + base64.encodebytes(bytes(range(128, 248))) + b"-----END PGP MESSAGE-----\n"


def multipart(*parts):
    return HEAD + b"Content-Type: multipart/mixed; boundary=b1\n\n" + b"".join(b"--b1\n" + part + b"\n" for part in parts) + b"--b1--\n"


PLANTED = {
    "as it is": HEAD + b"Content-Type: text/plain; charset=utf-8\n\n" + TEXT,
    "quoted-printable": HEAD + b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nMeet me: =63anary-=\n123456!\n",
    "base64": HEAD + b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(TEXT),
    "below armor": HEAD + b"Content-Type: text/plain\n\n" + ARMOR + TEXT,
    "the second part": multipart(b"Content-Type: text/plain\n\n" + ARMOR, b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(TEXT)),
}
NOTHING = {
    "armor": HEAD + b"Content-Type: text/plain\n\n" + ARMOR,
    "an armor header": HEAD + b"Content-Type: text/plain\n\n" + ARMOR.replace(b"\n\n", b"\nComment: " + WORD.encode() + b"\n\n", 1),
    "parts of armor": multipart(b"Content-Type: text/plain\n\n" + ARMOR, b"Content-Type: text/plain\n\n" + ARMOR),
}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("--slow", action="store_true")
    options.add_argument("--readers", default="")
    options.add_argument("--seed")
    options.add_argument("--keep")
    options = options.parse_args()
    asked, missing = readers.opened(options.build, options.slow, options.readers)
    for why in missing:
        print("SKIP " + why)
    passed = failed = 0
    for reader in asked:
        for messages, must in ((PLANTED, True), (NOTHING, False)):
            for (name, message), text in zip(messages.items(), reader.texts(list(messages.values()))):
                if canary.shows(WORD, text, message, False) == must:
                    passed += 1
                else:
                    failed += 1
                    print("FAIL %s %s the word: %s: %r" % (reader.name, "does not show" if must else "shows", name, text[-200:]))
        reader.close()
    print("planted: %d readers, each with %d messages that show a word and %d that do not" % (len(asked), len(PLANTED), len(NOTHING)))
    if len(asked) < ENOUGH and not options.readers:
        failed += 1
        print("FAIL only %d readers are there" % len(asked))
    print("%d passed, %d failed, %d skipped" % (passed, failed, len(missing)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

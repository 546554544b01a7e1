#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Linear time, by counted work: instructions (valgrind's callgrind) that judging takes for hostile input of
one size and of sixteen times that size. More than 16 * 1.3 times the work, or more than 400 instructions for a byte, is a
failure. No clock decides. Beside it is printed how often that is what a byte of an ordinary message takes, PGP/MIME of 4
KiB, as most mail is; a byte of a large one costs a tenth of that, for most of its armor need not be decoded. That is no
bound: it would fail whenever ordinary mail becomes cheaper.

    linear.py BUILDDIR [--size BYTES] [KIND...]
"""

import argparse
import base64
import os
import re
import subprocess
import sys
import tempfile

from programs import MAIL  # noqa: F401  (makes the builders importable)

from mimeparts import ENCRYPTED, cat, mail, multi, part, pgp_mime
from pgppackets import PKESK, SEIPD, armor, message, noise, packet, partial_packet, pkesk3, pkesk3_body, seipd1, seipd1_body

TIMES = 16
INSTRUCTIONS_MAX = 400  # a byte; 43 for an ordinary message when this was written, so below ten times that
MIXED = 'multipart/mixed; boundary="b1"'


def fill(pattern, n):
    pattern = pattern if isinstance(pattern, bytes) else pattern.encode("latin-1")
    return (pattern * (n // len(pattern) + 1))[:n]


def numbered(pattern, n):
    """Lines that all differ."""
    out, size, i = [], 0, 0
    while size < n:
        out.append(pattern % i)
        size += len(out[-1])
        i += 1
    return b"".join(out)


def nested(n, line):
    """16 multiparts within each other whose boundaries begin alike, then lines."""
    body = b""
    boundary = ["a" * 180 + "%02d" % i for i in range(16)]
    for i in range(1, 16):
        body += b"--%s\nContent-Type: multipart/mixed; boundary=%s\n\n" % (boundary[i - 1].encode(), boundary[i].encode())
    body += b"--%s\n\n" % boundary[15].encode()
    return mail(body + fill(line, n), 'multipart/mixed; boundary="%s"' % boundary[0])


def text(content, encoding=None, kind="text/plain"):
    header = "Content-Type: %s\n" % kind + ("Content-Transfer-Encoding: %s\n" % encoding if encoding else "")
    return mail(content, header)


def binary(data):
    return text(base64.encodebytes(data), "base64", "application/octet-stream")


NORMAL = lambda n: pgp_mime(armor(pkesk3() + packet(SEIPD, seipd1_body(n=n * 3 // 4))))

KINDS = {
    "boundary-lines": lambda n: mail(cat("--b1\n\n", fill("--b1x\n", n)), MIXED),
    "boundaries": lambda n: mail(fill("--b1\n\n", n), MIXED),
    "boundaries-encrypted": lambda n: mail(fill("--b1\n\n", n), ENCRYPTED),
    "two-dashes": lambda n: mail(cat("--b1\n\n", fill("--\n", n)), MIXED),
    "dashes": lambda n: mail(cat("--b1\n\n", fill("-", n)), MIXED),
    "dash-lines": lambda n: mail(cat("--b1\n\n", fill("-\n", n)), MIXED),
    "dash-lines-crlf": lambda n: mail(cat("--b1\n\n", fill("\r\n--b1 \t \t\r", n)), MIXED),
    "long-dash-lines": lambda n: mail(cat("--b1\n\n", fill("--" + "b1 " * 330 + "\n", n)), MIXED),
    "nested-near-misses": lambda n: nested(n, "--" + "a" * 180 + "zz\n"),
    "nested-short": lambda n: nested(n, "--a\n"),
    "nested-never-closed": lambda n: nested(n, "x\n"),
    "nested-parts": lambda n: mail(cat(numbered(b"--b1\nContent-Type: multipart/mixed; boundary=q%d\n\n", n)), MIXED),
    "message-fields": lambda n: mail("x\n", "X: y\n" * (n // 5) + "Content-Type: text/plain\n"),
    "message-field-folded": lambda n: mail("x\n", "Content-Type: text/plain;\n" + " a=b;\n" * (n // 6)),
    "message-field-long": lambda n: mail("x\n", "Content-Type: text/plain; x=\"" + "(" * n + "\"\n"),
    "message-comments": lambda n: mail("x\n", "Content-Type: text/plain " + "(a)" * (n // 3) + "\n"),
    "message-comment-deep": lambda n: mail("x\n", "Content-Type: text/plain " + "(" * n + "\n"),
    "part-fields": lambda n: mail(cat("--b1\n", fill("X: y\n", n)), MIXED),
    "part-fields-types": lambda n: mail(cat("--b1\n", fill("Content-Type: text/plain; a=b\n", n)), MIXED),
    "part-field-folded": lambda n: mail(cat("--b1\nContent-Type: text/plain;\n", fill(" a=b;\n", n)), MIXED),
    "part-headers-many": lambda n: mail(fill("--b1\nContent-Type: text/plain; charset=utf-8\n\n", n), MIXED),
    "armor-headers": lambda n: text(cat("-----BEGIN PGP MESSAGE-----\n", fill("A: b\n", n))),
    "armor-channel": lambda n: text(numbered(b"-----BEGIN PGP MESSAGE-----\nA: %07d\n", n)),
    "armor-blocks": lambda n: text(fill(armor(message()), n)),
    "armor-blocks-headers": lambda n: text(numbered(armor(message(n=40), headers=[("A", "%d")], crc=False), n)),
    "armor-blocks-headers-8": lambda n: text(numbered(armor(message(n=40), headers=[(k, "x") for k in "ABCDEFG"] + [("A", "%d")], crc=False), n)),
    "armor-begins": lambda n: text(fill("-----BEGIN PGP MESSAGE-----\n", n)),
    "armor-narrow": lambda n: text(armor(pkesk3() + packet(SEIPD, seipd1_body(n=n * 3 // 8)), width=1)),
    "armor-narrow-spaces": lambda n: text(armor(pkesk3() + packet(SEIPD, seipd1_body(n=n * 3 // 16)), width=1, tail="  ")),
    "armor-blank-lines": lambda n: text(cat("-----BEGIN PGP MESSAGE-----\n", fill("\n", n))),
    "clearsigned-dashes": lambda n: text(cat("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n", fill("- -\n", n))),
    "qp-equals": lambda n: text(fill("=\n", n), "quoted-printable"),
    "qp-hex": lambda n: text(fill("=41", n), "quoted-printable"),
    "qp-wrong": lambda n: text(fill("=", n), "quoted-printable"),
    "qp-blanks": lambda n: text(fill(" " * 990 + "x\n", n), "quoted-printable"),
    "qp-blank-lines": lambda n: text(fill(" \n", n), "quoted-printable"),
    "base64-narrow": lambda n: text(fill("Q\n", n), "base64"),
    "base64-wrong": lambda n: text(fill("!", n), "base64"),
    "spaces": lambda n: text(fill(" ", n)),
    "lines": lambda n: text(fill("\n", n)),
    "lone-cr": lambda n: text(fill("\r", n)),
    "nul": lambda n: text(fill("\0", n)),
    "one-line": lambda n: text(fill("x", n)),
    "partial-chunks-1": lambda n: binary(pkesk3() + partial_packet(SEIPD, seipd1_body(n=n * 3 // 8), [0] * (n * 3 // 8))),
    "session-keys": lambda n: binary(fill(pkesk3(), n * 3 // 4)),
    "session-keys-tiny": lambda n: binary(fill(packet(PKESK, pkesk3_body(99, fields=b"x")), n * 3 // 4) + seipd1()),
    "html": lambda n: text(fill("<a>", n), kind="text/html"),
    "html-begins": lambda n: text(fill("-----BEGIN PGP MESSAGE-----\n", n), kind="text/html"),
    "report-fields": lambda n: mail(multi(part("x\n", "Content-Type: text/plain\n"), part(fill("Action: failed\n", n), "Content-Type: message/delivery-status\n")),
                                    'multipart/report; report-type=delivery-status; boundary="b1"'),
    "embedded-messages": lambda n: mail(multi(part("x\n"), part("Reporting-MTA: dns; a\n\nFinal-Recipient: rfc822; b\nAction: failed\nStatus: 5.0.0\n", "Content-Type: message/delivery-status\n"),
                                              part(fill("A: b\n", n), "Content-Type: message/rfc822\n")), 'multipart/report; report-type=delivery-status; boundary="b1"'),
    "cms": lambda n: text(base64.encodebytes(b"\x30\x80" + noise(n * 3 // 4)), "base64", "application/pkcs7-mime"),
}


def instructions(build, folder, content):
    path = os.path.join(folder, "input")
    with open(path, "wb") as f:
        f.write(content)
    with open(path, "rb") as f:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=whole_judge", build + "/judge_lines", "-1"],
                              stdin=f, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    found = re.search(rb"Collected : (\d+)", done.stderr)
    if not found:
        raise RuntimeError(done.stderr.decode()[-400:])
    return int(found[1])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("kinds", nargs="*")
    options.add_argument("--size", type=int, default=16384)
    options = options.parse_args()
    failures, worst = 0, (0, "")
    kinds = options.kinds or sorted(KINDS)
    with tempfile.TemporaryDirectory(prefix="pgpgate-") as folder:
        normal, large = NORMAL(4096), NORMAL(1 << 20)
        per_byte = instructions(options.build, folder, normal) / len(normal)
        print("# an ordinary message: %.2f instructions a byte; one of a megabyte: %.2f" % (
            per_byte, instructions(options.build, folder, large) / len(large)))
        for kind in kinds:
            small, large = KINDS[kind](options.size), KINDS[kind](options.size * TIMES)
            a, b = instructions(options.build, folder, small), instructions(options.build, folder, large)
            growth = b / a / (len(large) / len(small))
            cost = b / len(large)
            worst = max(worst, (cost, kind))
            line = "%s: %.2f times the work for each byte of a 16 times larger input, %.0f instructions a byte, %.2f times an ordinary one" % (
                kind, growth, cost, cost / per_byte)
            if growth > 1.3 or cost > INSTRUCTIONS_MAX:
                failures += 1
                print("FAIL " + line)
            else:
                print("# " + line)
    print("linear time: %d hostile kinds, the costliest is %s, %.0f instructions a byte" % (len(kinds), worst[1], worst[0]))
    print("%d passed, %d failed, 0 skipped" % (len(kinds) - failures, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

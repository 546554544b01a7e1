#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A message is judged alike with LF and with CR LF: files have the one, Postfix gives the other to the filter. Messages are
those of the canary, broken in every way that mutate.py knows.

    lines_agree.py BUILDDIR [-n MUTATIONS] [--seed N] [--keep DIR]
"""

import argparse
import random
import re
import sys

import canary
import mutate
from programs import Talker, save


def holds_octets(message):
    """Ciphertext as it is, not in base64? It holds LF and CR, which are no line ends there."""
    return len(re.findall(rb"[\x80-\xff]", message)) > 16 and len(re.findall(rb"[\0-\x08\x0e-\x1f]", message)) > 4


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("-n", type=int, default=5000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", default="disagreements")
    options = options.parse_args()
    judge = Talker(options.build + "/judge_lines")
    bases, failures, skipped = list(canary.base_messages()), 0, 0
    for i in range(options.n):
        rng = random.Random("%d/%d" % (options.seed, i))
        mutated = None
        while mutated is None or holds_octets(mutated[0]):
            skipped += mutated is not None
            mutated = mutate.mutate(rng, bases[rng.randrange(len(bases))][1], "canary-%06d!" % i, rng.choice(sorted(mutate.CLASSES)))
        lf = re.sub(rb"\r+\n", b"\n", mutated[0])
        crlf = lf.replace(b"\n", b"\r\n")
        answers = judge.line(lf), judge.line(crlf)
        if answers[0].split(" ")[:3] != answers[1].split(" ")[:3]:  # the detail may count other octets
            failures += 1
            save(options.keep, "%d-%d" % (options.seed, i), lf, "\n".join(answers))
            print("FAIL %s: with LF %s, with CR LF %s (%d-%d)" % (mutated[1], *answers, options.seed, i))
    judge.close()
    print("lines: %d messages judged with LF and with CR LF, and %d left out for octets of ciphertext as they are" % (options.n, skipped))
    print("%d passed, %d failed, 0 skipped" % (options.n - failures, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

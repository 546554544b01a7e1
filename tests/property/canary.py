#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The canary: puts a readable word into encrypted messages in every way that mutate.py knows, and asks
python's email package (both policies) and GMime what they show. A reader that shows the word in a message
that we call `encrypted` is a failure; the message is kept.

    canary.py BUILDDIR [-n MUTATIONS] [--seed N] [--keep DIR]

Not failures: the word within armor headers or part headers, which are a readable channel of bounded size
(pgpgate-verdicts(7)).
"""

import argparse
import os
import random
import re
import sys
import time
from collections import Counter

import mutate
from programs import MAIL, POLICIES, Talker, python_text, save

BLANK = rb"(?:[ \t\r]|\xc2?\xa0)*\n"  # a no-break space, too
ARMOR_HEADERS = re.compile(rb"(-----BEGIN PGP (?:MESSAGE|SIGNATURE)-----[ \t\r]*\n)((?:[^\r\n]{1,200}\r*\n){1,8}?)(?=" + BLANK +
                           rb"|[A-Za-z0-9+/=]+" + BLANK + rb")")
HEADER_LINE = re.compile(rb"[^:\n]+:( |$)")
SOFT_BREAK = re.compile(rb"=[ \t]*\r?\n")


def without_armor_headers(text):
    """text without what the armor headers may say."""

    def drop(match):
        lines = [line.rstrip(b"\r") for line in match[2].split(b"\n")[:-1]]
        if all(HEADER_LINE.match(line) for line in lines) and sum(map(len, lines)) <= 256 + 8:
            return match[1]
        return match[0]

    # what the reader's character set does not have was one octet, perhaps a no-break space of another
    return ARMOR_HEADERS.sub(drop, text.replace(b"\xef\xbf\xbd", b"\xa0"))


def shows(word, text, message):
    """Apart from armor headers, decoded or as quoted-printable has them."""
    if not mutate.shows(word, without_armor_headers(text)):
        return False
    return b"quoted-printable" not in message.lower() or mutate.shows(word, without_armor_headers(SOFT_BREAK.sub(b"", text)))


FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]")


def is_within_headers(message, word):
    """Does the word stand in fields of the message's own header or of part headers only?"""
    for at in re.finditer(re.escape(word.encode()), message):
        before = message[:at.start()]
        starts = [m.end() for b in mutate.boundaries(message)
                  for m in re.finditer(rb"^--" + re.escape(b) + rb"[ \t\r]*\n", before, re.M)]
        header = before[max(starts, default=0):]
        if re.search(rb"^[ \t\r]*\n", header, re.M) or not FIELD.match(message, before.rfind(b"\n") + 1):
            return False
    return word.encode() in message


def base_messages():
    for name in sorted(os.listdir(MAIL)):
        if name.endswith(".verdict"):
            with open(os.path.join(MAIL, name)) as f:
                verdict = f.read()
            if "verdict: encrypted" not in verdict or "accept_legacy" in verdict:
                continue
            path = os.path.join(MAIL, name[:-8] + ".eml")
            if os.path.getsize(path) > 3000:
                continue
            with open(path, "rb") as f:
                yield name[:-8], f.read()


def readers_that_show(word, message, gmime):
    """The names of the readers that show the word."""
    for policy, name in zip(POLICIES, ("python compat32", "python default")):
        if shows(word, python_text(message, policy), message):
            yield name
    if shows(word, gmime.octets(message), message):
        yield "GMime"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("-n", type=int, default=20000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", default="canary-failures")
    options = options.parse_args()
    judge = Talker(options.build + "/judge_lines")
    gmime = Talker(options.build + "/gmime_text")
    bases = list(base_messages())
    verdicts, failures, shown, by_mutator = Counter(), 0, 0, Counter()
    started = time.time()
    for i in range(options.n):
        rng = random.Random("%d/%d" % (options.seed, i))
        name, message = bases[rng.randrange(len(bases))]
        word = "canary-%06d!" % i
        mutated, how = mutate.mutate(rng, message, word)
        answer = judge.line(mutated)
        verdict = answer.split(" ", 1)[0]
        verdicts[verdict] += 1
        if verdict != "encrypted" or is_within_headers(mutated, word):
            continue
        for reader in readers_that_show(word, mutated, gmime):
            failures += 1
            by_mutator[how] += 1
            save(options.keep, "%d-%d" % (options.seed, i), mutated, "%s; %s by %s; %s shows %s" % (answer, name, how, reader, word))
            print("FAIL %s, mutated by %s: called %s, and %s shows the word (%d-%d)" % (name, how, verdict, reader, options.seed, i))
            break
    if gmime.count < options.n // 100:  # what is mutated must often enough stay encrypted
        failures += 1
        print("FAIL the readers were asked %d times only" % gmime.count)
    judge.close()
    gmime.close()
    print("canary: %d mutations of %d messages: %s; readers were asked %d times; %d mutations/s" % (
        options.n, len(bases), ", ".join("%s %d" % pair for pair in verdicts.most_common()), gmime.count,
        options.n / max(time.time() - started, 0.001)))
    print("%d passed, %d failed, 0 skipped" % (options.n - failures, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

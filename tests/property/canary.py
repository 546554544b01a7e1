#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The canary: puts a readable word into encrypted messages in every way that mutate.py knows, and asks readers
of mail (readers/readers.py) what they show. A reader that shows the word in a message that we call `encrypted` or
`smime` is a failure; the message is kept.

    canary.py BUILDDIR [-n MUTATIONS] [--seed N] [--keep DIR] [--slow] [--readers NAME,NAME...]

--slow asks the slow readers, too. Not failures: the word within armor headers, or part headers, which are a readable channel
of bounded size (pgpgate-verdicts(7)); octets of ciphertext in a part of a type that no program shows as text.
"""

import argparse
import html
import os
import random
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import mutate
from programs import MAIL, Talker, save

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "readers"))

import readers  # noqa: E402

BATCH = 200  # messages that each reader is given at once
MUST_NOT_SHOW = ("encrypted", "smime")
LEAF = re.compile(rb"\0(?=[\w.+-]+/[\w.+-]*(?:[\s;(][^\n]{0,300})?\n)")  # NUL occurs in ciphertext, too
LEAF_MARK = re.compile(rb"\0[a-z]+/[^\s\0]{0,200}\n")  # the type is a name, which rule 33 bounds
# What readers that show text do not show: these hand each leaf on, whatever its type. The files' own types are those of leaf_walk.c.
HIDDEN = re.compile(rb"(?:application/(?:octet-stream|pgp-encrypted|pgp-signature|(?:x-)?pkcs7-mime|pdf|zip|x-zip-compressed|x?-?gzip|x-7z-compressed|x-tar|msword|"
                    rb"vnd\.(?:openxmlformats-officedocument|oasis\.opendocument|ms-excel|ms-powerpoint)[\w.+-]*|x-octet-stream|octetstream|binary|force-download|"
                    rb"x-download|x?-?unknown|x-gpg)|image/(?:png|jpe?g|gif|webp|heic|tiff|bmp)|(?:audio|video)/[\w.+-]+)(?![\w.+-])[^\n]*\n", re.I)
BLANK = rb"(?:[ \t\r?]|(?:\xc3\x82)?\xc2?\xa0|\\240)*\n"  # a no-break space, too, and what readers write for one; KMime takes it for Latin-1
ARMOR_HEADERS = re.compile(rb"(-----BEGIN PGP (?:MESSAGE|SIGNATURE)-----(?:[ \t\r\v\f?]|\xc2?\xa0)*\n)((?:[^\n]{1,220}\n){1,8}?)(?=" + BLANK +
                           rb"|[ \t]*[A-Za-z0-9+/=]+" + BLANK + rb"|\Z|\n?\0)")
HEADER_LINE = re.compile(rb"[A-Za-z0-9._-]+:( |$)")
SOFT_BREAK = re.compile(rb"=[ \t]*\r?\n")
LINE_TAGS = re.compile(rb"<\s*/?\s*(?:br|p|div|pre|blockquote|center|body|html|head)\b[^<>]*>", re.I)
TAGS = re.compile(rb"<[^<>]*>")


def without_armor_headers(text):
    """text without what the armor headers may say."""

    def drop(match):
        # a no-break space before a header, or what libetpan writes for one
        lines = [line.strip(b"\r \xc2\xa0").lstrip(b"?") for line in match[2].split(b"\n")[:-1]]
        if all(HEADER_LINE.match(line) for line in lines) and sum(map(len, lines)) <= 256 + 8:
            return match[1]
        return match[0]

    # what the reader's character set does not have was one octet, perhaps a no-break space of another
    # or a carriage return, which s-nail draws
    return ARMOR_HEADERS.sub(drop, text.replace(b"\xef\xbf\xbd", b"\xa0").replace(b"\xe2\x90\x8d", b"\r"))


def without_part_headers(text, message):
    """text without the part headers that a reader shows where it takes a multipart for text."""
    for b in set(mutate.boundaries(message)):
        text = re.sub(rb"^--" + re.escape(b) + rb"[ \t\r]*\n(?:[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t]+[^\s][^\n]*\n)*)+(?=\r?\n)", b"\n", text, flags=re.M)
    return text


def seen(word, text):
    """The text as it is, and where it has tags, as a browser shows it; with what the tags themselves say."""
    if not mutate.shows(word, without_armor_headers(text)) and b"&#" not in text:
        return False
    if b"<" not in text and b"&#" not in text:
        return True
    shown = LINE_TAGS.sub(b"\n", text)
    shown = html.unescape(TAGS.sub(b"", shown).decode("utf-8", "replace")).encode("utf-8", "replace")
    shown = re.sub(rb"\n(?:[ \t\r]|\xc2\xa0)*(?=\n)", b"", shown)  # empty paragraphs
    return mutate.shows(word, without_armor_headers(shown)) or mutate.shows(word, b"\n".join(TAGS.findall(text)))


def shows(word, text, message, is_ciphertext):
    """Apart from armor headers, decoded or as quoted-printable has them; without the leaves of hidden types if the word
    is in ciphertext."""
    if is_ciphertext:
        text = b"\n\0".join(leaf for leaf in LEAF.split(text) if not HIDDEN.match(leaf))
    if b"\r\r\n" in message:  # two line ends to some
        text = re.sub(rb"[\r\n]+", b"\n", text)
    text = LEAF_MARK.sub(b"\n", without_part_headers(text, message))
    if not seen(word, text):
        return False
    return b"quoted-printable" not in message.lower() or seen(word, SOFT_BREAK.sub(b"", text))


FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|[ \t]")


def is_within_headers(message, word):
    """Does the word stand in fields of the message's own header or of part headers only, and before any line of white space, which
    some readers take for the end?"""
    if word.encode() not in message:  # its letters as character references
        message = html.unescape(message.decode("latin-1")).encode("latin-1", "replace")
    for at in re.finditer(re.escape(word.encode()), message):
        before = message[:at.start()]
        starts = [m.end() for b in mutate.boundaries(message)
                  for m in re.finditer(rb"^--" + re.escape(b) + rb"[ \t\r]*\n", before, re.M)]
        header = before[max(starts, default=0):]
        if re.search(rb"^[ \t\r]*\n", header, re.M) or not FIELD.match(message, before.rfind(b"\n") + 1):
            return False
    return word.encode() in message


FIELD_NAME = re.compile(rb"[!-9;-~]+[ \t]*:")


def as_delivered(message):
    """As Postfix delivers it (cleanup_message.c): an mbox line is made a field, a line that is no field ends the header. Readers
    see that, and `pgpgate check` judges a file as that."""
    out, at = [], 0
    while at < len(message):
        end = message.find(b"\n", at) + 1 or len(message)
        line = message[at:end]
        if at == 0 and re.match(rb">?From ", line):
            out.append(b"X-Mailbox-Line: ")
        elif line in (b"\n", b"\r\n"):
            break
        elif not FIELD_NAME.match(line) and not (line[:1] in b" \t" and at > 0):
            out.append(b"\n")
            break
        out.append(line)
        at = end
    return b"".join(out) + message[at:]


def base_messages():
    for name in sorted(os.listdir(MAIL)):
        if name.endswith(".verdict"):
            with open(os.path.join(MAIL, name)) as f:
                verdict = f.read()
            if not re.search("verdict: (encrypted|smime)", verdict) or "accept_legacy" in verdict:
                continue
            path = os.path.join(MAIL, name[:-8] + ".eml")
            if os.path.getsize(path) > 3000:
                continue
            with open(path, "rb") as f:
                yield name[:-8], f.read()


class Canary:
    """Mutants that must show nothing, asked in batches; all readers work at once."""

    def __init__(self, asked, keep):
        self.asked, self.keep = asked, keep
        self.pool = ThreadPoolExecutor(len(asked))
        self.batch, self.batches, self.count, self.answers = [], 0, 0, Counter()
        self.leaks, self.by_reader = 0, Counter()

    def add(self, word, message, is_ciphertext, label, why):
        self.batch.append((word, message, is_ciphertext, label, why))
        if len(self.batch) >= BATCH:
            self.ask()

    def ask(self):
        messages = [as_delivered(message) for _, message, *_ in self.batch]
        asked = [reader for reader in self.asked if self.batches % reader.share == 0]
        texts = list(self.pool.map(lambda reader: reader.texts(messages), asked))
        for i, (word, message, is_ciphertext, label, why) in enumerate(self.batch):
            who = [reader.name for reader, shown in zip(asked, texts) if shows(word, shown[i], message, is_ciphertext)]
            self.by_reader.update(who)
            if who:
                self.leaks += 1
                save(self.keep, label, message, "%s; %s show %s" % (why, ", ".join(who), word))
                print("FAIL %s: %s; %s show the word" % (label, why, ", ".join(who)), flush=True)
        self.count += len(self.batch)
        self.answers.update({reader.name: len(messages) for reader in asked})
        self.batches += 1
        self.batch = []


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("-n", type=int, default=20000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", default="canary-failures")
    options.add_argument("--slow", action="store_true")
    options.add_argument("--readers", default="")
    options = options.parse_args()
    judge = Talker(options.build + "/judge_lines")
    asked, missing = readers.opened(options.build, options.slow, options.readers)
    if missing:
        print("# readers that are not asked: " + "; ".join(missing))
    canary = Canary(asked, options.keep)
    bases = list(base_messages())
    verdicts, made, kept = Counter(), Counter(), Counter()
    started = time.time()
    for i in range(options.n):
        if i % 10000 == 0 and i > 0:
            print("# %d mutations, the readers were asked %d times, %d leaks" % (i, canary.count, canary.leaks), flush=True)
        rng = random.Random("%d/%d" % (options.seed, i))
        word = "canary-%06d!" % i
        kind, mutated = rng.choice(sorted(mutate.CLASSES)), None
        while mutated is None:
            name, message = bases[rng.randrange(len(bases))]
            mutated = mutate.mutate(rng, message, word, kind)
        mutated, how = mutated
        made[kind] += 1
        answer = judge.line(mutated)
        verdict = answer.split(" ", 1)[0]
        verdicts[verdict] += 1
        if verdict not in MUST_NOT_SHOW or is_within_headers(as_delivered(mutated), word):
            continue
        kept[kind] += 1
        is_ciphertext = any(h in how for h in ("in_ciphertext", "unarmored", "cms"))
        canary.add(word, mutated, is_ciphertext, "%d-%d" % (options.seed, i), "%s; %s by %s" % (answer, name, how))
    canary.ask()
    failures = canary.leaks
    if canary.count < options.n // 100:  # what is mutated must often enough stay encrypted
        failures += 1
        print("FAIL the readers were asked %d times only" % canary.count)
    judge.close()
    for reader in asked:
        reader.close()
    print("# by class, mutants made / called encrypted and shown to the readers: " + ", ".join("%s %d/%d" % (kind, made[kind], kept[kind]) for kind in sorted(made)))
    print("# leaks by reader: %s" % (", ".join("%s %d" % pair for pair in canary.by_reader.most_common()) or "none"))
    print("canary: seed %d: %d mutations of %d messages: %s; %d readers were asked %d times (%s); %d mutations/s" % (
        options.seed, options.n, len(bases), ", ".join("%s %d" % pair for pair in verdicts.most_common()), len(asked), canary.count,
        ", ".join("%s %d" % (reader.name, canary.answers[reader.name]) for reader in asked), options.n / max(time.time() - started, 0.001)))
    print("%d passed, %d failed, 0 skipped" % (options.n - failures, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

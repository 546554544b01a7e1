#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes the seed corpora, tests/fuzz/corpus/TARGET/, from the golden messages: every third small message
whole, and of others the piece that a target reads."""

import base64
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
MAIL = os.path.join(os.path.dirname(HERE), "mail")
sys.path.insert(0, MAIL)

import cases_packets

ARMOR = re.compile(rb"-----BEGIN PGP .*?-----END PGP [A-Z ]+-----\n?", re.S)

SIGNATURE = re.compile(rb"-----BEGIN PGP SIGNATURE.*?-----END PGP [A-Z ]+-----\n?", re.S)


def write(target, name, data):
    folder = os.path.join(HERE, "corpus", "fuzz_" + target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def journal_payload():
    """A verdict as db/record/journal_record.h describes it, without its kind."""
    def number(value, octets):
        return value.to_bytes(octets, "little")

    def text(value):
        return number(len(value), 4) + value + b"\0"

    head = number(1800000000, 8) + number(4321, 8) + number(4000, 8) + number(77, 8) + bytes([0, 0, 1, 1]) + number(105, 2)
    texts = b"".join(map(text, [b"QUEUEID", b"mx.example.org", b"192.0.2.77", b"", b"test.x@s", b"test.x@s", b"", b"<m@x.test>",
                                b"550 5.7.1 no", b"no-openpgp", b"no OpenPGP data"]))
    recipient = bytes([3, 4, 3, 3]) + number(12, 8) + text(b"org.example@alice") + text(b"")
    return head + texts + bytes(32) + bytes(32) + number(2, 4) + recipient + recipient


UUID = "01234567-89ab-cdef-0123-456789abcdef"


def centre_answer(**more):
    """As pull() of sql/centre/schema.sql answers."""
    head = {"site": UUID, "mark": UUID, "started": "5 1", "version": 2, "no": 2, "feed_no": 7, "pushed": 3,
            "now_ms": 1800000000000, "hash_check": None, "snapshot": False, "changes": [], "feed": []}
    return b"\x01" + json.dumps({**head, **more}).encode()


def write_answers():
    change = {"no": 2, "mark": UUID, "time": 5, "author": "a", "what": "rules", "owner": None, "undoes": None, "n_rows": 1,
              "detail": {"paused_until": 0}}
    write("answer", "change", centre_answer(changes=[change]))
    write("answer", "snapshot", centre_answer(snapshot=True))
    write("answer", "feed", centre_answer(no=1, feed=[
        ["pair", "net.x@a", "org.y@b", "", 5, 6], ["window", "org.y@b", "net.x", "", 6, 6], ["bounce", "org.y@b", "", "", 6, 6],
        ["split", "net.x@a", "org.y@b", "100:" + 32 * "AB", 4, 6], ["count", "org.y@b", UUID, "20833", 3, 1800000000]]))


def main():
    write_answers()
    write("journal", "verdict", journal_payload())
    write("journal", "segment", b"\x20\x01\x07\x00\x55" + b"".join(bytes([n]) + b"x" * n for n in (0, 1, 30, 200, 255)))
    names = sorted(n[:-4] for n in os.listdir(MAIL) if n.endswith(".eml"))
    small = [n for n in names if os.path.getsize(os.path.join(MAIL, n + ".eml")) < 1500]
    for i, name in enumerate(small):
        with open(os.path.join(MAIL, name + ".eml"), "rb") as f:
            message = f.read()
        rule = name[:3]
        if i % 5 == 0:
            write("message", name, message)
        body = message.split(b"\n\n", 1)[-1]
        if rule in ("r03", "r04", "r05", "r06", "r29", "r30", "r31", "r32") and i % 3 == 0:
            kind = {"r29": b"\x02", "r30": b"\x02", "r31": b"\x03", "r32": b"\x81"}.get(rule, b"\x00")
            write("mime", name, kind + body)
        if rule in ("r01", "r02", "r12", "r33"):
            field = re.search(rb"^Content-Type:((?:[^\n]*\n)(?:[ \t][^\n]*\n)*)", message, re.M)
            write("header", name, field[1] if i % 2 and field else message.split(b"\n\n", 1)[0] + b"\n\n")
        if rule == "r09":
            write("transfer", name, (b"\x01" if b"ase64" in message else b"\x02") + body)
        if rule in ("r13", "r14", "r15", "r16", "r17", "r18") and i % 2 == 0:
            write("armor", name, b"\x00" + body)
        if "-html-" in name:
            write("html", name, body)
        if rule == "r29" and ARMOR.search(body):
            write("armor", name, b"\x04" + ARMOR.search(body)[0])
        if name.startswith("smime-"):
            write("enveloped", name, base64.b64decode(body))
        if rule in ("r28", "r30") and packets_of(message, SIGNATURE):
            write("signature", name, packets_of(message, SIGNATURE)[2:])
        names = re.findall(rb"(?:name|filename)=([^\n;]+)|^Content-Description: ([^\n]+)", message, re.M)
        if i % 12 == 0 and names:
            write("label", name, names[0][0] or names[0][1])
    write("wording", "words", b"meet+me+at+eight+at+the+old+bridge+and+bring+the+money+with+you+x" * 3)
    write("wording", "capitals", b"MeetMeAtEightAtTheOldBridgeAndBringTheMoneyWithYouOrElse0000" * 3)
    for name, *rest in cases_packets.CASES:
        packets = packets_of(rest[2])
        if packets and len(packets) < 700 and name[:3] in ("r19", "r22", "r24", "r25", "r26"):
            write("packet", name, packets)


def packets_of(message, kind=ARMOR):
    block = kind.search(message)
    if not block:
        return None
    lines = block[0].split(b"\n\n", 1)[-1].split(b"-----END")[0].split(b"\n")
    return base64.b64decode(b"".join(line for line in lines if not line.startswith(b"=")) + b"==")


if __name__ == "__main__":
    main()

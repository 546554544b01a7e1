#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The packet walk agrees with librnp, `gpg --list-packets` and `sq packet dump` on which packets there
are, over generated and mutated streams.

    packets_agree.py BUILDDIR [-n STREAMS] [--programs N] [--seed N] [--keep DIR]

Each stream goes to librnp, every N-th to gpg and sq too (they cost a process each). The walk stops at its first
fault, the others at theirs; so what both saw must be the same, packet by packet (tag, and offset where it is
told). When the walk finds nothing wrong, nobody may see more packets than it did.
"""

import argparse
import ctypes
import ctypes.util
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter

from programs import Talker, save

import pgppackets as p

SQ_TAGS = {"Public-Key Encrypted Session Key Packet": 1, "Signature Packet": 2, "Symmetric-Key Encrypted Session Key Packet": 3, "One-Pass Signature Packet": 4,
           "Secret-Key Packet": 5, "Public-Key Packet": 6, "Compressed Data Packet": 8, "Symmetrically Encrypted Data Packet": 9, "Marker Packet": 10,
           "Literal Data Packet": 11, "Trust Packet": 12, "User ID Packet": 13, "Public-Subkey Packet": 14, "User Attribute Packet": 17,
           "Sym. Encrypted and Integrity Protected Data Packet": 18, "Modification Detection Code Packet": 19, "AEAD Encrypted Data Packet": 20}

DATA_TAGS = (8, 9, 11, 18, 20)  # these may come in chunks


class Rnp:
    """librnp's rnp_dump_packets_to_json()."""

    def __init__(self):
        self.lib = ctypes.CDLL(ctypes.util.find_library("rnp") or "librnp.so.0")

    def packets(self, data):
        source, result = ctypes.c_void_p(), ctypes.c_char_p()
        self.lib.rnp_input_from_memory(ctypes.byref(source), data, ctypes.c_size_t(len(data)), False)
        code = self.lib.rnp_dump_packets_to_json(source, 0, ctypes.byref(result))
        out = []
        if code == 0 and result.value:
            for packet in json.loads(result.value.decode("latin-1"), strict=False):
                header = packet.get("header")
                if header:
                    out.append((header["tag"], header["offset"]))
        if result:
            self.lib.rnp_buffer_destroy(result)
        self.lib.rnp_input_destroy(source)
        return out


def gpg_packets(path, home):
    done = subprocess.run(["gpg", "--homedir", home, "--batch", "--no-tty", "--no-autostart", "--list-packets", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    # gpg 2.2 does not pass over the body of a container whose version it does not know: no more after that
    text = done.stdout.split(b":encrypted data packet: [unknown version]")[0]
    return [(int(m[2]), int(m[1])) for m in re.finditer(rb"^# off=(\d+) ctb=.. tag=(\d+)", text, re.M)]


def sq_packets(path):
    done = subprocess.run(["sq", "packet", "dump", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out = []
    for m in re.finditer(r"^([A-Z][A-Za-z .-]+ Packet), (?:new|old) CTB", done.stdout.decode(errors="replace"), re.M):
        out.append((SQ_TAGS.get(m[1]), None))
    return out


def stream(rng):
    """A sequence of packets, mostly what a message is made of."""
    seed = str(rng.random())
    keys = [lambda: p.pkesk3(rng.choice(list((1, 16, 18, 25, 26, 99))), keyid=rng.getrandbits(64), seed=seed), lambda: p.skesk4(esk=p.noise(rng.choice([0, 17, 33]), seed)),
            lambda: p.pkesk6(seed=seed), lambda: p.skesk5(), lambda: p.skesk6(), lambda: p.old_packet(p.PKESK, p.pkesk3_body(seed=seed), rng.choice([1, 2, 4])), lambda: p.marker()]
    body = rng.choice([p.seipd1_body(n=rng.choice([40, 100, 600, 3000]), seed=seed), p.seipd2_body(n=rng.choice([16, 100, 2000]), seed=seed)])
    tag = p.SEIPD
    if rng.random() < 0.25:
        body, tag = p.aead_body(n=rng.choice([32, 100, 2000]), seed=seed), p.AEAD
    fitting = {p.AEAD: [0, 1, 3, 5], p.SEIPD: [0, 1, 5] if body[0] == 1 else [0, 2, 4]}[tag]
    if rng.random() < 0.7:
        keys = [keys[i] for i in fitting]
    containers = [lambda: p.packet(tag, body, rng.choice([None, 5])), lambda: p.partial_packet(tag, body, [9] * (len(body) // 700)), lambda: p.sed(rng.randrange(20, 300)),
                  lambda: p.old_packet(p.SED, p.noise(100, seed), rng.choice([1, 2, 4]))]
    others = [p.literal, p.compressed, p.one_pass, p.signature, p.public_key, lambda: p.packet(rng.choice([12, 13, 17, 19, 21, 40, 60]), p.noise(rng.randrange(90), seed))]
    out = [rng.choice(keys)() for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 2, 3, 6]))] + [rng.choice(containers)() for _ in range(rng.choice([0, 1, 1, 1, 1, 2]))]
    if rng.random() < 0.15:
        out.insert(rng.randrange(len(out) + 1), rng.choice(others)())
    return b"".join(out) or p.message(seed)


def mutated(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2])):
        at = rng.randrange(min(len(data), rng.choice([8, 120, len(data)])) or 1)
        kind = rng.randrange(4)
        if kind == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at] = rng.choice([0, 1, 0xFF, 0xC1, 0xD2, 0xE9, 0x84, rng.randrange(256)])
        elif kind == 2:
            data[at:at] = rng.randbytes(rng.randrange(1, 6))
        else:
            del data[at:at + rng.randrange(1, 6)]
    return bytes(data)


def disagreement(ours, fault, theirs):
    """In words, or None."""
    for i, (our, their) in enumerate(zip(ours, theirs)):
        if their[0] is not None and our[0] != their[0] or their[1] is not None and our[1] != their[1]:
            return "packet %d: we say tag %d at %d, it says tag %s at %s" % (i + 1, our[0], our[1], their[0], their[1])
    if fault == "-" and len(theirs) > len(ours):
        return "we see %d packets and nothing wrong, it sees %d" % (len(ours), len(theirs))
    return None


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build")
    options.add_argument("-n", type=int, default=5000)
    options.add_argument("--programs", type=int, default=25)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--keep", default="disagreements")
    options = options.parse_args()
    walk, rnp, failures, counts = Talker(options.build + "/judge_lines", "-p"), Rnp(), 0, Counter()
    with tempfile.TemporaryDirectory(prefix="pgpgate-") as folder:
        path = os.path.join(folder, "stream")
        for i in range(options.n):
            rng = random.Random("%d/%d" % (options.seed, i))
            data = mutated(rng, stream(rng))
            fault, *seen = walk.line(data).split(" ")
            ours = [(int(s.split(":")[0]), int(s.split(":")[1])) for s in seen]
            in_chunks = [s.endswith("p") for s in seen]
            counts["valid" if fault == "-" else "faulty"] += 1
            readers = [("librnp", rnp.packets(data))]
            if i % options.programs == 0:
                with open(path, "wb") as f:
                    f.write(data)
                readers += [("gpg", gpg_packets(path, folder)), ("sq", sq_packets(path))]
            for name, theirs in readers:
                counts["packets seen by both us and " + name] += min(len(ours), len(theirs))
                # Two faults gpg passes over without a word: the reserved tag 0, and partial lengths of what may
                # have none (RFC 9580 section 4.2.1.4).
                told = [o for o, chunks in zip(ours, in_chunks) if name != "gpg" or o[0] and (not chunks or o[0] in DATA_TAGS)]
                why = disagreement(told, fault, theirs)
                if why:
                    failures += 1
                    save(options.keep, "%d-%d" % (options.seed, i), data, "%s: %s (%s)" % (name, why, fault))
                    print("FAIL %s: %s (%s; %d-%d)" % (name, why, fault, options.seed, i))
    for name in ("librnp", "gpg", "sq"):
        if not counts["packets seen by both us and " + name]:
            failures += 1
            print("FAIL no packet was seen by both us and " + name)
    walk.close()
    print("packets: %d streams: %s" % (options.n, ", ".join("%s %d" % pair for pair in sorted(counts.items()))))
    print("%d passed, %d failed, 0 skipped" % (options.n - failures, failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: ISC
"""Messages of 18 kinds sent to the filter while something fails, and what must hold of every answer and of the record.

What an answer may be is what it is when nothing fails, or 451 (a hang-up and silence are that, for the MTA): no failure
of ours refuses, and none lets through. What was answered is on record, once, as it was answered."""

import collections
import itertools
import mmap
import os
import struct

from .milter import Milter, code

MAIL = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../mail"))
ALICE, SIGNED, OPEN, RATCHET = "alice@example.org", "signed@example.org", "open@example.org", "ratchet@example.org"
BOB = "bob@example.net"
_numbers = itertools.count(1)

Kind = collections.namedtuple("Kind", "label file sender recipients macros address port declares_size",
                              defaults=(BOB, (ALICE,), {}, "192.0.2.1", 1234, True))

KINDS = [
    Kind("cleartext", "r28-html-type"),
    Kind("inline", "gpg-3des"),
    Kind("attachments", "gpg-binary-attachment"),
    Kind("large", "rnp-aead-large"),
    Kind("clearsigned", "r29-clearsigned", recipients=(SIGNED,)),
    Kind("signed", "r29-signed", recipients=(SIGNED,)),
    Kind("signed, not encrypted", "r29-signed"),
    Kind("S/MIME", "smime-enveloped"),
    Kind("report", "r31-dsn", sender=""),
    Kind("null sender, no report", "r28-html-type", sender=""),
    Kind("handshake", "r32-setup"),
    Kind("archive", "r28-zip", recipients=(OPEN,)),
    Kind("mixed", "r28-html-type", recipients=(OPEN, ALICE)),
    Kind("mixed, no size", "r28-html-type", recipients=(ALICE, OPEN, SIGNED), declares_size=False),
    Kind("many recipients", "gpg-3des", recipients=tuple(f"user{i}@example.org" for i in range(20))),
    Kind("ratchet", "r28-html-type", recipients=(RATCHET,)),
    Kind("sendmail(1)", "r28-html-type", macros={"i": "4SUBMIT"}, address="127.0.0.1", port=0),
    Kind("login", "r28-html-type", macros={"auth_authen": "bob"}),
]


def prepare(pair):
    pair.must("require", SIGNED, "--level", "signed")
    pair.must("exempt", OPEN)
    pair.must("require", RATCHET, "--level", "ratchet")


def _message(kind):
    with open(os.path.join(MAIL, f"{kind.file}.eml"), "rb") as f:
        data = f.read()
    return data if b"\r\n" in data else data.replace(b"\n", b"\r\n")


class Answers:
    """What became of one message: a code for each recipient, and one for the end (None: hung up, or silent)."""

    def __init__(self, kind, queue_id):
        self.kind, self.queue_id = kind, queue_id
        self.recipients, self.end = [], None

    def __repr__(self):
        return f"{self.kind.label} {self.queue_id}: {self.recipients} {self.end}"


def send(path, kind, timeout=5, connected=None):
    """One connection, one message. connected() is called when it stands."""
    answers = Answers(kind, f"4S{next(_numbers)}")
    data = _message(kind)
    try:
        with Milter(path, timeout=timeout) as m:
            if connected is not None:
                connected()
            m.connect(kind.address, kind.port)
            sizes = (f"SIZE={len(data)}".encode(),) if kind.declares_size else ()
            # Postfix has one queue id for a message, whether it is known at MAIL or comes with the end.
            macros = {**kind.macros, "i": answers.queue_id} if "i" in kind.macros else kind.macros
            reply = code(m.mail(kind.sender, arguments=sizes, **macros))
            if reply != 250:
                answers.recipients = [reply]
                return answers
            answers.recipients = [code(m.recipient(address)) for address in kind.recipients]
            if 250 in answers.recipients:
                answers.end = code(m.content(data, answers.queue_id))
    except (OSError, TypeError):  # hung up in the middle of it; a negotiation without an answer
        pass
    return answers


def _deserved(kind, healthy, accepted):
    """What the end of a message may say, once for these recipients (indices) it was not deferred at RCPT."""
    if kind.label not in ("mixed", "mixed, no size"):
        return {healthy.end}
    n_open = sum(kind.recipients[i] == OPEN for i in accepted)
    return {250} if n_open == len(accepted) else {550} if n_open == 0 else {healthy.end, 451}


def wrong(healthy, hurt):
    """The complaints about one message. A recipient that was deferred by a failure leaves its place to another: of a
    message that was split the other class may then come first."""
    told = []
    is_mixed = hurt.kind.label.startswith("mixed")
    for usual, now in zip(healthy.recipients, hurt.recipients):
        if now not in (usual, 450, 451, 452, None) and not (is_mixed and now == 250):
            told.append(f"recipient: {now}, not {usual}")
    accepted = [i for i, now in enumerate(hurt.recipients) if now == 250]
    deserved = _deserved(hurt.kind, healthy, accepted)
    if hurt.end not in {451, None, *deserved}:
        told.append(f"end: {hurt.end}, not {deserved}")
    return told


class Record:
    """Compares what was answered with what is in the database, once for many messages."""

    ACTIONS = {250: {"accept", "tag", "quarantine"}, 550: {"refuse"}}

    def __init__(self, pair):
        self.pair, self.sent = pair, []

    def complaints(self):
        rows = collections.defaultdict(list)
        for row in self.pair.json("log", "-n", "0"):
            rows[row["queue_id"]].append(row["action"])
        told = []
        for answers in self.sent:
            found = rows.get(answers.queue_id, [])
            if answers.end in self.ACTIONS:
                if len(found) != 1 or found[0] not in self.ACTIONS[answers.end]:
                    told.append(f"{answers!r}: on record as {found}")
            elif len(found) > 1:
                told.append(f"{answers!r}: twice on record: {found}")
            elif answers.end == 451 and found and found[0] in self.ACTIONS[250]:
                told.append(f"{answers!r}: answered 451, on record as {found}")
        return told


class Memory:
    """The struct control of tests/faults/faults.c, in a file that both sides have mapped."""

    FORMAT = "=5Q"

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as f:
            f.write(bytes(4096))
        os.chmod(path, 0o666)
        self._file = open(path, "r+b")
        self._map = mmap.mmap(self._file.fileno(), 4096)

    def set(self, fail_from=0, fail_to=0, is_counting=True):
        self._map[8:40] = struct.pack("=4Q", 0, fail_from, fail_to, 0)
        self._map[0:8] = struct.pack("=Q", is_counting)

    def stop(self):
        """Counts no more; returns how many there were, and how many were refused."""
        self._map[0:8] = bytes(8)
        _, n, _, _, n_failed = struct.unpack(self.FORMAT, self._map[0:40])
        return n, n_failed

# SPDX-License-Identifier: ISC
"""Load through a Postfix, and what the record must say about it afterwards."""

import random
import signal
import sqlite3
import threading
import time

from . import messages
from .smtp import Session

PROTECTED, OPEN = "alice@example.org", "open@example.org"
SENDERS = 4


class Load:
    """Threads that send one message after another, and remember the answer to each. The pair exempts OPEN
    and demands encryption for everybody else."""

    def __init__(self, port, armor, n_threads=SENDERS):
        self.port, self.armor = port, armor
        self.sent = {}  # Message-ID -> (recipients, is encrypted, the last word's code)
        self.surprises = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(n_threads)]

    def __enter__(self):
        for t in self._threads:
            t.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for t in self._threads:
            t.join(200)

    def n_final(self):
        return sum(code // 100 in (2, 5) for _, _, code in list(self.sent.values()))

    def _run(self, number):
        randomly = random.Random(number)
        while not self._stop.is_set():
            try:
                with Session(self.port) as session:
                    for _ in range(10):
                        # milter_default_action = tempfail holds for the rest of the session
                        if self._stop.is_set() or self._send_one(session, number, randomly) // 100 == 4:
                            break
            except OSError:  # smtpd answered 421 and hung up
                pass

    def _send_one(self, session, number, randomly):
        mark, sender = messages.token(), f"load{number}@example.net"
        kind = randomly.randrange(3)
        if kind == 0:
            recipients, expected = [PROTECTED], 550
            message = messages.cleartext(mark, sender=sender)
        elif kind == 1:
            recipients, expected = [OPEN], 250
            message = messages.cleartext(mark, sender=sender)
        else:
            recipients = [PROTECTED, "other@example.org", OPEN][:randomly.randrange(1, 4)]
            message, expected = messages.pgp_mime(self.armor, mark, sender=sender), 250
        sent = session.send(sender, recipients, message)
        taken = [r for r, reply in sent.recipients.items() if reply.code == 250]
        if taken:
            self.sent[f"<{mark}@client.test>"] = (taken, kind == 2, sent.code)
        if sent.code // 100 != 4 and sent.code != expected:
            self.surprises.append(f"{sender} to {recipients}: {sent!r}, expected {expected}")
        return sent.code


def one(database, sql, *values):
    return database.execute(sql, values).fetchone()[0]


def complaints_about(path, sent, patience_s=60):
    """What is wrong with the record of these messages; [] when nothing is. A running filter may be a second behind, and
    longer when it has much to catch up with."""
    end = time.monotonic() + patience_s
    for n_looks in range(10**6):
        complaints = _complaints_about(path, sent)
        # The first look can be too early, however long it took.
        if not complaints or (n_looks > 2 and time.monotonic() > end):
            break
        time.sleep(1)
    return complaints


def _complaints_about(path, sent):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30, isolation_level=None)
    complaints = []
    database.execute("BEGIN")  # mail may be coming
    try:
        stored = {}
        for message_id, *row in database.execute("SELECT message_id, id, verdict, action FROM verdict"):
            stored.setdefault(message_id, []).append(row)
        n_recipients = dict(database.execute("SELECT verdict_id, count(*) FROM verdict_recipient GROUP BY verdict_id"))
        for message_id, (recipients, is_encrypted, code) in sent.items():
            rows = stored.get(message_id, [])
            if len(rows) > 1:
                complaints.append(f"{message_id}: {len(rows)} rows")
            elif code // 100 in (2, 5) and not rows:
                complaints.append(f"{message_id} was answered {code} and has no row")
            for row_id, verdict, action in rows:
                n = n_recipients.get(row_id, 0)
                expected = {2: "accept", 5: "refuse"}.get(code // 100, action)
                if (n, verdict, action) != (len(recipients), "encrypted" if is_encrypted else "cleartext", expected):
                    complaints.append(f"{message_id} answered {code}: {verdict}, {action}, {n} recipients")
        complaints += _contradictions(database)
    finally:
        database.close()
    return complaints


def _contradictions(database):
    """Tables that are written together must agree."""
    counts = {
        "messages in daily": ("SELECT coalesce(sum(n_messages), 0) FROM daily", "SELECT count(*) FROM verdict"),
        "recipients in daily": ("SELECT coalesce(sum(n_recipients), 0) FROM daily",
                                "SELECT count(*) FROM verdict_recipient"),
        "encrypted mail of pairs": (
            "SELECT coalesce(sum(n_encrypted), 0) FROM pair",
            "SELECT count(*) FROM verdict JOIN verdict_recipient ON verdict_id = id "
            "WHERE action = 'accept' AND verdict = 'encrypted'"),
        "verdicts without recipients": (
            "SELECT 0", "SELECT count(*) FROM verdict WHERE id NOT IN (SELECT verdict_id FROM verdict_recipient)"),
    }
    for what, (left, right) in counts.items():
        a, b = one(database, left), one(database, right)
        if a != b:
            yield f"{what}: {a}, of the rows: {b}"
    # those of the last second are lost with a process that is killed
    hits = one(database, "SELECT coalesce(sum(hits), 0) FROM rule")
    rows = one(database, "SELECT count(*) FROM verdict_recipient WHERE rule_id IS NOT NULL")
    if hits > rows:
        yield f"hits of rules: {hits}, of the rows: {rows}"
    for (complaint,) in database.execute("PRAGMA integrity_check"):
        if complaint != "ok":
            yield f"integrity_check: {complaint}"


def kill_loop(pair, port, armor, n_kills, report=print):
    """kill -9 of the filter at random moments under load, n_kills times; each time it starts again over what
    the last one left. Returns (complaints, messages sent, with a final answer)."""
    complaints = []
    with Load(port, armor) as load:
        for i in range(n_kills):
            before, logged = load.n_final(), len(pair.filter.log())
            # some mail first, so that it dies at work; then at any moment
            end = time.monotonic() + 120
            while load.n_final() < before + 5:
                if time.monotonic() > end:
                    return complaints + [f"kill {i}: no mail came through"], len(load.sent), load.n_final()
                time.sleep(0.005)
            time.sleep(random.random() * 0.2)
            pair.filter.end(signal.SIGKILL)
            told = [l for l in pair.filter.log()[logged:].splitlines() if " error: " in l or "corrupt" in l]
            complaints += [f"kill {i}: the log says: {line}" for line in told]
            answered = dict(load.sent)
            pair.filter.start()
            if i % 20 == 19 or i == n_kills - 1:
                complaints += complaints_about(pair.database, answered)
                report(f"{i + 1} kills: {len(load.sent)} messages, {load.n_final()} answered, "
                       f"{len(complaints)} complaints")
    return (complaints + complaints_about(pair.database, load.sent) + load.surprises,
            len(load.sent), load.n_final())

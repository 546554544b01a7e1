# SPDX-License-Identifier: ISC
"""What lies beside the database (-wal, -shm, .lock) is removed or cut short while the daemons run: noticed, said,
answered 451 and never 5xx, and mended without a restart. A rule that was confirmed and a message that was answered
are there after everything was killed."""

import contextlib
import os
import re
import signal
import sqlite3
import threading

import pytest

from harness import messages
from harness.place import wait_until
from harness.smtp import send

ALICE, BOB = "alice@example.org", "bob@example.net"
EX_IOERR = 74


def remove(pair, *suffixes):
    for suffix in suffixes:
        os.unlink(pair.database + suffix)


def cut(pair, suffix, size=0):
    os.truncate(pair.database + suffix, size)


HARMS = {
    "wal-removed": (lambda pair: remove(pair, "-wal"), "-wal"),
    "shm-removed": (lambda pair: remove(pair, "-shm"), "-shm"),
    "both-removed": (lambda pair: remove(pair, "-wal", "-shm"), "-wal"),
    "lock-removed": (lambda pair: remove(pair, ".lock"), ".lock"),
    "all-removed": (lambda pair: remove(pair, "-wal", "-shm", ".lock"), "-wal"),
    "shm-cut": (lambda pair: cut(pair, "-shm"), "-shm"),
    "wal-cut": (lambda pair: cut(pair, "-wal"), "-wal"),
}


class Load:
    """Mail without end from a thread of its own: the answers by the message's mark."""

    def __init__(self, mx, body):
        self.mx, self.body, self.answers, self.trouble = mx, body, {}, []
        self.must_stop = False
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.must_stop:
            mark = messages.token()
            try:
                self.answers[mark] = send(self.mx.port, BOB, ALICE, messages.pgp_mime(self.body, mark))
            except OSError as error:
                self.trouble.append(error)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.must_stop = True
        self.thread.join()


def revive(pair):
    """As the service manager would."""
    for daemon in (pair.filter, pair.policyd):
        if daemon.process.poll() is not None:
            assert daemon.process.returncode == EX_IOERR, (daemon.name, daemon.process.returncode)
            assert "was cut short" in daemon.log()
            daemon.start()


def works(pair, mx, keys):
    revive(pair)
    return send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor())).code == 250


def rules(pair):
    return {line.split()[1] for line in pair.must("export").splitlines()}


def recorded(pair):
    with contextlib.closing(sqlite3.connect(pair.database)) as d:
        return {row[0] for row in d.execute("SELECT queue_id FROM verdict")}


def confirm(pair, name):
    return {name} if pair.run("exempt", name).code == 0 else set()


# By default those that differ most; PGPGATE_STORAGE=all takes each of them.
FEW = {("wal-removed", True), ("shm-removed", False), ("lock-removed", False), ("shm-cut", True), ("wal-cut", False)}
EVERY = [(harm, is_busy) for harm in HARMS for is_busy in (False, True)]


@pytest.mark.parametrize("harm,is_busy", [one for one in EVERY if one in FEW or os.environ.get("PGPGATE_STORAGE") == "all"])
def test_a_file_beside_the_database_is_harmed(pair, mx, keys, harm, is_busy):
    do, suffix = HARMS[harm]
    name = f"{harm}-{is_busy}.example.org".lower()
    before = {f"before@{name}"}
    during, after = ({f"{when}{i}@{name}" for i in range(3)} for when in ("during", "after"))
    assert confirm(pair, f"before@{name}") == before
    first = send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor()))
    assert first.code == 250
    logs = [(daemon, len(daemon.log())) for daemon in (pair.filter, pair.policyd)]
    with contextlib.ExitStack() as stack:
        load = stack.enter_context(Load(mx, keys.gpg_armor())) if is_busy else None
        if load:
            wait_until(lambda: len(load.answers) > 3, "mail to flow")
        do(pair)
        confirmed = set().union(*(confirm(pair, rule) for rule in sorted(during)))
        wait_until(lambda: works(pair, mx, keys), lambda: f"mail to be taken again\n{pair.filter.log()[-3000:]}")
        confirmed |= set().union(*(confirm(pair, rule) for rule in sorted(after)))
    assert after <= confirmed
    said = re.compile(rf"\{suffix} was (removed|cut short)|a file was cut short")
    wait_until(lambda: any(said.search(daemon.log(), was) for daemon, was in logs), "a word about it in the log")
    queue_ids = {first.queue_id}
    if load:
        assert not load.trouble, load.trouble
        assert {sent.code for sent in load.answers.values()} <= {250, 451}, load.answers
        queue_ids |= {sent.queue_id for sent in load.answers.values() if sent.code == 250}
    for daemon in (pair.filter, pair.policyd):
        daemon.end(signal.SIGKILL)
    pair.start()
    assert pair.run("db", "check").code == 0
    left = {rule for rule in rules(pair) if rule.endswith("@" + name)}
    if harm == "wal-cut":  # what was in there and nowhere else is gone
        assert confirmed <= left <= before | during | after
    else:
        assert confirmed | before <= left <= before | during | after
        wait_until(lambda: queue_ids <= recorded(pair), "every answered message to be on record")

# SPDX-License-Identifier: ISC
"""Schemas older and newer than the programs, before they start and while mail runs: 4xx and a sentence, never a
crash, never a wrong answer; right again when the schema fits, without a restart."""

import sqlite3

import pytest

from harness import load, messages
from harness.pair import program, run_program
from harness.place import wait_until
from harness.schema import sql_back_to
from harness.smtp import send

ALICE, BOB = load.PROTECTED, "bob@example.net"
CONFIG = 78  # sysexits(3)
# The first schema that says how far the journal was moved. A filter that runs has a journal, and no database beneath it
# keeps the rows and forgets that: what is older came in place of the database, without these rows, or was before the start.
WITH_JOURNAL = 7


@pytest.fixture(scope="module")
def armor(keys):
    return keys.gpg_armor()


@pytest.fixture(scope="module")
def pair(make_pair):
    pair = make_pair()
    pair.must("exempt", load.OPEN)
    return pair


def in_one_transaction(pair, sql):
    database = sqlite3.connect(pair.database, isolation_level=None, timeout=30)
    database.executescript(f"BEGIN IMMEDIATE; {sql} COMMIT;")
    database.close()


def back_to_version(pair, version):
    database = sqlite3.connect(pair.database)
    sql = sql_back_to(database, version)
    database.close()
    in_one_transaction(pair, sql)


def n_stored(pair, sent):
    """How many of these messages the mover has put into the database."""
    database = sqlite3.connect(pair.database)
    try:
        return sum(1 for (message_id,) in database.execute("SELECT message_id FROM verdict") if message_id in sent)
    finally:
        database.close()


def version(pair):
    database = sqlite3.connect(pair.database)
    try:
        return database.execute("PRAGMA user_version").fetchone()[0]
    finally:
        database.close()


def codes(mx, armor):
    return (send(mx.port, BOB, ALICE, messages.cleartext()).code,
            send(mx.port, BOB, ALICE, messages.pgp_mime(armor)).code)


def check_alive(pair, pids):
    assert [pair.filter.process.pid, pair.policyd.process.pid] == pids
    assert pair.filter.process.poll() is None and pair.policyd.process.poll() is None


def test_newer_schema_while_we_run(mx, pair, armor):
    """As when another host's newer program, or the next package, has migrated already."""
    current, pids = version(pair), [pair.filter.process.pid, pair.policyd.process.pid]
    assert codes(mx, armor) == (550, 250)
    with load.Load(mx.port, armor) as running:
        wait_until(lambda: running.n_final() > 20, "load")
        in_one_transaction(pair, "ALTER TABLE verdict RENAME TO judged; ALTER TABLE rule RENAME COLUMN requirement TO "
                                 f"level; PRAGMA user_version = {current + 1};")
        try:
            assert codes(mx, armor) == (451, 451)
            check_alive(pair, pids)
            for daemon in (pair.filter, pair.policyd):
                assert f"schema version {current + 1} is newer" in daemon.log(), daemon.log()[-1000:]
            result = pair.run("rules")
            assert result.code == CONFIG and str(current + 1) in result.err, result
        finally:
            in_one_transaction(pair, "ALTER TABLE judged RENAME TO verdict; ALTER TABLE rule RENAME COLUMN level TO "
                                     f"requirement; PRAGMA user_version = {current};")
        wait_until(lambda: codes(mx, armor) == (550, 250), lambda: pair.filter.log()[-2000:])
        before = running.n_final()
        wait_until(lambda: running.n_final() > before + 20, "load afterwards")
    check_alive(pair, pids)
    assert running.surprises == []
    assert load.complaints_about(pair.database, running.sent) == []


def test_migration_under_load(mx, pair, armor):
    """The daemons are new, the database is not yet: mail waits, the administrator migrates, mail flows."""
    pids = [pair.filter.process.pid, pair.policyd.process.pid]
    with load.Load(mx.port, armor) as running:
        wait_until(lambda: running.n_final() > 20 and n_stored(pair, running.sent) > 0, "load, some of it moved")
        back_to_version(pair, WITH_JOURNAL)
        assert codes(mx, armor) == (451, 451)
        # Postfix asks the policy server first, so that the filter may have nothing to tell.
        wait_until(lambda: "pgpgate db migrate" in pair.policyd.log(), "a complaint with its mend")
        # as one that takes long: nobody can write, and what is read is of the old version
        slow = sqlite3.connect(pair.database, isolation_level=None, timeout=30)
        slow.execute("BEGIN IMMEDIATE")
        for _ in range(5):
            assert codes(mx, armor) == (451, 451)
        slow.execute("ROLLBACK")
        slow.close()
        for daemon in (pair.filter, pair.policyd):  # of all those messages one is told of
            told = [line for line in daemon.log().splitlines() if "pgpgate db migrate" in line]
            told = [line for line in told if "verdicts wait in the journal" not in line]
            assert len(told) == 1 if daemon is pair.policyd else len(told) <= 1, daemon.log()[-1500:]
        pair.must("db", "migrate")
        wait_until(lambda: codes(mx, armor) == (550, 250), lambda: pair.filter.log()[-2000:])
        before = running.n_final()
        wait_until(lambda: running.n_final() > before + 20, "load afterwards")
    check_alive(pair, pids)
    assert running.surprises == []
    assert load.complaints_about(pair.database, running.sent) == []
    assert pair.run("db", "check").code == 0


def test_older_schema_before_the_start(pair):
    pair.ask_to_stop()
    assert (pair.filter.end(), pair.policyd.end()) == (0, 0)
    before = pair.json("log", "-n", "20")  # after the end: hits of rules are written once a second
    rules = pair.json("rules")
    back_to_version(pair, 1)
    try:
        for daemon in (pair.filter, pair.policyd):
            result = run_program([program(daemon.name), "-f", "-c", pair.conf])
            assert result.code == CONFIG and "pgpgate db migrate" in result.err, result
            assert len(result.err.splitlines()) == 1, result
        result = pair.run("rules")
        assert result.code == CONFIG and "pgpgate db migrate" in result.err, result
    finally:
        pair.must("db", "migrate")
        pair.filter.start()
        pair.policyd.start()
    assert pair.json("log", "-n", "20") == before
    assert pair.json("rules") == rules

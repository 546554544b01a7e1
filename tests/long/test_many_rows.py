# SPDX-License-Identifier: ISC
"""Ten million verdicts (PGPGATE_VERDICTS): what the commands and a decision then take, printed; that they still say the
right thing, asserted. That none scans a table is tested by tests/unit/test_statements.c, for any number of rows."""

import os
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from harness.pair import TOP
from harness.policy_client import PolicyClient
from harness.schema import sql_back_to

VERDICTS = int(os.environ.get("PGPGATE_VERDICTS", "10000000"))
RULES, PAIRS = VERDICTS // 100, VERDICTS // 10


def say(what, value):
    print(f"{VERDICTS:,} verdicts: {what}: {value}")


def best_of(n, call):
    """(the least time in ms, what call returned last)"""
    least = None
    for _ in range(n):
        began = time.monotonic()
        value = call()
        took = (time.monotonic() - began) * 1000
        least = took if least is None else min(least, took)
    return least, value


@pytest.fixture(scope="module")
def pair(make_pair, place):
    """Filled as version 1 of the schema, and migrated."""
    pair = make_pair("many", policyd=False, verdict_retention="0")
    pair.filter.end()
    subprocess.run([sys.executable, os.path.join(TOP, "tests/bench/fill_db.py"), "--rules", str(RULES), "--verdicts",
                    str(VERDICTS), "--pairs", str(PAIRS), pair.database], check=True, stdout=sys.stderr)
    database = sqlite3.connect(pair.database)
    database.executescript(sql_back_to(database, 1))
    database.close()
    began = time.monotonic()
    pair.must("db", "migrate", timeout=1800)
    say("migration from version 1 (all of them summed up by day)", f"{time.monotonic() - began:.1f} s")
    size = os.path.getsize(pair.database)
    say("database", f"{size / 1e9:.2f} GB, {size / VERDICTS:.0f} bytes a verdict with {RULES:,} rules and {PAIRS:,} pairs")
    pair.filter.start()
    pair.policyd.start()
    return pair


def test_migration_summed_up_everything(pair):
    database = sqlite3.connect(f"file:{pair.database}?mode=ro", uri=True)
    assert database.execute("SELECT sum(n_messages), sum(n_recipients) FROM daily").fetchone() == (VERDICTS, VERDICTS)
    database.close()


def test_bytes_a_verdict(pair):
    """By table and index."""
    database = sqlite3.connect(f"file:{pair.database}?mode=ro", uri=True)
    try:
        rows = database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC").fetchall()
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no dbstat")
    finally:
        database.close()
    for name, size in rows:
        if size > VERDICTS:
            say(f"bytes a verdict in {name}", f"{size / VERDICTS:.1f}")


@pytest.mark.parametrize("words", [
    ["report", "--since", "-30d"], ["report", "--since", "-1d"], ["report", "--by", "recipient", "--since", "-30d"],
    ["log", "-n", "50"], ["log", "--recipient", "user7@example.org", "-n", "50"],
    ["log", "--verdict", "cleartext", "-n", "50"], ["explain", "user5@example.org", "--sender", "sender1@client1.test"],
    ["rules", "user5@example.org"], ["metrics"], ["db", "status"]], ids=" ".join)
def test_command(pair, words):
    is_report = words[0] == "report"
    took_ms, out = best_of(1 if is_report else 3, lambda: pair.must("--json", *words, timeout=900) if words[0] != "metrics"
                           else pair.must("metrics"))
    assert out.strip()
    if words[0] == "log":
        assert len(out.splitlines()) == 50
    say(f"pgpgate {' '.join(words)}", f"{took_ms:,.0f} ms")


def test_decision_at_rcpt(pair):
    client = PolicyClient(pair.policyd.path)
    times = []
    try:
        for i in range(5000):
            began = time.monotonic()
            answer = client.ask(f"user{i * 7919 % RULES}@example.org", f"sender{i}@client{i % 101}.test", size=1000 + i)
            times.append(time.monotonic() - began)
            assert answer == "DUNNO"
    finally:
        client.close()
    times.sort()
    say("decision at RCPT, with the socket", f"median {times[2500] * 1e6:.0f} us, 99 % {times[4950] * 1e6:.0f} us")


def test_write_lock_while_old_verdicts_are_removed(pair):
    """How long anybody else waits for the write lock while `db prune` works."""
    waits, stop = [], threading.Event()

    def wait_and_wait():
        # without SQLite's own waiting, which sleeps longer and longer
        database = sqlite3.connect(pair.database, isolation_level=None, timeout=0)
        began = time.monotonic()
        while not stop.is_set():
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                time.sleep(0.0005)
                continue
            waits.append(time.monotonic() - began)
            database.execute("ROLLBACK")
            time.sleep(0.002)
            began = time.monotonic()
        database.close()

    prune = subprocess.Popen([os.path.join(os.environ.get("PGPGATE_BUILD", f"{TOP}/build"), "pgpgate"), "-c", pair.conf,
                              "db", "prune", "--older-than", "88d"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    thread = threading.Thread(target=wait_and_wait)
    thread.start()
    began = time.monotonic()
    try:
        _, err = prune.communicate(timeout=900)
        took_s = time.monotonic() - began
        assert prune.returncode == 0, err
    finally:
        stop.set()
        thread.join()
    waits.sort()
    n = VERDICTS * 2 // 90
    say(f"db prune of {n:,}", f"{took_s:.1f} s; another writer waited {waits[len(waits) // 2] * 1e3:.1f} ms (median), "
        f"{waits[int(len(waits) * 0.99)] * 1e3:.1f} ms (99 %), {waits[-1] * 1e3:.1f} ms (longest)")
    database = sqlite3.connect(f"file:{pair.database}?mode=ro", uri=True)
    assert abs(VERDICTS - n - database.execute("SELECT max(id) - min(id) + 1 FROM verdict").fetchone()[0]) < n / 50 + 10
    assert database.execute("SELECT sum(n_messages) FROM daily").fetchone() == (VERDICTS,)
    database.close()

# SPDX-License-Identifier: ISC
"""A million rules kept by a nightly job: how long a sync takes, and how long anybody else waits for the write lock
meanwhile, with no, 1,000 and all rules different; and its undo. A second run changes nothing.

PGPGATE_RULES: how many, 1,000,000 by default."""

import json
import os
import sqlite3
import subprocess
import threading
import time

import pytest

BUILD = os.environ.get("PGPGATE_BUILD") or os.path.join(os.path.dirname(__file__), "..", "..", "build")
PGPGATE = os.path.join(os.path.abspath(BUILD), "pgpgate")
RULES = int(os.environ.get("PGPGATE_RULES", "1000000"))
LEFT = min(500, RULES // 3)  # as many have left, and have come


class Site:
    def __init__(self, directory):
        self.database, self.conf = f"{directory}/pgpgate.db", f"{directory}/pgpgate.conf"
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write(f"database = sqlite:{self.database}\nuser =\n")
        self.file = f"{directory}/mailboxes.txt"
        self.run("db", "init")

    def run(self, *words):
        return subprocess.run([PGPGATE, "-c", self.conf, *words], check=True, capture_output=True, text=True).stdout

    def count(self, table):
        database = sqlite3.connect(self.database)
        try:
            return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        finally:
            database.close()

    def write(self, requirement, first, last):
        with open(self.file, "w", encoding="utf-8") as file:
            # in no order, as a query gives them
            file.writelines(f"{requirement} user{first + i * 7919 % (last - first)}@example.org\n"
                            for i in range(last - first))

    def watched(self, what, *words):
        """What the command said; prints how long it took, and the longest wait for the write lock."""
        waits, stop = [], threading.Event()

        def wait_and_wait():
            database = sqlite3.connect(self.database, isolation_level=None, timeout=0)
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

        thread = threading.Thread(target=wait_and_wait)
        thread.start()
        began = time.monotonic()
        try:
            said = json.loads(self.run("--json", *words).splitlines()[-1])
            took = time.monotonic() - began
        finally:
            stop.set()
            thread.join()
        print(f"{RULES:,} rules: {what}: {took:.1f} s, the write lock was waited for {max(waits) * 1e3:.0f} ms at most", flush=True)
        return said

    def sync(self, what):
        return self.watched(what, "import", "--replace", "--owner", "ldap", self.file)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return Site(tmp_path_factory.mktemp("site"))


def test_a_nightly_sync(site):
    site.run("exempt", "typed@example.org")
    site.write("exempt", 0, RULES)
    assert site.sync("first sync")["added"] == RULES
    rows = site.count("change_row")
    again = site.sync("0 differences")
    assert (again["unchanged"], again["added"], again["changed"], again["removed"], again["change"]) == (RULES, 0, 0, 0, None)
    assert site.count("change_row") == rows == RULES + 1 and site.count("change") == 2
    site.write("exempt", LEFT, RULES + LEFT)
    some = site.sync(f"{2 * LEFT:,} differences")
    assert (some["added"], some["removed"], some["unchanged"]) == (LEFT, LEFT, RULES - LEFT)
    site.write("signed", LEFT, RULES + LEFT)
    everything = site.sync("all different")
    assert everything["changed"] == RULES
    assert site.watched("undo of that", "undo")["changed"] == RULES
    assert site.count("rule") == RULES + 1
    site.write("exempt", RULES + LEFT, RULES + LEFT + 1)
    last = site.sync("all but one removed")
    assert (last["added"], last["removed"]) == (1, RULES)
    assert site.count("rule") == 2

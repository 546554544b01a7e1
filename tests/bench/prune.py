#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""How fast `pgpgate db prune` is, and how long another writer waits meanwhile.

    prune.py [--verdicts N] BUILDDIR

Two databases with the same N verdicts (default 300,000) of 90 days: in one times are in the order of ids, as a filter writes
them; in the other at random, as after a restore or a merge. The older two thirds of each are removed, while another writer
takes the write lock as ours do (DATABASE.lock shared, then BEGIN IMMEDIATE) every 2 ms. One line each: rows a second, processor
time a row, octets written a row, the other writer's wait; and the ratio of the two. On a quiet machine: 2 minutes.
"""

import argparse
import fcntl
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))


class OtherWriter(threading.Thread):
    def __init__(self, database):
        super().__init__()
        self.database, self.waits, self.stop = database, [], threading.Event()

    def run(self):
        database = sqlite3.connect(self.database, isolation_level=None, timeout=0)
        with open(self.database + ".lock", "rb") as lock:
            while not self.stop.is_set():
                began = time.monotonic()
                while not self.try_once(database, lock):
                    time.sleep(0.0005)
                self.waits.append((time.monotonic() - began) * 1000)
                database.execute("ROLLBACK")
                fcntl.flock(lock, fcntl.LOCK_UN)
                time.sleep(0.002)
        database.close()

    @staticmethod
    def try_once(database, lock):
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            database.execute("BEGIN IMMEDIATE")
            return True
        except (BlockingIOError, sqlite3.OperationalError):
            fcntl.flock(lock, fcntl.LOCK_UN)
            return False


def make(pgpgate, folder, verdicts, is_in_order):
    path, conf = os.path.join(folder, "pgpgate.db"), os.path.join(folder, "conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write(f"database = sqlite:{path}\nuser =\nverdict_retention = 0\n")
    subprocess.run([pgpgate, "-c", conf, "db", "init"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, os.path.join(HERE, "fill_db.py"), "--rules", "100", "--verdicts", str(verdicts), "--pairs",
                    "100", path], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    database = sqlite3.connect(path)
    if not is_in_order:
        first, last = database.execute("SELECT min(time_unix), max(time_unix) FROM verdict").fetchone()
        database.execute("UPDATE verdict SET time_unix = ?1 + abs(random()) % (?2 - ?1)", (first, last))
        database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    n = database.execute("SELECT count(*) FROM verdict").fetchone()[0]
    database.close()
    return path, conf, n


def measure(pgpgate, verdicts, is_in_order):
    """Processor time a row in us."""
    with tempfile.TemporaryDirectory() as folder:
        path, conf, before = make(pgpgate, folder, verdicts, is_in_order)
        os.sync()
        other = OtherWriter(path)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        other.start()
        began = time.monotonic()
        subprocess.run([pgpgate, "-c", conf, "db", "prune", "--older-than", "30d"], check=True, stdout=subprocess.DEVNULL)
        took_s = time.monotonic() - began
        other.stop.set()
        other.join()
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        database = sqlite3.connect(path)
        n = before - database.execute("SELECT count(*) FROM verdict").fetchone()[0]
        database.close()
    us = (now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime) / n * 1e6
    waits = sorted(other.waits)
    print(f"{'in order of ids' if is_in_order else 'in no order'}: {n:,} rows, {n / took_s:,.0f} rows/s; {us:.0f} us of "
          f"processor and {(now.ru_oublock - used.ru_oublock) * 512 / n:,.0f} octets written a row; another writer waited "
          f"{waits[len(waits) // 2]:.1f} ms (median), {waits[int(len(waits) * 0.99)]:.1f} ms (99 %), {waits[-1]:.1f} ms (longest)")
    return us


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--verdicts", type=int, default=300000)
    parser.add_argument("build")
    a = parser.parse_args()
    pgpgate = os.path.join(a.build, "pgpgate")
    in_order = measure(pgpgate, a.verdicts, True)
    in_none = measure(pgpgate, a.verdicts, False)
    print(f"processor a row, in no order / in order: {in_none / in_order:.2f}; load {os.getloadavg()[0]:.1f}")


main()

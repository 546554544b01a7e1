# SPDX-License-Identifier: ISC
"""What tests/e2e/test_record.py does, longer and under load: PGPGATE_KILLS kills of the filter (default 200), and each
fault of the disk again and again while mail comes. Every answer must be right or 4xx, and the record must hold."""

import contextlib
import fcntl
import os
import time

import pytest

import test_record
from harness import load

KILLS = int(os.environ.get("PGPGATE_KILLS", "200"))
ROUNDS = int(os.environ.get("PGPGATE_ROUNDS", "10"))


@pytest.fixture(scope="module")
def armor(keys):
    return keys.gpg_armor()


def test_kill_loop(make_pair, make_postfix, armor):
    pair = make_pair("killed")
    pair.must("exempt", load.OPEN)
    mx = make_postfix("killed", pair)
    complaints, n_sent, n_final = load.kill_loop(pair, mx.port, armor, KILLS)
    assert complaints == []
    assert n_final >= 5 * KILLS
    check = pair.run("db", "check")
    assert check.code == 0, check
    print(f"{KILLS} kills, {n_sent} messages, {n_final} with a final answer")


def disk_full(pair):
    @contextlib.contextmanager
    def fault():
        filler = disk.fill()
        try:
            yield
        finally:
            os.unlink(filler)
    disk = pair.disk
    return fault()


@contextlib.contextmanager
def file_read_only(pair):
    os.chmod(pair.database, 0o440)
    try:
        yield
    finally:
        os.chmod(pair.database, 0o660)


def error_of(calls, error):
    def fault(pair):
        return test_record.injected(pair.filter.process, calls, error, [pair.database, pair.database + "-wal"])
    return fault


def write_lock(pair):
    return test_record.locked(pair.database)


def exclusive_lock(pair):
    return test_record.locked(pair.database, "EXCLUSIVE")


@contextlib.contextmanager
def lock_file(pair):
    """As a checkpoint holds it."""
    with open(pair.database + ".lock", "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


FAULTS = {
    "disk-full": (disk_full, 1), "read-only-file": (file_read_only, 1), "write-eio": (error_of("pwrite64,write", "EIO"), 1),
    "fsync-eio": (error_of("fsync,fdatasync", "EIO"), 1), "read-eio": (error_of("pread64", "EIO"), 1),
    "write-erofs": (error_of("pwrite64,write,ftruncate", "EROFS"), 1),
    "write-lock": (write_lock, 11), "exclusive-lock": (exclusive_lock, 11), "lock-file": (lock_file, 11),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_again_and_again(place, make_pair, make_postfix, armor, name):
    fault, seconds = FAULTS[name]
    disk = test_record.SmallDisk(place, name, "24m") if name == "disk-full" else None
    pair = make_pair(name, verdict_sync="power" if name == "fsync-eio" else "process")
    pair.disk = disk
    pair.must("exempt", load.OPEN)
    mx = make_postfix(name, pair)
    pids = test_record.pids_of(pair)
    with load.Load(mx.port, armor) as running:
        for _ in range(ROUNDS if seconds == 1 else 2):
            with fault(pair):
                time.sleep(seconds)
            before = running.n_final()
            test_record.wait_until(lambda n=before: running.n_final() > n + 20,
                                   lambda: f"mail to flow again\n{pair.filter.log()[-2000:]}", 180)
    assert running.surprises == []
    complaints = load.complaints_about(pair.database, running.sent)
    assert complaints == []
    n = len(running.sent)
    # Only a full disk is the journal's, too.
    assert n > running.n_final() or name != "disk-full", "the fault was never seen"
    if name in ("write-lock", "exclusive-lock", "lock-file", "write-eio", "write-erofs"):
        assert n == running.n_final(), "mail waited for the database"
    test_record.check_recovery(pair, mx.port, armor, pids)
    print(f"{name}: {n} messages, {running.n_final()} with a final answer, {n - running.n_final()} 4xx")

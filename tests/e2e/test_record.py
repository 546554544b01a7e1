# SPDX-License-Identifier: ISC
"""No answered verdict is lost: the filter killed under load, and every way in which a disk fails. Short; tests/long
has more of it. While the database does not take records, mail goes on with the journal, and what was answered is in the
database once that is well again. Where the journal fails, too, mail is answered 4xx within seconds, never 5xx, never let
through. All mends itself."""

import contextlib
import glob
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from harness import load, messages
from harness.place import wait_until
from harness.smtp import send

ALICE, BOB = load.PROTECTED, "bob@example.net"
KILLS = int(os.environ.get("PGPGATE_KILLS", "5"))
# The longest that a client waits: the log's 10 s and the lock's 5 s at RCPT, three times that for the load of the machine.
# It is less than Postfix's own patience (60 s): so it was we who answered.
ANSWER_S = 45


@pytest.fixture(scope="module")
def armor(keys):
    return keys.gpg_armor()


def answers(port, armor):
    """The answers to cleartext and to encrypted mail, sent at the same time, and how long the slower took."""
    codes = {}

    def ask(name, message):
        codes[name] = send(port, BOB, ALICE, message).code

    began = time.monotonic()
    threads = [threading.Thread(target=ask, args=("cleartext", messages.cleartext())),
               threading.Thread(target=ask, args=("encrypted", messages.pgp_mime(armor)))]
    for t in threads:
        t.start()
    for t in threads:
        t.join(200)
    assert len(codes) == 2, "no answer"
    return codes["cleartext"], codes["encrypted"], time.monotonic() - began


def right(port, armor):
    return answers(port, armor)[:2] == (550, 250)


def until_it_fails(port, armor, n_most=60):
    """Sends until both kinds are answered 451. Before that an answer may be right, but never wrong."""
    for _ in range(n_most):
        cleartext, encrypted, took_s = answers(port, armor)
        assert cleartext in (550, 451) and encrypted in (250, 451), (cleartext, encrypted)
        assert took_s < ANSWER_S, took_s
        if (cleartext, encrypted) == (451, 451):
            return
    pytest.fail(f"the fault was not seen in {n_most} rounds")


def check_recovery(pair, port, armor, pids):
    """Without a restart: the same processes, the right answers, a database in order."""
    wait_until(lambda: right(port, armor), lambda: f"recovery\n{pair.filter.log()[-2000:]}")
    assert [pair.filter.process.pid, pair.policyd.process.pid] == pids
    assert pair.filter.process.poll() is None and pair.policyd.process.poll() is None
    assert pair.run("db", "check").code == 0


def n_logged(pair, *options):
    """What people are shown, the journal's tail included."""
    result = pair.run("--json", "log", "-n", "0", *options)
    assert result.code == 0, result
    return [json.loads(line)["message_id"] for line in result.out.splitlines()]


def n_stored(pair):
    with contextlib.closing(sqlite3.connect(f"file:{pair.database}?mode=ro", uri=True, timeout=30)) as database:
        return load.one(database, "SELECT count(*) FROM verdict")


def pids_of(pair):
    return [pair.filter.process.pid, pair.policyd.process.pid]


def test_killed_at_any_moment_nothing_answered_is_lost(make_pair, make_postfix, armor):
    pair = make_pair("killed")
    pair.must("exempt", load.OPEN)
    mx = make_postfix("killed", pair)
    complaints, n_sent, n_final = load.kill_loop(pair, mx.port, armor, KILLS)
    assert complaints == []
    assert n_final >= 5 * KILLS
    check = pair.run("db", "check")
    assert check.code == 0, check
    print(f"{KILLS} kills, {n_sent} messages, {n_final} with a final answer")


# ---- a small disk of its own ----

class SmallDisk:
    """A tmpfs that holds a pair's state directory."""

    def __init__(self, place, name, size="3m"):
        self.path = place.directory(f"{name}/state")
        run = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=2770", "pgpgate-test", self.path],
                             capture_output=True)
        if run.returncode != 0:
            pytest.skip(f"cannot mount a tmpfs here: {run.stderr.decode().strip()}")
        place.at_end(self.unmount)

    def unmount(self):
        subprocess.run(["umount", "-l", self.path], capture_output=True)

    def fill(self):
        path = os.path.join(self.path, "filler")
        with open(path, "wb", buffering=0) as f, contextlib.suppress(OSError):
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(b"x" * size)
        return path


@pytest.fixture(scope="module")
def disk(place):
    return SmallDisk(place, "small")


@pytest.fixture(scope="module")
def small(disk, make_pair):
    return make_pair("small")


@pytest.fixture(scope="module")
def small_mx(small, make_postfix):
    return make_postfix("small", small)


def test_disk_full(disk, small, small_mx, armor):
    assert right(small_mx.port, armor)
    pids, logged = pids_of(small), len(small.filter.log())
    filler = disk.fill()
    try:
        until_it_fails(small_mx.port, armor)
        told = small.filter.log()[logged:]
        assert "full" in told or "space" in told, told
        result = small.run("exempt", "someone@example.org")
        assert result.code > 0 and small.database in result.err, result
    finally:
        os.unlink(filler)
    check_recovery(small, small_mx.port, armor, pids)


def test_database_file_read_only(small, small_mx, armor):
    """Nobody waits for it, and afterwards it has everything."""
    assert right(small_mx.port, armor)
    pids, logged, n = pids_of(small), len(small.filter.log()), len(n_logged(small))
    os.chmod(small.database, 0o440)
    try:
        assert right(small_mx.port, armor)
        wait_until(lambda: small.database in small.filter.log()[logged:], "a word in the log")
        assert right(small_mx.port, armor)
    finally:
        os.chmod(small.database, 0o660)
    check_recovery(small, small_mx.port, armor, pids)
    assert len(set(n_logged(small))) == len(n_logged(small)) >= n + 6
    wait_until(lambda: n_stored(small) == len(n_logged(small)), "the database to catch up")


# ---- errors of the disk ----

def is_untraced(status):
    """Of a thread, which may end meanwhile."""
    try:
        with open(status, encoding="utf-8") as f:
            return "TracerPid:\t0\n" in f.read()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def injected(process, calls, error, paths):
    """These system calls fail on these files, in all threads of a process."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not there")
    words = ["strace", "-f", "-q", "-o", "/dev/null", "-p", str(process.pid), "-e", f"trace={calls}",
             "-e", f"inject={calls}:error={error}"]
    for path in paths:
        words += ["-P", path]
    strace = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        def is_traced():
            if strace.poll() is not None:
                pytest.skip(f"strace cannot trace here: {strace.stderr.read().decode().strip()}")
            tasks = [f"/proc/{process.pid}/task/{t}/status" for t in os.listdir(f"/proc/{process.pid}/task")]
            return not any(map(is_untraced, tasks))
        wait_until(is_traced, "strace on every thread")
        yield
    finally:
        if strace.poll() is None:
            strace.terminate()
        strace.wait(20)
        strace.stderr.close()


# A name: system calls, their error, verdict_sync, on the database or on the journal, what the log must say ("": what is
# read may all be in the cache).
FAULTS = {
    "write": ("pwrite64,write", "EIO", "process", "database", "I/O error"),
    "fsync": ("fsync,fdatasync", "EIO", "power", "database", "I/O error"),
    "read": ("pread64", "EIO", "process", "database", ""),
    "read-only-disk": ("pwrite64,write,ftruncate", "EROFS", "process", "database", "error"),
    "journal-write": ("pwritev", "EIO", "process", "journal", "Input/output error"),
    "journal-space": ("pwritev,ftruncate", "ENOSPC", "process", "journal", "No space left"),
    "journal-sync": ("fdatasync", "EIO", "power", "journal", "Input/output error"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_errors_of_the_disk(make_pair, make_postfix, armor, fault):
    calls, error, sync, which, told = FAULTS[fault]
    pair = make_pair(fault, verdict_sync=sync)
    mx = make_postfix(fault, pair)
    assert right(mx.port, armor)
    pids = pids_of(pair)
    files = [pair.database, pair.database + "-wal"] if which == "database" else glob.glob(pair.database + ".journal.*")
    codes = []
    with injected(pair.filter.process, calls, error, files):
        for _ in range(3):
            cleartext, encrypted, took_s = answers(mx.port, armor)
            assert cleartext in (550, 451) and encrypted in (250, 451), (cleartext, encrypted)
            assert took_s < ANSWER_S, took_s
            codes += [cleartext, encrypted]
        if told:
            # One segment that cannot be written is followed by another, where what it holds is known.
            assert codes == [550, 250] * 3 if which == "database" else 451 in codes, codes
            wait_until(lambda: told in pair.filter.log(), lambda: pair.filter.log()[-2000:])
    check_recovery(pair, mx.port, armor, pids)
    # Each answer but the 451s has a row, once; a 451 has one at the most.
    n_final = 4 + sum(code != 451 for code in codes)
    wait_until(lambda: n_stored(pair) >= n_final, "the database to catch up")
    assert n_stored(pair) == len(n_logged(pair)) == len(set(n_logged(pair)))


# ---- a lock that another process holds ----

@contextlib.contextmanager
def locked(path, how="IMMEDIATE"):
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    database.execute(f"BEGIN {how}")
    try:
        yield
    finally:
        database.execute("ROLLBACK")
        database.close()


def test_write_lock_held_holds_up_nothing(mx, pair, armor, tmp_path):
    pids, n = pids_of(pair), len(n_logged(pair))
    with locked(pair.database):
        for _ in range(3):
            cleartext, encrypted, took_s = answers(mx.port, armor)
            assert (cleartext, encrypted) == (550, 250)
            assert took_s < 10, took_s
        # Nobody sees that the database is behind, but for those who look for it.
        assert len(n_logged(pair)) == n + 6
        status = pair.json("db", "status")[0]
        assert status["journal_waiting"] == 6 and status["journal_bytes"] > 0, status
        behind = pair.run("db", "backup", str(tmp_path / "behind.db"))
        assert behind.code == 0 and "wait in the journal" in behind.err, behind
    wait_until(lambda: pair.json("db", "status")[0]["journal_waiting"] == 0, "the database to catch up")
    assert len(n_logged(pair)) == n_stored(pair) == n + 6
    whole = pair.run("db", "backup", str(tmp_path / "whole.db"))
    assert whole.code == 0 and "journal" not in whole.err, whole
    check_recovery(pair, mx.port, armor, pids)


def test_a_backup_restored_beside_a_journal_gets_what_it_lacks_once(make_pair, make_postfix, armor):
    """Of what the journal of a killed filter holds, some is in the backup, some in the database that was lost, some in none."""
    pair = make_pair("beside")
    mx = make_postfix("beside", pair)
    backup = os.path.join(pair.dir, "backup.db")
    assert right(mx.port, armor)
    wait_until(lambda: n_stored(pair) == 2, "the first in the database")
    pair.must("db", "backup", backup)
    assert right(mx.port, armor)
    wait_until(lambda: n_stored(pair) == 4, "the second in the database")
    with locked(pair.database):
        assert right(mx.port, armor)
        assert pair.filter.end(signal.SIGKILL) == -9
    assert pair.policyd.end() == 0
    sent = sorted(n_logged(pair))
    assert len(set(sent)) == 6
    pair.must("db", "restore", backup)
    assert len(glob.glob(pair.database + ".journal.*")) == 1
    pair.filter.start()
    wait_until(lambda: not glob.glob(pair.database + ".journal.*"), lambda: pair.filter.log()[-2000:])
    assert n_stored(pair) == 6 and sorted(n_logged(pair)) == sent
    assert pair.run("db", "check").code == 0

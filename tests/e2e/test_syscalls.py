# SPDX-License-Identifier: ISC
"""System calls of the filter that fail (strace -e inject), with a look at the record after each. PGPGATE_INJECT=all
takes every row, as ./runtests long does; the default takes those that are marked."""

import os
import re
import subprocess

import pytest

from harness import sweep
from harness.place import wait_until

ALL = os.environ.get("PGPGATE_INJECT") == "all"

pytestmark = pytest.mark.skipif(bool(os.environ.get("PGPGATE_SANITIZED")), reason="strace and LeakSanitizer exclude each other")

# (system calls, error, from which call on and how often, in the default run)
ROWS = [
    ("pwrite64", "ENOSPC", "1+", True), ("pwrite64", "EIO", "1+", False), ("pwrite64", "EIO", "3+5", True),
    ("fdatasync,fsync", "EIO", "1+", True), ("fdatasync,fsync", "EIO", "2+3", False),
    ("pread64", "EIO", "1+", True), ("pread64", "EIO", "4+7", False),
    ("openat", "EMFILE", "1+", True), ("openat", "EACCES", "1+", False), ("openat", "EIO", "2+3", False),
    ("fcntl", "EIO", "4+", False), ("fcntl", "ENOLCK", "5+3", False), ("flock", "ENOLCK", "1+", True),
    ("flock", "EIO", "2+3", False), ("ftruncate", "EIO", "1+", False), ("newfstatat,fstat", "EIO", "1+2", False),
    ("mmap", "ENOMEM", "1+", True), ("mmap", "ENOMEM", "2+3", False), ("brk", "ENOMEM", "1+", False),
    ("clone3,clone", "EAGAIN", "1+", False), ("clone3,clone", "EAGAIN", "1+2", True),
    ("accept4", "EMFILE", "1+2", False), ("accept4", "ECONNABORTED", "1+2", True),
    ("read", "EIO", "3+5", True), ("read", "ECONNRESET", "2+7", False),
    ("write,writev", "EPIPE", "2+5", True), ("write,writev", "EIO", "1+3", False),
    ("poll", "EINTR", "1+2", True), ("poll", "ENOMEM", "2+9", False), ("futex", "EINTR", "1+9", False),
    ("unlink", "EACCES", "1+", False), ("fchmod,fchown", "EPERM", "1+", False),
]


class Injection:
    """strace on a running process for the length of a with statement."""

    def __init__(self, pid, calls, error, when, out):
        self.words = ["strace", "-f", "-qq", "-o", out, "-e", f"trace={calls}", "-e",
                      f"inject={calls}:error={error}:when={when}", "-p", str(pid)]
        self.pid, self.out = pid, out

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._is_attached, "strace to attach to every thread")
        return self

    def _is_attached(self):
        assert self.process.poll() is None, "strace ended"
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{thread}/status", encoding="ascii") as f:
                if re.search(r"^TracerPid:\t0$", f.read(), re.M):
                    return False
        return True

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)
        with open(self.out, encoding="utf-8", errors="replace") as f:
            self.n_injected = f.read().count("(INJECTED)")


@pytest.fixture(scope="module")
def pair(make_pair):
    pair = make_pair("calls", policyd=False, add_header="yes")
    sweep.prepare(pair)
    return pair


def test_system_calls_that_fail(pair, place):
    if subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False).returncode != 0:
        pytest.skip("strace may not trace here")
    kinds = [k for k in sweep.KINDS if ALL or k.label in ("cleartext", "inline", "mixed")]
    out = os.path.join(place.directory("strace"), "calls")
    record, told, n_injected, n_rows = sweep.Record(pair), [], 0, 0
    usual = {k.label: sweep.send(pair.filter.path, k) for k in kinds}
    usual = {k.label: sweep.send(pair.filter.path, k) for k in kinds}  # a mixed one has a past then
    for calls, error, when, is_short in ROWS:
        if not (ALL or is_short):
            continue
        n_rows += 1
        with Injection(pair.filter.process.pid, calls, error, when, out) as injection:
            for kind in kinds:
                hurt = sweep.send(pair.filter.path, kind, 12)
                record.sent.append(hurt)
                told += [f"{calls} {error} {when}, {kind.label}: {c}" for c in sweep.wrong(usual[kind.label], hurt)]
        n_injected += injection.n_injected
        if pair.filter.process.poll() is not None:
            told.append(f"{calls} {error} {when}: ended with {pair.filter.process.poll()}")
            pair.filter.end()
            pair.filter.start()
        after = sweep.send(pair.filter.path, kinds[0], 60)
        record.sent.append(after)
        if after.end != usual[kinds[0].label].end:
            told.append(f"{calls} {error} {when}: {after!r} after it was over")
    told += record.complaints()
    pair.must("db", "check")
    print(f"system calls: {n_rows} rows, {len(record.sent)} messages, {n_injected} failures, {len(told)} findings")
    assert not told, "\n".join(told[:40])
    assert n_injected > 20

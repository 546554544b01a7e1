# SPDX-License-Identifier: ISC
"""System calls of the filter that fail (strace -e inject), with a look at the record after each. PGPGATE_INJECT=all
takes every row, as ./runtests long does; the default takes those that are marked."""

import os
import re
import signal
import subprocess

import pytest

from harness import sweep
from harness.place import wait_until

ALL = os.environ.get("PGPGATE_INJECT") == "all"

pytestmark = pytest.mark.skipif(bool(os.environ.get("PGPGATE_SANITIZED")), reason="strace and LeakSanitizer exclude each other")

# (system calls, what becomes of them, from which call on and how often, in the default run). EINTR is not for futex(2): a wake
# never gives it, and the C library ends a process that it is told so. Late ones put threads out of step.
ROWS = [
    ("pwrite64,pwritev", "error=ENOSPC", "1+", True), ("pwrite64,pwritev", "error=EIO", "1+", False),
    ("pwrite64,pwritev", "error=EDQUOT", "1+", True), ("pwrite64,pwritev,ftruncate", "error=EROFS", "1+", False),
    ("openat", "error=EROFS", "1+", False), ("openat", "error=EDQUOT", "1+", False),
    ("pwrite64,pwritev", "error=EIO", "3+5", True), ("fdatasync,fsync", "error=EIO", "1+", True),
    ("fdatasync,fsync", "error=EIO", "2+3", False), ("pread64", "error=EIO", "1+", True), ("pread64", "error=EIO", "4+7", False),
    ("openat", "error=EMFILE", "1+", True), ("openat", "error=EACCES", "1+", False), ("openat", "error=EIO", "2+3", False),
    ("fcntl", "error=EIO", "4+", False), ("fcntl", "error=ENOLCK", "5+3", False), ("flock", "error=ENOLCK", "1+", True),
    ("flock", "error=EIO", "2+3", False), ("ftruncate", "error=EIO", "1+", False), ("newfstatat,fstat", "error=EIO", "1+2", False),
    ("mmap,mprotect,brk", "error=ENOMEM", "1+", True), ("mmap,mprotect,brk", "error=ENOMEM", "2+3", False),
    ("clone3,clone", "error=EAGAIN", "1+", True), ("accept4", "error=EMFILE", "1+2", False),
    ("accept4", "error=ECONNABORTED", "1+2", True), ("read", "error=EIO", "3+5", True), ("read", "error=ECONNRESET", "2+7", False),
    ("write,writev", "error=EPIPE", "2+5", True), ("write,writev", "error=EIO", "1+3", False), ("poll", "error=EINTR", "1+2", True),
    ("poll", "error=ENOMEM", "2+9", False), ("futex", "delay_enter=20000", "1+3", False), ("unlink", "error=EACCES", "1+", True),
    ("fchmod,fchown", "error=EPERM", "1+", False), ("rename,renameat2", "error=EIO", "1+", False),
    ("statfs,fstatfs", "error=EIO", "1+", False), ("setsockopt", "error=ENOMEM", "1+2", False),
]


class Injection:
    """strace on a running process for the length of a with statement."""

    def __init__(self, pid, calls, what, when, out):
        self.words = ["strace", "-f", "-qq", "-o", out, "-e", f"trace={calls}"]
        # brk(2) has no errors: it says where the end is, and the C library takes -ENOMEM for an end far above what it asked.
        failing = [(calls.removesuffix(",brk"), what)] + ([("brk", "retval=0")] if calls.endswith(",brk") else [])
        for some, how in failing:
            self.words += ["-e", f"inject={some}:{how}:when={when}"]
        self.words += ["-p", str(pid)]
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

    def _has_ended(self):
        try:
            with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as f:
                return f.read().rpartition(")")[2].split()[0] in ("Z", "X")
        except OSError:
            return True

    def __exit__(self, *_):
        self.process.terminate()
        wait_until(lambda: self.process.poll() is not None or self._has_ended(), "strace to let go")
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:  # of a program that ends while it is let go, strace 6.1 waits for ever for the
            self.process.kill()            # first thread, which the kernel tells of when all others were waited for
            self.process.wait(60)
        with open(self.out, encoding="utf-8", errors="replace") as f:
            self.n_injected = len(re.findall(r"\((?:INJECTED|DELAYED)\)", f.read()))


@pytest.fixture(scope="module")
def pair(make_pair, make_postfix, place):
    """What the filter asks of Postfix it asks again with each reload: by another program."""
    pair = make_pair("calls", policyd=False, add_header="yes", verdict_sync="power")
    postfix = make_postfix("calls-mx", pair)
    sweep.prepare(pair)
    pair.write_conf(protected_domains="postfix, example.org", postfix_config=postfix.etc)
    return pair


def live_with(pair, calls, kinds, usual, record, ends):
    """The filter reads its configuration, gets messages, and ends: libmilter looks every 5 s whether it is to. The complaints."""
    told = []
    before = pair.filter.log()
    pair.filter.signal(signal.SIGUSR1)
    if not calls.startswith("write"):  # then it cannot say so
        wait_until(lambda: pair.filter.log() != before or pair.filter.process.poll() is not None, "a reload, or why there is none")
    for kind in kinds:
        hurt = sweep.send(pair.filter.path, kind, 12)
        record.sent.append(hurt)
        told += [f"{kind.label}: {c}" for c in sweep.wrong(usual[kind.label], hurt)]
    code = pair.filter.process.poll()
    if code is None and ends:
        pair.filter.ask_to_end()
        code = pair.filter.process.wait(90)
    return told + ([f"ended with {code}: {pair.filter.log()[-500:]}"] if code is not None and code < 0 else [])


def test_system_calls_that_fail(pair, place):
    """Each row in the life of a filter of its own, since a connection to the database or a thread is made once."""
    if subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False).returncode != 0:
        pytest.skip("strace may not trace here")
    kinds = [k for k in sweep.KINDS if ALL or k.label in ("cleartext", "inline", "mixed")]
    out = os.path.join(place.directory("strace"), "calls")
    record, told, n_injected = sweep.Record(pair), [], 0
    usual = {k.label: sweep.send(pair.filter.path, k) for k in kinds}
    usual = {k.label: sweep.send(pair.filter.path, k) for k in kinds}  # a mixed one has a past then
    rows = [row for row in ROWS if ALL or row[3]]
    for calls, what, when, _ in rows:
        pair.filter.end(signal.SIGKILL)
        pair.filter.start()
        with Injection(pair.filter.process.pid, calls, what, when, out) as injection:
            complaints = live_with(pair, calls, kinds, usual, record, ALL or calls == "unlink")
        n_injected += injection.n_injected
        if injection.n_injected == 0:
            complaints.append("nothing failed: it shows nothing")
        pair.filter.end(signal.SIGKILL)
        pair.filter.start()
        after = sweep.send(pair.filter.path, kinds[0], 60)
        record.sent.append(after)
        if after.end != usual[kinds[0].label].end:
            complaints.append(f"{after!r} after it was over")
        told += [f"{calls} {what} {when}: {c}" for c in complaints]
    told += record.complaints()
    pair.must("db", "check")
    print(f"system calls: {len(rows)} rows, {len(record.sent)} messages, {n_injected} failures, {len(told)} findings")
    assert not told, "\n".join(told[:40])

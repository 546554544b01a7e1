# SPDX-License-Identifier: ISC
"""The daemons as a service manager and an init script see them: fork, pid file, user, readiness, signals."""

import contextlib
import os
import pwd
import re
import signal
import socket
import time

import pytest

from harness.milter import Milter
from harness.pair import Pair, program, run_program
from harness.place import wait_until

DAEMONS = ("pgpgate-filter", "pgpgate-policyd")


@pytest.fixture(scope="module")
def idle(place):
    pair = Pair(place, "idle")
    pair.must("db", "init")
    return pair


def socket_of(pair, name):
    return f"{pair.run_dir}/{name}.sock"


def is_listening(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def is_gone(pid):
    """No such process, or one that only waits for its parent (nobody reaps orphans in some containers)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("name", DAEMONS)
def test_daemonises_with_a_pid_file_and_ends_on_sigterm(idle, name):
    pid_file = os.path.join(idle.run_dir, f"{name}.pid")
    words = [program(name), "-c", idle.conf, "-P", pid_file, "-p", f"unix:{socket_of(idle, name)}"]
    started = run_program(words)
    assert started.code == 0, started
    assert is_listening(socket_of(idle, name))  # it was ready when the first process ended
    with open(pid_file, encoding="ascii") as f:
        pid = int(f.read())
    try:
        assert os.stat(f"/proc/{pid}").st_uid == idle.place.user.pw_uid
        assert os.getsid(pid) != os.getsid(0)
        again = run_program(words)
        assert again.code > 1 and len(again.err.splitlines()) >= 1, again  # running already
        assert not is_gone(pid)
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: is_gone(pid), f"{name} to end")
    assert not os.path.exists(pid_file)


@pytest.mark.parametrize("name", DAEMONS)
def test_pid_file_cannot_be_written_by_the_user_of_the_daemon(idle, name):
    daemon = idle.filter if name == "pgpgate-filter" else idle.policyd
    pid_file = os.path.join(idle.dir, f"{name}.pid")  # root's directory
    daemon.words = ["-P", pid_file]
    try:
        daemon.start()
    finally:
        daemon.words = []
    pid = daemon.process.pid
    with open(pid_file, encoding="ascii") as f:
        assert int(f.read()) == pid
    n_open = 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            file = os.readlink(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:  # closed since: threads have just begun, and open what they read once
            continue
        if file == pid_file:
            n_open += 1
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as f:
                flags = int(re.search(r"^flags:\s*([0-7]+)", f.read(), re.M).group(1), 8)
            assert flags & os.O_ACCMODE == os.O_RDONLY, oct(flags)
    assert n_open == 1  # the lock
    assert run_program([program(name), "-f", "-c", idle.conf, "-P", pid_file]).code == 69  # it is held
    assert daemon.end() == 0
    os.unlink(pid_file)


@pytest.mark.parametrize("name", DAEMONS)
def test_failed_start_is_told_by_the_first_process(idle, name):
    result = run_program([program(name), "-c", idle.conf, "-o", "database=sqlite:/nonexistent/x.db",
                          "-p", f"unix:{socket_of(idle, name)}"])
    assert result.code > 1 and "/nonexistent/x.db" in result.err, result
    assert not is_listening(socket_of(idle, name))


@pytest.mark.parametrize("name", DAEMONS)
def test_tells_the_service_manager_when_it_is_ready_and_when_it_stops(idle, name):
    notify = os.path.join(idle.run_dir, "notify.sock")
    if os.path.exists(notify):
        os.unlink(notify)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(notify)
        os.chmod(notify, 0o777)
        s.settimeout(60)
        daemon = idle.filter if name == "pgpgate-filter" else idle.policyd
        os.environ["NOTIFY_SOCKET"] = notify
        try:
            daemon.start(wait=False)
        finally:
            del os.environ["NOTIFY_SOCKET"]
        told = s.recv(4096).decode()
        assert "READY=1" in told.splitlines(), told
        assert is_listening(daemon.path)
        assert daemon.end() == 0
        assert "STOPPING=1" in s.recv(4096).decode()
    os.unlink(notify)


@pytest.mark.parametrize("name", DAEMONS)
def test_user_and_group_of_the_command_line(idle, name):
    daemon = idle.filter if name == "pgpgate-filter" else idle.policyd
    group = idle.place.postfix.pw_gid
    daemon.words = ["-u", f"{idle.place.user.pw_name}:postfix"]
    try:
        daemon.start()
        with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as f:
            status = dict(line.split(":", 1) for line in f if ":" in line)
        assert status["Uid"].split() == [str(idle.place.user.pw_uid)] * 4
        assert status["Gid"].split() == [str(group)] * 4
        assert "0" not in status["Groups"].split()
        assert daemon.end() == 0
    finally:
        daemon.words = []


def test_sigint_ends_them_too(idle):
    for daemon in (idle.filter, idle.policyd):
        daemon.start()
        assert daemon.end(signal.SIGINT) == 0, daemon.name


def test_sighup_rereads_in_the_policy_server(idle):
    idle.policyd.start()
    before = idle.policyd.log().count("configuration reread")
    idle.policyd.signal(signal.SIGHUP)
    wait_until(lambda: idle.policyd.log().count("configuration reread") > before, "the configuration to be reread")
    assert idle.policyd.end() == 0


def test_socket_can_be_used_by_the_group_only(idle):
    for daemon in (idle.filter, idle.policyd):
        daemon.start()
        status = os.stat(daemon.path)
        assert status.st_mode & 0o777 == 0o770, oct(status.st_mode)
        assert status.st_gid == idle.place.postfix.pw_gid
        assert pwd.getpwuid(status.st_uid).pw_name == idle.place.user.pw_name
        assert daemon.end() == 0


def test_sighup_rereads_in_the_filter(idle):
    """libmilter would stop. While the thread that rereads is busy, too: a long file keeps it so."""
    with open(idle.conf, "a", encoding="utf-8") as f:
        f.write(("# " + "x" * 70 + "\n") * 10000)
    idle.filter.start()
    for _ in range(5):
        before = idle.filter.log().count("configuration reread")
        for _ in range(50):
            idle.filter.signal(signal.SIGHUP)
            time.sleep(0.0002)
        wait_until(lambda: idle.filter.log().count("configuration reread") > before, "the filter rereading")
    for _ in range(3):  # with the first it would notice
        with Milter(idle.filter.path) as m:
            assert m.negotiated is not None
    assert idle.filter.end() == 0
    idle.write_conf()


@contextlib.contextmanager
def watched(daemon, pair, interval_us):
    """Starts a daemon as a service with WatchdogSec=; gives what it tells."""
    notify = os.path.join(pair.run_dir, "watch.sock")
    if os.path.exists(notify):
        os.unlink(notify)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(notify)
        os.chmod(notify, 0o777)
        s.settimeout(60)
        os.environ.update(NOTIFY_SOCKET=notify, WATCHDOG_USEC=str(interval_us))
        try:
            daemon.start(wait=False)
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]

        def wait_for(word):
            while word not in s.recv(4096).decode().splitlines():
                pass
        wait_for("READY=1")
        yield wait_for
    os.unlink(notify)


@pytest.mark.parametrize("name", DAEMONS)
def test_watchdog_of_the_service_manager_is_fed(idle, name):
    daemon = idle.filter if name == "pgpgate-filter" else idle.policyd
    with watched(daemon, idle, 200000) as wait_for:
        for _ in range(5):
            wait_for("WATCHDOG=1")
        assert daemon.end() == 0


def test_filter_that_nobody_can_reach_ends_to_be_started_again(idle):
    with watched(idle.filter, idle, 200000) as wait_for:
        wait_for("WATCHDOG=1")
        os.unlink(idle.filter.path)
        assert idle.filter.process.wait(60) == 70
    assert "no longer serves" in idle.filter.log()
    idle.filter.start()
    assert idle.filter.end() == 0


@pytest.mark.skipif(bool(os.environ.get("PGPGATE_SANITIZED")), reason="AddressSanitizer wants to be loaded first")
def test_filter_whose_libmilter_has_given_up_ends_to_be_started_again(idle, faults):
    """When poll(2) has failed 16 times libmilter still accepts connections, and serves none."""
    switch = os.path.join(idle.run_dir, "poll-fails")
    os.environ.update(LD_PRELOAD=faults, FAULT_POLL=switch)
    try:
        with watched(idle.filter, idle, 200000) as wait_for:
            wait_for("WATCHDOG=1")
            with open(switch, "w", encoding="ascii"):
                pass
            assert idle.filter.process.wait(90) == 70
    finally:
        del os.environ["LD_PRELOAD"], os.environ["FAULT_POLL"]
        os.unlink(switch)
    assert "no longer serves" in idle.filter.log() or "libmilter failed" in idle.filter.log()


def ticks_of(pid):
    """Processor time so far, in hundredths of a second."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("name", DAEMONS)
def test_without_descriptors_it_waits_and_does_not_spin(idle, name):
    daemon = idle.filter if name == "pgpgate-filter" else idle.policyd
    daemon.prefix = ["prlimit", "--nofile=40:40"]
    try:
        daemon.start()
    finally:
        daemon.prefix = []
    pid, logged = daemon.process.pid, len(daemon.log())
    held = [socket.socket(socket.AF_UNIX) for _ in range(60)]
    try:
        for s in held:
            s.connect(daemon.path)
        wait_until(lambda: "cannot accept a connection" in daemon.log()[logged:], daemon.log)
        before = ticks_of(pid)
        time.sleep(2)
        assert ticks_of(pid) - before < 10  # one that spins takes 200 where nothing else runs
    finally:
        for s in held:
            s.close()
    wait_until(lambda: is_listening(daemon.path), "it to listen")
    assert daemon.end() == 0

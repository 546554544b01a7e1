# SPDX-License-Identifier: ISC
"""The daemons as a service manager and an init script see them: fork, pid file, user, readiness, signals."""

import os
import pwd
import signal
import socket

import pytest

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

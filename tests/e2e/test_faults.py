# SPDX-License-Identifier: ISC
"""Our own faults are 4xx, never 5xx, never let cleartext through, and mend themselves."""

import os
import re
import signal
import socket

import pytest

from harness import messages
from harness.pair import run_program, program
from harness.place import wait_until
from harness.smtp import Session, send

ALICE, BOB = "alice@example.org", "bob@example.net"


@pytest.fixture(scope="module")
def relay(make_postfix, mx):
    """A sending Postfix that hands everything to mx and tries again every second."""
    return make_postfix("relay", settings={"relayhost": f"[127.0.0.1]:{mx.port}"}, here_domains="")


def test_filter_stopped_is_a_temporary_failure_and_nothing_is_lost(mx, pair, relay, keys):
    mark = messages.token()
    pair.filter.end()
    try:
        assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 451
        assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor())).code == 451
        send(relay.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor(), mark), client=None)
        wait_until(lambda: re.search(r"status=deferred .*451", relay.log()), "the relay's mail to be deferred")
        assert mx.delivered_to(mark) == []
    finally:
        pair.filter.start()
    relay.wait_empty()
    wait_until(lambda: mx.delivered_to(mark), "delivery after the filter came back")
    assert mx.delivered_to(mark) == [ALICE]
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550


def test_filter_killed_starts_again_over_its_stale_socket(mx, pair, keys):
    pair.filter.end(signal.SIGKILL)
    assert os.path.exists(pair.filter.path)
    pair.filter.start()
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor())).code == 250


def test_policy_server_stopped_is_a_temporary_failure(mx, pair, keys):
    pair.policyd.end()
    try:
        sent = send(mx.port, BOB, ALICE, messages.cleartext())
        assert sent.code == 451, sent
    finally:
        pair.policyd.start()
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor())).code == 250


def test_live_socket_is_refused(pair):
    for daemon in (pair.filter, pair.policyd):
        result = run_program([program(daemon.name), "-f", "-c", pair.conf])
        assert result.code not in (0, 1) and result.code > 0, result
        assert daemon.path in result.err and len(result.err.splitlines()) == 1, result
        with socket.socket(socket.AF_UNIX) as s:
            assert s.connect_ex(daemon.path) == 0  # the running one still listens


def _unreadable(path):
    os.chmod(path, 0)
    return lambda: os.chmod(path, 0o660)


def _moved_away(path):
    os.rename(path, path + ".away")
    return lambda: os.rename(path + ".away", path)


def _directory(path):
    os.rename(path, path + ".away")
    os.mkdir(path)

    def mend():
        os.rmdir(path)
        os.rename(path + ".away", path)
    return mend


def _garbage(path):
    os.rename(path, path + ".away")
    with open(path, "wb") as f:
        f.write(b"this is no database\n" * 1000)
    os.chmod(path, 0o666)

    def mend():
        os.rename(path + ".away", path)
    return mend


@pytest.mark.parametrize("harm", [_unreadable, _moved_away, _directory, _garbage])
def test_database_out_of_reach_is_a_temporary_failure_and_recovers(mx, pair, keys, harm):
    wrong = [messages.cleartext(), messages.pgp_mime(keys.gpg_armor())]
    logged = len(pair.filter.log()), len(pair.policyd.log())
    mend = harm(pair.database)
    try:
        for message in wrong:
            sent = send(mx.port, BOB, ALICE, message)
            assert sent.code == 451, (harm.__name__, sent)
        with Session(mx.port) as s:  # in one session, too
            for message in wrong:
                assert s.send(BOB, ALICE, message).code in (450, 451)
        told = pair.filter.log()[logged[0]:] + pair.policyd.log()[logged[1]:]
        assert pair.database in told, told
    finally:
        mend()
    assert send(mx.port, BOB, ALICE, wrong[0]).code == 550
    assert send(mx.port, BOB, ALICE, wrong[1]).code == 250


def test_database_out_of_reach_without_policy_server(make_postfix, pair, keys):
    """The filter alone: 451 at the end of the message or at RCPT, and the log says once why."""
    alone = make_postfix("alone", pair, policy=False)
    logged = len(pair.filter.log())
    mend = _directory(pair.database)
    try:
        for message in (messages.cleartext(), messages.pgp_mime(keys.gpg_armor())):
            assert send(alone.port, BOB, ALICE, message).code == 451
        lines = [l for l in pair.filter.log()[logged:].splitlines() if pair.database in l]
        assert lines and "is a directory" in lines[0]
    finally:
        mend()
    assert send(alone.port, BOB, ALICE, messages.cleartext()).code == 550


def test_daemons_started_without_a_database_say_so_and_do_not_start(pair):
    for daemon in (pair.filter, pair.policyd):
        result = run_program([program(daemon.name), "-f", "-c", pair.conf, "-o", "database=sqlite:/nonexistent/x.db",
                              "-p", f"unix:{pair.run_dir}/other.sock"])
        assert result.code > 0 and "/nonexistent/x.db" in result.err, result


def test_sigterm_drains_a_message_under_way(mx, pair, keys):
    """A message whose body is being read when SIGTERM comes gets its answer, or 4xx: never lost, never 5xx."""
    message = messages.pgp_mime(keys.gpg_armor())
    with Session(mx.port) as s:
        s.command(f"MAIL FROM:<{BOB}>")
        s.command(f"RCPT TO:<{ALICE}>")
        s.expect(354, s.command("DATA"))
        pair.filter.signal(signal.SIGTERM)
        assert s.data(message.replace(b"\n", b"\r\n")).code in (250, 451)
    assert pair.filter.end() == 0
    pair.filter.start()
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550

# SPDX-License-Identifier: ISC
"""metrics_listen and `pgpgate metrics`: what they say after some mail, how they say it, what they withstand."""

import os
import socket
import subprocess
import time

import pytest

from harness import messages
from harness.pair import program, run_program
from harness.place import free_port, wait_until
from harness.prometheus import Metrics, promtool_complains
from harness.smtp import send

ALICE, OPEN, BOB = "alice@example.org", "open@example.org", "bob@example.net"
PRIVATE = ("alice", "bob", "example.org", "example.net", "192.0.2.1", "client.test", "@")


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def pair(make_pair, port):
    pair = make_pair(metrics_listen=f"127.0.0.1:{port}")
    pair.must("exempt", OPEN)
    return pair


def http(port, request, host="127.0.0.1"):
    """(status, headers, body) of a raw request."""
    with socket.create_connection((host, port), 40) as s:
        s.sendall(request)
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1").lower(), body.decode()


def page(port):
    status, head, body = http(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status == 200 and "content-type: text/plain; version=0.0.4" in head, head
    return body


def test_page_counts_what_happened(mx, pair, port, keys):
    before = Metrics(page(port))
    secret = messages.pgp_mime(keys.gpg_armor())
    assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
    assert send(mx.port, BOB, ALICE, secret).code == 250
    assert send(mx.port, BOB, [ALICE, OPEN], secret).code == 250
    assert send(mx.port, BOB, OPEN, messages.cleartext()).code == 250
    assert send(mx.port, BOB, [ALICE, OPEN], messages.cleartext(), size=None).code == 451
    # the page is made anew after a second
    wait_until(lambda: Metrics(page(port)).sum("pgpgate_messages_total") == 5, lambda: page(port))
    text = page(port)
    metrics = Metrics(text)
    complaint = promtool_complains(text)
    assert not complaint, complaint
    assert before["pgpgate_last_verdict_timestamp_seconds", ""] == 0
    for verdict, action, n in (("cleartext", "refuse", 1), ("encrypted", "accept", 2),
                               ("cleartext", "accept", 1), ("cleartext", "split", 1)):
        assert metrics["pgpgate_messages_total", f'verdict="{verdict}",action="{action}"'] == n, text
    assert metrics["pgpgate_policy_answers_total", 'requirement="encrypted"'] == 4, text
    assert metrics["pgpgate_policy_answers_total", 'requirement="exempt"'] == 3, text
    assert metrics["pgpgate_policy_decision_seconds_count", ""] == 7, text
    assert metrics["pgpgate_policy_decision_seconds_sum", ""] > 0
    assert metrics["pgpgate_policy_connections", ""] >= 1
    # written once a second, after the answers
    wait_until(lambda: Metrics(page(port))["pgpgate_filter_answer_seconds_count", ""] == 5, lambda: page(port))
    assert 0 < Metrics(page(port))["pgpgate_filter_answer_seconds_sum", ""] < 60
    assert metrics["pgpgate_database_up", ""] == 1
    assert metrics["pgpgate_rules", ""] == 1
    assert abs(metrics["pgpgate_last_verdict_timestamp_seconds", ""] - time.time()) < 600
    for word in PRIVATE:
        assert word not in text, (word, text)


def test_command_prints_the_same(mx, pair, port, keys):
    send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor()))
    text = pair.must("metrics")
    assert not promtool_complains(text)

    def differences():
        from_command, from_page = Metrics(pair.must("metrics")), Metrics(page(port))
        assert set(from_command) <= set(from_page)
        return [key for key, value in from_command.items() if "_bytes" not in key[0] and from_page[key] != value]

    # the page is made anew after a second, and some counters are written once a second
    wait_until(lambda: not differences(), differences)


def test_pause_and_enforce_are_seen(mx, pair, port):
    assert Metrics(page(port))["pgpgate_enforce", ""] == 1
    pair.must("pause", "--for", "1h")
    try:
        wait_until(lambda: Metrics(page(port))["pgpgate_enforce", ""] == 0, "the pause on the page")
        assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 250
        wait_until(lambda: Metrics(page(port)).sum("pgpgate_unenforced_messages_total", 'would="refuse"') == 1,
                   "the message that was not refused")
    finally:
        pair.must("resume")


@pytest.mark.parametrize("request_, statuses", [
    (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    (b"GET /metrics/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", {404}),
    (b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", {405, 501}),
    (b"DELETE /metrics HTTP/1.0\r\n\r\n", {405, 501}),
    (b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20000 + b"\r\n\r\n", {400, 413}),
    (b"GET /metrics?a=b HTTP/1.0\r\n\r\n", {200}),
    (b"HEAD /metrics HTTP/1.0\r\n\r\n", {200}),
    (b"GET /metrics HTTP/1.1\r\nHost: rebound.example:9157\r\n\r\n", {421}),
    (b"GET /metrics HTTP/1.1\r\nX: y\r\nhost:evil.example\r\n\r\n", {421}),
    (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9157\r\n\r\n", {200}),
    (b"GET /metrics HTTP/1.1\r\nHost: [::1]:9157\r\n\r\n", {200}),
    (b"GET /metrics HTTP/1.1\r\nHost: LocalHost\r\n\r\n", {200}),
    (b"GET /metrics HTTP/1.1\r\nHost: " + socket.gethostname().encode() + b":9157\r\n\r\n", {200}),
    (b"GET /metrics HTTP/1.1\nHost: 127.0.0.1\n\n", {200}),
], ids=["root", "path", "post", "delete", "long", "query", "head", "rebound", "rebound, lower case", "address", "IPv6",
        "localhost", "hostname", "LF"])
def test_requests_of_others(port, request_, statuses):
    status, _, body = http(port, request_)
    assert status in statuses, (status, body)
    assert request_.startswith(b"HEAD") == (body == "")
    assert "passwd" not in body and "y" * 100 not in body


def test_garbage_and_silence_cost_mail_nothing(mx, pair, port, keys):
    """More connections than the page takes, all silent: policy and page go on, nothing is left open."""
    def n_open():
        return len(os.listdir(f"/proc/{pair.policyd.process.pid}/fd"))

    before = n_open()
    idle = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(60)]
    try:
        idle[0].sendall(b"\x00\xff\x16\x03" * 50 + b"\r\n\r\n")
        assert send(mx.port, BOB, ALICE, messages.pgp_mime(keys.gpg_armor())).code == 250
        assert send(mx.port, BOB, ALICE, messages.cleartext()).code == 550
        assert n_open() <= before + 16 + 8  # its own limit, smtpd's connections, the database's
        assert "pgpgate_database_up 1\n" in page(port)  # who is silent makes room for who asks
    finally:
        for s in idle:
            s.close()
    assert "pgpgate_database_up 1\n" in page(port)


def test_slow_client_is_closed(port):
    """One that sends an octet now and then, and so is never idle."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(0.3)
        s.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        end = time.monotonic() + 60
        while True:
            assert time.monotonic() < end, "still open"
            try:
                s.sendall(b"y")
                if s.recv(1000) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:
                break


def test_page_says_so_when_the_database_is_gone(pair, port):
    os.rename(pair.database, pair.database + ".away")
    try:
        wait_until(lambda: Metrics(page(port))["pgpgate_database_up", ""] == 0, "the database down")
        assert ("pgpgate_rules", "") not in Metrics(page(port))
        result = pair.run("metrics")
        assert result.code > 0 and result.out == "" and pair.database in result.err, result
    finally:
        os.rename(pair.database + ".away", pair.database)
    wait_until(lambda: Metrics(page(port))["pgpgate_database_up", ""] == 1, "the database up")


def test_port_in_use_is_an_error_that_names_it(pair, port):
    result = run_program([program("pgpgate-policyd"), "-f", "-c", pair.conf, "-p", f"unix:{pair.run_dir}/o.sock"])
    assert result.code > 0 and str(port) in result.err and "metrics_listen" in result.err, result


@pytest.mark.parametrize("value", ["9157", ":9157", "localhost:9157", "127.0.0.1", "127.0.0.1:0",
                                   "127.0.0.1:65536", "127.0.0.1:http", "::1:9157", "[127.0.0.1]:9157",
                                   "127.0.0.1:9157 x", "unix:/x"])
def test_bad_values_are_errors_of_the_configuration(pair, value):
    result = run_program([program("pgpgate-policyd"), "-n", "-c", pair.conf, "-o", f"metrics_listen={value}"])
    assert result.code == 78 and "metrics_listen" in result.err and len(result.err.splitlines()) == 1, result


def test_page_on_ipv6(pair, place):
    number = free_port()
    socket_path = f"{pair.run_dir}/six.sock"
    daemon = subprocess.Popen([program("pgpgate-policyd"), "-f", "-c", pair.conf, "-p", f"unix:{socket_path}",
                               "-o", f"metrics_listen=[::1]:{number}"], stderr=subprocess.PIPE)
    try:
        def is_up():
            try:
                return http(number, b"GET /metrics HTTP/1.0\r\n\r\n", "::1")[0] == 200
            except OSError:
                return False
        with socket.socket(socket.AF_INET6) as s:
            try:
                s.bind(("::1", 0))
            except OSError:
                pytest.skip("no IPv6 here")
        wait_until(is_up, "the page on [::1]")
    finally:
        daemon.terminate()
        assert daemon.wait(60) == 0

# SPDX-License-Identifier: ISC
"""`pgpgate doctor` beside a running Postfix with both daemons: well, and ill."""

import json
import os
import re
import subprocess

import pytest

from harness import messages
from harness.smtp import send


def doctor(pair, postfix):
    result = pair.run("--json", "doctor", "--postfix-config", postfix.etc)
    assert result.code in (0, 1, 3), result
    return [json.loads(line) for line in result.out.splitlines()]


def states(found, topic):
    return [f["state"] for f in found if f["topic"] == topic]


@pytest.fixture(scope="module")
def site(make_pair, make_postfix):
    pair = make_pair("doctor")
    return pair, make_postfix("doctor-mx", pair)


def test_daemons_that_run_answer_a_hello(site):
    found = doctor(*site)
    assert set(states(found, "filter")) == {"ok"}, found
    assert set(states(found, "policyd")) == {"ok"}, found
    told = [f["text"] for f in found if f["topic"] == "postfix" and f["state"] == "ok"]
    assert any("smtpd_milters names our filter" in t for t in told), found
    assert any("asked at RCPT" in t for t in told), found
    assert "problem" not in states(found, "database"), found


def test_a_hello_leaves_no_verdict(site):
    pair, postfix = site
    before = pair.must("log")
    doctor(pair, postfix)
    assert pair.must("log") == before


def test_permissions_that_keep_postfix_out_are_found(site):
    pair, postfix = site
    mode = os.stat(pair.run_dir).st_mode & 0o7777
    os.chmod(pair.run_dir, 0o700)
    try:
        told = [f["text"] for f in doctor(pair, postfix) if f["state"] == "problem" and f["topic"] == "filter"]
        assert any("does not let user postfix through" in t for t in told), told
    finally:
        os.chmod(pair.run_dir, mode)


def test_daemons_that_are_gone_are_found(site):
    pair, postfix = site
    pair.filter.end()
    try:
        found = doctor(pair, postfix)
        assert "problem" in states(found, "filter"), found
        assert any("systemctl start pgpgate-filter" in (f["mend"] or "") for f in found), found
        assert set(states(found, "policyd")) == {"ok"}, found
    finally:
        pair.filter.start()


def test_lost_bounces_are_told_with_a_rule_that_mends(site):
    pair, postfix = site

    def bounces():
        return [(f["state"], f["mend"]) for f in doctor(pair, postfix) if f["topic"] == "bounces"]

    # As it is installed: what is demanded without a rule is demanded of our own domains.
    found = [json.loads(line) for line in pair.run("-o", "protected_domains=example.org", "--json", "doctor").out.splitlines()]
    assert states(found, "bounces") == ["note"], found
    assert bounces() == [("note", f"pgpgate -c {pair.conf} exempt '*' --sender '<>' --yes")]
    assert send(postfix.port, "otto@example.org", "friend@elsewhere.test", messages.cleartext(), login="joe").code == 250
    assert bounces() == [("ok", None)]
    pair.must("exempt", "*", "--sender", "<>", "--yes")
    try:
        assert bounces() == []
    finally:
        pair.run("forget", "*", "--sender", "<>", "--yes")


def mends(found):
    """The commands of Postfix that would mend what was found."""
    return [f["mend"].split(" && ")[0] for f in found if (f["mend"] or "").startswith("postconf ")]


def test_mends_are_commands_that_mend_this_postfix(make_pair, make_postfix):
    pair = make_pair("ill")
    postfix = make_postfix("ill-mx", pair, settings={
        "milter_default_action": "accept", "smtpd_milter_maps": "inline:{192.0.2.7=DISABLE}",
        "smtpd_forbid_bare_newline": "no"})
    subprocess.run(["postconf", "-c", postfix.etc, "-P", f"127.0.0.1:{postfix.port}/inet/smtpd_milters="], check=True)
    found = doctor(pair, postfix)
    problems = [f["text"] for f in found if f["topic"] == "postfix" and f["state"] == "problem"]
    for sign in ("goes without our filter", "milter_default_action", "smtpd_milter_maps", "smtpd_forbid_bare_newline"):
        assert any(sign in p for p in problems), (sign, found)
    machine_before = subprocess.run(["postconf", "-n"], capture_output=True).stdout
    for command in mends(found):
        subprocess.run(["sh", "-c", command], check=True)
    for name in ("main.cf", "master.cf"):  # Postfix, as it runs, is not what is looked at here
        os.utime(f"{postfix.etc}/{name}", (1, 1))
    assert subprocess.run(["postconf", "-n"], capture_output=True).stdout == machine_before
    found = doctor(pair, postfix)
    assert "problem" not in states(found, "postfix") and not mends(found), found


def test_user_with_a_group_is_a_user(site):
    pair, postfix = site
    user = pair.settings["user"]
    result = pair.run("--json", "-o", f"user={user}:postfix", "doctor", "--postfix-config", postfix.etc)
    told = [json.loads(line) for line in result.out.splitlines()]
    assert "problem" not in states(told, "database"), told


@pytest.mark.parametrize("ours, theirs", [
    ("inet:8895@127.0.0.1", "inet:127.0.0.1:8895"), ("inet:8895", "inet:127.0.0.1:8895"),
    ("inet6:8895@::1", "inet:[::1]:8895"), ("inet6:8895@[::1]", "inet:[::1]:8895"), ("inet6:8895", "inet:[::1]:8895")])
def test_socket_is_written_as_postfix_reads_it(site, ours, theirs):
    pair, postfix = site
    result = pair.run("--json", "-o", f"filter_socket={ours}", "doctor", "--postfix-config", postfix.etc)
    told = [json.loads(line) for line in result.out.splitlines()]
    assert any(re.search(rf"-e 'smtpd_milters = .*, {re.escape(theirs)}'", f["mend"] or "") for f in told), told


@pytest.mark.parametrize("others, is_last", [("{ours}, inet:127.0.0.1:8891", False), ("inet:127.0.0.1:8891, {ours}", True),
                                             ("{ours}, {{ unix:other.sock, default_action=accept }}", False)])
def test_milter_behind_ours_is_found(make_postfix, site, others, is_last):
    pair, _ = site
    postfix = make_postfix(f"order-{others.count('unix')}-{is_last}", pair, milters=others.format(ours=pair.milter))
    result = pair.run("--json", "doctor", "--postfix-config", postfix.etc)
    told = [json.loads(line) for line in result.out.splitlines()]
    assert any("another milter after our filter" in f["text"] for f in told) != is_last, told

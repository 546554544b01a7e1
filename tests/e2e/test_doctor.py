# SPDX-License-Identifier: ISC
"""`pgpgate doctor` beside a running Postfix with both daemons: well, and ill."""

import json
import os

import pytest


def doctor(pair, postfix):
    result = pair.run("--json", "doctor", "--postfix-config", postfix.etc)
    assert result.code in (0, 1), result
    return [json.loads(line) for line in result.out.splitlines()]


def states(found, topic):
    return [f["state"] for f in found if f["topic"] == topic]


@pytest.fixture(scope="module")
def site(make_pair, make_postfix):
    pair = make_pair("doctor")
    return pair, make_postfix("doctor-mx", pair)


def test_daemons_that_run_answer_a_hello(site):
    found = doctor(*site)
    assert states(found, "filter") == ["ok"], found
    assert states(found, "policyd") == ["ok"], found
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
        assert states(found, "policyd") == ["ok"], found
    finally:
        pair.filter.start()

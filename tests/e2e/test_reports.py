# SPDX-License-Identifier: ISC
"""Delivery reports: a bounce that a real Postfix made passes, a hand-made null-sender message does not."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import messages
from harness.place import wait_until
from harness.smtp import Session, send

ALICE, BOB = "alice@example.org", "bob@example.net"


@pytest.fixture(scope="module")
def lenient(make_pair):
    return make_pair("reports-real", accept_reports="yes")


@pytest.fixture(scope="module")
def lenient_mx(make_postfix, lenient):
    return make_postfix("reports-real", lenient)


@pytest.fixture(scope="module")
def remote(make_postfix, lenient_mx):
    """A Postfix elsewhere: it cannot deliver to bounce.test, and sends what it has to say to lenient_mx."""
    return make_postfix("remote", here_domains="bounce.test", settings={
        "relayhost": f"[127.0.0.1]:{lenient_mx.port}", "virtual_mailbox_maps": "inline:{nobody@elsewhere.test=x/}",
        "smtpd_reject_unlisted_recipient": "no"})


@pytest.mark.parametrize("notify", ["", "SUCCESS"], ids=["failure", "success"])
def test_real_report_of_postfix_passes(lenient_mx, lenient, remote, notify):
    mark = messages.token()
    to = "nobody@bounce.test" if not notify else "postmaster@example.org"
    message = messages.cleartext(mark)
    if notify:
        with_notify = send_with_notify(remote.port, ALICE, to, message)
        assert with_notify.code == 250
    else:
        assert send(remote.port, ALICE, to, message, client=None).code == 250
    wait_until(lambda: ALICE in lenient_mx.delivered_to(mark), lambda: f"the report\n{remote.log()[-2000:]}")
    row = next(r for r in lenient.json("log") if r["sender"] == "<>" and r["recipients"][0]["address"] == ALICE
               and r["verdict"] == "report")
    assert row["action"] == "accept"


def send_with_notify(port, sender, to, message):
    from harness.smtp import Session
    with Session(port, client=None) as s:
        s.expect(250, s.command(f"MAIL FROM:<{sender}>"))
        s.expect(250, s.command(f"RCPT TO:<{to}> NOTIFY=SUCCESS"))
        s.expect(354, s.command("DATA"))
        return s.data(message.replace(b"\n", b"\r\n"))


def test_hand_made_null_sender_cleartext_is_refused(mx):
    assert send(mx.port, "", ALICE, messages.cleartext()).code == 550


def report_mail(second_type="message/delivery-status", fields=None, first="It failed.", report="delivery-status"):
    fields = fields if fields is not None else (
        "Reporting-MTA: dns; mx.evil.test\n\n"
        "Final-Recipient: rfc822; x@evil.test\nAction: failed\nStatus: 5.1.1\n")
    return (f'From: MAILER-DAEMON@evil.test\nTo: alice@example.org\nSubject: x\nMIME-Version: 1.0\n'
            f'Content-Type: multipart/report; report-type={report}; boundary="b"\n\n'
            f"--b\nContent-Type: text/plain\n\n{first}\n\n--b\nContent-Type: {second_type}\n\n{fields}\n"
            f"--b\nContent-Type: text/rfc822-headers\n\nSubject: x\n\n--b--\n").encode()


def test_well_formed_report_needs_the_null_sender(mx):
    assert send(mx.port, "", ALICE, report_mail()).code == 250
    assert send(mx.port, BOB, ALICE, report_mail()).code == 550


@pytest.mark.parametrize("message", [
    report_mail(second_type="text/plain"), report_mail(fields="just text, no fields\n"),
    report_mail(report="feedback-report"), report_mail(fields="")],
    ids=["second part is text", "no fields", "another report", "empty fields"])
def test_malformed_report_is_refused(mx, message):
    assert send(mx.port, "", ALICE, message).code == 550


def test_accept_reports_no_and_headers(make_pair, make_postfix):
    for mode, with_headers, with_text in (("no", 550, 550), ("headers", 250, 550)):
        pair = make_pair(f"reports-{mode}", accept_reports=mode)
        mx = make_postfix(f"reports-{mode}", pair)
        assert send(mx.port, "", ALICE, report_mail()).code == with_headers, mode
        returns_text = report_mail().replace(b"text/rfc822-headers\n\nSubject: x\n",
                                             b"message/rfc822\n\nSubject: x\n\nreadable\n")
        assert send(mx.port, "", ALICE, returns_text).code == with_text, mode


PLAIN_BOUNCE = (b"From: MAILER-DAEMON@elsewhere.test\nTo: %s\nSubject: failure notice\n\n"
                b"Hi. This is the qmail-send program at elsewhere.test.\nI wasn't able to deliver your message.\n")


def test_plain_bounce_passes_only_to_who_wrote_to_the_outside(mx, pair):
    ours = "otto@example.org"
    bounce = PLAIN_BOUNCE % ours.encode()
    assert send(mx.port, "", ours, bounce).code == 550
    assert send(mx.port, ours, "friend@elsewhere.test", messages.cleartext(), login="joe").code == 250
    assert send(mx.port, "", ours, bounce).code == 250
    assert send(mx.port, "", ALICE, bounce).code == 550
    assert send(mx.port, BOB, ours, bounce).code == 550
    row = next(r for r in pair.json("log") if r["sender"] == "<>" and r["recipients"][0]["address"] == ours
               and r["action"] == "accept")
    assert (row["action"], row["reason"], row["verdict"]) == ("accept", "bounce-expected", "cleartext"), row
    assert "bounce" in pair.explain(ours, "--sender", "<>")["why"]
    assert [send(mx.port, "", ours, bounce).code for _ in range(11)] == [250] * 9 + [550] * 2


def test_no_more_bounces_pass_at_once_than_one_by_one(mx, pair):
    """All are past RCPT before the first has ended."""
    ours = "ottilie@example.org"
    bounce = (PLAIN_BOUNCE % ours.encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert send(mx.port, ours, "friend@elsewhere.test", messages.cleartext(), login="joe").code == 250
    sessions = [Session(mx.port, client=f"192.0.2.{i + 1}") for i in range(16)]
    for s in sessions:
        assert [s.command(c).code for c in ("MAIL FROM:<>", f"RCPT TO:<{ours}>", "DATA")] == [250, 250, 354]
    with ThreadPoolExecutor(len(sessions)) as pool:
        codes = sorted(pool.map(lambda s: s.data(bounce).code, sessions))
    for s in sessions:
        s.close()
    assert codes == [250] * 10 + [550] * 6, codes


def test_accept_bounces_report_refuses_plain_bounces(make_pair, make_postfix):
    pair = make_pair("bounces-report", accept_bounces="report")
    mx = make_postfix("bounces-report", pair)
    ours = "otto@example.org"
    assert send(mx.port, ours, "friend@elsewhere.test", messages.cleartext(), login="joe").code == 250
    assert send(mx.port, "", ours, PLAIN_BOUNCE % ours.encode()).code == 550
    assert send(mx.port, "", ours, report_mail()).code == 250

# SPDX-License-Identifier: ISC
"""pgpgate-filter and an MTA that forgets, repeats and leaves out: what libmilter passes on when its memory is short."""

import pytest

from harness import messages
from harness.milter import ALL_ACTIONS, SET_SYMBOLS, Milter, code
from harness.smtp import Session

ALICE, OPEN, BOB = "alice@example.org", "open@example.org", "bob@example.net"
CRLF_CLEARTEXT = messages.cleartext().replace(b"\n", b"\r\n")


@pytest.fixture(scope="module")
def alone(make_pair):
    pair = make_pair("alone", policyd=False)
    pair.must("exempt", OPEN)
    return pair


@pytest.fixture
def milter(alone):
    with Milter(alone.filter.path) as m:
        m.connect()
        yield m


def test_macros_that_come_are_believed(milter):
    assert code(milter.mail(BOB)) == 250
    assert code(milter.recipient(ALICE)) == 250
    assert code(milter.content(CRLF_CLEARTEXT)) == 550
    assert code(milter.mail(BOB)) == 250
    assert code(milter.recipient(OPEN)) == 250
    assert code(milter.content(CRLF_CLEARTEXT)) == 250


def test_old_macro_of_a_recipient_is_not_that_of_the_next(milter):
    assert code(milter.mail(BOB)) == 250
    assert code(milter.recipient(OPEN)) == 250
    assert code(milter.recipient(ALICE, macros=False)) == 451
    assert code(milter.content(CRLF_CLEARTEXT)) == 250  # for OPEN alone


def test_the_same_recipient_again_needs_no_new_macro(milter):
    assert code(milter.mail(BOB)) == 250
    assert code(milter.recipient(OPEN)) == 250
    assert code(milter.recipient(OPEN.upper(), macros=False)) == 250


def test_an_address_without_its_domain_has_the_macro_of_the_whole_one(alone, make_postfix):
    """What Postfix makes of the two is the same, and yet no macro is lost."""
    origin = "bare.pgpgate.test"  # myorigin
    mx = make_postfix("bare", alone, policy=False)
    with Session(mx.port) as s:
        for sender in (f"root@{origin}", "root", f"root%{origin}@{origin}", "Root", f"root@{origin}", "root"):
            assert s.command(f"MAIL FROM:<{sender}>").code == 250, sender
            for recipient in (f"postmaster@{origin}", "postmaster", "Postmaster", f"postmaster@{origin}"):
                assert s.command(f"RCPT TO:<{recipient}>").code == 250, recipient
            s.command("RSET")


def test_absent_macro_of_a_recipient_defers_it(milter):
    assert code(milter.mail(BOB)) == 250
    assert code(milter.recipient(OPEN, macros=False)) == 451
    assert code(milter.recipient(OPEN)) == 250


def test_macros_of_mail_absent_or_old_defer_it(milter, alone):
    assert code(milter.mail(BOB, macros=False)) == 451
    # A login is in the same packet: without it one of ours would be refused as a stranger.
    assert code(milter.mail(BOB, auth_authen="bob")) == 250
    assert code(milter.recipient(OPEN)) == 250
    milter.send(b"A")
    assert code(milter.mail("carol@example.net", macros=False)) == 451
    assert alone.filter.log().count("the macros negotiated for it did not come") == 1  # a minute
    assert code(milter.mail("carol@example.net")) == 250


def test_message_without_its_queue_id_is_deferred(milter):
    assert code(milter.mail(BOB)) == 250
    assert code(milter.recipient(OPEN)) == 250
    assert code(milter.content(CRLF_CLEARTEXT, queue_id=None)) == 451


def test_connection_without_its_macros_is_deferred(alone):
    with Milter(alone.filter.path) as m:
        m.connect(macros=False)
        assert code(m.mail(BOB)) == 451


def test_mta_that_cannot_be_asked_for_macros_is_served_by_arguments(alone):
    with Milter(alone.filter.path, actions=ALL_ACTIONS & ~SET_SYMBOLS) as m:
        m.connect(macros=False)
        assert code(m.mail(BOB, macros=False)) == 250
        assert code(m.recipient(OPEN, macros=False)) == 250
        assert code(m.recipient(ALICE, macros=False)) == 250
        assert code(m.content(CRLF_CLEARTEXT)) in (451, 550)


def test_mail_without_a_connection_is_deferred_and_told_once(alone):
    logged = len(alone.filter.log())
    with Milter(alone.filter.path) as m:
        for _ in range(50):
            assert code(m.mail(BOB)) == 451
    assert alone.filter.log()[logged:].count("MAIL gets 451") == 1


@pytest.mark.parametrize("family", [b"4", b"6"])
def test_client_that_xclient_calls_unknown_is_a_stranger(alone, family):
    with Milter(alone.filter.path) as m:
        m.connect("unknown", 0, family=family)
        assert code(m.mail(BOB)) == 250
        assert code(m.recipient(ALICE)) == 250
        assert code(m.content(CRLF_CLEARTEXT)) == 550
    row = alone.json("log", "-n", "1")[0]
    assert row["client"] in ("", None), row


def test_name_that_may_be_forged_is_none(alone):
    """Of a client whose name does not lead back to it Sendmail says so, in a macro."""
    def session(address, **more):
        with Milter(alone.filter.path) as m:
            m.connect(address, **more)
            assert code(m.mail("carol@example.net", arguments=[b"SIZE=4711"])) == 250
            codes = [code(m.recipient(r)) for r in (OPEN, ALICE)]
            return codes, code(m.content(CRLF_CLEARTEXT)) if codes == [250, 250] else None

    good, forged = ({"name": "a.pool.test", "_": f"a.pool.test [198.18.0.1]{more}"} for more in ("", " (may be forged)"))
    assert session("198.18.0.1", **good) == ([250, 250], 451)
    assert session("198.18.1.1", **good)[0] == [250, 450]
    assert session("198.18.1.1", **forged) == ([250, 250], 451)
    assert session("198.18.1.7", **forged)[0] == [250, 450]


REPORT = b"""From: MAILER-DAEMON@mx.example.org
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

I'm sorry to have to inform you that your message could not be delivered.
--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; nobody@example.com
Action: failed
Status: 5.1.1

--x
Content-Type: message/rfc822

From: alice@example.org
To: nobody@example.com
Subject: readable

This can be read by anyone.
--x--
""".replace(b"\n", b"\r\n")


def test_bounces_of_our_own_mta_are_never_refused(make_pair):
    pair = make_pair("bounces", policyd=False, accept_reports="no", local_requirement="encrypted")

    def answer(sender, message, **macros):
        with Milter(pair.filter.path) as m:
            m.connect("127.0.0.1", 0)
            assert code(m.mail(sender, **macros)) == 250
            assert code(m.recipient(ALICE)) == 250
            return code(m.content(message))

    assert answer("", REPORT, i="4XYZ") == 250  # as the cleanup server sends it: from port 0, with a queue id
    assert answer("", REPORT) == 550
    assert answer(BOB, REPORT, i="4XYZ") == 550
    assert answer("", CRLF_CLEARTEXT, i="4XYZ") == 550

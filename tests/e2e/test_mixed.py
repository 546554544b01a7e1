# SPDX-License-Identifier: ISC
"""Mixed recipients, sent by a real Postfix that tries again every second: each one gets the right answer,
exactly once."""

import re
import sqlite3

import pytest

from harness import messages
from harness.place import free_port, wait_until
from harness.smtp import LOCAL, Session, send

BOB = "bob@example.net"
OPEN_A, OPEN_Z = "a-open@example.org", "z-open@example.org"
SHUT_A, SHUT_Z = "a-shut@example.org", "z-shut@example.org"
SIGNED_M = "m-signed@example.org"


@pytest.fixture(scope="module")
def pair(make_pair):
    pair = make_pair()
    pair.must("exempt", OPEN_A, OPEN_Z)
    pair.must("require", "--level", "signed", SIGNED_M)
    return pair


@pytest.fixture(scope="module")
def mx(make_postfix, pair):
    return make_postfix("mx", pair, ports=[free_port(), free_port()])


@pytest.fixture(scope="module")
def alone(make_postfix, pair):
    """The filter without the policy server."""
    return make_postfix("alone", pair, policy=False)


@pytest.fixture(scope="module")
def relays(make_postfix):
    """relays(mx, ...): a sending Postfix whose bounces to example.net are kept."""
    made = {}

    def make(nexthop, **settings):
        key = (nexthop, tuple(sorted(settings.items())))
        if key not in made:
            made[key] = make_postfix(f"relay{len(made)}", here_domains="example.net",
                                     settings={"relayhost": nexthop, **settings})
        return made[key]
    return make


def to_port(*ports):
    return ", ".join(f"[127.0.0.1]:{p}" for p in ports)


def hand_over(relay, recipients, message):
    sent = send(relay.port, BOB, recipients, message, client=None)
    assert sent.code == 250, sent


def check_outcome(mx, relay, mark, took, refused):
    """took got it exactly once; for each refused one BOB was told exactly once, and of no other."""
    relay.wait_empty()
    wait_until(lambda: len(mx.delivered_to(mark)) >= len(took), lambda: f"{mx.delivered_to(mark)}\n{mx.log()[-2000:]}")
    assert mx.delivered_to(mark) == sorted(took), relay.log()[-3000:]
    bounces = [m.as_string() for to, m in relay.delivered() if to == BOB and mark in m.as_string()]
    failed = sorted(a for b in bounces for a in re.findall(r"^Final-Recipient: rfc822; (\S+)", b, re.M))
    assert failed == sorted(refused), (failed, relay.log()[-3000:])
    for bounce in bounces:
        told = " ".join(bounce.partition("Content-Description: Undelivered Message")[0].split())
        for sentence in ("Your message was not delivered", "takes only", "Please encrypt the message with OpenPGP",
                         "Questions may be sent without encryption to postmaster@", "Reference: "):
            assert sentence in told, told
        assert not any(f"<{a}>" in told for a in took), told


PAIRS = [(OPEN_A, SHUT_Z), (SHUT_A, OPEN_Z)]


@pytest.mark.parametrize("recipients", PAIRS, ids=["exempt first", "protected first"])
@pytest.mark.parametrize("where", ["mx", "alone"], ids=["policy server", "filter alone"])
def test_cleartext_to_an_exempt_and_a_protected_one(request, relays, recipients, where):
    mx = request.getfixturevalue(where)
    relay, mark = relays(to_port(mx.port)), messages.token()
    hand_over(relay, recipients, messages.cleartext(mark))
    check_outcome(mx, relay, mark, [r for r in recipients if "open" in r], [r for r in recipients if "shut" in r])


@pytest.mark.parametrize("where", ["mx", "alone"], ids=["policy server", "filter alone"])
def test_three_kinds_of_requirement(request, relays, keys, where):
    mx = request.getfixturevalue(where)
    relay = relays(to_port(mx.port))
    everyone = [OPEN_A, SIGNED_M, SHUT_Z, OPEN_Z, SHUT_A]
    clear, signed = messages.token(), messages.token()
    hand_over(relay, everyone, messages.cleartext(clear))
    check_outcome(mx, relay, clear, [OPEN_A, OPEN_Z], [SHUT_A, SHUT_Z, SIGNED_M])
    hand_over(relay, everyone, messages.text_mail(keys.gpg_clearsign(), signed))
    check_outcome(mx, relay, signed, [OPEN_A, OPEN_Z, SIGNED_M], [SHUT_A, SHUT_Z])


@pytest.mark.parametrize("where", ["mx", "alone"], ids=["policy server", "filter alone"])
def test_eight_different_messages_in_parallel(request, relays, where):
    mx = request.getfixturevalue(where)
    relay = relays(to_port(mx.port))
    marks = [messages.token() for _ in range(8)]
    for i, mark in enumerate(marks):
        body = f"Number {i} {mark}\n" + "x" * (i * 37) + "\n"
        hand_over(relay, PAIRS[i % 2], messages.text_mail(body, mark))
    for i, mark in enumerate(marks):
        both = PAIRS[i % 2]
        check_outcome(mx, relay, mark, [r for r in both if "open" in r], [r for r in both if "shut" in r])


@pytest.mark.parametrize("recipients", PAIRS, ids=["exempt first", "protected first"])
def test_two_mx_addresses(mx, relays, recipients):
    relay, mark = relays(to_port(*mx.ports)), messages.token()
    hand_over(relay, recipients, messages.cleartext(mark))
    check_outcome(mx, relay, mark, [r for r in recipients if "open" in r], [r for r in recipients if "shut" in r])


def test_over_a_reused_connection(mx, relays):
    relay = relays(to_port(mx.port), smtp_connection_cache_destinations="static:all",
                   smtp_connection_cache_time_limit="10s")
    marks = [messages.token() for _ in range(4)]
    for i, mark in enumerate(marks):
        hand_over(relay, PAIRS[i % 2], messages.text_mail("y" * (100 + i) + "\n", mark))
    for i, mark in enumerate(marks):
        both = PAIRS[i % 2]
        check_outcome(mx, relay, mark, [r for r in both if "open" in r], [r for r in both if "shut" in r])


@pytest.mark.parametrize("policy", [True, False], ids=["policy server", "filter alone"])
def test_later_restriction_that_refuses_the_first_recipient(make_postfix, pair, relays, policy):
    """The refused one must not set the class of the transaction and starve the others."""
    mx = make_postfix(f"later-{policy}", pair, policy=policy,
                      restrictions="check_recipient_access inline:{a-shut@example.org=REJECT}, permit")
    relay, mark = relays(to_port(mx.port)), messages.token()
    hand_over(relay, [SHUT_A, OPEN_Z, SHUT_Z], messages.cleartext(mark))
    relay.wait_empty()
    wait_until(lambda: mx.delivered_to(mark), "delivery")
    assert mx.delivered_to(mark) == [OPEN_Z]
    bounces = "".join(m.as_string() for to, m in relay.delivered() if to == BOB and mark in m.as_string())
    assert sorted(re.findall(r"^Final-Recipient: rfc822; (\S+)", bounces, re.M)) == [SHUT_A, SHUT_Z]


def test_encrypted_mail_to_both_right_after_is_delivered_at_once(mx, pair, relays, keys):
    relay, clear, secret = relays(to_port(mx.port)), messages.token(), messages.token()
    hand_over(relay, [OPEN_A, SHUT_Z], messages.cleartext(clear))
    wait_until(lambda: pair.last_verdict(clear), "the first attempt")
    hand_over(relay, [OPEN_A, SHUT_Z], messages.pgp_mime(keys.gpg_armor(), secret))
    wait_until(lambda: mx.delivered_to(secret) == [OPEN_A, SHUT_Z], lambda: f"delivery\n{relay.log()[-2000:]}")
    rows = [r for r in pair.json("log") if secret in r["message_id"]]
    assert [(r["action"], len(r["recipients"])) for r in rows] == [("accept", 2)]
    check_outcome(mx, relay, clear, [OPEN_A], [SHUT_Z])


def test_split_is_recorded_and_its_reply_names_nobody(mx, pair):
    mark = messages.token()
    sent = send(mx.port, BOB, [OPEN_A, SHUT_Z], messages.cleartext(mark))
    assert sent.code == 451 and sent.final.lines[0].startswith("4.7.1 "), sent
    assert "@" not in sent.final.text and "," not in sent.final.text
    row = pair.last_verdict(mark)
    assert row["action"] == "split"
    assert {r["address"]: r["passes"] for r in row["recipients"]} == {OPEN_A: True, SHUT_Z: False}


@pytest.mark.parametrize("where", ["mx", "alone"], ids=["policy server", "filter alone"])
@pytest.mark.parametrize("first", [OPEN_A, SHUT_A])
def test_second_round_answers_per_recipient(request, where, first):
    mx = request.getfixturevalue(where)
    mark = messages.token()
    message = messages.text_mail("z" * 777 + mark + first + where + "\n", mark)
    both = [first, SHUT_Z if first == OPEN_A else OPEN_Z]
    assert send(mx.port, BOB, both, message).code == 451
    sent = send(mx.port, BOB, both, message)
    other = sent.recipients[both[1]]
    assert sent.recipients[first].code == 250 and other.code == 450, sent
    assert other.lines[0].startswith("4.7.1 ") and "@" not in other.text.partition(": ")[2], other
    assert sent.code == (250 if first == OPEN_A else 550)
    rest = send(mx.port, BOB, both[1], message)
    assert rest.code == (550 if first == OPEN_A else 250)


@pytest.mark.parametrize("where", ["mx", "alone"], ids=["policy server", "filter alone"])
def test_client_without_size_gets_its_rounds_too(request, where):
    mx, mark = request.getfixturevalue(where), messages.token()
    message, sender = messages.cleartext(mark), f"{mark}@example.net"
    both = [OPEN_A, SHUT_Z]
    assert send(mx.port, sender, both, message, size=None).code == 451
    sent = send(mx.port, sender, both, message, size=None)
    assert sent.code == 250 and sent.recipients[SHUT_Z].code == 450, sent
    sent = send(mx.port, sender, SHUT_Z, message, size=None)
    assert sent.code == 550 and f"<{SHUT_Z}>" in sent.final.text, sent
    wait_until(lambda: mx.delivered_to(mark) == [OPEN_A], "delivery")


def test_client_whose_sender_changes_ends_in_a_refusal_that_names_names(mx, pair):
    """VERP that counts attempts: nothing that is seen at RCPT stays the same."""
    mark = messages.token()
    message = messages.cleartext(mark)

    def again(attempt):
        return send(mx.port, f"{mark}-{attempt}@example.net", [OPEN_A, SHUT_Z], message)

    assert again(1).code == 451
    assert again(2).code == 451  # within five minutes: counts as the same attempt
    assert again(3).code == 451
    pair.let_time_pass(400)
    assert again(4).code == 451
    pair.let_time_pass(400)
    sent = again(5)
    assert sent.code == 550 and f"<{SHUT_Z}>" in sent.final.text and OPEN_A not in sent.final.text, sent
    assert mx.delivered_to(mark) == []


@pytest.mark.parametrize("tag", ["prvs=%010x=", "SRS0=%04x=5x=example.com="], ids=["BATV", "SRS"])
def test_sender_with_another_tag_each_time_is_known_again(mx, tag):
    mark = messages.token()
    message = messages.cleartext(mark)

    def again(recipients, attempt):
        return send(mx.port, tag % attempt + f"{mark}@example.net", recipients, message)

    assert again([OPEN_A, SHUT_Z], 1).code == 451
    sent = again([OPEN_A, SHUT_Z], 2)
    assert sent.code == 250 and sent.recipients[SHUT_Z].code == 450, sent
    assert again([SHUT_Z], 3).code == 550


def n_vain(pair, mark):
    """How many transactions of this sender came to nothing."""
    with sqlite3.connect(pair.database) as d:
        return d.execute("SELECT max(n_vain) FROM split_vain WHERE sender_key LIKE '%' || ? || '%'", (mark,)).fetchone()[0]


@pytest.mark.parametrize("where", ["mx", "alone"], ids=["policy server", "filter alone"])
@pytest.mark.parametrize("size", ["auto", None], ids=["SIZE", "no SIZE"])
def test_client_that_gives_up_at_a_deferred_recipient_is_told_who_it_is(request, pair, where, size):
    """As msmtp does: one recipient that is not taken, and it sends nothing at all."""
    mx, mark = request.getfixturevalue(where), messages.token()
    message, sender = messages.cleartext(mark), f"{mark}@example.net"
    both = [OPEN_A, SHUT_Z]
    assert send(mx.port, sender, both, message, size=size).code == 451
    n_bytes = len(message.replace(b"\n", b"\r\n"))
    declared = "" if size is None else f" SIZE={n_bytes}"
    for _ in range(3):
        with Session(mx.port) as session:
            assert session.command(f"MAIL FROM:<{sender}>{declared}").code == 250
            assert session.command(f"RCPT TO:<{OPEN_A}>").code == 250
            assert session.command(f"RCPT TO:<{SHUT_Z}>").code == 450
            session.command("RSET")
    # Postfix does not wait for what a milter makes of RSET
    wait_until(lambda: n_vain(pair, mark) == 3, lambda: f"three attempts on record, not {n_vain(pair, mark)}")
    sent = send(mx.port, sender, both, message, size=size)
    assert sent.code == 550 and f"<{SHUT_Z}>" in sent.final.text and OPEN_A not in sent.final.text, sent


def test_two_messages_of_one_sender_and_size(mx, relays, keys):
    """Cleartext and signed mail to the same three, padded to the same size, on their way at once."""
    relay = relays(to_port(mx.port))
    everyone = [SIGNED_M, OPEN_A, SHUT_Z]
    clear, signed = messages.token(), messages.token()
    secret = messages.text_mail(keys.gpg_clearsign(), signed)
    plain = messages.text_mail("", clear)
    plain += b"x" * (len(secret) - len(plain) - 1) + b"\n"
    assert len(plain) == len(secret)
    hand_over(relay, everyone, plain)
    hand_over(relay, everyone, secret)
    check_outcome(mx, relay, clear, [OPEN_A], [SHUT_Z, SIGNED_M])
    check_outcome(mx, relay, signed, [OPEN_A, SIGNED_M], [SHUT_Z])


@pytest.mark.parametrize("where", ["mx", "alone"])
def test_split_counts_for_the_client_that_was_there_only(request, where):
    """Under a partner's address anybody can have a message split. A large sender tries again from elsewhere."""
    mx = request.getfixturevalue(where)
    partner, text = f"partner-{where}@example.net", messages.cleartext()

    def codes(client):
        with Session(mx.port, client) as session:
            session.expect(250, session.command(f"MAIL FROM:<{partner}> SIZE=4711"))
            return [session.command(f"RCPT TO:<{r}>").code for r in (OPEN_A, SHUT_A)]

    assert send(mx.port, partner, [OPEN_A, SHUT_A], text, client="192.0.2.1", size=4711).code == 451
    assert codes("203.0.113.5") == [250, 250]
    assert codes("192.0.2.254") == [250, 450]
    assert codes("192.0.2.1 NAME=mx.forger.test") == [250, 250]
    assert send(mx.port, partner, [OPEN_A, SHUT_A], text, client="192.0.2.1 NAME=a1.pool.test", size=4711).code == 451
    assert codes("198.18.7.7 NAME=b9.out.pool.test") == [250, 450]


@pytest.mark.parametrize("who", [{"client": LOCAL}, {"login": "joe"}], ids=["local", "authenticated"])
def test_our_own_are_told_at_once(mx, pair, who):
    """A rule protects this recipient from our own, too; those do not try again."""
    mark = messages.token()
    pair.must("require", SHUT_Z)
    try:
        sent = send(mx.port, BOB, [OPEN_A, SHUT_Z], messages.cleartext(mark), **who)
    finally:
        pair.must("forget", SHUT_Z)
    assert sent.code == 550 and f"<{SHUT_Z}>" in sent.final.text and OPEN_A not in sent.final.text, sent
    assert mx.delivered_to(mark) == []


def test_sendmail_is_told_at_once(make_postfix, pair):
    """Through non_smtpd_milters: the message bounces, with the name, and does not stay queued."""
    host = make_postfix("host", pair, policy=False, non_smtpd_milters=pair.milter)
    mark = messages.token()
    pair.must("require", SHUT_Z)
    try:
        host.sendmail(BOB, [OPEN_A, SHUT_Z], messages.cleartext(mark))
        wait_until(lambda: host.delivered_to(mark), lambda: f"a bounce\n{host.log()[-2000:]}")
        host.wait_empty()
    finally:
        pair.must("forget", SHUT_Z)
    assert host.delivered_to(mark) == [BOB]
    row = pair.last_verdict(mark)
    assert row["action"] == "refuse" and not row["client"]
    # cleanup(8) takes out line ends: what it writes is read as one sentence after the other all the same.
    bounce = " ".join(host.delivered()[0][1].as_string().split())
    assert ("Your message was not delivered. OpenPGP-encrypted mail required - "
            f"<{SHUT_Z}> takes only encrypted mail: this message is not encrypted - Reference: {row['queue_id']}"
            ) in bounce, bounce
    assert "__" not in bounce and "550 5.7.1 Y" not in bounce.replace("550 5.7.1 Your", "", 1), bounce


def test_mixed_recipients_refuse(make_pair, make_postfix):
    pair = make_pair("refusing", mixed_recipients="refuse")
    mx = make_postfix("refusing", pair)
    pair.must("exempt", OPEN_A)
    sent = send(mx.port, BOB, [OPEN_A, SHUT_Z], messages.cleartext())
    assert sent.code == 550 and f"<{SHUT_Z}>" in sent.final.text, sent


def test_tag_never_splits_and_quarantine_does(make_pair, make_postfix):
    for mode, code in (("tag", 250), ("quarantine", 451)):
        pair = make_pair(mode, on_refusal=mode)
        mx = make_postfix(mode, pair)
        pair.must("exempt", OPEN_A)
        assert send(mx.port, BOB, [OPEN_A, SHUT_Z], messages.cleartext()).code == code, mode

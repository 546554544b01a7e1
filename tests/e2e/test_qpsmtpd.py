# SPDX-License-Identifier: ISC
"""Behind qpsmtpd, with the plugin of dist/qpsmtpd: the answers are those that Postfix gets."""

import glob
import os
import re
import signal

import pytest

from harness import messages
from harness.place import wait_until
from harness.qpsmtpd import Qpsmtpd
from harness.smtp import STRANGER, Session, send
from precedence_rows import ROWS

ALICE, BOB, OPEN = "alice@example.org", "bob@example.net", "open@example.org"


@pytest.fixture(scope="module")
def pair(make_pair):
    return make_pair(policy_actions="signed=554 5.7.1 The policy server says no")


@pytest.fixture(scope="module")
def behind(make_postfix):
    """What qpsmtpd takes comes here."""
    return make_postfix("behind")


@pytest.fixture(scope="module")
def make_qpsmtpd(place, pair, behind):
    running = []

    def make(name, **more):
        running.append(Qpsmtpd(place, name, pair, behind.port, **more))
        return running[-1].start()
    yield make
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def mx(make_qpsmtpd):
    return make_qpsmtpd("mx")


@pytest.fixture(scope="module")
def alone(make_qpsmtpd):
    return make_qpsmtpd("alone", policy=False)


@pytest.fixture
def rules(pair):
    """rules(line, ...): these and no others. Returns {id: number of the line, from 1}."""
    def replace(*lines):
        last = {line.partition(" ")[2].lower(): f'{line} note="{i}"\n' for i, line in enumerate(lines, 1)}
        pair.must("import", "--replace", "--allow-empty", data="".join(last.values()).encode())
        return {r["id"]: int(r["note"]) for r in pair.json("rules")}
    return replace


@pytest.fixture
def setting(pair):
    """setting(key=value): for this test."""
    changed = {}

    def change(**settings):
        changed.update({key: pair.settings.get(key) for key in settings})
        pair.write_conf(**settings)
        pair.filter.reload()
    yield change
    for key, value in changed.items():
        pair.settings.pop(key)
        if value is not None:
            pair.settings[key] = value
    if changed:
        pair.write_conf()
        pair.filter.reload()


def play(session, client, login):
    assert session.command(f"XPLAY {client.removeprefix('IPV6:')} {login or '-'}").code == 220


# qpsmtpd knows no SMTPUTF8, no address literals and no quoted spaces. What the plugin hands on is in these rows, and a
# third of the others stands for the rest.
TAKEN = [r for i, r in enumerate(ROWS) if (r["to"] + r["sender"]).isascii() and not set(r["to"]) & set(" [")
         and (i % 3 == 0 or r["login"] or r["client"] != STRANGER or set(r["to"] + r["sender"]) & set('"%!') or not r["sender"])]


@pytest.mark.parametrize("row", TAKEN, ids=[r["name"] for r in TAKEN])
def test_precedence_is_the_same_behind_qpsmtpd(pair, alone, rules, row):
    numbers, mark = rules(*row["rules"]), messages.token()
    with Session(alone.port, client=None) as s:
        play(s, row["client"], row["login"])
        sent = s.send(row["sender"], row["to"], messages.cleartext(mark))
    verdict = pair.last_verdict(mark)
    assert verdict is not None, sent
    requirement, origin = row["want"]
    logged = verdict["recipients"][0]
    assert (logged["requirement"], numbers.get(logged["rule"])) == (
        requirement, origin if isinstance(origin, int) else None), verdict
    assert sent.code == (250 if requirement in ("exempt", "observe", "ratchet") else 550), sent
    assert verdict["authenticated"] == row["login"]


def test_what_is_taken_is_what_was_judged(mx, behind, rules):
    rules("exempt alice@example.org")
    mark = messages.token()
    body = f"{mark}\n.\n..two\n\n \n0\n" + "y" * 200000 + "\nlast line\n"
    assert send(mx.port, BOB, ALICE, messages.text_mail(body, mark), client=None).code == 250
    wait_until(lambda: behind.delivered_to(mark), "the delivery")
    got = next(m for _, m in behind.delivered() if mark in m["Message-ID"])
    assert re.sub(r"(y{100,})\n?(?=y)", r"\1", got.get_payload()) == body
    assert got["Subject"] == f"Test {mark}"


def test_a_refusal_comes_word_by_word_with_the_reference_on_record(pair, mx, rules):
    rules()
    sent = send(mx.port, BOB, ALICE, messages.cleartext(), client=None)
    assert sent.code == 550 and sent.final.lines[0].startswith("5.7.1 Your message was not delivered"), sent
    reference = re.search(r"Reference: (\S+)", sent.final.text).group(1)
    assert pair.json("log", "--queue-id", reference)[0]["action"] == "refuse"


@pytest.mark.parametrize("where", ["mx", "alone"], ids=["policy server", "filter alone"])
def test_mixed_recipients_each_get_their_answer_once(request, behind, make_postfix, rules, where):
    port = request.getfixturevalue(where).port
    opened, closed = [f"open{i}@example.org" for i in range(12)], [f"shut{i}@example.org" for i in range(8)]
    rules(*(f"exempt {address}" for address in opened))
    relay = make_postfix(f"relay-{where}", here_domains="example.net", settings={"relayhost": f"[127.0.0.1]:{port}"})
    mark = messages.token()
    assert send(relay.port, BOB, closed + opened, messages.cleartext(mark), client=None).code == 250
    relay.wait_empty()
    wait_until(lambda: len(behind.delivered_to(mark)) >= 12, lambda: f"{behind.delivered_to(mark)} {relay.log()[-3000:]}")
    assert behind.delivered_to(mark) == sorted(opened)
    told = [a for text in relay.mail_texts() if mark in text
            for a in re.findall(r"^Final-Recipient: rfc822; (\S+)", text, re.M)]
    assert sorted(told) == sorted(closed)


def test_encrypted_mail_comes_with_our_header_and_no_forged_one(mx, behind, rules, keys, setting):
    rules()
    setting(add_header="yes")
    mark = messages.token()
    forged = b"X-PGP-Gate: encrypted (forged)\nx-pgp-gate: again\n"
    assert send(mx.port, BOB, ALICE, forged + messages.pgp_mime(keys.gpg_armor(), mark), client=None).code == 250
    wait_until(lambda: behind.delivered_to(mark), "the delivery")
    ours = next(m for _, m in behind.delivered() if mark in m["Message-ID"]).get_all("X-PGP-Gate")
    assert len(ours) == 1 and ours[0].startswith("verdict=encrypted"), ours


def test_quarantined_mail_becomes_a_file_and_is_not_delivered(pair, mx, behind, rules, setting):
    rules()
    setting(on_refusal="quarantine")
    held, passed = messages.token(), messages.token()
    with Session(mx.port, client=None) as s:
        sent = s.send(BOB, ALICE, messages.cleartext(held))
        rules("exempt alice@example.org")
        assert s.send(BOB, ALICE, messages.cleartext(passed)).code == 250
    assert sent.code == 250, sent
    verdict = pair.last_verdict(held)
    assert (verdict["action"], verdict["queue_id"]) == ("quarantine", sent.queue_id)
    with open(os.path.join(mx.dir, "spool/pgpgate-held", sent.queue_id), encoding="utf-8") as f:
        text = f.read()
    assert text.startswith("X-Held-Because: ") and f"\nX-Held-From: <{BOB}>\nX-Held-For: <{ALICE}>\n" in text
    assert f"\n\nHello, this is readable by everyone: {held}.\n" in text
    wait_until(lambda: behind.delivered_to(passed), "the delivery of the message after it")
    assert behind.delivered_to(held) == [] and glob.glob(f"{mx.dir}/spool/pgpgate-held/*.tmp") == []


def test_a_recipient_that_rcpt_ok_refuses_is_no_reason_to_split(mx, behind, rules):
    rules("exempt open@example.org")
    mark = messages.token()
    sent = send(mx.port, BOB, ["shut@elsewhere.test", OPEN], messages.cleartext(mark), client=None)
    assert [r.code for r in sent.recipients.values()] == [550, 250] and sent.code == 250, sent


def test_a_recipient_that_another_plugin_took_is_judged(pair, mx, rules):
    rules("exempt open@example.org")
    mark = messages.token()
    with Session(mx.port, client=None) as s:
        assert s.command(f"MAIL FROM:<{BOB}>").code == 250
        assert s.command(f"RCPT TO:<{OPEN}>").code == 250
        assert s.command(f"XTAKE {ALICE}").code == 220
        assert s.command("DATA").code == 354
        assert s.data(messages.cleartext(mark)).code == 451  # not together
        assert sorted(r["address"] for r in pair.last_verdict(mark)["recipients"]) == [ALICE, OPEN]
        # alone, before ours was asked of anybody
        s.command(f"MAIL FROM:<{BOB}>")
        s.command(f"XTAKE {ALICE}")
        assert s.command("DATA").code == 354
        assert s.data(messages.cleartext()).code == 550


def test_the_policy_servers_answer_is_given_at_rcpt(mx, alone, rules):
    rules("signed alice@example.org")
    sent = send(mx.port, BOB, ALICE, messages.cleartext(), client=None)
    assert repr(sent.recipients[ALICE]) == "554 5.7.1 The policy server says no", sent
    sent = send(alone.port, BOB, ALICE, messages.cleartext(), client=None)
    assert sent.recipients[ALICE].code == 250 and sent.code == 550, sent


@pytest.mark.parametrize("name", ["filter", "policyd"])
def test_a_daemon_that_is_restarted_or_gone(pair, mx, rules, name):
    """Gone: 451, and never in. Restarted: the same session goes on."""
    rules("exempt open@example.org")
    daemon = getattr(pair, name)
    with Session(mx.port, client=None) as s:
        assert s.send(BOB, OPEN, messages.cleartext()).code == 250
        daemon.end(signal.SIGKILL)
        try:
            assert s.send(BOB, OPEN, messages.cleartext()).code == 451
        finally:
            daemon.start()
        assert s.send(BOB, OPEN, messages.cleartext()).code == 250
        assert s.send(BOB, ALICE, messages.cleartext()).code == 550


def test_a_filter_that_goes_in_the_middle_of_a_message(pair, mx, behind, rules):
    rules("exempt open@example.org")
    mark = messages.token()
    with Session(mx.port, client=None) as s:
        assert s.command(f"MAIL FROM:<{BOB}>").code == 250 and s.command(f"RCPT TO:<{OPEN}>").code == 250
        pair.filter.end(signal.SIGKILL)
        pair.filter.start()
        assert s.command("DATA").code == 354
        assert s.data(messages.cleartext(mark)).code == 451
        assert s.send(BOB, OPEN, messages.cleartext()).code == 250
    assert behind.delivered_to(mark) == []

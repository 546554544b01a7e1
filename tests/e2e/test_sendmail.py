# SPDX-License-Identifier: ISC
"""The filter behind Sendmail: the same answers as behind Postfix, and what cannot be had there."""

import os
import re
import subprocess

import pytest

from harness import messages
from harness.place import wait_until
from harness.sendmail import Sendmail
from harness.smtp import Session, send
from precedence_rows import ROWS

ALICE, BOB, OPEN = "alice@example.org", "bob@example.net", "open@example.org"
# 127/8 plays the networks of the rows: Sendmail has no XCLIENT
PLAYED = [("192.0.2.", "127.0.2."), ("203.0.113.", "127.0.113."), ("198.51.100.", "127.51.100.")]
LOCAL_CLIENTS = "127.51.100.0/24"
LOCAL_DOMAINS = sorted({r["to"].rpartition("@")[2].lower() for r in ROWS if r["to"].isascii() and "[" not in r["to"]})


@pytest.fixture(scope="module")
def pair(make_pair):
    return make_pair(policyd=False, local_clients=LOCAL_CLIENTS)


@pytest.fixture(scope="module")
def make_sendmail(place):
    running = []

    def make(name, pair, **more):
        running.append(Sendmail(place, name, pair.milter, **more))
        return running[-1].start()
    yield make
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def mx(make_sendmail, pair, place):
    """Its local mailer has all domains; virtusertable sends shop@ to somebody else."""
    table = os.path.join(place.directory("tables"), "virtusers")
    return make_sendmail("mx", pair, local=["virtual.test", *LOCAL_DOMAINS], tables={
        table: "shop@virtual.test alice@example.org\nowner@virtual.test open\n"},
        features=f"FEATURE(`virtusertable', `hash {table}')dnl\nVIRTUSER_DOMAIN(`virtual.test')dnl")


@pytest.fixture
def rules(pair):
    """rules(line, ...): these and no others. Returns {id: number of the line, from 1}."""
    def replace(*lines):
        # of lines with the same key the later one counts
        last = {line.partition(" ")[2].lower(): f'{line} note="{i}"\n' for i, line in enumerate(lines, 1)}
        pair.must("import", "--replace", "--allow-empty", data="".join(last.values()).encode())
        return {r["id"]: int(r["note"]) for r in pair.json("rules")}
    return replace


def played(text, before=""):
    for network, loopback in PLAYED:
        text = text.replace(before + network, before + loopback)
    return text


@pytest.mark.parametrize("row", ROWS, ids=[r["name"] for r in ROWS])
def test_precedence_is_the_same_behind_sendmail(pair, mx, rules, row):
    lines, source, host = [played(line, "client=") for line in row["rules"]], played(row["client"]), "127.0.0.1"
    if source.startswith("IPV6:"):
        if not mx.has_ipv6:
            pytest.skip("no ::1 here")
        source, host = None, "::1"
        if row["name"] == "client IPv6":
            lines = [line.replace("2001:db8::/32", "::/96") for line in lines]
    numbers, mark = rules(*lines), messages.token()
    helo = f"{row['login']}.login.test" if row["login"] else "client.test"
    with Session(mx.port, client=None, helo=helo, host=host, source=source) as s:
        sent = s.send(row["sender"], row["to"], messages.cleartext(mark))
    if not (row["to"] + row["sender"]).isascii() and sent.code == 501:
        return  # Debian's Sendmail knows no SMTPUTF8; it takes some octets and refuses others
    verdict = pair.last_verdict(mark)
    assert verdict is not None, sent
    requirement, origin = row["want"]
    logged = verdict["recipients"][0]
    assert (logged["requirement"], numbers.get(logged["rule"])) == (
        requirement, origin if isinstance(origin, int) else None), verdict
    assert sent.code == (250 if requirement in ("exempt", "observe", "ratchet") else 550), sent


def test_the_address_given_is_judged_and_not_what_virtusertable_makes_of_it(pair, mx, rules):
    rules("exempt alice@example.org", "exempt open@example.org")
    assert send(mx.port, BOB, "shop@virtual.test", messages.cleartext(), client=None).code == 550
    assert send(mx.port, BOB, "owner@virtual.test", messages.cleartext(), client=None).code == 550
    rules("exempt shop@virtual.test")
    mark = messages.token()
    assert send(mx.port, BOB, "shop@virtual.test", messages.cleartext(mark), client=None).code == 250
    wait_until(lambda: mx.delivered_to(mark) == ["alice"], "the delivery")


def test_a_recipient_without_a_domain_is_the_local_user(pair, mx, rules):
    """Of Sendmail's own name, or of the domain that the administrator names: no way past the user's rule."""
    rules("exempt *", "encrypted alice@mx.pgpgate.test")
    assert send(mx.port, BOB, "alice", messages.cleartext(), client=None).code == 550
    assert send(mx.port, BOB, "open", messages.cleartext(), client=None).code == 250
    rules("exempt *", "encrypted alice@example.org", "encrypted bob@mx.pgpgate.test sender=root@example.org")
    pair.write_conf(unqualified_domain="example.org")
    pair.filter.reload()
    try:
        assert send(mx.port, BOB, "Alice", messages.cleartext(), client=None).code == 550
        assert send(mx.port, BOB, "open", messages.cleartext(), client=None).code == 250
        assert send(mx.port, "root", "bob@mx.pgpgate.test", messages.cleartext(), client=None).code == 550
        assert send(mx.port, BOB, "postmaster", messages.cleartext(), client=None).code == 250
        for line, answer in (("exempt open@example.org", 550), ("exempt open@", 250)):  # a domain that was added lowers nothing
            rules(line)
            assert send(mx.port, BOB, "open", messages.cleartext(), client=None).code == answer, line
    finally:
        pair.write_conf(unqualified_domain="")
        pair.filter.reload()


def test_a_domain_that_was_added_makes_nobody_unprotected(pair, mx, rules):
    """Sendmail's own name is not among protected_domains: its local users are, as with the domain that they have."""
    rules()
    pair.write_conf(protected_domains="example.org")
    pair.filter.reload()
    try:
        assert send(mx.port, BOB, ALICE, messages.cleartext(), client=None).code == 550
        assert send(mx.port, BOB, "alice", messages.cleartext(), client=None).code == 550
        rules("exempt mx.pgpgate.test")
        assert send(mx.port, BOB, "alice", messages.cleartext(), client=None).code == 550
        rules("exempt alice@")
        assert send(mx.port, BOB, "alice", messages.cleartext(), client=None).code == 250
    finally:
        pair.write_conf(protected_domains="")
        pair.filter.reload()


def test_an_address_without_its_domain_has_the_macro_of_the_whole_one(mx, rules):
    rules()
    with Session(mx.port, client=None) as s:
        for sender in ("root@mx.pgpgate.test", "root", "Root", "root@mx.pgpgate.test"):
            assert s.command(f"MAIL FROM:<{sender}>").code == 250, sender
            for recipient in ("postmaster@mx.pgpgate.test", "postmaster", "Postmaster", "postmaster@mx.pgpgate.test"):
                assert s.command(f"RCPT TO:<{recipient}>").code == 250, recipient
            s.command("RSET")


def test_the_queue_id_is_in_log_record_and_reply(pair, mx, rules):
    rules()
    sent = send(mx.port, BOB, ALICE, messages.cleartext(), client=None)
    assert sent.code == 550 and sent.final.lines[0].startswith("5.7.1 Your message was not delivered"), sent
    queue_id = re.search(r"Reference: (\S+)", sent.final.text).group(1)
    assert re.fullmatch(r"[0-9A-Za-z]{14,}", queue_id)
    assert pair.json("log", "--queue-id", queue_id)[0]["action"] == "refuse"
    assert f"{queue_id}: verdict=cleartext" in pair.filter.log()


RECIPIENTS = {"one of each, exempt first": (1, 1, True), "one of each, protected first": (1, 1, False),
              "one of 21": (1, 20, False), "eight and twelve": (8, 12, True)}


@pytest.mark.parametrize("name", RECIPIENTS)
def test_mixed_recipients_each_get_their_answer_once(pair, mx, make_postfix, rules, name):
    n_shut, n_open, is_open_first = RECIPIENTS[name]
    closed = [f"shut{i}@example.org" for i in range(n_shut)]
    opened = [f"open{i}@example.org" for i in range(n_open)]
    rules(*(f"exempt {address}" for address in opened))
    relay = make_postfix(f"relay{n_shut}{n_open}{is_open_first}", here_domains="example.net",
                         settings={"relayhost": f"[127.0.0.1]:{mx.port}"})
    mark = messages.token()
    everyone = opened + closed if is_open_first else closed + opened
    assert send(relay.port, BOB, everyone, messages.cleartext(mark), client=None).code == 250
    relay.wait_empty()
    wait_until(lambda: len(mx.delivered_to(mark)) >= n_open, lambda: f"{mx.delivered_to(mark)} {relay.log()[-3000:]}")
    assert mx.delivered_to(mark) == sorted(a.partition("@")[0] for a in opened)
    told = [a for text in relay.mail_texts() if mark in text
            for a in re.findall(r"^Final-Recipient: rfc822; (\S+)", text, re.M)]
    assert sorted(told) == sorted(closed)


def test_encrypted_mail_comes_with_our_header_and_no_forged_one(pair, mx, rules, keys):
    rules()
    pair.write_conf(add_header="yes")
    pair.filter.reload()
    mark = messages.token()
    forged = b"X-PGP-Gate: encrypted (forged)\nx-pgp-gate: again\n"
    sent = send(mx.port, BOB, ALICE, forged + messages.pgp_mime(keys.gpg_armor(), mark), client=None)
    assert sent.code == 250, sent
    wait_until(lambda: mx.delivered_to(mark) == ["alice"], "the delivery")
    ours = re.findall(r"^(x-pgp-gate): (.*)", mx.text_of(mark), re.M | re.I)
    assert len(ours) == 1 and ours[0][1].startswith("verdict=encrypted"), ours
    pair.write_conf(add_header="no")
    pair.filter.reload()


def test_quarantined_mail_is_held_with_the_reason_and_can_be_released(pair, mx, rules):
    rules("encrypted alice@example.org")
    pair.write_conf(on_refusal="quarantine")
    pair.filter.reload()
    mark = messages.token()
    try:
        assert send(mx.port, BOB, ALICE, messages.cleartext(mark), client=None).code == 250
    finally:
        pair.write_conf(on_refusal="refuse")
        pair.filter.reload()
    held = pair.last_verdict(mark)
    assert held["action"] == "quarantine" and held["queue_id"] in mx.held()
    assert mx.delivered_to(mark) == []
    code, listed = mx.run("-bp", "-qQ")
    assert code == 0 and "not encrypted" in listed, listed
    mx.run("-Q", "-qQ", f"-qI{held['queue_id']}")  # with no reason: back into the queue
    wait_until(lambda: mx.delivered_to(mark) == ["alice"], lambda: f"the delivery; {mx.queue_ids()}")
    assert len([r for r in pair.json("log", "-n", "200") if mark in (r["message_id"] or "")]) == 1  # no other look


def talk(mx, words, message, recipients):
    """`sendmail -bs` through a pipe: a mail program that hands over. Returns the last reply's lines."""
    pipe = subprocess.Popen([*mx.command, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=mx.environment)
    said = []

    def say(text):
        if text:
            pipe.stdin.write(text.encode() + b"\r\n")
            pipe.stdin.flush()
        said.append([])
        while True:
            said[-1].append(pipe.stdout.readline().decode().rstrip())
            if said[-1][-1][3:4] != "-":
                return
    for line in ("", "EHLO here", f"MAIL FROM:<{BOB}>", *(f"RCPT TO:<{r}>" for r in recipients), "DATA",
                 message.decode().replace("\n", "\r\n") + "."):
        say(line)
    pipe.stdin.write(b"QUIT\r\n")
    pipe.stdin.close()
    pipe.stdout.read()
    assert pipe.wait(60) == 0
    return said


@pytest.mark.parametrize("words", [["-Am", "-bs"], ["-bs"]], ids=["-Am -bs", "-bs"])
def test_mail_handed_over_with_bs_is_ours(pair, mx, rules, words):
    rules("encrypted strict@example.org")
    mark, refused = messages.token(), messages.token()
    assert talk(mx, words, messages.cleartext(mark), [ALICE])[-1][0].startswith("250")
    verdict = pair.last_verdict(mark)
    assert (verdict["recipients"][0]["requirement"], verdict["client"]) == ("observe", None)
    # a rule is for ours, too; nothing is turned away at RCPT
    said = talk(mx, words, messages.cleartext(refused), [ALICE, "strict@example.org"])
    assert [s[0][:3] for s in said[-5:]] == ["250", "250", "250", "354", "550"], said
    wait_until(lambda: mx.delivered_to(mark) == ["alice"], "the delivery")
    assert mx.delivered_to(refused) == []


def test_what_sendmail_1_puts_into_the_queue_itself_is_not_seen(pair, mx, rules):
    """With -Am and recipients on the command line there is no SMTP, and Sendmail asks no milter."""
    rules("encrypted *")
    mark = messages.token()
    code, said = mx.run("-Am", "-i", "-f", BOB, ALICE, data=messages.cleartext(mark))
    assert code == 0, said
    wait_until(lambda: mx.delivered_to(mark) == ["alice"], "the delivery")
    assert pair.last_verdict(mark) is None


def test_mail_from_the_queue_of_sendmail_1_is_judged_as_ours(pair, mx, rules):
    """-Ac, as Debian has it: the daemon is told by SMTP, from 127.0.0.1. What is refused comes back to its author, and what
    finds the filter down waits in that queue."""
    rules("encrypted strict@example.org")
    pair.write_conf(local_clients="127.0.0.0/8")
    pair.filter.reload()
    mark, refused, late = (messages.token() for _ in range(3))
    try:
        code, said = mx.submit("-i", "-f", ALICE, OPEN, data=messages.cleartext(mark))
        assert code == 0 and mx.submitted() == set(), said
        verdict = pair.last_verdict(mark)
        assert (verdict["recipients"][0]["requirement"], verdict["client"]) == ("observe", "127.0.0.1")
        wait_until(lambda: mx.delivered_to(mark) == ["open"], "the delivery")
        mx.submit("-i", "-f", ALICE, "strict@example.org", data=messages.cleartext(refused))
        wait_until(lambda: mx.delivered_to(refused) == ["alice"], lambda: f"the bounce; {mx.submitted()} {mx.log()[-2000:]}")
        assert "takes only encrypted mail" in mx.text_of(refused)
        pair.filter.end()
        try:
            mx.submit("-i", "-f", ALICE, "-t", data=b"To: open@example.org\n" + messages.cleartext(late).replace(b"\nTo:", b"\nX-To:"))
            assert len(mx.submitted()) == 1 and pair.last_verdict(late) is None
        finally:
            pair.filter.start()
        mx.submit("-q")
        wait_until(lambda: mx.delivered_to(late) == ["open"], lambda: f"the delivery; {mx.submitted()}")
        assert pair.last_verdict(late)["recipients"][0]["requirement"] == "observe" and mx.submitted() == set()
    finally:
        pair.write_conf(local_clients=LOCAL_CLIENTS)
        pair.filter.reload()


def test_sendmail_defers_while_the_filter_is_down(pair, mx, rules):
    rules()
    pair.filter.end()
    try:
        sent = send(mx.port, BOB, ALICE, messages.cleartext(), client=None)
        assert sent.code == 451, sent
    finally:
        pair.filter.start()

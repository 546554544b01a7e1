# SPDX-License-Identifier: ISC
"""Mixed recipients in numbers, behind a Postfix with the error limits that Debian's has, and with those that it has under
stress: every recipient gets one answer, once, in a few rounds, however many of each kind there are."""

import collections
import os
import re

import pytest

from harness import messages
from harness.place import free_port
from harness.smtp import Session, send

BOB = "bob@example.net"
DEFER_MAX = 8  # pgpgate-rules(7), MIXED RECIPIENTS

# ${stress?...} of postconf -d; one MX address is enough here
STRESS = {"smtpd_hard_error_limit": "1", "smtpd_junk_command_limit": "1", "smtpd_timeout": "10s"}


@pytest.fixture(scope="module")
def pair(make_pair):
    pair = make_pair()
    pair.must("exempt", "open.example.org")
    pair.must("require", "sign.example.org", "--level", "signed")
    return pair


@pytest.fixture(scope="module")
def mxes(make_postfix, pair):
    return {"policy server": make_postfix("mx", pair, ports=[free_port(), free_port()]),
            "filter alone": make_postfix("alone", pair, policy=False),
            "stress": make_postfix("stress", pair, settings=STRESS),
            "stress, filter alone": make_postfix("stressed", pair, policy=False, settings=STRESS)}


@pytest.fixture(scope="module")
def relays(make_postfix, mxes):
    return {where: make_postfix(f"relay{i}", here_domains="example.net", settings={
        "relayhost": ", ".join(f"[127.0.0.1]:{p}" for p in mx.ports)})
        for i, (where, mx) in enumerate(mxes.items())}


def people(n_open, n_shut, order):
    """Recipients in this order: "open first", "shut first" or "mixed"."""
    opened = [f"o{i}@open.example.org" for i in range(n_open)]
    shut = [f"s{i}@shut.example.org" for i in range(n_shut)]
    if order == "shut first":
        return shut + opened
    if order == "open first":
        return opened + shut
    every = max(1, len(opened + shut) // max(1, min(n_open, n_shut)))
    few, many = sorted((opened, shut), key=len)
    for i, one in enumerate(few):
        many.insert(i * every, one)
    return many


def by_mark(postfix, recipients_of):
    """{mark: sorted recipients}, from one look through the mailbox: there are thousands."""
    found = collections.defaultdict(list)
    for to, message in postfix.delivered():
        for mark, recipients in recipients_of(to, message):
            found[mark] += recipients
    return {mark: sorted(recipients) for mark, recipients in found.items()}


def delivered(to, message):
    yield message["Message-ID"][1:].partition("@")[0], [to]


def told(to, message):
    text = message.as_string()
    mark = re.search(r"^Message-ID: <(t[0-9a-f]{16})@client.test>", text, re.M)
    yield mark.group(1), re.findall(r"^Final-Recipient: rfc822; (\S+)", text, re.M)


# 1, half, all but one of them protected; PGPGATE_RECIPIENTS=all: in all orders, for minutes
IS_LONG = os.environ.get("PGPGATE_RECIPIENTS") == "all"
HOW_MANY = (1, 2, 3, 9, 16, 17, 18, 20, 21, 50, 51, 100, 200, 500, 1000) if IS_LONG else (1, 2, 20, 21, 51)
NUMBERS = [(n - shut, shut) for n in HOW_MANY for shut in sorted({1, n // 2, n - 1}) if 0 < shut <= n]
NUMBERS += [] if IS_LONG else [(999, 1)]
ORDERS = ["open first", "shut first", "mixed"]


def hand_over(relay, sent, n_open, n_shut, order):
    recipients, mark = people(n_open, n_shut, order), messages.token()
    # of one sender, so each has a size of its own
    message = messages.text_mail(f"{mark}\n" + "x" * (7 * len(sent)) + "\n", mark)
    answer = send(relay.port, BOB, recipients, message, client=None)
    assert answer.code == 250, answer
    sent.append((n_open, n_shut, order, recipients, mark, answer.queue_id))


def outcome(mx, relay, sent):
    """Waits for the last answer, and returns for each message (delivered to, told not). Every recipient has one of
    them, once, and no protected one got anything."""
    wanted = sum(len(recipients) for *_, recipients, _, _ in sent)
    relay.wait_empty(300)
    mx.wait_empty()
    taken, refused = by_mark(mx, delivered), by_mark(relay, told)
    assert sum(map(len, taken.values())) + sum(map(len, refused.values())) == wanted
    for n_open, n_shut, order, recipients, mark, _ in sent:
        case = f"{n_open} exempt and {n_shut} protected, {order}"
        both = taken.get(mark, []), refused.get(mark, [])
        assert sorted(both[0] + both[1]) == sorted(recipients), case
        assert all("@open." in a for a in both[0]), case
        yield case, min(n_open, n_shut), both


def distribution_of_rounds(relay, sent, where):
    log = collections.Counter(re.findall(r" ([0-9A-F]+): from=.*queue active", relay.log()))
    distribution = collections.Counter(log[queue_id] for *_, queue_id in sent)
    print(f"\n{len(sent)} messages, {sum(len(x[3]) for x in sent)} recipients, {where}: rounds "
          + ", ".join(f"{n}: {k}" for n, k in sorted(distribution.items())))
    return distribution


@pytest.mark.parametrize("where", ["policy server", "filter alone"])
def test_any_number_of_recipients_behind_the_default_limits(mxes, relays, where):
    mx, relay, sent = mxes[where], relays[where], []
    for n_open, n_shut in NUMBERS:
        for order in ORDERS if IS_LONG or n_open + n_shut == 21 else ORDERS[len(sent) % 3:][:1]:
            hand_over(relay, sent, n_open, n_shut, order)
    for case, n_smaller, (_, refused) in outcome(mx, relay, sent):
        if n_smaller <= DEFER_MAX:
            assert all("@shut." in a for a in refused), (case, refused[:20])
    assert max(distribution_of_rounds(relay, sent, where)) <= 6
    assert "too many errors" not in mx.log()


@pytest.mark.parametrize("where", ["stress", "stress, filter alone"])
def test_any_number_of_recipients_under_stress(mxes, relays, where):
    """The first error hangs up: there is no split, and the sender learns soon whom it has to leave out."""
    mx, relay, sent = mxes[where], relays[where], []
    for n_open, n_shut in NUMBERS:
        hand_over(relay, sent, n_open, n_shut, ORDERS[len(sent) % 3])
    list(outcome(mx, relay, sent))
    assert max(distribution_of_rounds(relay, sent, where)) <= 12


# exempt, signed, protected
TOGETHER = [(5, 100, 5), (8, 8, 8), (1, 1, 1)]
TOGETHER += [(1, 20, 20), (20, 1, 1), (3, 900, 97)] if IS_LONG else []


def bring(port, letter, declared):
    """One attempt: what it still has to send, and how many recipients were deferred; -1: the server hung up."""
    try:
        with Session(port) as s:
            sent = s.send(BOB, letter["left"], letter["text"], size=declared)
            deferred = [r for r, reply in sent.recipients.items() if reply.code == 450]
            if any(reply.code == 421 for reply in [sent.final, *sent.recipients.values()]):
                return -1
    except OSError:
        return -1
    taken = [r for r in letter["left"] if r not in deferred]
    assert all(sent.recipients[r].code == 250 for r in taken), sent
    if taken and sent.code != 451:
        letter["delivered" if sent.code == 250 else "refused"] += taken
        letter["left"] = deferred
        assert sent.code in (250, 550), sent
    return len(deferred)


@pytest.mark.parametrize("where", ["policy server", "filter alone", "stress", "stress, filter alone"])
@pytest.mark.parametrize("n_open, n_sign, n_shut", TOGETHER)
def test_several_messages_of_one_sender_and_size_at_once(pair, mxes, keys, where, n_open, n_sign, n_shut):
    """Four that only their content tells apart, of two kinds, to the same people and to some of them, each tried again in turn."""
    mx, opened, shut = mxes[where], people(n_open, 0, ""), people(0, n_shut, "")
    sign = [f"g{i}@sign.example.org" for i in range(n_sign)]
    letters = []
    for is_signed, to in ((False, opened + sign + shut), (True, opened + sign + shut), (True, shut + sign[:30] + opened),
                          (False, sign + opened[:3] + shut[::2])):
        mark = messages.token()
        body = keys.gpg_clearsign() if is_signed else f"{mark}\n"
        letters.append({"text": messages.text_mail(body, mark), "mark": mark, "left": list(to), "to": to, "delivered": [],
                        "refused": [], "passes": {r for r in to if "open" in r or (is_signed and "sign" in r)}})
    declared, rounds, most = 10000 + 100 * n_sign + 7 * n_open + n_shut, 0, 0
    while any(letter["left"] for letter in letters):
        rounds += 1
        assert rounds <= (40 if "stress" in where else 12), [len(letter["left"]) for letter in letters]
        for letter in letters:
            if letter["left"]:
                most = max(most, bring(mx.port, letter, declared))
    print(f"\n{where}, {n_open} exempt, {n_sign} signed, {n_shut} protected: {rounds} rounds, {most} deferred at most")
    assert most <= DEFER_MAX
    mx.wait_empty()
    got = by_mark(mx, delivered)
    for letter in letters:
        assert got.get(letter["mark"], []) == sorted(letter["delivered"])
        assert sorted(letter["delivered"] + letter["refused"]) == sorted(letter["to"])
        assert set(letter["delivered"]) <= letter["passes"]
        if "stress" not in where and min(len(letter["passes"]), len(letter["to"]) - len(letter["passes"])) <= DEFER_MAX:
            assert set(letter["delivered"]) == letter["passes"]
    if "stress" not in where:
        assert "too many errors" not in mx.log()

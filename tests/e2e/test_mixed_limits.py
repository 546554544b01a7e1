# SPDX-License-Identifier: ISC
"""Mixed recipients in numbers, behind a Postfix with the error limits that Debian's has, and with those that it has under
stress: every recipient gets one answer, once, in a few rounds, however many of each kind there are."""

import collections
import os
import re

import pytest

from harness import messages
from harness.place import free_port
from harness.smtp import send

BOB = "bob@example.net"
DEFER_MAX = 8  # pgpgate-rules(7), MIXED RECIPIENTS

# ${stress?...} of postconf -d; one MX address is enough here
STRESS = {"smtpd_hard_error_limit": "1", "smtpd_junk_command_limit": "1", "smtpd_timeout": "10s"}


@pytest.fixture(scope="module")
def pair(make_pair):
    pair = make_pair()
    pair.must("exempt", "open.example.org")
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

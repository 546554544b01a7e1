# SPDX-License-Identifier: ISC
"""1 to 1,000 recipients, of whom one, half, or all but one are protected, from a real Exim and Sendmail, behind the error
limits that Debian's Postfix has and those that it has under stress (tests/e2e/test_mixed_limits.py: from Postfix). Every
recipient gets one answer, once. With PGPGATE_MASS_SECONDS of 600 and more only: minutes."""

import collections
import os
import re

import pytest

import model
import senders
from harness import messages
from harness.place import free_port
from test_mass import Message, wait_idle

IS_LONG = float(os.environ.get("PGPGATE_MASS_SECONDS", "0")) >= 600
HOW_MANY = (1, 2, 9, 16, 17, 18, 20, 21, 50, 51, 100, 200, 500, 1000)
NUMBERS = [(n - shut, shut) for n in HOW_MANY for shut in sorted({1, n // 2, n - 1}) if 0 < shut <= n]
# ${stress?...} of postconf -d
LIMITS = {"default limits": {}, "stress": {"smtpd_hard_error_limit": "1", "smtpd_junk_command_limit": "1", "smtpd_timeout": "10s"}}


def attempts(sender):
    """{envelope sender: how often it came}; Sendmail writes down what it says, Exim the seconds in which it tried."""
    traffic = os.path.join(sender.relay.dir, "traffic")
    if not os.path.exists(traffic):
        return {f"bob{i}@example.net": n for i, n in enumerate(sender.rounds().values())}
    with open(traffic, encoding="utf-8", errors="replace") as f:
        return collections.Counter(re.findall(r">>> MAIL From:<(bob\d+@example\.net)>", f.read()))


def hand_over_all(sender):
    made = []
    for n_open, n_shut in NUMBERS:
        opened, shut = [f"o{i}@open.example.org" for i in range(n_open)], [f"s{i}@shut.example.org" for i in range(n_shut)]
        mark = messages.token()
        recipients = (opened + shut, shut + opened)[len(made) % 2]
        made.append(Message(mark, f"bob{len(made)}@example.net", "cleartext", recipients, messages.cleartext(mark), None))
        sender.hand_over(made[-1])
    return made


def may_be_right(name, n_open, n_shut):
    """Exim names 100 recipients at a time (max_rcpt), and takes a 550 after the content for that of all of its list."""
    return min(n_open, n_shut) <= model.DEFER_MAX and (name != "Exim" or n_open + n_shut <= 100)


if IS_LONG:
    @pytest.mark.parametrize("limits", LIMITS)
    @pytest.mark.parametrize("name", ["Exim", "Sendmail"])
    def test_any_number_of_recipients(place, make_pair, make_postfix, name, limits):
        title = f"numbers-{name.lower()}-{limits.partition(' ')[0]}"
        pair = make_pair(title)
        pair.must("exempt", "open.example.org")
        mx = make_postfix(title, pair, ports=[free_port(), free_port()], settings=LIMITS[limits])
        sender = senders.real_sender(name, place, f"from-{title}", make_postfix, mx.ports)
        try:
            made = hand_over_all(sender)
            wait_idle(sender)
            mx.wait_empty()
            got, told, rounds = collections.Counter(mx.deliveries()), sender.told(), attempts(sender)
        finally:
            sender.stop()
        for i, message in enumerate(made):
            refused = collections.Counter(told.get(message.mark, ()))
            n_open = sum("@open." in r for r in message.recipients)
            for recipient in message.recipients:
                n = got[recipient, message.mark], refused[recipient]
                assert sum(n) == 1 and (n[0] == 0 or "@open." in recipient), (NUMBERS[i], recipient, n)
                if limits == "default limits" and may_be_right(name, n_open, len(message.recipients) - n_open):
                    assert n[0] == ("@open." in recipient), (NUMBERS[i], recipient, n)
        distribution = collections.Counter(rounds.get(message.sender, 0) for message in made)
        print(f"\nmass: {len(made)} messages, {sum(len(m.recipients) for m in made)} recipients, {name}, {limits}: rounds "
              + ", ".join(f"{n}: {k}" for n, k in sorted(distribution.items())))

# SPDX-License-Identifier: ISC
"""Many messages under random rules, from several senders that try again, over two MX of which one has no policy server,
while the daemons are restarted and killed, behind the limits that Debian's Postfix has. An independent model
(model.py) says what each recipient of each message must get. Nothing may be lost, nothing come twice, nothing be
answered wrongly.

PGPGATE_MASS_SECONDS: how long new messages are made (default 30); PGPGATE_MASS_MESSAGES: how many at least instead, or with
both what comes first; PGPGATE_MASS_SEED: for one run again."""

import collections
import dataclasses
import os
import random
import signal
import threading
import time

import pytest

import model
import senders
from harness import messages
from harness.place import free_port, wait_until

MESSAGES = int(os.environ.get("PGPGATE_MASS_MESSAGES", "0"))
SECONDS = float(os.environ.get("PGPGATE_MASS_SECONDS", "inf" if MESSAGES else "30"))
SEED = int(os.environ.get("PGPGATE_MASS_SEED", str(random.randrange(10**6))))
WAVE = 400  # messages under one set of rules
CLIENT = "127.0.0.1"
DOMAINS = ["example.org", "mail.example.org", "a.b.example.org", "other.test", "sub.other.test"]
USERS = ["alice", "bob", "carol", "dora", "erik+lists", "erik", "frida", "postmaster", "abuse"]
PEOPLE = [f"{u}@{d}" for u in USERS for d in DOMAINS] + [f"u{i}@example.org" for i in range(60)]


@dataclasses.dataclass
class Message:
    mark: str
    sender: str
    kind: str
    recipients: list
    text: bytes
    policy: model.Policy

    def passes(self):
        return {r: self.policy.is_met(self.kind, r, self.sender, CLIENT) for r in self.recipients}


class Maker:
    """Rules and messages at random."""

    def __init__(self, keys, seed):
        self.random = random.Random(seed)
        self.bodies = {"encrypted": keys.gpg_armor(), "signed": keys.gpg_clearsign(),
                       "partial": "hello\n" + keys.gpg_armor()}

    def pattern(self):
        r = self.random
        user, domain = r.choice(USERS), r.choice(DOMAINS)
        return r.choice([f"{user}@{domain}", f"{user}@{domain}", domain, "." + domain.partition(".")[2],
                         f"{user.partition('+')[0]}@", f"u{r.randrange(60)}@example.org"])

    def rules(self):
        r, found = self.random, {}
        for _ in range(r.randrange(3, 40)):
            sender = r.choice(["", "", "", "clear1@example.net", "enc1@example.net", "example.net", ".net", "clear2@"])
            client = r.choice(["", "", "", "127.0.0.0/8", "127.0.0.0/16", "192.0.2.0/24"])
            rule = model.Rule(r.choice(model.REQUIREMENTS), self.pattern(), sender, client)
            found[rule.recipient, rule.sender, rule.client] = rule
        if r.random() < 0.5:
            found["*", "", ""] = model.Rule(r.choice(model.REQUIREMENTS), "*")
        return list(found.values())

    def message(self, policy):
        r, mark = self.random, messages.token()
        kind = r.choice(["cleartext"] * 5 + ["encrypted", "encrypted", "signed", "partial"])
        sender = f"{'enc' if kind == 'encrypted' else 'clear'}{r.randrange(5)}@example.net"
        n = r.choice([1, 1, 1, 2, 2, 3, 3, 4, 5, 8, 13, 25, 50, 80])
        if kind == "cleartext":  # few sizes: many messages of one sender and size
            text = messages.text_mail(mark + "\n" + "x" * (7 * r.randrange(40)) + "\n", mark, sender=sender)
        elif kind == "encrypted" and r.random() < 0.5:
            text = messages.pgp_mime(self.bodies[kind], mark, sender=sender)
        else:
            text = messages.text_mail(self.bodies[kind], mark, sender=sender)
        return Message(mark, sender, kind, r.sample(PEOPLE, n), text, policy)


class Restarts:
    """Ends and starts the daemons at random moments, one time in two with SIGKILL."""

    def __init__(self, pair, seed):
        self.pair, self.random, self.n = pair, random.Random(seed), 0
        self.stop, self.trouble = threading.Event(), None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(200)

    def _run(self):
        try:
            while not self.stop.wait(self.random.uniform(3, 12)):
                daemon = self.random.choice([self.pair.filter, self.pair.policyd])
                daemon.end(self.random.choice([signal.SIGKILL, signal.SIGTERM]))
                daemon.start()
                self.n += 1
        except Exception as e:  # the test says it
            self.trouble = e


@pytest.fixture(scope="module")
def pair(make_pair):
    return make_pair(default_requirement="encrypted", verdict_retention="0")


@pytest.fixture(scope="module")
def mxes(make_postfix, pair):
    return [make_postfix("mx", pair, ports=[free_port(), free_port()]),
            make_postfix("alone", pair, policy=False)]


@pytest.fixture(scope="module")
def everyone(place, make_postfix, mxes):
    ports = [mxes[0].ports[0], mxes[1].port, mxes[0].ports[1]]
    made = [senders.PostfixSender(make_postfix, ports[:2]),
            senders.PlayedSender("Exim, played", ports, together=False),
            senders.PlayedSender("Sendmail, played", ports),
            senders.PlayedSender("without SIZE, played", ports, batch=1000, declares_size=False)]
    made += senders.real_senders(place, make_postfix, ports)
    yield made
    for sender in made:
        sender.stop()


def delivered(mxes):
    """{(mark, recipient): how often}"""
    found = collections.Counter()
    for mx in mxes:
        for to, mark in mx.deliveries():
            found[mark, to] += 1
    return found


class Tally:
    def __init__(self):
        self.complaints, self.n_pairs, self.n_for_all = [], 0, 0
        self.n_delivered, self.n_refused = 0, 0

    def add(self, sender, message, got, told):
        """One message: who sent it, what was delivered to whom, how often, and whom its author was told of."""
        passes, told = message.passes(), collections.Counter(told)
        n_passed = sum(passes.values())
        may_be_for_all = min(n_passed, len(passes) - n_passed) > model.DEFER_MAX
        for recipient, is_met in passes.items():
            n_got, n_told = got[message.mark, recipient], told[recipient]
            self.n_pairs += 1
            self.n_delivered += n_got
            self.n_refused += n_told
            what = None
            if n_got + n_told == 0:
                what = "lost"
            elif n_got + n_told > 1:
                what = "twice"
            elif n_got and not is_met:
                what = "wrong: delivered"
            elif n_told and is_met:
                self.n_for_all += 1
                what = None if may_be_for_all else "wrong: refused"
            if what:
                self.complaints.append(f"{what}: {message.kind} {message.mark} from {message.sender} to {recipient} by {sender.name} "
                                       f"(passes: {is_met}; {n_passed} of {len(passes)} pass; delivered {n_got}, told {n_told})")


def hand_over_wave(everyone, maker, policy, n):
    made = []
    for _ in range(n):
        message = maker.message(policy)
        # Postfix is a real one, so most of it goes there
        sender = everyone[0] if maker.random.random() < 0.6 else maker.random.choice(everyone[1:])
        sender.hand_over(message)
        made.append((sender, message))
    return made


def wait_idle(sender):
    """A machine that does much else may take its time, as long as something gets done."""
    while not sender.is_idle():
        left = sender.left()
        wait_until(lambda: sender.is_idle() or sender.left() != left,
                   lambda: f"{sender.name} to have final answers (seed {SEED}): {sender.waits_for()}", 300, every=0.2)


def test_everyone_gets_the_right_answer_once(pair, mxes, everyone, keys):
    maker, tally, sent = Maker(keys, SEED), Tally(), []
    end = time.monotonic() + SECONDS
    with Restarts(pair, SEED) as restarts:
        while time.monotonic() < end and not 0 < MESSAGES <= len(sent):
            rules = maker.rules()
            pair.must("import", "--replace", data="".join(r.line() + "\n" for r in rules).encode())
            policy = model.Policy(rules, "encrypted")
            sent += hand_over_wave(everyone, maker, policy, WAVE if SECONDS > 60 else WAVE // 4)
            for sender in everyone:
                wait_idle(sender)
        assert restarts.trouble is None, restarts.trouble
    for mx in mxes:
        mx.wait_empty()
    got, told, rounds = delivered(mxes), {s: s.told() for s in everyone}, {s: s.rounds() for s in everyone}
    distribution = {s: collections.Counter() for s in everyone}
    for sender, message in sent:
        tally.add(sender, message, got, told[sender].get(message.mark, ()))
        distribution[sender][rounds[sender].get(message.mark, 0)] += 1
    report(tally, sent, distribution, restarts.n, mxes, pair)
    assert tally.complaints == [], f"seed {SEED}: {len(tally.complaints)}\n" + "\n".join(tally.complaints[:40])
    assert tally.n_delivered == sum(got.values())
    assert pair.run("db", "check").code == 0


def report(tally, sent, distribution, n_restarts, mxes, pair):
    kinds = collections.Counter(c.partition(":")[0] for c in tally.complaints)
    errors = sum(mx.log_count("too many errors") for mx in mxes)
    print(f"\nmass: {len(sent)} messages, {tally.n_pairs} recipients: {tally.n_delivered} delivered, "
          f"{tally.n_refused} refused ({tally.n_for_all} for the sake of others, more than {model.DEFER_MAX} of each "
          f"kind); lost {kinds['lost']}, twice {kinds['twice']}, wrong {kinds['wrong']}; {n_restarts} restarts, "
          f"{errors} times too many errors; seed {SEED}")
    for sender, counts in distribution.items():
        print(f"mass: rounds, {sender.name}: " + ", ".join(f"{n}: {k}" for n, k in sorted(counts.items())))

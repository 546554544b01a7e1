# SPDX-License-Identifier: ISC
"""Who sends the mass test's mail. A sender takes messages over, tries until each recipient has a final answer, and says
afterwards what it told the author: told() gives {mark: recipients refused}, rounds() {mark: attempts}, left() what it still
has, which changes with each message that is done.

Postfix is a real one, and Exim, Sendmail and OpenSMTPD are where apt can download them. The others are played here: how a program groups recipients, and what it does with a 4xx at
RCPT, after the content, and with a 421, is all that a server sees of its retries. A real one takes the same
interface: hand_over(), is_idle(), left(), told(), rounds(), stop()."""

import collections
import re
import threading
import time

import pytest

from harness.exim import Exim
from harness.opensmtpd import OpenSmtpd
from harness.sendmail import Sendmail
from harness.smtp import Session, send


def told_by_reports(texts):
    """{mark: recipients} of the delivery reports among these messages: those who will not get it. OpenSMTPD tells of a delay
    when its next attempt would be four hours after the first, which is so after six of them, however soon they come."""
    found = collections.defaultdict(list)
    for text in texts:
        mark = re.search(r"^Message-ID: <(t[0-9a-f]{16})@client.test>", text, re.M | re.I)
        # RFC 3464 section 2.3: the fields of a recipient are a paragraph
        for fields in re.split(r"\n\n", text):
            recipient = re.search(r"^Final-Recipient: rfc822; ?(\S+)", fields, re.M | re.I)
            if not mark or not recipient:
                continue
            action = re.search(r"^Action: *(\w+)", fields, re.M | re.I)
            assert action and action.group(1).lower() in ("failed", "delayed"), fields
            if action.group(1).lower() == "failed":
                found[mark.group(1)].append(recipient.group(1))
    return found


class PostfixSender:
    """A real Postfix over two MX addresses, trying again every two seconds."""
    name = "Postfix"

    def __init__(self, make_postfix, ports):
        self.relay = make_postfix("sender", here_domains="example.net", settings={
            "relayhost": ", ".join(f"[127.0.0.1]:{p}" for p in ports)})
        self.marks = {}

    def hand_over(self, message):
        sent = send(self.relay.port, message.sender, message.recipients, message.text, client=None)
        assert sent.code == 250, sent
        self.marks[sent.queue_id] = message.mark

    def is_idle(self):
        return not self.left() and not self.left()

    def left(self):
        return self.relay.queue_ids()

    def waits_for(self):
        """What is known of the mail that is left, for a person."""
        left = self.relay.queue_ids()
        lines = [line for line in self.relay.log().splitlines() if any(f" {i}: " in line for i in left)]
        return f"{len(left)} messages left\n" + "\n".join(line[:400] for line in lines[-30:])

    def told(self):
        return told_by_reports(self.relay.mail_texts())

    def rounds(self):
        log = collections.Counter(re.findall(r" ([0-9A-F]+): from=.*queue active", self.relay.log()))
        return {mark: log[queue_id] for queue_id, mark in self.marks.items()}

    def stop(self):
        pass


class RelaySender:
    """A real Exim, Sendmail or OpenSMTPD that tries again every second. relay: started."""

    def __init__(self, name, relay):
        self.name, self.relay, self.marks = name, relay, {}

    def hand_over(self, message):
        sent = send(self.relay.port, message.sender, message.recipients, message.text, client=None)
        assert sent.code == 250, sent
        found = re.search(r"id=(\S+)|(\S+) Message accepted", sent.final.text)
        self.marks[message.mark] = found.group(1) or found.group(2)

    def is_idle(self):
        return not self.left() and not self.left()

    def left(self):
        return self.relay.queue_ids()

    def waits_for(self):
        """What is known of the oldest that is left, and what was said last."""
        left, log = sorted(self.relay.queue_ids()), self.relay.log()
        lines = [line[:400] for line in log.splitlines() if left and left[0] in line]
        return f"{len(left)} messages left: {left[:10]}\n" + "\n".join(lines[:30] + [log[-1500:]])

    def told(self):
        return told_by_reports(self.relay.mail_texts())

    def rounds(self):
        """Sendmail logs to syslog only, so that its rounds are not known."""
        if not hasattr(self.relay, "attempts"):
            return {}
        attempts = self.relay.attempts()
        return {mark: attempts.get(queue_id, 0) for mark, queue_id in self.marks.items()}

    def stop(self):
        self.relay.stop()


REAL = ("Exim", "Sendmail", "OpenSMTPD")


def real_sender(name, place, title, make_postfix, ports):
    """title: of its directory. Skips the test where apt cannot download it."""
    make = {"Exim": lambda: Exim(place, title, ports),
            "Sendmail": lambda: Sendmail(place, title, local=["example.net"], relay=f"[127.0.0.1]:{ports[0]}"),
            "OpenSMTPD": lambda: OpenSmtpd(place, title, ports[0], make_postfix("authors", here_domains="example.net"))}
    return RelaySender(name, make[name]().start())


def real_senders(place, make_postfix, ports):
    """Those that can be had here."""
    made = []
    for name in REAL:
        try:
            made.append(real_sender(name, place, "sender", make_postfix, ports))
        except pytest.skip.Exception as e:
            print(f"mass: {name} is only played: {e}")
    return made


class PlayedSender:
    """batch: recipients in a transaction. together: a recipient that was deferred waits for the rest of its message
    (Sendmail goes through its queue file by file), else each comes when it is due (Exim keeps retry times for each
    address). declares_size: OpenSMTPD and many programs do not."""

    def __init__(self, name, ports, batch=100, together=True, declares_size=True):
        self.name, self.ports, self.batch = name, ports, batch
        self.together, self.size = together, "auto" if declares_size else None
        self.queue, self._told, self._rounds = [], collections.defaultdict(list), collections.Counter()
        self.lock, self.is_stopped = threading.Lock(), False
        self.trouble = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def hand_over(self, message):
        with self.lock:
            self.queue.append((message, list(message.recipients)))

    def is_idle(self):
        if self.trouble:
            raise self.trouble
        return not self.left()

    def left(self):
        with self.lock:
            return {(message.mark, len(recipients)) for message, recipients in self.queue}

    def waits_for(self):
        return f"{len(self.queue)} messages left"

    def told(self):
        return self._told

    def rounds(self):
        return self._rounds

    def stop(self):
        self.is_stopped = True
        self.thread.join(200)

    def _run(self):
        try:
            while not self.is_stopped:
                with self.lock:
                    due = list(self.queue)
                for message, left in due:
                    self._try(message, left)
                    if self.is_stopped:
                        return
                with self.lock:
                    self.queue = [(m, left) for m, left in self.queue if left]
                time.sleep(0.2)
        except Exception as e:  # the test says it
            self.trouble = e

    def _try(self, message, left):
        self._rounds[message.mark] += 1
        turn = list(left)
        if not self.together:  # those that were deferred at odd rounds are not due yet
            turn = [r for i, r in enumerate(turn) if (i + self._rounds[message.mark]) % 3] or turn
        port = self.ports[self._rounds[message.mark] % len(self.ports)]
        try:
            with Session(port, client=None) as session:
                for i in range(0, len(turn), self.batch):
                    self._transaction(session, message, turn[i:i + self.batch], left)
        except OSError:  # 421, or nobody there: another time
            pass

    def _transaction(self, session, message, batch, left):
        sent = session.send(message.sender, batch, message.text, size=self.size)
        if sent.code == 421 or any(r.code == 421 for r in sent.recipients.values()):
            raise ConnectionError("too many errors")
        for recipient in batch:
            code = sent.recipients[recipient].code
            if code == 250:
                code = sent.code
            if code // 100 == 4 or (code // 100 == 3):
                continue
            left.remove(recipient)
            if code // 100 == 5:
                self._told[message.mark].append(recipient)

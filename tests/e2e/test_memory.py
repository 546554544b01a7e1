# SPDX-License-Identifier: ISC
"""Memory that is refused: every N-th allocation of filter, policy server and command line fails, once each, and from
there on. PGPGATE_SWEEP=1 takes every N, as ./runtests long does; the default takes some."""

import contextlib
import os
import re
import sqlite3

import pytest

from harness import sweep
from harness.gate import fill_report
from harness.pair import program, run_program
from harness.policy_client import PolicyClient

TRIES = 3  # at one allocation, until it is refused
STEP = int(os.environ.get("PGPGATE_SWEEP", "41"))
FOREVER = 1 << 62
# Messages whose allocations are counted first: the writer's thread may have a turn within one, which is then no number
# that the next comes to. The least of them is what is tried; every N is the count of one.
HEALTHY = 5

pytestmark = pytest.mark.skipif(bool(os.environ.get("PGPGATE_SANITIZED")), reason="sanitizers have a malloc of their own")


@pytest.fixture(scope="module")
def memory(place):
    return sweep.Memory(os.path.join(place.directory("memory", mode=0o755), "control"))


def start_frail(daemon, faults, memory):
    """With allocations that can be made to fail; one at a time, or both would count."""
    os.environ.update(LD_PRELOAD=faults, FAULT_MEMORY=memory.path)
    try:
        daemon.start()
    finally:
        del os.environ["LD_PRELOAD"], os.environ["FAULT_MEMORY"]


@pytest.fixture(scope="module")
def frail(make_pair):
    pair = make_pair("frail", add_header="yes")
    pair.filter.end()
    pair.policyd.end()
    sweep.prepare(pair)
    return pair


def test_filter_without_memory(frail, faults, memory):
    start_frail(frail.filter, faults, memory)
    record = sweep.Record(frail)
    told, n_failed, n_silent, n_tried, n_vain = [], 0, 0, 0, 0
    path = frail.filter.path
    for kind in sweep.KINDS:
        sweep.send(path, kind)  # whatever is allocated once is
        counts = []
        for _ in range(1 if STEP == 1 else HEALTHY):
            healthy = sweep.send(path, kind, connected=memory.set)
            counts.append(memory.stop()[0])
            record.sent.append(healthy)
        n = min(counts)
        assert n > 20, (kind, counts)
        for first in range(1 + n % STEP if STEP > 1 else 1, n + 1, STEP):
            for last in (first + 1, FOREVER):
                n_tried += 1
                n_refused = 0
                for _ in range(TRIES):
                    if n_refused > 0:
                        break
                    hurt = sweep.send(path, kind, 3, connected=lambda: memory.set(first, last))
                    n_refused = memory.stop()[1]
                    record.sent.append(hurt)
                    n_silent += hurt.end is None
                    told += [f"{kind.label}, allocation {first} of {n}: {c}" for c in sweep.wrong(healthy, hurt)]
                    assert frail.filter.process.poll() is None, (kind, first, frail.filter.log()[-3000:])
                n_failed += n_refused
                n_vain += n_refused == 0
    told += record.complaints()
    print(f"filter: {len(record.sent)} messages, {n_failed} allocations refused, {n_silent} without an answer, "
          f"{len(told)} findings")
    assert not told, "\n".join(told[:40])
    # How many there are follows from what a message takes, which grows less. That those were refused that were tried is what
    # makes it a sweep: threads have turns of their own, and so a message may come to its end with less than the healthy one,
    # on a busy machine one in ten; it is sent again then.
    assert n_tried >= 2 * len(sweep.KINDS) and n_vain * 10 <= n_tried, (n_tried, n_vain)
    assert frail.filter.end() == 0


REQUESTS = [
    {"recipient": sweep.ALICE}, {"recipient": sweep.SIGNED}, {"recipient": sweep.OPEN}, {"recipient": sweep.RATCHET},
    {"recipient": sweep.ALICE, "sender": ""}, {"recipient": sweep.ALICE, "login": "bob"},
    {"recipient": sweep.ALICE, "client": "unknown"}, {"recipient": "a\x01b@example.org"},
    {"recipient": "j\u00fcrgen@example.org"}, {"recipient": sweep.ALICE, "state": "DATA"},
    {"recipient": sweep.ALICE, "size": 5000}, {"recipient": sweep.ALICE, "x": "y" * 30000},
]


def test_policy_server_without_memory(frail, faults, memory):
    start_frail(frail.policyd, faults, memory)
    n_failed, n_tried, n_vain, told = 0, 0, 0, []
    for request in REQUESTS:
        def ask(first, last):
            client = PolicyClient(frail.policyd.path, 10)
            try:
                memory.set(first, last)
                return client.ask(**request)
            finally:
                client.close()

        ask(0, 0)
        healthy = ask(0, 0)
        n, _ = memory.stop()
        for first in range(1, n + 1, max(1, STEP // 8)):
            for last in (first + 1, FOREVER):
                answer = ask(first, last)
                n_refused = memory.stop()[1]
                n_tried, n_vain, n_failed = n_tried + 1, n_vain + (n_refused == 0), n_failed + n_refused
                if answer not in (healthy, None):
                    told.append(f"{request}, allocation {first} of {n}: {answer}, not {healthy}")
                assert frail.policyd.process.poll() is None, (request, first, frail.policyd.log()[-3000:])
    print(f"policy server: {len(REQUESTS)} requests, {n_failed} allocations refused, {len(told)} findings")
    assert not told, "\n".join(told[:40])
    assert n_tried >= 2 * len(REQUESTS) and n_vain * 10 <= n_tried, (n_tried, n_vain)
    assert frail.policyd.end() == 0


COMMANDS = [
    ["rules"], ["--json", "rules"], ["explain", sweep.ALICE], ["--json", "explain", sweep.SIGNED], ["log", "-n", "5"],
    ["--json", "log", "-n", "5"], ["report"], ["--json", "report"], ["export"], ["metrics"], ["config"],
    ["--json", "db", "status"], ["suggest"], ["check", os.path.join(sweep.MAIL, "gpg-3des.eml")],
    ["--json", "check", os.path.join(sweep.MAIL, "r29-signed.eml")],
    ["simulate", "encrypted", sweep.OPEN], ["db", "check"], ["require", "again@example.org"], ["--json", "rules", "--history"],
    ["--json", "check", "--explain", os.path.join(sweep.MAIL, "gpg-binary-attachment.eml")], ["--json", "keys", "list"],
    ["explain", sweep.OPEN, "--message", os.path.join(sweep.MAIL, "gpg-3des.eml")], ["report", "--html", "-"],
]
# Where the C library itself ends the process, since it looks up who somebody is (an assertion in glibc 2.36's nss_database.c).
LIBRARY = re.compile(r"\((getpw|getgr|initgroups|setgroups)")


# What looks through the whole record for its answer. What is missing of that reads as if there was nothing.
PROVIDERS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "dist", "providers"))
ADVICE = [
    ["-o", f"mail_providers={PROVIDERS}", "suggest"], ["--json", "suggest", "-n", "0"], ["simulate", "ratchet", "*"], ["--json", "simulate", "own-key", "example.org"],
    ["report", "--by", "pair"], ["report", "--html", "-"], ["keys", "check"], ["keys", "learn"], ["keys", "list"],
    ["log", "-n", "5"],
]
LAST = 64  # allocations at the end of a command, where it has its rows and makes an answer of them


def shape(text):
    """Without numbers, which change from run to run: of rules, of seconds, of octets."""
    return re.sub(r"[0-9]+", "0", text)


class CommandSweep:
    """Runs of commands whose N-th allocation is refused. Exit 0 is only said of what is whole."""

    def __init__(self, conf, faults, memory):
        self.conf, self.memory = conf, memory
        self.environment = {**os.environ, "LD_PRELOAD": faults, "FAULT_MEMORY": memory.path}
        self.n_failed = self.n_runs = self.n_library = 0
        self.told = []

    def run(self, words, numbers):
        """numbers(n): which of the n that it takes."""
        command = [program("pgpgate"), "-c", self.conf, *words]
        run_program(command)
        self.memory.set()
        healthy = run_program(command, env=self.environment)
        n, _ = self.memory.stop()
        for first in numbers(n):
            self.memory.set(first, first + 1)
            hurt = run_program(command, env=self.environment)
            self.n_failed += self.memory.stop()[1]
            self.n_runs += 1
            if hurt.code < 0 and self._is_of_the_library(command, first):
                self.n_library += 1
            elif hurt.code < 0 or (hurt.code == 0 and shape(hurt.out) != shape(healthy.out)) or \
                    (hurt.code not in (0, healthy.code) and not hurt.err):
                self.told.append(f"{' '.join(words)}, allocation {first} of {n}: {hurt!r}\nnot {healthy!r}")
        return healthy

    def _is_of_the_library(self, command, first):
        self.memory.set(first, first + 1)
        again = run_program(command, env={**self.environment, "FAULT_TRACE": "1"})
        self.memory.stop()
        return bool(LIBRARY.search(again.err))

    def tell(self, label):
        print(f"{label}: {self.n_runs} runs, {self.n_failed} allocations refused, {self.n_library} ended by the C "
              f"library, {len(self.told)} findings")
        assert not self.told, "\n".join(t[:900] for t in self.told[:20])


def test_command_line_without_memory(frail, faults, memory):
    swept = CommandSweep(frail.conf, faults, memory)
    for words in COMMANDS:
        swept.run(words, lambda n: range(1 + n % STEP if STEP > 1 else 1, n + 1, STEP * 8 if STEP > 1 else 1))
    swept.tell("command line")


def fill_advice(gate):
    """A record of which every command of ADVICE has something to say."""
    fill_report(gate)
    gate.must("keys", "add", "bob@example.org", "AB" * 20)
    gate.must("exempt", "old@example.org")
    with contextlib.closing(sqlite3.connect(gate.database, isolation_level=None)) as d:
        d.execute("UPDATE rule SET created_at_unix = 1")
        d.execute("UPDATE verdict SET key_ids = 'mdc ABABABABABABABAB;CDCDCDCDCDCDCDCD' WHERE verdict = 'encrypted'")
        d.execute("UPDATE verdict SET sender_key = 'test.other@dave' WHERE sender_key = 'test.partner@carol' AND id % 3 = 0")


def test_answers_from_the_whole_record_without_memory(gate, faults, memory):
    """`suggest` once said that there is nothing to suggest, with exit 0, where it had no memory for what it had found."""
    fill_advice(gate)
    swept = CommandSweep(gate.conf, faults, memory)
    for words in ADVICE:
        healthy = swept.run(words, lambda n: range(max(1, n - LAST) if STEP > 1 else 1, n + 1))
        assert len(healthy.out) > 60, (words, healthy)
    swept.tell("answers from the record")

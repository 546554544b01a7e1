# SPDX-License-Identifier: ISC
"""Memory that is refused: every N-th allocation of filter, policy server and command line fails, once each, and from
there on. PGPGATE_SWEEP=1 takes every N, as ./runtests long does; the default takes some."""

import os
import re

import pytest

from harness import sweep
from harness.pair import program, run_program
from harness.policy_client import PolicyClient

TRIES = 3  # at one allocation, until it is refused
STEP = int(os.environ.get("PGPGATE_SWEEP", "41"))
FOREVER = 1 << 62

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
        healthy = sweep.send(path, kind, connected=memory.set)
        n, _ = memory.stop()
        assert n > 20, (kind, n)
        record.sent.append(healthy)
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


def shape(text):
    """Without numbers, which change from run to run: of rules, of seconds, of octets."""
    return re.sub(r"[0-9]+", "0", text)


def test_command_line_without_memory(frail, faults, memory):
    """Exit 0 is only said of what is whole."""
    environment = {**os.environ, "LD_PRELOAD": faults, "FAULT_MEMORY": memory.path}
    n_failed, n_runs, n_library, told = 0, 0, 0, []
    for words in COMMANDS:
        command = [program("pgpgate"), "-c", frail.conf, *words]
        run_program(command)
        memory.set()
        healthy = run_program(command, env=environment)
        n, _ = memory.stop()
        for first in range(1 + n % STEP if STEP > 1 else 1, n + 1, STEP * 8 if STEP > 1 else 1):
            memory.set(first, first + 1)
            hurt = run_program(command, env=environment)
            n_failed += memory.stop()[1]
            n_runs += 1
            if hurt.code < 0:
                memory.set(first, first + 1)
                again = run_program(command, env={**environment, "FAULT_TRACE": "1"})
                memory.stop()
                if LIBRARY.search(again.err):
                    n_library += 1
                    continue
            if hurt.code < 0 or (hurt.code == 0 and shape(hurt.out) != shape(healthy.out)) or \
                    (hurt.code not in (0, healthy.code) and not hurt.err):
                told.append(f"{' '.join(words)}, allocation {first} of {n}: {hurt!r}\nnot {healthy!r}")
    print(f"command line: {n_runs} runs, {n_failed} allocations refused, {n_library} ended by the C library, "
          f"{len(told)} findings")
    assert not told, "\n".join(t[:900] for t in told[:20])

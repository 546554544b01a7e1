#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Measures pgpgate against its limit (the same libraries doing nothing) and against what people use instead.

Each line of the table is a ratio A / B. A and B run in turn (A B, B A, A B ...), each for a few seconds, and
every pair gives one ratio; the table shows the median, the least and the greatest of them, so that the noise of
the machine is seen, and `noise` measures the null filter against itself. The column `cpu` is the same ratio by
processor time (of server and load, for one message): what the rates would come to if nothing ever waited, and
what stays right on a busy machine. Everything runs below a private
directory, on unix sockets and 127.0.0.1. Nothing here is a test: a missed target is shown, and the exit
status is 0; it is 1 when a line could not be measured, or when an answer was wrong.

    run.py --build DIR [--quick] [--targets] [--only NAME,...] [--skip NAME,...] [--rounds N] [--seconds S]
           [--minutes N] [--keep DIR] [--json FILE] [--list]
"""

import argparse
import contextlib
import fcntl
import glob
import itertools
import json
import os
import platform
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# pylint: disable=wrong-import-position
from mails import Mails  # noqa: E402
from private_postfix import PrivatePostfix  # noqa: E402
from servers import Servers, free_port  # noqa: E402

MB = 1000 * 1000
LINE_MAX_S = 1200  # a line that takes longer hangs: databases of millions are made in it
LINES = {}


def line(name, title, target=None, best="high"):
    """Registers a line: function(bench) returns a list of ratios. best: "high", "low" or "" (only stated)."""

    def register(function):
        LINES[name] = (title, target, best, function)
        return function

    return register


class Bench:
    def __init__(self, args, directory):
        self.args = args
        self.directory = directory
        self.servers = Servers(args.build, args.source, directory)
        self.mails = Mails(directory)
        self.raw = []
        self.notes = []
        self.deadline = time.monotonic() + 60 * args.minutes
        self.cpu_s = None  # processor time of the last load, for one message
        self.cpu_ratios = []

    def close(self):
        self.mails.close()

    # one load

    def run(self, name, *arguments):
        done = subprocess.run([self.servers.program(name)] + [str(a) for a in arguments], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=900)
        if done.returncode != 0:
            raise RuntimeError(f"{name} {' '.join(str(a) for a in arguments)}: {done.stderr.strip()[-400:]} "
                               f"{done.stdout[:400]}")
        result = json.loads(done.stdout)
        self.raw.append({"program": name, "arguments": [str(a) for a in arguments], "result": result})
        n = result.get("messages") or result.get("requests")
        self.cpu_s = (result["server_cpu_s"] + result["load_cpu_s"]) / n if n else None
        return result

    def milter(self, server, message, connections, per_connection, *more):
        """Bytes and messages are the same ratio: one message size a line."""
        result = self.run("milter_load", "-s", server.spec, "-f", message, "-c", connections, "-m", per_connection,
                          "-n", 10000000, "-t", self.args.seconds, "-p", server.pid, "-x", "accept", *more)
        return result["messages_per_s"]

    def policy(self, server, connections, *more):
        result = self.run("policy_load", "-s", server.spec, "-c", connections, "-n", 100000000, "-t",
                          self.args.seconds, "-p", server.pid, *more)
        return result["requests_per_s"]

    # pairs

    def pairs(self, a, b):
        """Ratios of a() to b(), in turn, each going first in every other round. One pair warms up, uncounted."""
        ratios = []
        for round_number in range(-1, self.args.rounds):
            rate, cpu_s = {}, {}
            for side in ((a, b) if round_number % 2 == 0 else (b, a)):
                self.cpu_s = None
                rate[side] = side()
                cpu_s[side] = self.cpu_s
            if round_number >= 0:
                ratios.append(rate[a] / rate[b])
                if cpu_s[a] and cpu_s[b]:
                    self.cpu_ratios.append(cpu_s[b] / cpu_s[a])
        return ratios

    def filter_pair(self, size, connections, per_connection, *more):
        message = self.mails.encrypted(size)
        with self.servers.filter(self.servers.database("filter", rules=1000)) as ours, \
                self.servers.null_filter() as null:
            return self.pairs(lambda: self.milter(ours, message, connections, per_connection, *more),
                              lambda: self.milter(null, message, connections, per_connection, *more))


@line("noise", "noise: null filter / itself, 8 conn.", best="")
def _(b):
    message = b.mails.encrypted(20000)
    with b.servers.null_filter() as null:
        return b.pairs(lambda: b.milter(null, message, 8, 1), lambda: b.milter(null, message, 8, 1))


@line("filter-8", "filter / null, 20 KB, 8 conn., 1 each", 0.60)
def _(b):
    return b.filter_pair(20000, 8, 1)


@line("filter-32", "filter / null, 20 KB, 32 conn., 1 each", 0.60)
def _(b):
    return b.filter_pair(20000, 32, 1)


@line("filter-8-100", "filter / null, 20 KB, 8 conn., 100 each", 0.60)
def _(b):
    return b.filter_pair(20000, 8, 100)


@line("filter-32-100", "filter / null, 20 KB, 32 conn., 100 each", 0.60)
def _(b):
    return b.filter_pair(20000, 32, 100)


def wait_pair(b, connections, trouble=contextlib.nullcontext, verdicts=0):
    """The 99th percentile of the end of a message, while `trouble` is going on, against the null filter's without it.
    Whatever is not accepted ends the measurement: so no message got a temporary error."""
    message = b.mails.encrypted(20000)
    database = b.servers.database("wait", rules=1000, verdicts=verdicts)

    def p99(server):
        b.milter(server, message, connections, 1)
        return b.raw[-1]["result"]["eom_latency_us"]["p99"]

    def troubled(server):
        with trouble(database):
            return p99(server)

    with b.servers.filter(database) as ours, b.servers.null_filter() as null:
        return b.pairs(lambda: troubled(ours), lambda: p99(null))


@contextlib.contextmanager
def write_lock(database):
    with contextlib.closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@line("wait-8", "p99 of the answer: filter / null, 8 conn.", 5.0, "low")
def _(b):
    return wait_pair(b, 8)


@line("wait-32", "p99 of the answer: filter / null, 32 conn.", 5.0, "low")
def _(b):
    return wait_pair(b, 32)


@contextlib.contextmanager
def beside(work):
    """work() again and again in a thread, until the measurement is over."""
    is_over, failed = threading.Event(), []

    def run():
        try:
            while not is_over.is_set():
                work()
        except Exception as e:  # pylint: disable=broad-except
            failed.append(e)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
    if failed:
        raise failed[0]


def pgpgate(b, database, *words):
    subprocess.run([b.servers.program("pgpgate"), "-c", b.servers.config, "-o", f"database=sqlite:{database}", *words],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)


def checkpoint(database):
    """As ours do: with DATABASE.lock to itself (HACKING.md, SQLite)."""
    with open(database + ".lock", "rb") as lock, contextlib.closing(sqlite3.connect(database)) as other:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    time.sleep(0.02)


@line("wait-lock", "p99, database locked / null, 8 conn.", 10.0, "low")
def _(b):
    return wait_pair(b, 8, write_lock)


@line("wait-import", "p99, 20,000 rules imported / null, 8 conn.", 10.0, "low")
def _(b):
    files = itertools.cycle([b.servers.path("exempt.txt"), b.servers.path("signed.txt")])
    for requirement in ("exempt", "signed"):
        with open(b.servers.path(requirement + ".txt"), "w", encoding="ascii") as f:
            f.writelines(f"{requirement} import{i * 7919 % 20000}@example.org\n" for i in range(20000))
    return wait_pair(b, 8, lambda database: beside(
        lambda: pgpgate(b, database, "import", "--replace", "--owner", "bench", next(files))))


@line("wait-prune", "p99, verdicts pruned / null, 8 conn.", 10.0, "low")
def _(b):
    days = itertools.count(89 * 24, -4)  # so that there is something to remove each time
    return wait_pair(b, 8, lambda database: beside(
        lambda: pgpgate(b, database, "db", "prune", "--older-than", f"{max(next(days), 24)}h")), verdicts=300000)


@line("wait-checkpoint", "p99, checkpoints / null, 8 conn.", 10.0, "low")
def _(b):
    return wait_pair(b, 8, lambda database: beside(lambda: checkpoint(database)))


def instructions(b, start, load):
    """Of one message or request, in thousands: the difference between many and few, so that the start has no part."""
    totals, counts = [], (200, 1200)
    for count in counts:
        out = b.servers.path(f"callgrind.{count}")
        with start(("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "-q")) as server:
            load(server, count)
        with open(out, encoding="ascii") as f:
            totals.append(next(int(text.split()[1]) for text in f if text.startswith(("totals:", "summary:"))))
    return [(totals[1] - totals[0]) / (counts[1] - counts[0]) / 1000]


@line("instructions-filter", "filter: 1,000 instructions a message, 20 KB", best="")
def _(b):
    message = b.mails.encrypted(20000)
    database = b.servers.database("filter", rules=1000)
    return instructions(b, lambda prefix: b.servers.filter(database, prefix=prefix),
                        lambda server, n: b.run("milter_load", "-s", server.spec, "-f", message, "-c", 4, "-m", 100, "-n", n,
                                                "-p", server.pid, "-x", "accept", "-t", 600))


def own_key_instructions(b, keys, *settings):
    """One recipient a message, who must have mail to their own key, and has two of that many keys."""
    message = b.mails.encrypted(20000)
    database = b.servers.database("keys", rules=1000, keys=keys, key_id=b.mails.key_id())
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute("UPDATE rule SET requirement = 'own-key'")
        db.commit()
        sql = open(os.path.join(b.servers.source, "sql/policy.sql"), encoding="ascii").read()
        statement = sql.split("-- name: policy_keys\n")[1].split("\n-- name:")[0]
        plan = [row[3] for row in db.execute("EXPLAIN QUERY PLAN " + statement, ("user1@example.org",))]
    b.raw.append({"program": "sqlite3", "result": {"plan": plan}})
    return instructions(b, lambda prefix: b.servers.filter(database, *settings, prefix=prefix),
                        lambda server, n: b.run("milter_load", "-s", server.spec, "-f", message, "-c", 4, "-m", 100, "-n", n,
                                                "-p", server.pid, "-x", "accept", "-t", 600))


@line("instructions-own-key", "filter, own-key, 1,000,000 keys: the same", best="")
def _(b):
    return own_key_instructions(b, 1000000)


@line("instructions-own-key-0", "filter, own-key, no keys: the same", best="")
def _(b):
    return own_key_instructions(b, 0)


@line("instructions-null", "null filter: the same", best="")
def _(b):
    message = b.mails.encrypted(20000)
    return instructions(b, lambda prefix: b.servers.null_filter(prefix=prefix),
                        lambda server, n: b.run("milter_load", "-s", server.spec, "-f", message, "-c", 4, "-m", 100, "-n", n,
                                                "-p", server.pid, "-x", "accept", "-t", 600))


@line("instructions-policy", "policyd: 1,000 instructions a request", best="")
def _(b):
    database = b.servers.database("rules", rules=1000)
    return instructions(b, lambda prefix: b.servers.policyd(database, prefix=prefix),
                        lambda server, n: b.run("policy_load", "-s", server.spec, "-c", 4, "-n", n, "-p", server.pid,
                                                "-x", "DUNNO", "-t", 600))


def record_limit(b, per_connection):
    """By processor time: what the null filter would be left with if it kept the record, and did nothing else."""
    message, ratios = b.mails.encrypted(20000), []
    with b.servers.null_filter() as null:
        for _ in range(b.args.rounds):
            b.milter(null, message, 8, per_connection)
            null_us = 1e6 * b.cpu_s
            path = b.servers.path("record.db")
            done = subprocess.run([b.servers.program("record_bench"), "-d", path, "-g", "12"], check=True,
                                  stdout=subprocess.PIPE, text=True, timeout=300)
            record = json.loads(done.stdout)
            b.raw.append({"program": "record_bench", "result": record})
            ratios.append(null_us / (null_us + record["total_us"]))
            for file in glob.glob(path + "*"):
                os.unlink(file)
    b.notes.append(f"record: {record['total_us']:.0f} us of processor time a message, in groups of 12 "
                   f"({per_connection} a connection: {null_us:.0f} us for all that the null filter and the load do)")
    return ratios


@line("record", "limit: null with the record, 8, 1 each", best="")
def _(b):
    return record_limit(b, 1)


@line("record-100", "limit: null with the record, 8, 100 each", best="")
def _(b):
    return record_limit(b, 100)


@line("filter-50m", "filter / null, 50 MB, 4 conn., bytes/s", 0.85)
def _(b):
    return b.filter_pair(50 * MB, 4, 1)


@line("seed", "filter / marker on python-milter, 8 conn.", 2.0)
def _(b):
    message = b.mails.encrypted(20000)
    with b.servers.filter(b.servers.database("filter", rules=1000)) as ours, b.servers.seed_filter() as seed:
        return b.pairs(lambda: b.milter(ours, message, 8, 1), lambda: b.milter(seed, message, 8, 1))


@line("seed-limit", "limit: null filter / marker, the same", best="")
def _(b):
    message = b.mails.encrypted(20000)
    with b.servers.null_filter() as null, b.servers.seed_filter() as seed:
        return b.pairs(lambda: b.milter(null, message, 8, 1), lambda: b.milter(seed, message, 8, 1))


@line("power", "filter, verdict_sync power / process", best="")
def _(b):
    message = b.mails.encrypted(20000)
    with b.servers.filter(b.servers.database("process", rules=1000), name="process") as process, \
            b.servers.filter(b.servers.database("power", rules=1000), "verdict_sync=power") as power:
        ratios = b.pairs(lambda: b.milter(power, message, 32, 1), lambda: b.milter(process, message, 32, 1))
    group_size(b, message)
    return ratios


def group_size(b, message):
    """Messages a commit, and how long an fsync takes, seen by strace in a run of its own."""
    log = b.servers.path("strace.out")
    tracer = ["strace", "-f", "--seccomp-bpf", "-c", "-w", "-o", log, "-e", "trace=fdatasync,fsync"]
    if not shutil.which("strace"):
        b.notes.append("power: no strace, so no group size")
        return
    with b.servers.filter(b.servers.database("power", rules=1000), "verdict_sync=power", prefix=tracer) as traced:
        with open(f"/proc/{traced.pid}/task/{traced.pid}/children", encoding="ascii") as f:
            child = int(f.read().split()[0])
        result = b.run("milter_load", "-s", traced.spec, "-f", message, "-c", 32, "-m", 1, "-n", 10000000, "-t",
                       b.args.seconds, "-x", "accept")
        os.kill(child, 15)
        traced.process.wait(20)
    calls, total_s = 0, 0.0
    with open(log, encoding="ascii") as f:
        for row in f:
            m = re.match(r"\s*[\d.]+\s+([\d.]+)\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync$", row.rstrip())
            if m:
                total_s += float(m.group(1))
                calls += int(m.group(2))
    if calls:
        b.notes.append(f"power: {result['messages'] / calls:.1f} messages an fsync, {total_s / calls * 1000:.2f} ms "
                       f"an fsync, {result['messages_per_s']:.0f} messages/s (under strace)")


@line("scan", "scanner / min(1 GB/s, 0.2 memchr), a core", 1.0)
def _(b):
    result = b.run("scan_bench", "-f", b.mails.encrypted(4 * MB), "-r", max(b.args.rounds, 3), "-M",
                   100 if b.args.quick else 300, "-x", "encrypted")
    b.notes.append(f"scan: {statistics.median(result['scan_gb_per_s']):.2f} GB/s a core, memchr "
                   f"{statistics.median(result['memchr_gb_per_s']):.2f} GB/s")
    return [scan / min(1.0, 0.2 * memchr)
            for scan, memchr in zip(result["scan_gb_per_s"], result["memchr_gb_per_s"])]


@line("policy", "policyd / null, 1,000 rules, 8 conn.", 0.75)
def _(b):
    with b.servers.policyd(b.servers.database("rules", rules=1000)) as ours, b.servers.null_policyd() as null:
        return b.pairs(lambda: b.policy(ours, 8, "-x", "DUNNO"), lambda: b.policy(null, 8, "-x", "DUNNO"))


@line("postgrey", "policyd / postgrey, 1,000 rules, 8 conn.", 20.0)
def _(b):
    with b.servers.policyd(b.servers.database("rules", rules=1000)) as ours, b.servers.postgrey() as peer:
        return b.pairs(lambda: b.policy(ours, 8, "-x", "DUNNO"), lambda: b.policy(peer, 8))


@line("postfwd", "policyd / postfwd1, 1,000 rules, 8 conn.", best="")
def _(b):
    with b.servers.policyd(b.servers.database("rules", rules=1000)) as ours, b.servers.postfwd(1000) as peer:
        return b.pairs(lambda: b.policy(ours, 8, "-x", "DUNNO"), lambda: b.policy(peer, 8))


def big_database(b):
    rules, verdicts = (100000, 500000) if b.args.quick else (1000000, 10000000)
    path = b.servers.database(f"big-{rules}-{verdicts}", rules=rules, verdicts=verdicts, pairs=rules,
                              keep=b.args.keep or b.directory)
    b.notes.append(f"big database: {rules:,} rules, {verdicts:,} verdicts, {os.path.getsize(path) / MB:.0f} MB")
    warm(path)
    return path, rules


def warm(path):
    """Reads it once, so that the kernel has it as on a host that runs: not the disk is measured. No more than half of
    the memory is asked for, or each part would drive out the one before."""
    room = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    if os.path.getsize(path) < room:
        with open(path, "rb", buffering=0) as f:
            while f.read(1 << 20):
                pass


def register_query(name, *command):
    @line("query-" + name, f"s: {' '.join(command)}"[:41], 2.0, "low")
    def _(b):
        database, _ = big_database(b)
        seconds = []
        for _ in range(min(b.args.rounds, 3)):
            begin = time.monotonic()
            subprocess.run([b.servers.program("pgpgate"), "-c", b.servers.config, "-o", f"database=sqlite:{database}",
                            *command], check=True, stdout=subprocess.DEVNULL, timeout=900)
            seconds.append(time.monotonic() - begin)
        return seconds


for query in (("log-to", "log", "--recipient", "user77@example.org", "-n", "50"),
              ("log-cleartext", "log", "--verdict", "cleartext", "--since", "-7d"),
              ("report", "report", "--by", "recipient"), ("suggest", "suggest"),
              ("simulate", "simulate", "exempt", "user77@example.org"), ("expired", "rules", "--expired")):
    register_query(*query)


@line("policy-big", "policyd, 1M rules, 10M verdicts / 1,000", 0.95)
def _(b):
    database, rules = big_database(b)
    with b.servers.policyd(b.servers.database("rules", rules=1000), name="few") as few, \
            b.servers.policyd(database) as many:
        # The seed moves on, so that each run meets other rules of the million.
        seed = iter(range(0, 10**9, 10**6))
        return b.pairs(lambda: b.policy(many, 8, "-x", "DUNNO", "-R", rules, "-S", next(seed)),
                       lambda: b.policy(few, 8, "-x", "DUNNO", "-R", 1000))


@line("filter-big", "filter, 1M rules, 10M verdicts / 1,000", best="")
def _(b):
    database, rules = big_database(b)
    message = b.mails.encrypted(20000)
    with b.servers.filter(b.servers.database("filter", rules=1000), name="few") as few, \
            b.servers.filter(database) as many:
        return b.pairs(lambda: b.milter(many, message, 8, 1, "-R", rules),
                       lambda: b.milter(few, message, 8, 1, "-R", 1000))


def postfix_services(ports, null, ours, policyd):
    """What Postfix adds for each case."""
    def milter(spec):
        return {"smtpd_milters": spec}

    return {ports["none"]: {},
            ports["null"]: milter(null.spec),
            ports["pair"]: dict(milter(ours.spec), smtpd_recipient_restrictions="check_policy_service { %s }, permit"
                                % policyd.spec)}


def end_to_end(b, case, other):
    message = b.mails.encrypted(20000)
    database = b.servers.database("e2e", rules=1000)
    ports = {name: free_port() for name in ("none", "null", "pair")}
    with b.servers.filter(database) as ours, b.servers.null_filter() as null, b.servers.policyd(database) as policyd:
        postfix = PrivatePostfix(b.servers.path("postfix"), postfix_services(ports, null, ours, policyd))
        try:
            def rate(name):
                # As many messages as take about as long as the other lines; the first ones find it out.
                accepted, delivered = postfix.send(ports[name], message, rate.count, 16)
                b.raw.append({"program": "smtp-source", "case": name, "messages": rate.count,
                              "accepted_s": accepted, "delivered_s": delivered})
                done, rate.count = rate.count, max(50, int(rate.count * b.args.seconds / delivered))
                return done / delivered

            rate.count = 100
            rate(other)
            count = rate.count

            def fixed(name):
                rate.count = count
                return rate(name)

            ratios = b.pairs(lambda: fixed(case), lambda: fixed(other))
        finally:
            postfix.close()
            shutil.rmtree(b.servers.path("postfix"), ignore_errors=True)
    return ratios


@line("e2e", "Postfix end to end, pair / null filter", 0.97)
def _(b):
    return end_to_end(b, "pair", "null")


@line("e2e-none", "Postfix end to end, pair / no filter", best="")
def _(b):
    return end_to_end(b, "pair", "none")


@line("memory-filter", "filter memory / 48 MB, 100 x 50 MB at once", 1.0, "low")
def _(b):
    size, count = (5 * MB, 20) if b.args.quick else (50 * MB, 100)
    ratios = []
    for _ in range(1 if b.args.quick else 2):
        with b.servers.filter(b.servers.database("filter", rules=1000)) as ours:
            result = b.run("milter_load", "-s", ours.spec, "-f", b.mails.encrypted(size), "-c", count, "-n", count,
                           "-T", "-p", ours.pid, "-x", "accept", "-t", 600)
            ratios.append(result["server_peak_kib"] * 1024 / (48 * MB))
    return ratios


@line("memory-policyd", "policyd memory / 48 MB, 1M rules, 200 c.", 1.0, "low")
def _(b):
    database, rules = big_database(b)
    with b.servers.policyd(database) as ours:
        result = b.run("policy_load", "-s", ours.spec, "-c", 200, "-n", 100000000, "-t", 2 * b.args.seconds, "-R",
                       rules, "-p", ours.pid, "-x", "DUNNO")
    return [result["server_peak_kib"] * 1024 / (48 * MB)]


def verdict_on(median, target, best):
    if target is None:
        return ""
    good = median >= target if best == "high" else median <= target
    return "met" if good else "MISSED"


def number(value):
    """At most 5 characters."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def print_row(title, target, best, ratios, cpu_ratios):
    goal = "" if target is None else (">=" if best == "high" else "<=") + f"{target:.2f}"
    cpu = number(statistics.median(cpu_ratios)) if cpu_ratios else ""
    print(f"{title:<42}{goal:>7}{number(statistics.median(ratios)):>7}{number(min(ratios)):>6}"
          f"{number(max(ratios)):>6}{cpu:>5} {verdict_on(statistics.median(ratios), target, best):<6}".rstrip(),
          flush=True)


@contextlib.contextmanager
def limit(seconds):
    def end(*_):
        raise RuntimeError(f"not over after {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def measure(b, names):
    """Runs the lines, prints the table as it grows; returns what goes into the JSON file."""
    results, n_failed, n_met, n_missed = [], 0, 0, 0
    print(f"{'A / B':<42}{'target':>7}{'median':>7}{'min':>6}{'max':>6}{'cpu':>5}")
    for name in names:
        title, target, best, function = LINES[name]
        b.raw, b.cpu_ratios = [], []
        begin = time.monotonic()
        try:
            if begin > b.deadline:
                raise RuntimeError(f"--minutes {b.args.minutes} are over")
            with limit(LINE_MAX_S):
                ratios = function(b)
        except Exception as e:  # pylint: disable=broad-except
            n_failed += 1
            print(f"{title[:41]:<42} not measured: {str(e).splitlines()[0][:200]}", flush=True)
            if b.args.verbose:
                traceback.print_exc()
            results.append({"name": name, "title": title, "error": str(e)})
            continue
        print_row(title, target, best, ratios, b.cpu_ratios)
        n_missed += verdict_on(statistics.median(ratios), target, best) == "MISSED"
        n_met += verdict_on(statistics.median(ratios), target, best) == "met"
        results.append({"name": name, "title": title, "target": target, "best": best, "ratios": ratios, "cpu_ratios": b.cpu_ratios,
                        "median": statistics.median(ratios), "min": min(ratios), "max": max(ratios),
                        "verdict": verdict_on(statistics.median(ratios), target, best),
                        "took_s": round(time.monotonic() - begin, 1), "runs": b.raw})
    print(f"{n_met} met, {n_missed} missed, {n_failed} not measured")
    for note in dict.fromkeys(b.notes):
        print("  " + note)
    return results, n_failed


def read_options():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--build", default=os.getcwd(), help="build directory (default: here)")
    parser.add_argument("--source", default=os.path.dirname(os.path.dirname(here)), help="source directory")
    parser.add_argument("--quick", action="store_true", help="small databases, 2 rounds of 1 second: a look")
    parser.add_argument("--rounds", type=int, help="pairs a line (default 7, quick 2)")
    parser.add_argument("--seconds", type=int, help="seconds a run (default 3, quick 1)")
    parser.add_argument("--minutes", type=int, default=90, help="begin no line after so many (default 90)")
    parser.add_argument("--targets", action="store_true", help="the lines that have a target, noise, limits, instructions")
    parser.add_argument("--only", help="these lines, separated by commas")
    parser.add_argument("--skip", help="not these lines")
    parser.add_argument("--keep", help="folder in which the big database is kept for the next time")
    parser.add_argument("--json", help="write everything that was measured to this file")
    parser.add_argument("--list", action="store_true", help="list the lines and exit")
    parser.add_argument("--verbose", action="store_true", help="tell where an error came from")
    args = parser.parse_args()
    args.rounds = args.rounds or (2 if args.quick else 7)
    args.seconds = args.seconds or (1 if args.quick else 3)
    names = list(LINES)
    for option in (args.only, args.skip):
        for name in option.split(",") if option else []:
            if name not in LINES:
                parser.error(f"no line {name}; there are: {', '.join(LINES)}")
    if args.targets:
        names = [n for n in names if LINES[n][1] is not None or n.startswith(("noise", "instructions", "seed"))]
    if args.only:
        names = [n for n in names if n in args.only.split(",")]
    if args.skip:
        names = [n for n in names if n not in args.skip.split(",")]
    return args, names


def cpu_name():
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as f:
        for row in f:
            if row.startswith("model name"):
                return row.split(":", 1)[1].strip()
    return platform.machine()


def main():
    args, names = read_options()
    if args.list:
        for name in names:
            print(f"{name:<23}{LINES[name][0]}")
        return 0
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
    directory = tempfile.mkdtemp(prefix="pgpgate-bench-")
    os.chmod(directory, 0o755)
    print(f"{cpu_name()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"{args.rounds} rounds of {args.seconds} s")
    b = Bench(args, directory)
    try:
        results, n_failed = measure(b, names)
    finally:
        b.close()
        shutil.rmtree(directory, ignore_errors=True)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump({"time_unix": int(time.time()), "cpu": cpu_name(), "cores": os.cpu_count(),
                       "kernel": platform.release(), "rounds": args.rounds, "seconds": args.seconds,
                       "quick": args.quick, "notes": b.notes, "lines": results}, f, indent=1)
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())

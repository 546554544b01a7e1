# SPDX-License-Identifier: ISC
"""A site's rates. `site_bench.py push [ROWS]`: how fast a backlog goes to the centre; `changes [N]`: how long a change of rules takes
to be in force on three hosts; each less than three minutes on a calm machine. `hot [ROWS [RULES]]`: filter and policy server while
sync pushes a backlog, against sync stopped, in turn; 1,000,000 rows unless something else is said, and as many rules with the second
number. It wants milter_load and policy_load (`make bench-smoke`).

Beside the time stands processor time, which hardly depends on what else the machine does: rows a second on idle processors are at
most 1 / that of the two sides for a row together, on one processor.

PGPGATE_BUILD=DIR names another build. Wants root, and a PostgreSQL as tests/site does."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path[:0] = [os.path.join(TOP, "e2e"), os.path.join(TOP, "site")]

from harness import messages
from harness.pair import BUILD
from harness.place import Place, wait_until

from centre import Centre, Host, Site
from test_site import BOB, answer, wait_row

TICK = os.sysconf("SC_CLK_TCK")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def cpu_s(pid, dead=True):
    """Processor time of a process, and with dead of those of its children that have ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(int(x) for x in fields[11:15 if dead else 13]) / TICK


def server_s(centre):
    """Of PostgreSQL, all processes."""
    with open(os.path.join(centre.data, "postmaster.pid"), encoding="ascii") as file:
        pid = int(file.readline())
    total = cpu_s(pid)
    for child in children(pid):
        try:
            total += cpu_s(child, False)
        except FileNotFoundError:
            pass
    return total


def fill(host, n):
    """As many rows as mail would leave, with one recipient each, beside the one that is there."""
    host.ask_write(f"""
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})
        INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, is_local, message_id, size_bytes, verdict,
            form, reason, detail, cleartext_bytes, returns_readable, action, would, reply)
        SELECT time_unix, 'B' || i, host, client, authenticated, 'net.example@b' || i, is_local, message_id, size_bytes, verdict,
            form, reason, detail, cleartext_bytes, returns_readable, action, would, reply FROM n, verdict WHERE id = 1;
        INSERT INTO verdict_recipient (verdict_id, position, recipient_key, is_trustworthy, requirement, demand, source, passes)
        SELECT id, 0, 'org.example@x', 1, 'encrypted', 'encrypted', 'default', 0 FROM verdict WHERE id > 1""")


def push(place, n):
    s = Site(place, Centre(place).start(), 1, {})
    one = s.hosts[0]
    answer(one, BOB, "x@example.org", messages.cleartext(), "7A")
    wait_row(one, "SELECT 1 FROM verdict")
    s.wait_same()
    one.end_sync()
    fill(one, n)
    before = server_s(s.centre)
    began = time.monotonic()
    one.start_sync()
    wait_until(lambda: s.centre.sql("SELECT pushed_no FROM pgpgate.host") == [str(n + 1)], "all pushed", 900, 0.2)
    took, sync, server = time.monotonic() - began, cpu_s(one.sync.pid), server_s(s.centre) - before
    assert s.centre.sql("SELECT count(*), count(DISTINCT no) FROM pgpgate.verdict") == [f"{n + 1}|{n + 1}"]
    print(f"push: {n} rows in {took:.1f} s: {n / took:.0f} a second; processor time for a row: pgpgate-sync {sync / n * 1e6:.1f} us, "
          f"PostgreSQL {server / n * 1e6:.1f} us; at most {n / max(sync, server):.0f} a second, and {n / (sync + server):.0f} on one "
          f"processor; load {os.getloadavg()[0]:.1f}")
    s.stop()


def changes(place, n):
    s = Site(place, Centre(place).start(), 3, {})
    times, before, began = [], server_s(s.centre) + sum(cpu_s(h.sync.pid) for h in s.hosts), time.monotonic()
    for i in range(n):
        at = time.monotonic()
        result = s.hosts[i % 3].run("exempt", f"u{i}@example.org")
        times.append(time.monotonic() - at)
        assert result.code == 0 and "in force on mx1, mx2, mx3" in result.err, result
    spent = server_s(s.centre) + sum(cpu_s(h.sync.pid) for h in s.hosts) - before
    times.sort()
    print(f"changes: {n} in {time.monotonic() - began:.0f} s, each until it was in force on three hosts: median {times[n // 2] * 1e3:.0f} ms, "
          f"99th percentile {times[int(n * 0.99)] * 1e3:.0f} ms, longest {times[-1] * 1e3:.0f} ms; processor time of PostgreSQL and "
          f"three pgpgate-sync {spent / n * 1e3:.1f} ms a change; load {os.getloadavg()[0]:.1f}")
    s.stop()


def load(kind, pid, path, message, n, pool):
    """Processor time in us of the daemon for one message or request, and how many a second."""
    words = ["-f", message, "-x", "reject", "-D", "example.org"] if kind == "milter" else []
    before = cpu_s(pid, False)
    run = subprocess.run([os.path.join(BUILD, f"tests/bench/{kind}_load"), "-s", f"unix:{path}", "-c", "8", "-m", "1000000", "-n", str(n), "-R",
                          str(pool), *words], capture_output=True, text=True, check=False, timeout=600)
    if run.returncode != 0:
        raise SystemExit(f"{kind}_load: {run.stdout}{run.stderr}")
    out = json.loads(run.stdout)
    return (cpu_s(pid, False) - before) / n * 1e6, out.get("messages_per_s", out.get("requests_per_s"))


def hot(place, n, n_rules):
    centre = Centre(place).start()
    host = Host(place, "mx1", centre, {"stale_after": "1h"})
    host.must("db", "init")
    if n_rules:
        subprocess.run([sys.executable, os.path.join(TOP, "bench/fill_db.py"), "--rules", str(n_rules), host.database], check=True,
                       user=place.user.pw_uid, group=place.user.pw_gid)
    host.start()
    began = time.monotonic()
    host.must("site", "init", timeout=3000)
    print(f"hot: site init with {n_rules} rules in {time.monotonic() - began:.0f} s", flush=True)
    host.start_sync()
    message = os.path.join(place.directory("mail"), "clear.eml")
    with open(message, "wb") as file:
        file.write(messages.cleartext())
    answer(host, BOB, "x@example.org", messages.cleartext(), "7A")
    wait_row(host, "SELECT 1 FROM verdict")
    sync = host.sync
    sync.send_signal(signal.SIGSTOP)
    fill(host, n)
    kinds = (("milter", host.filter, 5000), ("policy", host.policyd, 20000))
    got = {(kind, mode): [] for kind, _, _ in kinds for mode in ("stopped", "pushing")}
    for turn in range(-1, 6):
        for mode in (("stopped", "pushing") if turn % 2 else ("pushing", "stopped")):
            sync.send_signal(signal.SIGSTOP if mode == "stopped" else signal.SIGCONT)
            for kind, daemon, messages_n in kinds:
                one = load(kind, daemon.process.pid, daemon.path, message, messages_n, n_rules or 1000)
                if turn >= 0:
                    got[kind, mode].append(one)
    pushed = int(centre.sql("SELECT pushed_no FROM pgpgate.host")[0])
    print(f"hot: {n} rows to push, {pushed} pushed meanwhile; {n_rules} rules; load {os.getloadavg()[0]:.1f}")
    for kind, _, messages_n in kinds:
        with_sync, without = got[kind, "pushing"], got[kind, "stopped"]
        cpu = [a[0] / b[0] for a, b in zip(with_sync, without)]
        rate = [a[1] / b[1] for a, b in zip(with_sync, without)]
        print(f"hot: {kind}: processor time for one of {messages_n}: {statistics.median(a[0] for a in without):.1f} us without, "
              f"{statistics.median(a[0] for a in with_sync):.1f} us while it is pushed; ratio {statistics.median(cpu):.3f} "
              f"({min(cpu):.2f} to {max(cpu):.2f}); a second {statistics.median(a[1] for a in without):.0f} and "
              f"{statistics.median(a[1] for a in with_sync):.0f}, ratio {statistics.median(rate):.2f} ({min(rate):.2f} to {max(rate):.2f})")
    sync.send_signal(signal.SIGCONT)
    host.end_sync()
    host.ask_to_stop()
    host.stop()


def main():
    what, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    place = Place("site-bench")
    try:
        if what == "push":
            push(place, n or 200000)
        elif what == "changes":
            changes(place, n or 1000)
        else:
            hot(place, n or 1000000, int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    finally:
        place.remove()


if __name__ == "__main__":
    main()

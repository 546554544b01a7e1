# SPDX-License-Identifier: ISC
"""Long things, each with a short form (PGPGATE_LONG: whole): the centre away under load, histories at random against a model,
a replica that is promoted, a full disk at the centre."""

import os
import random
import signal
import subprocess
import threading
import time

import pytest

from harness import messages
from harness.place import wait_until
from test_site import BOB, LONG, answer, wait_row

MODES = ("exempt", "encrypted", "ratchet")


def test_the_centre_away_under_load(site, keys):
    """Issue test 3: a quarter of an hour. Mail flows, no row is lost or doubled, nothing is refused for good; then all is pushed."""
    seconds = float(os.environ.get("PGPGATE_SITE_AWAY", 900 if LONG else 6))
    s = site(3, stale_after="2s")
    s.hosts[0].must("exempt", "open@example.org", "--wait", "20s")
    s.wait_same()
    for host in s.hosts:
        assert answer(host, BOB, "shut@example.org", messages.cleartext(), "5A") == 550
    s.wait_same()
    s.centre.stop("immediate")
    for host in s.hosts:
        wait_until(lambda host=host: answer(host, BOB, "shut@example.org", messages.cleartext(), "5B") == 451, "451")
    counts, wrong, stop = {250: 0, 451: 0}, [], time.monotonic() + seconds
    lock, encrypted = threading.Lock(), messages.inline(keys.gpg_armor())

    def load(host, number):
        i = 0
        while time.monotonic() < stop:
            to, message, right = (("open@example.org", messages.cleartext(), 250), ("shut@example.org", messages.cleartext(), 451),
                                  ("shut@example.org", encrypted, 250))[i % 3]
            got = answer(host, f"l{i % 50}@example.net", to, message, f"5C{number}{i}")
            i += 1
            with lock:
                counts[got] = counts.get(got, 0) + 1
                if got != right:
                    wrong.append((host.name, to, got))

    threads = [threading.Thread(target=load, args=(host, n)) for n, host in enumerate(s.hosts)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong, wrong[:10]
    total = sum(counts.values()) + 6
    wait_until(lambda: sum(len(h.verdicts()) for h in s.hosts) >= total, "what was answered in the databases", 120)
    waiting = sum(h.ask("SELECT (SELECT max(id) FROM verdict) - pushed_no FROM site")[0][0] for h in s.hosts)
    began = time.monotonic()
    s.centre.run()
    wait_until(lambda: s.centre.sql("SELECT count(*) FROM pgpgate.verdict") == [str(sum(len(h.verdicts()) for h in s.hosts))],
               "all pushed", 300, 0.05)
    took = time.monotonic() - began
    s.wait_same(120)
    print(f"site: away {seconds:.0f} s under load: {counts}, {waiting} rows pushed {took:.1f} s after its start")
    for host in s.hosts:
        assert answer(host, BOB, "shut@example.org", messages.cleartext(), "5D") == 550


def test_how_fast_a_backlog_is_pushed(site):
    s = site(1)
    one = s.hosts[0]
    answer(one, BOB, "x@example.org", messages.cleartext(), "5E")
    wait_row(one, "SELECT 1 FROM verdict")
    s.wait_same()
    one.end_sync()
    n = 200000 if LONG else 5000
    one.ask_write(f"""
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})
        INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, is_local, message_id, size_bytes, verdict,
            form, reason, detail, cleartext_bytes, returns_readable, action, would, reply)
        SELECT time_unix, 'B' || i, host, client, authenticated, 'net.example@b' || i, is_local, message_id, size_bytes, verdict,
            form, reason, detail, cleartext_bytes, returns_readable, action, would, reply FROM n, verdict WHERE id = 1;
        INSERT INTO verdict_recipient (verdict_id, position, recipient_key, is_trustworthy, requirement, demand, source, passes)
        SELECT id, 0, 'org.example@x', 1, 'encrypted', 'encrypted', 'default', 0 FROM verdict WHERE id > 1""")
    began = time.monotonic()
    one.start_sync()
    wait_until(lambda: s.centre.sql("SELECT pushed_no FROM pgpgate.host") == [str(n + 1)], "all pushed", 600, 0.02)
    took = time.monotonic() - began
    print(f"site: {n} rows pushed in {took:.1f} s: {n / took:.0f} a second")
    s.wait_same(120)


def figures(process):
    """Seconds of a processor that it used, and KiB of memory at most."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as stat:
        words = stat.read().rpartition(")")[2].split()
    with open(f"/proc/{process.pid}/status", encoding="ascii", errors="replace") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), peak


def test_a_storm_of_changes(site):
    """Each its own transaction with its bell, as fast as the centre can: every host has all of them, and mail goes on."""
    n = 10000 if LONG else 300
    s = site(3, stale_after="1h")
    s.hosts[0].must("exempt", "open@example.org", "--wait", "20s")
    s.wait_same()
    before = [figures(h.sync) for h in s.hosts]
    first, logs = s.no(), [len(h.sync_log()) for h in s.hosts]
    address, mode = "'u' || i % 1000 || '@example.org'", "CASE i / 1000 % 2 WHEN 0 THEN 'exempt ' ELSE 'encrypted ' END"
    row = f"jsonb_build_array(jsonb_build_array(1, {address}, '', '', {mode} || {address}, false, 100 + i, 'me', 1))"
    about = f"(SELECT detail FROM pgpgate.change WHERE no = {first}) || jsonb_build_object('next_rule', 101 + i)"
    began, answered = time.monotonic(), []
    storm = threading.Thread(target=s.centre.sql, args=(
        f"DO $$ BEGIN FOR i IN 1 .. {n} LOOP PERFORM pgpgate.change_begin(); PERFORM pgpgate.change_add({row}); "
        f"PERFORM pgpgate.change_commit(NULL, {about}); COMMIT; END LOOP; END $$",))
    storm.start()
    while storm.is_alive():
        asked = time.monotonic()
        assert answer(s.hosts[len(answered) % 3], BOB, "open@example.org", messages.cleartext(), f"5K{len(answered)}") == 250
        answered.append(time.monotonic() - asked)
        time.sleep(0.05)
    storm.join()
    made = time.monotonic() - began
    assert s.no() == first + n
    wait_until(lambda: all(h.ask("SELECT rules_no FROM site") == [(first + n,)] for h in s.hosts), "all changes on all", 600)
    took = time.monotonic() - began
    s.wait_same(300)
    used = [(now[0] - then[0], now[1] - then[1]) for now, then in zip([figures(h.sync) for h in s.hosts], before)]
    anew = sum("takes all rules" in h.sync_log()[log:] for h, log in zip(s.hosts, logs))
    answered.sort()
    print(f"site: a storm of {n} changes in {made:.1f} s: all on all after {took:.1f} s; each sync used {max(u[0] for u in used):.1f} s of a "
          f"processor and {max(u[1] for u in used)} KiB more at most; {anew} took all anew; {len(answered)} messages meanwhile, the "
          f"slowest {answered[-1] * 1000:.0f} ms")
    assert max(u[1] for u in used) < 32768, used
    for host in s.hosts:
        assert anew or host.ask("SELECT count(DISTINCT no) FROM change WHERE no > ?", first) == [(n,)]


CLOCKS = (0, 0, 900, -900, 7000, -7000, 30000, -30000, 55000, -55000, 90000, -90000)  # ms ahead of what it is


ANEW = "SELECT 1 FROM site WHERE rules_mark = 'none'"  # a snapshot is to be taken


class Model:
    """What a site should answer: rules by who wrote last, a ratchet by what was encrypted since it was forgotten. pairs: the time of
    the last such message, by the clock of the host that took it: forgotten is what was until then. forgotten: a time after each
    tombstone, by the clock of the host where it was typed."""

    def __init__(self):
        self.rules, self.pairs, self.is_paused, self.n_mails = {}, {}, False, 0
        self.steps, self.seen, self.forgotten = [], {}, {}

    def answer(self, sender, recipient):
        mode = self.rules.get(recipient, "encrypted")
        if self.is_paused or mode == "exempt":
            return 250
        return 550 if mode == "encrypted" or (sender, recipient) in self.pairs else 250


def step(s, m, rng, encrypted):
    """One thing, done to the site and to the model."""
    host = rng.choice(s.hosts)
    recipient, sender = f"r{rng.randrange(6)}@example.org", f"s{rng.randrange(4)}@example.net"
    what = rng.choice(["rule"] * 4 + ["forget", "undo", "import", "pause", "resume"] + ["mail"] * 4
                      + ["history", "kill", "cut", "freeze", "snapshot", "retention", "filter", "centre", "clock", "clock"])
    m.steps.append((what, host.name, host.ahead_ms, sender, recipient))
    if what == "rule":
        mode = rng.choice(MODES)
        if host.run(mode, recipient).code == 0:
            m.rules[recipient] = mode
    elif what == "forget":
        if host.run("forget", recipient).code in (0, 1):
            m.rules.pop(recipient, None)
    elif what == "undo":
        before = dict(m.rules)
        mode = rng.choice(MODES)
        if host.run(mode, recipient).code == 0:
            m.rules[recipient] = mode
            if mode != before.get(recipient):
                assert host.run("undo").code == 0
                m.rules = before
    elif what == "import":
        lines = {f"r{rng.randrange(6)}@example.org": rng.choice(MODES) for _ in range(rng.randrange(4))}
        text = "".join(f"{mode} {to}\n" for to, mode in lines.items()).encode()
        if host.run("import", "--replace", "--allow-empty", "-", data=text).code == 0:
            m.rules = lines
    elif what in ("pause", "resume"):
        done = host.run(*(["pause", "--for", "1h"] if what == "pause" else ["resume"]))
        if "on this host alone" in done.out + done.err:
            # The centre did not answer in time. What ends that ends the site's pause, too, once it answers.
            settle(s, m)
            host.run("resume")
            wait_until(lambda: host.run("resume").code == 0, "no pause anywhere")
            m.is_paused = False
        elif done.code == 0:
            m.is_paused = what == "pause"
    elif what == "mail":
        if m.forgotten.get((sender, recipient), 0) >= host.now() and host.ask(ANEW):
            settle(s, m)  # a snapshot forgets by time alone, and what came before it was not told yet
        m.n_mails += 1
        message = messages.inline(encrypted, sender=sender, to=recipient)
        if answer(host, sender, recipient, message, f"5F{rng.randrange(1 << 30):X}") == 250:
            m.pairs[sender, recipient] = max(host.now(), m.pairs.get((sender, recipient), 0))
    elif what == "history":
        settle(s, m)  # what is on its way would be forgotten on some hosts and not on others
        last = m.pairs.get((sender, recipient), 0)
        # A tombstone ends what was until its second: not in the one that it is about.
        wait_until(lambda: not last - 4 < host.now() < last + 2, "another second")
        m.forgotten[sender, recipient] = host.now() + 10  # it may take so long
        if host.run("forget", "--history", sender, recipient).code in (0, 1) and host.now() > last:
            m.pairs.pop((sender, recipient), None)
        settle(s, m)  # and what comes from now on, by whatever clock, comes after it
    elif what == "kill":
        host.end_sync(signal.SIGKILL)
        host.start_sync()
    elif what == "cut":
        host.proxy.cut()
    elif what == "freeze":
        host.proxy.flows.clear()
        threading.Timer(rng.random(), host.proxy.flows.set).start()
    elif what == "clock":
        host.set_clock(rng.choice(CLOCKS))
    elif what == "snapshot":
        if host.ahead_ms:
            settle(s, m)  # what this one took after a tombstone, with a time before it, is known to others
        host.ask_write("UPDATE site SET rules_mark = 'none'")
    elif what == "retention":
        host.must("db", "prune", "--older-than", "1d") if rng.random() < 0.5 else None
    elif what == "filter":
        host.filter.process.kill()
        host.filter.process.wait()
        host.filter.start()
    else:
        s.centre.stop("immediate")
        s.centre.run()
    return what


def settle(s, m):
    for host in s.hosts:
        host.proxy.flows.set()
        if abs(host.ahead_ms) > 60000:  # nothing is exchanged with such a clock
            host.set_clock(0)
    wait_until(lambda: sum(h.ask("SELECT count(*) FROM verdict")[0][0] for h in s.hosts) >= m.n_mails,
               "what was answered in the databases", 300)
    s.wait_same(300, m.seen)
    wait_until(lambda: not any(h.ask(ANEW) for h in s.hosts), "rules that are taken anew")
    wait_until(lambda: not any(h.ask("SELECT 1 FROM site_known WHERE time_unix = 0") for h in s.hosts), "what is told anew")
    known = s.centre.sql("SELECT max(no) FROM pgpgate.feed")[0] or "0"
    wait_until(lambda: all(h.ask("SELECT feed_no FROM site")[0][0] >= int(known) for h in s.hosts), "the feed everywhere")


def test_histories_at_random(site, keys):
    """Issue test 5. After each history every host answers as the model does."""
    seed = int(os.environ.get("PGPGATE_SITE_SEED", random.randrange(1 << 30)))
    n = int(os.environ.get("PGPGATE_SITE_HISTORIES", 1000 if LONG else 3))
    rng, m, done = random.Random(seed), Model(), {}
    s = site(3, clocks=True, stale_after="1h")
    encrypted = keys.gpg_armor()
    print(f"site: histories: seed {seed}")
    for i in range(n):
        for _ in range(8):
            what = step(s, m, rng, encrypted)
            done[what] = done.get(what, 0) + 1
        for host in s.hosts:
            wait_until(lambda host=host: host.ask("SELECT 1 FROM site"), "it is there")
        expected_rows = {h.name: h.ask("SELECT count(*) FROM verdict") for h in s.hosts}
        settle(s, m)
        pairs = [(f"s{a}@example.net", f"r{b}@example.org") for a in range(4) for b in range(6)]
        for sender, recipient in rng.sample(pairs, 6):
            for host in s.hosts:
                m.n_mails += 1
                got = answer(host, sender, recipient, messages.cleartext(sender=sender, to=recipient), f"5G{rng.randrange(1 << 30):X}")
                assert got == m.answer(sender, recipient), (
                    f"seed {seed}, history {i}, {host.name}: {sender} to {recipient}: {got}; {m.rules}, paused {m.is_paused}, "
                    f"{m.steps[-24:]} {host.ask('SELECT * FROM pair')} {host.must('rules', '--history')[-1500:]}")
        assert {r[1]: r[4] for r in s.rules()} == m.rules, (seed, i)
        assert all(h.ask("SELECT count(*) FROM verdict") >= expected_rows[h.name] for h in s.hosts)
        if (i + 1) % 50 == 0:
            print(f"site: seed {seed}: {i + 1} histories", flush=True)
    settle(s, m)
    m.seen.clear()
    settle(s, m)
    print(f"site: {n} histories of 8 steps: {done}: every host as the model")


def test_a_replica_is_promoted_that_lacks_the_last_commits(site, spot):
    """Issue test 6: asynchronous, so some changes and rows are gone; libpq finds the one that takes writes."""
    s = site(2)
    one, two = s.hosts
    one.must("exempt", "kept@example.org")
    answer(one, BOB, "kept@example.org", messages.cleartext(), "5H0")
    wait_row(one, "SELECT 1 FROM verdict")
    s.wait_same()
    replica = s.centre.replica("replica")
    replica.run()
    wait_until(lambda: replica.sql("SELECT no FROM pgpgate.site", "postgres") == [str(s.no())], "the replica has it")
    replica.stop()
    two.must("exempt", "lost@example.org")
    for i in range(4):
        answer(two, BOB, "lost@example.org", messages.cleartext(), f"5H1{i}")
    wait_until(lambda: len(two.verdicts()) == 4, "its mail")
    s.wait_same()
    s.centre.stop("immediate")
    log = len(two.sync_log())
    replica.promote()
    both = f"host={s.centre.dir},{replica.dir} dbname=site target_session_attrs=read-write"
    s.centre = replica
    for host in s.hosts:
        host.proxy.to = replica.dir
        host.proxy.cut()
    result = one.run("-o", f"centre={both} user=host", "-o", f"centre_admin={both} user=admin", "exempt", "other@example.org",
                     "--wait", "20s")
    assert result.code == 0, result
    s.wait_same()
    assert [r[1] for r in two.rules()] == ["kept@example.org", "other@example.org"] and len(s.verdicts("mx2")) == 4
    assert "takes all rules of the centre anew" in two.sync_log()[log:]


def test_a_full_disk_at_the_centre(make_site, spot):
    where = spot.directory("small", 0, 0, 0o755)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=220m", "tmpfs", where], check=False).returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        s = make_site(2, centre_in=os.path.join(where, "pg"))
        one, two = s.hosts
        one.must("exempt", "open@example.org", "--wait", "20s")
        filler, log = os.path.join(where, "filler"), len(one.sync_log())
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=64k"], stderr=subprocess.DEVNULL, check=False)
        for i in range(60):
            assert answer(s.hosts[i % 2], BOB, "open@example.org", messages.cleartext(), f"5I{i}") == 250
        wait_row(one, "SELECT 1 FROM verdict")
        one.ask_write("""WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, is_local, message_id, size_bytes,
                verdict, form, reason, detail, cleartext_bytes, returns_readable, action, would, reply)
            SELECT time_unix, 'F' || i, host, client, authenticated, 'net.example@f', 0, hex(randomblob(200)), size_bytes, verdict,
                form, reason, detail, cleartext_bytes, returns_readable, action, would, reply
            FROM n, (SELECT * FROM verdict LIMIT 1)""")
        one.wait_said("the centre: ", log)  # PostgreSQL says that there is no space, or ends
        assert answer(one, BOB, "open@example.org", messages.cleartext(), "5J") == 250 and one.sync.poll() is None
        os.unlink(filler)
        s.centre.stop("immediate")
        s.centre.run()
        s.wait_same(120)
        print(f"site: a full disk: {len(one.verdicts())} rows, each once")
        s.stop()
        s.centre.stop("immediate")
    finally:
        subprocess.run(["umount", "-l", where], check=False)

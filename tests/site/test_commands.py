# SPDX-License-Identifier: ISC
"""The command line at a site: --site, --wait, what holds on one host alone, doctor; and what a decision costs."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess

import pytest

from harness import messages
from harness.place import wait_until
from test_site import BOB, answer, wait_row


def test_commands_that_read_the_record_of_all(site, keys):
    s = site(3)
    one, two, three = s.hosts
    one.must("require", "shut@example.org")
    s.wait_same()
    for host, queue_id in zip(s.hosts, ("4M1", "4M2", "4M3")):
        answer(host, BOB, "shut@example.org", messages.cleartext(), queue_id)
    answer(three, BOB, "shut@example.org", messages.inline(keys.gpg_armor()), "4M4")
    wait_until(lambda: [len(h.verdicts()) for h in s.hosts] == [1, 1, 2], "their mail")
    s.wait_same()
    rows = [json.loads(line) for line in one.must("log", "--site", "--json").splitlines()]
    assert sorted((r["host"], r["queue_id"]) for r in rows) == [
        ("mx1", "4M1"), ("mx2", "4M2"), ("mx3", "4M3"), ("mx3", "4M4")]
    assert rows[0]["recipients"][0]["address"] == "shut@example.org" and rows[0]["recipients"][0]["rule"] == 1
    assert len(one.must("log", "--json").splitlines()) == 1
    text = one.must("log", "--site")
    assert "mx3  bob@example.net -> shut@example.org" in text, text
    assert len(one.must("log", "--site", "--json", "-n", "1").splitlines()) == 1
    found = one.must("explain", "--queue-id", "4M2", "--site")
    assert "mx2" in found and "shut@example.org" in found
    assert one.run("explain", "--queue-id", "4M2").code == 1
    report = json.loads(one.must("report", "--site", "--json").splitlines()[0])
    assert report["messages"] == 4 and json.loads(one.must("report", "--json").splitlines()[0])["messages"] == 1
    assert json.loads(one.must("report", "--site", "--by", "recipient", "--json").splitlines()[0])["messages"] == 4
    simulated = json.loads(one.must("simulate", "exempt", "shut@example.org", "--site", "--json"))
    assert (simulated["messages"], simulated["newly_accepted"]) == (4, 3)
    one.must("suggest", "--site")
    assert one.ask("SELECT count(*) FROM verdict") == [(1,)] and two.run("log", "--site", "--follow").code == 64

    # --wait: a host that is there and does not have it; one that was not seen for long is not waited for.
    three.proxy.flows.clear()
    result = one.run("exempt", "w@example.org", "--wait", "1s")
    assert result.code == 75 and "mx3 was last seen" in result.err, result
    s.centre.sql("UPDATE pgpgate.host SET last_seen = now() - interval '1 hour' WHERE name = 'mx3'")
    assert one.run("exempt", "v@example.org", "--wait", "20s").code == 0
    status = one.run("site", "status")
    assert status.code == 1 and re.search(r"mx3 .* 36\d\d s .*silent", status.out), status
    three.proxy.flows.set()
    three.proxy.cut()
    s.wait_same()

    # What holds on one host alone is said there.
    s.centre.stop("immediate")
    wait_until(lambda: one.run("exempt", "x@example.org").code == 75, "the centre is away")
    one.must("exempt", "here@example.org", "--here", "--expires", "1h")
    one.must("pause", "--for", "1h")
    for words in (["rules"], ["log"], ["explain", "here@example.org"]):
        told = one.run(*words).err
        assert "exempt on this host alone until" in told and "PAUSED on this host alone" in told, (words, told)
    one.must("resume")
    assert one.run("log", "--site").code != 0
    s.centre.run()
    s.wait_same()

    # Doctor: rights that are too wide, another key, and the centre's version.
    healthy = one.run("doctor", "--json").out
    assert "the role of this host" not in healthy and "schema version" not in healthy, healthy
    s.centre.sql("GRANT INSERT ON pgpgate.rule TO host; GRANT SELECT ON pgpgate.host TO host; "
                 "GRANT EXECUTE ON FUNCTION pgpgate.change_begin() TO host; UPDATE pgpgate.site SET hash_check = 'x', version = 3")
    told = one.run("doctor").out
    for word in ("may write to rule", "may read host", "may call change_begin", "log_addresses is not as", "schema version 3"):
        assert word in " ".join(told.split()), (word, told)
    s.centre.sql("UPDATE pgpgate.site SET hash_check = NULL, version = 2")


def test_sync_tells_the_service_manager_how_it_is(site, spot):
    """That it is ready, lives, and stops; one that hangs says nothing, and WatchdogSec= has it started anew."""
    s = site(1)
    one = s.hosts[0]
    one.end_sync()
    path = os.path.join(spot.directory("notify", mode=0o777), "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        os.chmod(path, 0o777)
        manager.settimeout(60)
        one.prefix = ["env", f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=400000"]
        one.start_sync()
        one.prefix = []

        def hear(word):
            while word not in manager.recv(4096).decode().splitlines():
                pass
        hear("READY=1")
        for _ in range(3):
            hear("WATCHDOG=1")
        one.proxy.flows.clear()  # a centre that hangs is none of its own
        hear("WATCHDOG=1")
        one.sync.send_signal(signal.SIGSTOP)
        manager.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while manager.recv(4096):
                pass
        manager.settimeout(1)
        with pytest.raises(TimeoutError):
            manager.recv(4096)
        manager.settimeout(60)
        one.sync.send_signal(signal.SIGCONT)
        hear("WATCHDOG=1")
        one.proxy.flows.set()
        one.sync.send_signal(signal.SIGTERM)
        hear("STOPPING=1")
        one.end_sync()


def test_what_libpq_looks_for_at_home(site, spot):
    """At that of the user whom the programs become, not at root's, who typed the command."""
    s = site(1)
    one = s.hosts[0]
    for owner, code in ((spot.user.pw_uid, 0), (0, 1)):
        home = spot.directory(f"home-{owner}", owner, 0)
        with open(os.path.join(home, ".pg_service.conf"), "w", encoding="utf-8") as services:
            services.write(f"[here]\nhost={s.centre.dir}\ndbname=site\nuser=host\n")
        one.prefix = ["env", f"HOME={home}"]
        result = one.run("-o", "centre=service=here", "site", "status")
        assert result.code == code and ("definition of service" in result.err) == (code == 1), result
    one.prefix = []


def test_a_decision_costs_no_more_at_a_site(site, make_pair):
    """System calls of the filter for a message, with the same mail to one that stands alone; no socket to anywhere."""
    alone = make_pair("alone", enforce="yes")
    s = site(1, stale_after="1h")
    counts = {}
    for name, host in (("alone", alone), ("site", s.hosts[0])):
        host.must("require", "shut@example.org")
        answer(host, BOB, "shut@example.org", messages.cleartext())
        if host is not alone:  # each pull, once a second, has the state read again: not what a decision costs
            host.sync.send_signal(signal.SIGSTOP)
        log = f"{host.dir}/strace"
        with subprocess.Popen(["strace", "-f", "-e", "trace=connect,socket,fcntl,pread64,sendto,sendmsg,openat", "-o", log, "-p",
                               str(host.filter.process.pid)], stderr=subprocess.PIPE) as tracer:
            assert b"attached" in tracer.stderr.readline()
            for i in range(20):
                assert answer(host, BOB, "shut@example.org", messages.cleartext(), f"4N{i}") == 550
            tracer.terminate()
            tracer.wait()
        with open(log, encoding="utf-8", errors="replace") as file:
            calls = file.read()
        assert "AF_INET" not in calls and "PGSQL" not in calls, calls[:2000]
        counts[name] = {call: len(re.findall(rf" {call}\(", calls)) for call in ("connect", "socket", "fcntl", "pread64")}
    s.hosts[0].sync.send_signal(signal.SIGCONT)
    print(f"site: system calls for 20 messages: {counts}")
    assert counts["site"]["socket"] == counts["alone"]["socket"] and counts["site"]["connect"] == counts["alone"]["connect"]
    # Locks of a read transaction come by fcntl: as many transactions. The mover's, which has its own time, are let pass.
    assert counts["site"]["fcntl"] <= counts["alone"]["fcntl"] * 1.3 + 40, counts


def test_what_was_not_pushed_is_kept_for_so_long(site):
    """Retention leaves it alone up to unpushed_max; then it is counted, and said. And two limits of the command line."""
    s = site(1, unpushed_max="2d")
    one = s.hosts[0]
    answer(one, BOB, "a@example.org", messages.cleartext(), "4P0")
    wait_row(one, "SELECT 1 FROM verdict")
    s.wait_same()
    one.end_sync()
    for i in range(4):
        answer(one, BOB, "a@example.org", messages.cleartext(), f"4P{i + 1}")
    wait_row(one, "SELECT 1 FROM verdict WHERE queue_id = '4P4'")
    one.ask_write("UPDATE verdict SET time_unix = time_unix - 86400 * 3 / 2")
    one.must("db", "prune", "--older-than", "1d")
    assert [v[2] for v in one.verdicts()] == ["4P1", "4P2", "4P3", "4P4"]  # what the centre has may go
    one.ask_write("UPDATE verdict SET time_unix = time_unix - 86400 WHERE queue_id < '4P3'")
    one.must("db", "prune", "--older-than", "1d")
    assert [v[2] for v in one.verdicts()] == ["4P3", "4P4"]
    assert "pgpgate_site_unpushed_removed 2" in one.must("metrics")
    log = len(one.sync_log())
    one.start_sync()
    one.wait_said("2 verdicts were removed by age (unpushed_max)", log)
    # The first one the centre keeps by its own rules: it is gone here.
    wait_until(lambda: sorted(v[2] for v in s.verdicts("mx1")) == ["4P0", "4P3", "4P4"], lambda: s.verdicts("mx1"))

    too_long = one.run("exempt", "b@example.org", "--here", "--expires", "7h")
    assert too_long.code == 64 and "within 6h" in too_long.err, too_long
    # Who joins is shown what of its own rules would go, and keeps it until that is meant.
    two = s.add("mx2", join=False)
    two.run("-o", "centre=", "-o", "centre_admin=", "exempt", "own@example.org")
    refused = two.run("site", "join")
    assert refused.code == 1 and "own@example.org" in refused.out + refused.err and len(two.rules()) == 1, refused
    two.must("site", "join", "--yes")
    two.start_sync()
    wait_until(lambda: two.rules() == s.rules() == [], lambda: f"{two.rules()} {s.rules()}")


def test_the_centre_drops_whole_months_and_has_views_for_people(site):
    s = site(1, verdict_retention="60d")
    one = s.hosts[0]
    for queue_id in ("4R0", "4R1"):
        answer(one, BOB, "a@example.org", messages.cleartext(), queue_id)
    wait_row(one, "SELECT 1 FROM verdict WHERE queue_id = '4R1'")
    s.wait_same()
    months = "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE inhparent = 'pgpgate.verdict'::regclass ORDER BY 1"
    then = "extract(epoch FROM now() - interval '%d days')::bigint"
    present = s.centre.sql(months)
    for days in (40, 400):
        s.centre.sql(f"SELECT pgpgate.make_partition({then % days})")
        s.centre.sql(f"INSERT INTO pgpgate.verdict SELECT (jsonb_populate_record(v, jsonb_build_object('no', -{days}, 'time_unix', {then % days}))).* "
                     "FROM pgpgate.verdict v WHERE queue_id = '4R0' AND no > 0")
    assert len(s.centre.sql(months)) > len(present)
    old, kept = (s.centre.sql(f"SELECT to_char(to_timestamp({then % days}) AT TIME ZONE 'UTC', '\"verdict_\"YYYY_MM')")[0] for days in (400, 40))
    s.centre.sql("SELECT pgpgate.maintain()")
    left = s.centre.sql(months)
    assert old not in left and kept in left and set(present) <= set(left), (old, kept, left)
    assert s.centre.sql("SELECT no FROM pgpgate.verdict WHERE no < 0") == ["-40"]
    assert s.centre.sql("SELECT mx, queue_id, action, recipients->0->>0 FROM pgpgate.verdicts WHERE no > 0 ORDER BY queue_id") == [
        f"mx1|{queue_id}|refuse|org.example@a" for queue_id in ("4R0", "4R1")]
    assert s.centre.sql("SELECT mx, reason, sum(n) FROM pgpgate.refusals_by_day GROUP BY 1, 2") == ["mx1|no-openpgp|3"]
    assert s.centre.sql("SELECT name, rules_behind, is_gone FROM pgpgate.hosts") == ["mx1|0|f"]

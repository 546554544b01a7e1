# SPDX-License-Identifier: ISC
"""What a damaged, strange, older or newer centre says, backups that were put back, a host that was away: nothing stops mail,
nothing is loosened, no rule comes back."""

import os
import signal
import sqlite3
import threading

from harness import messages
from harness.milter import Milter, code
from harness.place import wait_until
from harness.smtp import LOCAL
from test_site import BOB, answer, wait_row

HERE = os.path.dirname(os.path.realpath(__file__))
BIG = 9223372036854775807


def heard(host):
    """A pull that succeeded after this moment."""
    host.ask_write("UPDATE site SET last_pull_unix = 1")
    wait_until(lambda: host.ask("SELECT 1 FROM site WHERE last_pull_unix > 1"),
               lambda: f"{host.name} hears the centre: {host.sync_log()[-600:]}")


def test_a_damaged_centre_stops_and_loosens_nothing(site, keys):
    s = site(2, stale_after="2s")
    one, two = s.hosts
    one.must("require", "shut@example.org")
    one.must("exempt", "open@example.org")
    s.wait_same()
    assert answer(one, BOB, "p@example.org", messages.inline(keys.gpg_armor())) == 250
    wait_row(two, "SELECT 1 FROM pair WHERE n_encrypted > 0")
    s.wait_same()
    good = two.ask("SELECT * FROM pair"), two.rules()

    # The feed: each column in turn. What cannot be is left out, and what is good beside it arrives.
    items = [("'pair'", f"'{'x' * 600}'", "'b'", "''", 5, 5), ("'pair'", "''", "'b'", "''", 5, 5),
             ("'pair'", "'a'", "'b'", "''", BIG, BIG), ("'pair'", "'a'", "'b'", "''", -1, 5), ("'pair'", "'a'", "'b'", "'c'", 5, 5),
             ("'pair'", "'a'", "'b'", "''", 6, 5), ("'window'", "'a'", "'b'", "''", 5, 4102444800),
             ("'window'", "'a'", f"'{'y' * 90000}'", "''", 5, 5), ("'bounce'", "'a'", "''", "''", 1, BIG),
             ("'split'", "'a'", "'b'", "'1:zz'", 1, 5), ("'split'", "'a'", "'b'", f"'{'9' * 30}:{'A' * 64}'", 1, 5),
             ("'split'", "'a'", "'b'", f"'1:{'A' * 64}'", 99, 5), ("'count'", "'a'", "'no host'", "'1'", 1, 5),
             ("'count'", "'a'", "gen_random_uuid()::text", "'99999999'", 1, 5),
             ("'count'", "'a'", "gen_random_uuid()::text", "'1'", BIG, 5), ("'what is that'", "'a'", "'b'", "'c'", 1, 5)]
    rows = [(*item[:1], *(str(x).replace("'a'", f"'a{i}'") for x in item[1:])) for i, item in enumerate(items)]
    rows.append(("'pair'", "'net.example@last'", "'org.example@q'", "''", 5, 6))
    s.centre.sql("INSERT INTO pgpgate.feed SELECT (SELECT coalesce(max(no), 0) FROM pgpgate.feed) + i, gen_random_uuid(), k, a, b, c, x, y "
                 "FROM (VALUES " + ", ".join(f"({i + 1}, {', '.join(map(str, row))})" for i, row in enumerate(rows))
                 + ") AS v (i, k, a, b, c, x, y)")
    s.centre.sql("UPDATE pgpgate.feed_counter SET no = (SELECT max(no) FROM pgpgate.feed)")
    wait_row(two, "SELECT 1 FROM pair WHERE sender_key = 'net.example@last' AND first_encrypted_unix = 5")
    heard(two)
    assert two.ask("SELECT * FROM pair WHERE sender_key <> 'net.example@last'") == good[0] and two.rules() == good[1]
    for table in ("outgoing", "bounce_window", "split_evidence", "site_bounce"):
        assert two.ask(f"SELECT * FROM {table}") == [], table
    assert f"{len(items)} items of what hosts tell each other cannot be used" in two.sync_log()
    s.centre.sql("DELETE FROM pgpgate.feed WHERE y < 100 OR y > 4000000000")

    # A host that lies about the time opens no window that stays open.
    told = s.centre.sql("SELECT host_id || ' ' || boot FROM pgpgate.host WHERE name = 'mx1'")[0].split(" ", 1)
    one.end_sync()
    s.centre.sql(f"""SELECT pgpgate.push('{told[0]}', '{told[1]}', 0, '[]', '[["window", "org.example@me", "net.example", "",
                 4102444800, 4102444800]]', '[]')""", "host")
    assert s.centre.sql("SELECT 1 FROM pgpgate.feed WHERE y > extract(epoch FROM now()) + 100") == []
    one.start_sync()

    # Changes: a row that is gone, or cannot be read, a number left out, other times: all rules are taken anew.
    for n, harm in enumerate((
            "DELETE FROM pgpgate.change_row WHERE no = {no}", "UPDATE pgpgate.change_row SET text = 'nonsense' WHERE no = {no}",
            "UPDATE pgpgate.change_row SET rule_id = {big} WHERE no = {no}", "DELETE FROM pgpgate.change WHERE no = {no}",
            "UPDATE pgpgate.change SET time_unix = {big} WHERE no = {no}", "UPDATE pgpgate.change SET author = repeat('a', 9000) "
            "WHERE no = {no}", "UPDATE pgpgate.change SET undoes = {big} WHERE no = {no}",
            "UPDATE pgpgate.change SET detail = '[1]' WHERE no = {no}")):
        two.end_sync()
        one.must("exempt", f"d{n}@example.org")
        one.must("forget", f"d{n - 1}@example.org") if n else one.must("pause", "--for", "1h")
        if not n:
            one.must("resume")
        s.centre.sql(harm.format(no=s.no() - (1 if n else 2), big=BIG))
        two.start_sync()
        s.wait_same()
        assert [r[1] for r in two.rules()] == ["shut@example.org", "open@example.org", f"d{n}@example.org"], harm
    # A rule that no version can read: nothing changes, the record goes on, and a refusal is not for good.
    two.end_sync()
    s.centre.sql("UPDATE pgpgate.rule SET text = 'sesame d7@example.org' WHERE recipient = 'd7@example.org'; "
                 "UPDATE pgpgate.site SET mark = gen_random_uuid(); "
                 "UPDATE pgpgate.change SET mark = (SELECT mark FROM pgpgate.site) WHERE no = (SELECT no FROM pgpgate.site)")
    log = len(two.sync_log())
    two.start_sync()
    two.wait_said("cannot be read", log)
    wait_until(lambda: answer(two, BOB, "shut@example.org", messages.cleartext(), "4I1") == 451, "451 instead of 550")
    assert len(two.rules()) == 3 and answer(two, BOB, "open@example.org", messages.cleartext(), "4I2") == 250
    wait_until(lambda: s.verdicts("mx2") == two.verdicts(), "rows are pushed all the same")
    s.centre.sql("UPDATE pgpgate.rule SET text = 'exempt d7@example.org' WHERE recipient = 'd7@example.org'")
    s.wait_same()

    # Tables and rights that are gone, and come back.
    rules = two.rules()
    for harm, cure in (("ALTER TABLE pgpgate.feed RENAME TO lost", "ALTER TABLE pgpgate.lost RENAME TO feed"),
                       ("ALTER TABLE pgpgate.site RENAME TO lost", "ALTER TABLE pgpgate.lost RENAME TO site"),
                       ("ALTER TABLE pgpgate.verdict RENAME TO lost", "ALTER TABLE pgpgate.lost RENAME TO verdict"),
                       ("REVOKE USAGE ON SCHEMA pgpgate FROM host", "GRANT USAGE ON SCHEMA pgpgate TO host")):
        s.centre.sql(harm)
        answer(two, BOB, "open@example.org", messages.cleartext(), "4I3")
        wait_until(lambda: answer(two, BOB, "shut@example.org", messages.cleartext(), "4I4") in (451, 550), harm)
        assert two.rules() == rules and two.sync.poll() is None
        s.centre.sql(cure)
        heard(two)
    s.wait_same()


def test_a_centre_that_cannot_be_written_to(site):
    """Read-only by a setting of the database, as before it is moved, or with calls that end too early: a session keeps such a setting
    until it ends, so hosts begin another. Meanwhile a pause holds on one host."""
    s = site(2, stale_after="2s")
    one = s.hosts[0]
    for what, setting, value in (("read-only", "default_transaction_read_only", "on"), ("statement timeout", "statement_timeout", "1")):
        logs = [len(h.sync_log()) for h in s.hosts]
        s.centre.sql(f"ALTER DATABASE site SET {setting} = {value}")
        for host, log in zip(s.hosts, logs):
            host.proxy.cut()
            host.wait_said(what, log)
        wait_until(lambda: answer(one, BOB, "shut@example.org", messages.cleartext()) == 451, "451 instead of 550")
        if what == "read-only":  # a change may be quick enough for the other
            assert one.run("exempt", "a@example.org").code == 75
            assert "on this host alone" in one.run("pause", "--for", "1h").err
            assert answer(one, BOB, "shut@example.org", messages.cleartext()) == 250
            one.must("resume")
        s.centre.sql(f"BEGIN READ WRITE; SET LOCAL statement_timeout = 0; ALTER DATABASE site RESET {setting}; COMMIT")
        for host, log in zip(s.hosts, logs):
            host.wait_said("the centre is back", log)
        s.wait_same()
    # Each change waits for the one before, whatever the database says of transactions.
    s.centre.sql("ALTER DATABASE site SET default_transaction_isolation = 'serializable'")
    for host in s.hosts:
        host.proxy.cut()
    log = len(one.sync_log())
    results = []
    threads = [threading.Thread(target=lambda host=host, i=i: results.append(host.run("exempt", f"i{i}@example.org")))
               for i, host in enumerate(s.hosts * 4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [r.code for r in results] == [0] * 8, results
    s.wait_same()
    assert "serialize" not in one.sync_log()[log:]


def test_a_host_that_cannot_go_on_is_named(site):
    """It asks each second, so it is not silent; what keeps it back is said by `site status`, on any host."""
    s = site(2, clocks=True)
    one, two = s.hosts

    def named(words):
        status = one.run("site", "status")
        return status.code == 1 and any(line.startswith("mx2 ") and words in line for line in status.out.splitlines())

    assert one.run("site", "status").code == 0
    two.set_clock(90000)
    wait_until(lambda: named("its clock is wrong"), lambda: one.run("site", "status"))
    two.set_clock(0)
    wait_until(lambda: one.run("site", "status").code == 0, lambda: one.run("site", "status"))
    two.end_sync()
    one.must("exempt", "a@example.org")
    s.centre.sql("UPDATE pgpgate.rule SET text = 'sesame a@example.org'; UPDATE pgpgate.change_row SET text = 'sesame a@example.org'")
    two.start_sync()
    wait_until(lambda: "cannot be read" in two.sync_log() and named("its rules are behind"), lambda: one.run("site", "status"))
    s.centre.sql("UPDATE pgpgate.rule SET text = 'exempt a@example.org'")
    s.wait_same()
    assert one.run("site", "status").code == 0


def test_backups_that_were_put_back_bring_nothing_back(site):
    s = site(2)
    one, two = s.hosts
    one.must("exempt", "gone@example.org")
    answer(one, BOB, "gone@example.org", messages.cleartext(), "4J0")
    s.wait_same()
    path = one.back_up()
    # After the backup: the exemption goes, another rule takes a number, more mail comes, and a pair is forgotten.
    two.must("forget", "gone@example.org")
    two.must("require", "later@example.org")
    for i in range(5):
        answer(one, BOB, f"a{i}@example.org", messages.cleartext(), f"4J1{i}")
    wait_until(lambda: len(one.verdicts()) == 6, "its mail")
    s.wait_same()
    pushed = s.verdicts("mx1")
    one.put_back(path)
    # Numbers are given out again before the centre is heard; more than were.
    for i in range(8):
        answer(one, BOB, f"b{i}@example.org", messages.cleartext(), f"4J2{i}")
    wait_until(lambda: len(one.verdicts()) == 9, "eight after the one")
    one.start_sync()
    wait_until(lambda: len(s.verdicts("mx1")) == 8, lambda: f"the eight under a new id: {one.sync_log()[-900:]}")
    assert [r[1] for r in one.rules()] == ["later@example.org"] == [r[1] for r in two.rules()]
    assert sorted(r[2] for r in s.verdicts("mx1")) == [f"4J2{i}" for i in range(8)]
    # What the first life recorded is there, each once, and the name tells until when.
    old = s.centre.sql("SELECT count(*), count(DISTINCT no) FROM pgpgate.verdicts WHERE mx LIKE 'mx1 until %'")
    assert old == [f"{len(pushed)}|{len(pushed)}"]
    assert "was another message once" in one.sync_log()
    assert answer(one, BOB, "gone@example.org", messages.cleartext()) == 550
    assert [line.split()[0] for line in one.run("site", "status").out.splitlines()[1:]] == ["mx1", "mx2"]
    # A host that was forgotten does not come back by itself.
    log = len(one.sync_log())
    two.must("site", "forget", "mx1")
    one.wait_said("does not belong to the site (any more)", log)


def test_a_host_that_was_away_for_a_month(site, keys):
    s = site(2, unpushed_max="60d")
    one, two = s.hosts
    one.must("exempt", "gone@example.org")
    one.must("ratchet", "r@example.org")
    s.wait_same()
    assert answer(two, BOB, "r@example.org", messages.inline(keys.gpg_armor()), "4K0") == 250
    s.wait_same()
    two.end_sync()
    # A month passes for the second.
    for i in range(3):
        answer(two, "carol@example.net", "r@example.org", messages.inline(keys.gpg_armor()), f"4K1{i}")
    wait_until(lambda: len(two.verdicts()) == 4, "its mail")
    two.ask_write("UPDATE verdict SET time_unix = time_unix - 2592000 WHERE id > 1; UPDATE site SET last_pull_unix = last_pull_unix - "
                  "2592000; UPDATE pair SET first_encrypted_unix = first_encrypted_unix - 2592000, "
                  "last_encrypted_unix = last_encrypted_unix - 2592000; UPDATE site_known SET time_unix = time_unix - 2592000")
    one.must("forget", "gone@example.org")
    one.must("forget", "--history", BOB, "r@example.org")
    for i in range(30):
        one.must("exempt", f"n{i}@example.org")
    # It has been away for longer than stale_refusal: what it knows counts, and the log says so.
    assert answer(two, BOB, "r@example.org", messages.cleartext(), "4K2") == 550
    two.start_sync()
    wait_until(lambda: len(s.verdicts("mx2")) >= 5, "what it did then is at the centre")
    wait_until(lambda: two.rules() == one.rules(), "its rules")
    assert answer(two, BOB, "r@example.org", messages.cleartext(), "4K3") == 250
    wait_row(one, "SELECT 1 FROM pair WHERE sender_key = 'net.example@carol'")
    assert one.ask("SELECT 1 FROM pair WHERE sender_key = 'net.example@bob' AND n_encrypted > 0") == []
    # So long that a snapshot is taken: what was forgotten meanwhile is forgotten there, too.
    assert answer(two, "dora@example.net", "r@example.org", messages.inline(keys.gpg_armor()), "4K4") == 250
    wait_row(one, "SELECT 1 FROM pair WHERE sender_key = 'net.example@dora'")
    two.end_sync()
    two.ask_write("UPDATE pair SET first_encrypted_unix = first_encrypted_unix - 9, last_encrypted_unix = last_encrypted_unix - 9")
    one.must("forget", "--history", "dora@example.net", "r@example.org")
    two.ask_write("UPDATE site SET rules_mark = 'none'")
    two.start_sync()
    wait_until(lambda: two.ask("SELECT 1 FROM pair WHERE sender_key = 'net.example@dora'") == [], "dora's tombstone")


def test_versions_apart(site, spot):
    s = site(1)
    one = s.hosts[0]
    # A centre that is one version ahead: columns and functions more.
    s.centre.sql("UPDATE pgpgate.site SET version = 3; ALTER TABLE pgpgate.rule ADD COLUMN more text; "
                 "ALTER TABLE pgpgate.change ADD COLUMN more text; ALTER TABLE pgpgate.feed ADD COLUMN more text")
    one.must("exempt", "a@example.org", "--wait", "20s")
    answer(one, BOB, "a@example.org", messages.cleartext())
    s.wait_same()
    result = one.run("site", "init")
    assert result.code != 0 and "schema version 3 already" in result.err, result
    # Two ahead: nothing is exchanged, and said.
    log = len(one.sync_log())
    s.centre.sql("UPDATE pgpgate.site SET version = 4")
    one.wait_said("until it is upgraded", log)
    assert one.run("exempt", "b@example.org").code == 75 and len(one.rules()) == 1
    s.centre.sql("UPDATE pgpgate.site SET version = 2")
    s.wait_same()


def test_a_centre_of_the_version_before(site, spot):
    """Made as version 1 made it: hosts of this version go on with it, and `site init` brings it up to date."""
    s = site(2)
    one, two = s.hosts
    one.must("exempt", "kept@example.org")
    answer(one, BOB, "kept@example.org", messages.cleartext(), "4L0")
    s.wait_same()
    for host in s.hosts:
        host.end_sync()
    tables = "site feed_counter rule change change_row host feed tombstone verdict".split()
    columns = {t: ", ".join(s.centre.sql(f"SELECT column_name FROM information_schema.columns WHERE table_schema = 'pgpgate' "
                                         f"AND table_name = '{t}' AND column_name NOT IN ('is_gone', 'renewed_as', 'key_ids', 'has_aliases', "
                                         f"'incarnation', 'incarnation_mark', 'incarnation_before', 'incarnation_at', "
                                         f"'true_seen', 'is_behind', 'is_copy', 'verdict_retention_s', 'pair_retention_s') OR (table_schema = 'pgpgate' AND "
                                         f"table_name = '{t}' AND '{t}' = 'site' AND column_name = 'verdict_retention_s')"
                                         f" EXCEPT SELECT 'no' WHERE '{t}' = 'tombstone'"))
               for t in tables}
    with open(os.path.join(HERE, "schema-1.sql"), encoding="utf-8") as old:
        text = old.read()
    s.centre.sql("ALTER SCHEMA pgpgate RENAME TO newer")
    s.centre.sql("BEGIN; " + text + "; SELECT pgpgate.make_partition(extract(epoch FROM now())::bigint); " + "; ".join(
        f"INSERT INTO pgpgate.{t} ({columns[t]}) SELECT {columns[t]} FROM newer.{t}" for t in tables)
        + "; UPDATE pgpgate.site SET version = 1; DROP SCHEMA newer CASCADE; GRANT USAGE ON SCHEMA pgpgate TO host; "
        "GRANT SELECT ON ALL TABLES IN SCHEMA pgpgate TO host; GRANT EXECUTE ON FUNCTION pgpgate.started(), "
        "pgpgate.lease(uuid, text), pgpgate.register(text), pgpgate.unregister(uuid), pgpgate.pull(uuid, text, jsonb), "
        "pgpgate.change_rows(bigint, bigint, integer), pgpgate.snapshot_head(), pgpgate.snapshot_rows(bigint, integer), "
        "pgpgate.make_partition(bigint), pgpgate.push(uuid, text, bigint, jsonb, jsonb, jsonb), pgpgate.maintain(), "
        "pgpgate.hosts_json() TO host; COMMIT")
    for host in s.hosts:
        host.start_sync()
    one.must("exempt", "old@example.org", "--wait", "20s")
    # A key, which it would take for a rule, is not handed over to it.
    refused = one.run("keys", "add", "old@example.org", "0123456789ABCDEF0123456789ABCDEF01234567")
    assert refused.code != 0 and "version 1" in refused.err and len(one.rules()) == 2, refused
    answer(two, BOB, "old@example.org", messages.cleartext(), "4L1")
    two.end_sync()
    two.ask_write("UPDATE site SET rules_mark = 'none'")
    two.start_sync()
    s.wait_same()
    # It leaves, by the form of the call that such a centre has, and comes back.
    two.end_sync()
    left = two.run("site", "leave")
    assert left.code == 0 and "was not told" not in left.err, left
    assert s.centre.sql("SELECT count(*) FROM pgpgate.host WHERE name = 'mx2'") == ["0"]
    two.must("site", "join", "--yes")
    two.start_sync()
    s.wait_same()
    assert "has schema version 2" in one.must("site", "init")
    two.must("exempt", "new@example.org", "--wait", "20s")
    answer(one, BOB, "new@example.org", messages.cleartext(), "4L2")
    s.wait_same()
    assert len(one.rules()) == 3 and s.centre.try_sql("SELECT boot FROM pgpgate.host", "host").returncode != 0

# SPDX-License-Identifier: ISC
"""A host's role in wrong hands at the centre, and a centre in wrong hands: what they say is looked at, and ends."""

import json
import os
import re
import subprocess

from harness import messages
from harness.place import wait_until

from centre import programs
from test_copies import go_down
from test_site import BOB, answer, take, wait_row


def identity(s, name):
    """What the host itself says at the centre: its id and its lease."""
    return s.centre.sql(f"SELECT host_id || ' ' || boot FROM pgpgate.host WHERE name = '{name}'")[0].split(" ", 1)


def test_one_host_holds_up_no_other(site):
    """What a host puts into the feed, or says of itself, is read by all: no item of it may be more than one can be."""
    s = site(2)
    one, two = s.hosts
    host, boot = identity(s, "mx1")
    one.end_sync()
    long = json.dumps([["pair", f"net.example@{i}", "LONG", "", 5, 6] for i in range(3)] + [
        ["what is that", "a", "b", "c", 1, 5], ["pair", None, "b", "", 5, 6], ["pair", "net.example@good", "org.example@b", "", 5, 6]])
    s.centre.sql(f"SELECT pgpgate.push('{host}', '{boot}', 0, '[]', replace('{long}', 'LONG', repeat('y', 600000))::jsonb, '[]')", "host")
    wait_row(two, "SELECT 1 FROM pair WHERE sender_key = 'net.example@good'")
    assert s.centre.sql("SELECT count(*) FROM pgpgate.feed WHERE length(b) > 511 OR kind = 'what is that'") == ["0"]
    # Whatever it says of itself: no line breaks, no escapes, no length.
    about = {"version": "v" * 5000, "rules_no": 0, "rules_mark": "", "feed_no": 0, "started": "", "waiting": 0, "oldest": 0,
             "offset": 0, "here": "\x1b[2J\n" + "h" * 100000, "verdict_retention": 0, "pair_retention": 0}
    s.centre.sql(f"SELECT pgpgate.pull('{host}', '{boot}', '{json.dumps(about)}')", "host")
    row = json.loads(s.centre.sql("SELECT pgpgate.hosts_json()", "host")[0])["hosts"][0]
    assert len(row["here"]) <= 1000 and len(row["version"]) <= 40 and "\x1b" not in row["here"] and "\n" not in row["here"]
    assert "\x1b" not in two.run("site", "status").out
    for name in ("a b", "x" * 64, "new\nline", "\x1b[2J", ""):
        escaped = name.replace("\n", "' || chr(10) || '").replace("\x1b", "' || chr(27) || '")
        assert "error" in s.centre.sql(f"SELECT pgpgate.register('{escaped}')", "host")[0], name
    assert "host" in s.centre.sql("SELECT pgpgate.register('mx9.example.org')", "host")[0]
    assert s.centre.try_sql("SELECT pgpgate.make_partition(0)", "host").returncode != 0
    one.start_sync()
    s.centre.sql("DELETE FROM pgpgate.host WHERE name = 'mx9.example.org'")
    s.wait_same()


def test_no_host_speaks_for_another(site):
    """By what another one is known nobody learns from what a host's role may read: not its id, in any form."""
    s = site(2, accept_bounces="reply")
    one, two = s.hosts
    one.must("exempt", "open@example.org")
    answer(one, BOB, "open@example.org", messages.cleartext(), "6B")
    wait_row(one, "SELECT 1 FROM verdict")
    s.wait_same()
    host, boot = identity(s, "mx1")
    s.centre.sql(f"""SELECT pgpgate.push('{host}', '{boot}', 0, '[]',
                 '[["count", "org.example@otto", "", "20000", 3, 5], ["window", "org.example@me", "net.example", "", 5, 5]]', '[]')""",
                 "host")
    wait_row(two, "SELECT 1 FROM site_bounce")
    readable = s.centre.sql("SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = "
                            "'pgpgate' AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege(c.oid, 'SELECT')", "host")
    assert {"rule", "verdicts", "hosts"} <= set(readable), readable
    for name in readable:
        assert host not in str(s.centre.sql(f"SELECT * FROM pgpgate.{name}", "host")), name
    mine, told = identity(s, "mx2")
    about = json.dumps({"version": "", "rules_no": 0, "rules_mark": "", "feed_no": 0, "started": "", "waiting": 0, "oldest": 0, "offset": 0,
                        "here": "", "verdict_retention": 0, "pair_retention": 0})
    two.end_sync()
    for call in (f"pull('{mine}', '{told}', '{about}')", "hosts_json()", "snapshot_head()", "snapshot_rows(0, 100)",
                 "change_heads(100)", "change_rows(1, 0, 100)", "snapshot_forgotten('', '', 10)", "examine()",
                 f"verdict_page(0, 99999999999, NULL, 0, '{'0' * 8}-0000-0000-0000-{'0' * 12}', 0, 100)"):
        assert host not in s.centre.sql(f"SELECT pgpgate.{call}", "host")[0], call
    two.start_sync()
    # What stands in its place is part of the query, and no call for each of a thousand rows.
    assert "md5" in str(s.centre.sql("EXPLAIN (VERBOSE) SELECT pgpgate.alias(host_id) FROM pgpgate.host"))
    assert "6B" in one.must("log", "--site", "--json") and "open@example.org" in two.must("log", "--site")
    for table in ("feed", "verdict", "change", "host", "site"):
        assert "permission denied" in s.centre.try_sql(f"SELECT * FROM pgpgate.{table}", "host").stderr, table
    # Of its own bounces a host that reads all anew is not told: they are in its own count.
    one.ask_write("UPDATE site SET feed_no = 0, started = ''")
    wait_until(lambda: one.ask("SELECT started <> '' FROM site") == [(1,)], "the feed anew")
    s.wait_same()
    assert one.ask("SELECT * FROM site_bounce") == []


def test_a_page_that_is_too_much_is_read_in_parts(site):
    s = site(1)
    one = s.hosts[0]
    answer(one, BOB, "x@example.org", messages.cleartext(), "6C")
    wait_row(one, "SELECT 1 FROM verdict")
    s.wait_same()
    s.centre.sql("INSERT INTO pgpgate.verdict SELECT host_id, no + i, time_unix, 'P' || i, v.host, client, authenticated, sender_key, "
                 "header_from_key, is_local, message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes, "
                 "returns_readable, action, would, reply, recipients, key_ids FROM pgpgate.verdict AS v, generate_series(1, 40) AS i")
    s.centre.sql("ALTER FUNCTION pgpgate.verdict_page RENAME TO page_any; CREATE FUNCTION pgpgate.verdict_page(a bigint, b bigint, c text, "
                 "d bigint, e uuid, f bigint, n integer) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN IF n > 10 THEN "
                 "RAISE EXCEPTION 'too much'; END IF; RETURN pgpgate.page_any(a, b, c, d, e, f, n); END $$")
    assert len(one.must("log", "--site", "--json", "-n", "100").splitlines()) == 41


def test_pages_of_the_record_and_of_rules_that_lead_nowhere(site):
    s = site(2)
    one, two = s.hosts
    two.end_sync()
    one.must("exempt", "a@example.org")
    s.centre.sql("ALTER FUNCTION pgpgate.snapshot_rows RENAME TO rows_before; CREATE FUNCTION pgpgate.snapshot_rows(x bigint, n integer) "
                 "RETURNS jsonb LANGUAGE sql AS $$ SELECT '[[1, \"exempt a@example.org\", false, 1, \"\", 1]]'::jsonb $$; "
                 "ALTER FUNCTION pgpgate.verdict_page RENAME TO page_before; CREATE FUNCTION pgpgate.verdict_page(a bigint, b bigint, c text, "
                 "d bigint, e uuid, f bigint, n integer) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_array(jsonb_build_array("
                 "'00000000-0000-0000-0000-000000000001', 1, 5)) $$")
    result = one.run("log", "--site", timeout=60)
    assert result.code != 0 and "without an order" in result.err, result
    two.must("site", "leave")
    result = two.run("site", "join", timeout=60)
    assert result.code != 0 and "without an order" in result.err, result
    # A key that no page can lead on from, and a host's new id that is none.
    s.centre.sql("DROP FUNCTION pgpgate.snapshot_rows; ALTER FUNCTION pgpgate.rows_before RENAME TO snapshot_rows; "
                 "INSERT INTO pgpgate.key_row VALUES ('key', repeat('k', 2000), 'F', '[]')")
    log = len(one.sync_log())
    one.ask_write("UPDATE site SET rules_mark = 'none'")
    one.wait_said("a key that cannot be read", log)
    s.hosts.remove(two)
    two.ask_to_stop()
    two.stop()


def test_the_same_backup_put_back_again(site):
    """A host whose database is put back, and put back again: no row is lost, and it goes on by itself."""
    s = site(1)
    one = s.hosts[0]
    take(one, "6D0")
    s.wait_same()
    path = one.back_up()
    for life in range(3):
        for i in range(3):
            answer(one, BOB, f"l{life}@example.org", messages.cleartext(), f"6D{life + 1}{i}")
        wait_until(lambda: len(one.verdicts()) == 4, "its mail")
        wait_until(lambda life=life: s.centre.sql("SELECT count(*) FROM pgpgate.verdict") == [str(1 + 3 * (life + 1))],
                   lambda: f"its rows: {one.sync_log()[-900:]}")
        if life < 2:
            one.put_back(path)
            go_down(s, one)
            one.start_sync()
    rows = s.centre.sql("SELECT queue_id FROM pgpgate.verdict ORDER BY 1")
    assert rows == ["6D0"] + [f"6D{life + 1}{i}" for life in range(3) for i in range(3)]
    assert s.centre.sql("SELECT count(*) FROM pgpgate.host WHERE NOT is_gone") == ["1"]
    log = len(one.sync_log())
    s.centre.sql("SELECT pgpgate.host_forget('mx1')")
    one.wait_said("does not belong to the site (any more)", log)


def test_a_person_goes_from_a_large_record_in_steps(site):
    s = site(2)
    one, two = s.hosts
    for host, queue_id in ((one, "6E1"), (two, "6E2")):
        answer(host, "é.a@example.net", "x@example.org", messages.cleartext(), queue_id)
        wait_row(host, "SELECT 1 FROM verdict")
    s.wait_same()
    two.end_sync()
    s.centre.sql("INSERT INTO pgpgate.verdict SELECT host_id, no + i, time_unix, 'P' || i, v.host, client, authenticated, sender_key, "
                 "header_from_key, is_local, message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes, "
                 "returns_readable, action, would, reply, recipients, key_ids FROM pgpgate.verdict AS v, generate_series(1, 30000) AS i")
    s.centre.sql("UPDATE pgpgate.verdict SET sender_key = 'net.example@bob' WHERE no % 3 = 0")
    s.centre.sql("UPDATE pgpgate.host SET pushed_no = 40000 WHERE name = 'mx2'")
    one.must("forget", "--person", "é.a@example.net")
    of = "SELECT count(*) FROM pgpgate.verdict WHERE sender_key <> 'net.example@bob'"
    wait_until(lambda: s.centre.sql(of) == ["0"], lambda: f"all of it: {s.centre.sql(of)} {one.sync_log()[-500:]}")
    assert s.centre.sql("SELECT count(*) FROM pgpgate.verdict") == ["20000"]
    wait_until(lambda: s.centre.sql("SELECT count(*) FROM pgpgate.removal") == ["0"], "done")
    assert "é" not in str(s.centre.sql("SELECT * FROM pgpgate.change_row")) + str(s.centre.sql("SELECT * FROM pgpgate.verdict LIMIT 1"))


def test_a_role_of_hosts_that_holds_what_others_want(site, keys):
    """Transactions that stay open, advisory locks, a bell that rings without end: rules and mail go on, and rows come when it is over."""
    s = site(2)
    one, two = s.hosts
    host, boot = identity(s, "mx1")
    one.end_sync()
    log = len(two.sync_log())
    words = [os.path.join(programs(), "psql"), "-X", "-q", "-h", s.centre.dir, "-U", "host", "site"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as psql:
        psql.stdin.write("SELECT pg_advisory_lock(1346850887, 1), pg_advisory_lock(1);\nBEGIN;\nSELECT count(*) FROM pgpgate.verdicts;\n"
                         f"SELECT pgpgate.push('{host}', '{boot}', 0, '[]', '[[\"pair\", \"net.example@a\", \"org.example@b\", \"\", 5, 6]]', "
                         "'[]');\n\\echo held\n")
        psql.stdin.flush()
        while "held" not in psql.stdout.readline():
            assert psql.poll() is None
        assert "in force on mx2" in two.run("exempt", "open@example.org").err
        assert answer(two, BOB, "open@example.org", messages.cleartext(), "6F0") == 250
        # A sender whose rows have something for other hosts: they wait, and are said to.
        assert answer(two, "out@example.net", "open@example.org", messages.inline(keys.gpg_armor()), "6F1") == 250
        wait_until(lambda: re.search("lock timeout|no answer in time", two.sync_log()[log:]), "its rows wait")
        wait_until(lambda: two.run("exempt", "more@example.org").code == 0, "another change")
        psql.stdin.write("COMMIT;\nDO $$ BEGIN FOR i IN 1 .. 20000 LOOP PERFORM pg_notify('pgpgate', i::text); END LOOP; END $$;\n"
                         "\\echo rung\n")
        psql.stdin.flush()
        while "rung" not in psql.stdout.readline():
            assert psql.poll() is None
        one.start_sync()
        s.wait_same()
        psql.stdin.close()
        psql.wait()


def test_what_a_centre_says_to_a_terminal(site):
    s = site(1)
    one = s.hosts[0]
    s.centre.sql("ALTER FUNCTION pgpgate.hosts_json RENAME TO before; CREATE FUNCTION pgpgate.hosts_json() RETURNS jsonb LANGUAGE plpgsql "
                 "AS $f$ BEGIN RAISE WARNING '%', chr(27) || '[2J'; RETURN jsonb_build_object('no', 0, 'hosts', jsonb_build_array("
                 "jsonb_build_object('name', 'a' || chr(27) || '[2J', 'version', 5, 'here', chr(27) || 'x', 'silent_s', 1), "
                 "jsonb_build_object('name', NULL), 7)); END $f$; GRANT EXECUTE ON FUNCTION pgpgate.hosts_json() TO host")
    result = one.run("site", "status")
    assert "a?[2J" in result.out and "\x1b" not in result.out + result.err, result
    result = one.run("exempt", "a@example.org")
    assert "\x1b" not in result.out + result.err, result
    s.centre.sql("CREATE OR REPLACE FUNCTION pgpgate.hosts_json() RETURNS jsonb LANGUAGE plpgsql AS $f$ BEGIN "
                 "RAISE EXCEPTION '%', 'b' || chr(27) || '[2J'; END $f$")
    result = one.run("site", "status")
    assert "b?[2J" in result.err and "\x1b" not in result.out + result.err, result

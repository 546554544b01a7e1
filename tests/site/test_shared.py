# SPDX-License-Identifier: ISC
"""What hosts of a site share beside rules: the end of splits, counts of bounces, keys, people who are forgotten, the hash key."""

import hashlib
import os
import shutil
import subprocess
import time

import pytest

from harness import messages
from harness.milter import Milter, code
from harness.place import wait_until
from harness.smtp import LOCAL, send
from test_site import BOB, answer, wait_row

BOUNCE = (b"From: MAILER-DAEMON@elsewhere.test\nTo: otto@example.org\nSubject: failure notice\n\n"
          b"Hi. This is the qmail-send program at elsewhere.test.\n")
FINGERPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"


def mixed(host, recipients, message, queue_id):
    with Milter(host.filter.path) as m:
        m.connect()
        m.mail("m@example.net")
        taken = [r for r in recipients if code(m.recipient(r)) == 250]
        return taken, code(m.content(message.replace(b"\n", b"\r\n"), queue_id)) if taken else None


def test_what_is_over_and_what_is_counted_is_shared(site):
    s = site(3)
    one, two, three = s.hosts
    one.must("exempt", "open@example.org")
    s.wait_same()
    both, message = ["open@example.org", "shut@example.org"], messages.cleartext()
    evidence = "SELECT count(*) FROM split_evidence"
    assert mixed(one, both, message, "4D1") == (both, 451)
    for host in s.hosts:
        wait_until(lambda host=host: host.ask(evidence) == [(2,)], f"{host.name}: the split")
    # Its retry at the second: one class now, the other then. Afterwards nobody knows of it any more.
    assert mixed(two, both, message, "4D2") == (["open@example.org"], 250)
    wait_until(lambda: three.ask(evidence) == [(1,)] and one.ask(evidence) == [(1,)], "one of the split is over")
    assert mixed(three, ["shut@example.org"], message, "4D3") == (["shut@example.org"], 550)
    for host in s.hosts:
        wait_until(lambda host=host: host.ask(evidence) == [(0,)], f"{host.name}: the split is over")
    # Another message of that sender is not kept back by it, wherever it comes.
    assert mixed(one, both, messages.cleartext(), "4D4")[1] == 451
    for host in s.hosts:
        wait_until(lambda host=host: host.ask(evidence) == [(2,)], f"{host.name}: the next split")
    s.wait_same()

    # Ten bounces a day, not ten a host: one of ours wrote to the outside through the first.
    with Milter(one.filter.path) as m:
        m.connect(LOCAL)
        m.mail("otto@example.org")
        m.recipient("friend@elsewhere.test")
        assert code(m.content(messages.cleartext().replace(b"\n", b"\r\n"), "4E0")) == 250
    for host in (two, three):
        wait_row(host, "SELECT 1 FROM bounce_window")
    for i in range(6):
        assert answer(two, "", "otto@example.org", BOUNCE, f"4E{i}") == 250
    wait_row(three, "SELECT 1 FROM site_bounce WHERE n_bounces = 6")
    codes = [answer(three, "", "otto@example.org", BOUNCE, f"4F{i}") for i in range(6)]
    assert codes == [250] * 4 + [550] * 2, codes
    wait_row(one, "SELECT 1 FROM (SELECT sum(n_bounces) AS n FROM site_bounce) WHERE n = 10")
    assert answer(one, "", "otto@example.org", BOUNCE) == 550

    # What the centre was told is not remembered for ever.
    assert one.ask("SELECT count(*) FROM site_known WHERE kind = 'bounce'") == [(1,)]

    # A centre of the version before has counts under ids, which are their hosts' alone: of one host beside the alias, of the other
    # in place of it. Brought up to date, nothing is added up twice, and nobody keeps an id.
    rows = "INSERT INTO pgpgate.feed SELECT nextval('n'), host_id, kind, a, host_id::text, c, x, y FROM pgpgate.feed WHERE kind = 'count'"
    s.centre.sql("CREATE TEMP SEQUENCE n; SELECT setval('n', no) FROM pgpgate.feed_counter; " + rows + "; DELETE FROM pgpgate.feed "
                 "WHERE kind = 'count' AND b <> host_id::text AND x = 4; UPDATE pgpgate.feed_counter SET no = currval('n'); "
                 "NOTIFY pgpgate, 'feed'")
    wait_row(one, "SELECT 1 FROM (SELECT sum(n_bounces) AS n FROM site_bounce) WHERE n = 20")
    assert "has schema version 2" in one.must("site", "init")
    for host, n in ((one, 10), (two, 4), (three, 6)):
        wait_row(host, "SELECT 1 FROM (SELECT sum(n_bounces) AS n FROM site_bounce) WHERE n = ?", n)
        assert not {row[0] for row in host.ask("SELECT host_id FROM site_bounce")} & set(s.centre.sql("SELECT host_id FROM pgpgate.host"))
    assert s.centre.sql("SELECT count(*) FROM pgpgate.feed JOIN pgpgate.host AS h ON b = h.host_id::text") == ["0"]


def test_what_is_forgotten_is_so_by_the_order_of_changes(site, keys):
    """Not by clocks: what a host saw after the change counts everywhere, whatever its clock says, and so does what the change left."""
    s = site(2, clocks=True)
    one, two = s.hosts
    one.must("ratchet", "r@example.org")
    s.wait_same()
    known = "SELECT 1 FROM pair WHERE sender_key = 'net.example@bob' AND n_encrypted > 0"

    def encrypted(host, queue_id):
        assert answer(host, BOB, "r@example.org", messages.inline(keys.gpg_armor()), queue_id) == 250

    def forget(host):
        host.must("forget", "--history", BOB, "r@example.org", "--wait", "20s")

    def snapshots():
        for host in s.hosts:
            host.ask_write("UPDATE site SET rules_mark = 'none'")
            wait_until(lambda host=host: host.ask("SELECT rules_mark <> 'none' FROM site") == [(1,)], "a snapshot")
        for host in s.hosts:
            wait_row(host, known)

    encrypted(one, "4O1")
    wait_row(two, known)
    two.set_clock(-30000)
    forget(one)
    assert one.ask(known) == two.ask(known) == []
    encrypted(two, "4O2")  # half a minute before it was forgotten, it says
    wait_row(one, known)
    snapshots()
    # What a later message left there is told, though the pair was known before. Its host's clock is ahead.
    two.set_clock(30000)
    encrypted(two, "4O3")
    wait_row(two, "SELECT 1 FROM pair WHERE last_encrypted_unix > ?", int(time.time()) + 20)
    forget(one)
    wait_row(one, known)
    assert answer(one, BOB, "r@example.org", messages.cleartext()) == 550
    snapshots()


def test_keys_and_forgotten_people_are_the_sites(site, keys):
    s = site(2, accept_bounces="reply")
    one, two = s.hosts
    listing = "SELECT pattern, fingerprint, state FROM recipient_key ORDER BY pattern"
    one.must("keys", "add", "before@example.org", FINGERPRINT, "--wait", "20s")
    assert two.ask(listing) == [("before@example.org", FINGERPRINT, "active")]
    two.must("keys", "import", "alice@example.org", "-", data=keys.gpg("--armor", "--export").encode())
    # The desk has her key, too, and so her user id.
    two.must("keys", "import", "--any-user-id", "desk@example.org", "-", data=keys.gpg("--armor", "--export").encode())
    two.must("keys", "group", "team@example.org", "=", "alice@example.org,before@example.org")
    one.must("require", "alice@example.org", "--level", "own-key")
    s.wait_same()
    assert one.ask(listing) == two.ask(listing) and len(one.ask(listing)) == 3
    for table in ("SELECT * FROM key_group", "SELECT fingerprint, packets FROM certificate"):
        assert one.ask(table) == two.ask(table) and one.ask(table), table
    assert answer(one, BOB, "alice@example.org", messages.inline(keys.gpg_armor())) == 250
    assert "key before@example.org" in one.must("rules", "--history")
    # Taken back on another host than the one where it was typed.
    one.must("keys", "add", "undone@example.org", FINGERPRINT, "--wait", "20s")
    assert len(two.ask(listing)) == 4
    two.must("undo", "--wait", "20s")
    assert len(one.ask(listing)) == len(two.ask(listing)) == 3
    two.must("keys", "forget", "before@example.org", "--wait", "20s")
    one.must("undo", "--wait", "20s")
    assert one.ask(listing) == two.ask(listing) and len(one.ask(listing)) == 3
    two.must("keys", "forget", "before@example.org", "--wait", "20s")
    assert [row[0] for row in one.ask(listing)] == ["alice@example.org", "desk@example.org"]
    # A host that takes a snapshot has them, too.
    one.end_sync()
    one.ask_write("DELETE FROM recipient_key; DELETE FROM certificate; UPDATE site SET rules_mark = ''")
    one.start_sync()
    wait_until(lambda: one.ask(listing) == two.ask(listing), "the keys of the snapshot")
    s.wait_same()

    # A person: on all hosts, at the centre, and in what a host pushes that did not know it.
    for host, queue_id in ((one, "4G1"), (two, "4G2")):
        answer(host, BOB, "alice@example.org", messages.cleartext(), queue_id)
        answer(host, "alice@example.org", "carol@example.org", messages.cleartext(), queue_id + "A")
    s.wait_same()
    two.end_sync()
    answer(two, BOB, "alice@example.org", messages.cleartext(), "4G3")
    wait_row(two, "SELECT 1 FROM verdict WHERE queue_id = '4G3'")
    named = ("SELECT (SELECT count(*) FROM pgpgate.verdict WHERE sender_key LIKE '%@alice' OR recipients::text LIKE '%@alice%')"
             " + (SELECT count(*) FROM pgpgate.rule WHERE recipient LIKE 'alice%')"
             " + (SELECT count(*) FROM pgpgate.feed WHERE a LIKE '%@alice' OR b LIKE '%@alice')"
             " + (SELECT count(*) FROM pgpgate.key_row WHERE a LIKE 'alice%' OR data::text LIKE '%alice@%')"
             " + (SELECT count(*) FROM pgpgate.key_row WHERE data::text ~* encode('alice@', 'hex'))"
             " + (SELECT count(*) FROM pgpgate.change_row WHERE text LIKE '%alice@%' OR text ~* encode('alice@', 'hex'))"
             " + (SELECT count(*) FROM pgpgate.change WHERE detail::text LIKE '%alice@%')")
    assert int(s.centre.sql(named)[0]) > 5
    one.must("forget", "--person", "alice@example.org")
    assert "alice" not in str(one.ask("SELECT recipient, before, after FROM change_row"))
    two.start_sync()
    s.wait_same()
    wait_until(lambda: s.centre.sql(named) == ["0"], lambda: f"nothing of her at the centre: {s.centre.sql(named)}")
    for host in s.hosts:
        assert host.ask("SELECT count(*) FROM verdict WHERE sender_key = 'org.example@alice'") == [(0,)]
        assert {row[0] for row in host.ask(listing)} == {"desk@example.org"}
        # Others of her group stay in it.
        assert host.ask("SELECT pattern, member FROM key_group") == [("team@example.org", "before@example.org")]
    assert s.centre.sql("SELECT a, data -> 1 FROM pgpgate.key_row WHERE kind = 'group'") == [
        'team@example.org|["before@example.org"]']
    # Nor does a snapshot bring her back: in the certificate of the desk's key.
    packets = "SELECT packets FROM certificate"
    assert len(two.ask(packets)) == 1
    two.ask_write("UPDATE site SET rules_mark = 'none'")
    wait_until(lambda: two.ask("SELECT rules_mark <> 'none' FROM site") == [(1,)], "a snapshot")
    for host in s.hosts:
        assert len(host.ask(packets)) == 1 and b"alice@" not in host.ask(packets)[0][0], host.name
    assert "forget-person" in two.must("rules", "--history")


def test_the_hash_key_comes_with_join(site):
    s = site(2, log_addresses="hashed", reply_window="7d")
    one, two = s.hosts
    with open(one.database + ".key", "rb") as a, open(two.database + ".key", "rb") as b:
        assert hashlib.sha256(a.read()).digest() == hashlib.sha256(b.read()).digest()
    for host in s.hosts:
        host.ask_to_stop()
        host.stop()
        host.start(policyd=False)
    with Milter(one.filter.path) as m:
        m.connect(LOCAL)
        m.mail("me@example.org")
        m.recipient("shop@example.net")
        assert code(m.content(messages.cleartext().replace(b"\n", b"\r\n"), "4H1")) == 250
    wait_row(two, "SELECT 1 FROM outgoing")
    assert answer(two, "shop@example.net", "me@example.org", messages.cleartext()) == 250
    assert "me@" not in str(s.centre.sql("SELECT * FROM pgpgate.verdict")) and "shop" not in str(
        s.centre.sql("SELECT * FROM pgpgate.feed"))
    s.wait_same()
    # The rows of a host are not read by what another one is known: nor is the key, but by who joins.
    for sql in ("SELECT boot FROM pgpgate.host", "SELECT hash_key FROM pgpgate.site"):
        run = s.centre.try_sql(sql, "host")
        assert run.returncode != 0 and "permission denied" in run.stderr, (sql, run)
    # One whose addresses are on record under a key of its own keeps it, and is told.
    three = s.add("mx3", join=False)
    answer(three, BOB, "x@example.org", messages.cleartext())
    wait_row(three, "SELECT 1 FROM verdict")
    result = three.run("site", "join")
    assert result.code != 0 and "on record under the key of this host alone" in result.err, result
    assert len(s.centre.sql("SELECT name FROM pgpgate.host WHERE NOT is_gone")) == 2


def test_hosts_behind_a_pooler(site, spot, keys):
    """pgbouncer in transaction mode: no bell, and each transaction may be another connection."""
    if shutil.which("pgbouncer") is None:
        pytest.skip("there is no pgbouncer")
    s = site(2)
    where = spot.directory("bouncer", spot.user.pw_uid, spot.user.pw_gid, 0o777)
    with open(os.path.join(where, "users"), "w", encoding="utf-8") as users:
        users.write('"host" ""\n"admin" ""\n')
    with open(os.path.join(where, "ini"), "w", encoding="utf-8") as ini:
        ini.write(f"[databases]\nsite = host={s.centre.dir}\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {where}\n"
                  f"auth_type = trust\nauth_file = {where}/users\npool_mode = transaction\nlogfile = {where}/log\n"
                  f"listen_port = 5432\ndefault_pool_size = 3\n")
    with subprocess.Popen(["pgbouncer", os.path.join(where, "ini")], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, user=spot.user.pw_uid, group=spot.user.pw_gid) as bouncer:
        try:
            wait_until(lambda: os.path.exists(os.path.join(where, ".s.PGSQL.5432")), "pgbouncer")
            for host in s.hosts:
                host.proxy.to = where
                host.proxy.cut()
            one, two = s.hosts
            for i in range(5):
                result = s.hosts[i % 2].run("exempt", f"p{i}@example.org", "--wait", "20s")
                assert result.code == 0, (result, one.sync_log()[-500:])
            assert answer(one, BOB, "p1@example.org", messages.cleartext()) == 250
            assert answer(two, BOB, "q@example.org", messages.inline(keys.gpg_armor())) == 250
            s.wait_same()
            assert len(s.rules()) == 5
        finally:
            for host in s.hosts:
                host.proxy.to = s.centre.dir
                host.proxy.cut()
            bouncer.terminate()

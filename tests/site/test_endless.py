# SPDX-License-Identifier: ISC
"""What would go on for ever: a batch that is too much, pages that do not end, an answer that never does."""

import os
import socket
import struct
import threading

from harness import messages
from harness.place import wait_until
from test_site import BOB, answer, wait_row


def test_a_batch_that_is_too_much_comes_in_parts(site):
    s = site(1)
    one = s.hosts[0]
    answer(one, BOB, "x@example.org", messages.cleartext(), "6A")
    wait_row(one, "SELECT 1 FROM verdict")
    s.wait_same()
    one.end_sync()
    one.ask_write("""
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 700)
        INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, is_local, message_id, size_bytes, verdict,
            form, reason, detail, cleartext_bytes, returns_readable, action, would, reply)
        SELECT time_unix, 'B' || i, host, client, authenticated, sender_key, is_local, message_id, size_bytes, verdict,
            form, reason, detail, cleartext_bytes, returns_readable, action, would, reply FROM n, verdict WHERE id = 1""")
    s.centre.sql("ALTER FUNCTION pgpgate.push RENAME TO push_any; "
                 "CREATE FUNCTION pgpgate.push(h uuid, boot text, until bigint, r jsonb, f jsonb, x jsonb) RETURNS jsonb "
                 "LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN "
                 "IF jsonb_array_length(r) > 300 THEN RAISE EXCEPTION 'too much'; END IF; "
                 "RETURN pgpgate.push_any(h, boot, until, r, f, x); END $$")
    log = len(one.sync_log())
    one.start_sync()
    s.wait_same()
    assert "too much" in one.sync_log()[log:]


def test_pages_that_do_not_lead_on_are_not_read_for_ever(site):
    s = site(1)
    one = s.hosts[0]
    one.end_sync()
    for name, given, page in (("snapshot_keys", "k text, a text, b text, n integer", '[["group", "t@example.org", "", [0, ["a@example.org"]]]]'),
                              ("snapshot_forgotten", "a text, b text, n integer", '[["org.example@a", "org.example@b", 5]]')):
        s.centre.sql(f"ALTER FUNCTION pgpgate.{name} RENAME TO {name}_before; CREATE FUNCTION pgpgate.{name}({given}) RETURNS jsonb "
                     f"LANGUAGE sql AS $$ SELECT '{page}'::jsonb $$")
        log = len(one.sync_log())
        one.ask_write("UPDATE site SET rules_mark = 'none'")
        one.start_sync()
        one.wait_said("rows without an order", log)
        one.end_sync()
        s.centre.sql(f"DROP FUNCTION pgpgate.{name}; ALTER FUNCTION pgpgate.{name}_before RENAME TO {name}")
    one.start_sync()
    s.wait_same()
    assert one.ask("SELECT * FROM key_group") == []


def test_an_answer_that_is_a_copy_ends_the_connection(spot, site):
    """A server that answers each statement with the beginning of a COPY, in either direction."""
    s = site(1)
    one = s.hosts[0]
    where = spot.directory("copies", spot.user.pw_uid, spot.user.pw_gid, 0o777)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(where, ".s.PGSQL.5432"))
        os.chmod(os.path.join(where, ".s.PGSQL.5432"), 0o777)
        listener.listen(5)
        for kind in (b"G", b"H", b"W"):
            def serve(kind=kind):
                client, _ = listener.accept()
                with client:
                    client.recv(4096)
                    client.sendall(b"R" + struct.pack("!II", 8, 0) + b"Z" + struct.pack("!I", 5) + b"I")
                    client.recv(4096)
                    client.sendall(kind + struct.pack("!IBH", 7, 0, 0))
                    while client.recv(4096):
                        pass
            server = threading.Thread(target=serve, daemon=True)
            server.start()
            result = one.run("-o", f"centre=host={where} user=host dbname=site", "site", "status", timeout=20)
            assert result.code != 0 and "an answer that is none" in result.err, (kind, result)
            server.join(20)
            assert not server.is_alive()

# SPDX-License-Identifier: ISC
"""What would go on for ever: a batch that is too much, pages that do not end."""

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
    one.start_sync()
    s.wait_same()
    assert "too much" in one.sync_log()


def test_pages_that_do_not_lead_on_are_not_read_for_ever(site):
    s = site(1)
    one = s.hosts[0]
    one.end_sync()
    for name, given, page in (("snapshot_keys", "k text, a text, b text, n integer", '[["group", "t@example.org", "", [0, ["a@example.org"]]]]'),
                              ("snapshot_forgotten", "a text, b text, n integer", '[["org.example@a", "org.example@b", 5]]')):
        s.centre.sql(f"ALTER FUNCTION pgpgate.{name} RENAME TO {name}_before; CREATE FUNCTION pgpgate.{name}({given}) RETURNS jsonb "
                     f"LANGUAGE sql AS $$ SELECT '{page}'::jsonb $$")
        before = len(one.sync_log())
        one.ask_write("UPDATE site SET rules_mark = 'none'")
        one.start_sync()
        wait_until(lambda before=before: "rows without an order" in one.sync_log()[before:], f"{name}: it is refused")
        one.end_sync()
        s.centre.sql(f"DROP FUNCTION pgpgate.{name}; ALTER FUNCTION pgpgate.{name}_before RENAME TO {name}")
    one.start_sync()
    s.wait_same()
    assert one.ask("SELECT * FROM key_group") == []

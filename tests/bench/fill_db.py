#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Fills a database that `pgpgate db init` made with many rules, verdicts and pairs, quickly.

    fill_db.py [--rules N] [--verdicts N] [--pairs N] [--keys N --key-id HEX] [--start UNIX] DATABASE

Rules are `encrypted user0@example.org` and so on. Verdicts have one recipient each, are spread evenly over
the 90 days before --start (default: now), come from 99,991 senders to the recipients of the rules, and one in
ten is a refusal. Keys are two for each recipient: one with the given id, which messages are encrypted to, and another. Rows are made by SQLite itself from a counter; indices are dropped first and built again
afterwards, which is several times as fast as keeping them. No daemon may run meanwhile.
"""

import argparse
import os
import sqlite3
import sys
import time

COUNTER = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :n)"

RULES = COUNTER + """
INSERT OR REPLACE INTO rule (generation, recipient, sender, client, requirement, author, created_at_unix)
SELECT (SELECT live_generation FROM state), 'user' || i || '@example.org', '', '', 'encrypted', 'bench', :start
FROM n"""

VERDICTS = COUNTER + """
INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, header_from_key, is_local,
	message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes,
	returns_readable, action, would, reply)
SELECT :start - :span + i * :span / :n,
	printf('%010X', i),
	'mx.example.org',
	'192.0.2.' || (i % 251),
	'',
	'test.client' || (i % 101) || '@sender' || (i * 7919 % 99991),
	'test.client' || (i % 101) || '@sender' || (i * 7919 % 99991),
	0,
	'<' || i || '.bench@client' || (i % 101) || '.test>',
	20000 + i % 4096,
	19500 + i % 4096,
	CASE WHEN i % 10 THEN 'encrypted' ELSE 'cleartext' END,
	CASE WHEN i % 10 THEN 'pgp-mime' ELSE 'none' END,
	CASE WHEN i % 10 THEN 'pgp-mime' ELSE 'no-openpgp' END,
	'',
	CASE WHEN i % 10 THEN 0 ELSE 700 END,
	0,
	CASE WHEN i % 10 THEN 'accept' ELSE 'refuse' END,
	CASE WHEN i % 10 THEN 'accept' ELSE 'refuse' END,
	CASE WHEN i % 10 THEN '250' ELSE '550 5.7.1 OpenPGP-encrypted mail required' END
FROM n"""

RECIPIENTS = """
INSERT INTO verdict_recipient (verdict_id, position, recipient_key, is_trustworthy, requirement, demand, source,
	rule_id, passes)
SELECT id, 0, 'org.example@user' || (id * 104729 % :pool), 1, 'encrypted', 'encrypted', 'rule',
	1 + id * 104729 % :pool, action = 'accept'
FROM verdict
WHERE id > :last"""

PAIRS = COUNTER + """
INSERT OR REPLACE INTO pair (sender_key, recipient_key, first_encrypted_unix, last_encrypted_unix, n_encrypted)
SELECT 'test.client' || (i % 101) || '@sender' || (i * 7919 % 99991), 'org.example@user' || (i * 104729 % :pool),
	:start - :span, :start, 9
FROM n"""

KEYS = COUNTER + """
INSERT OR REPLACE INTO recipient_key (pattern, key_id, fingerprint, primary_fingerprint, from_unix, state, source,
	author, created_at_unix)
SELECT 'user' || (i / 2) || '@example.org',
	CASE i % 2 WHEN 0 THEN :key_id ELSE i END,
	printf('%024X', i) || CASE i % 2 WHEN 0 THEN :key_hex ELSE printf('%016X', i) END,
	printf('%040X', i / 2), :start - i % 1000, 'active', 'import', 'bench', :start
FROM n"""

DAILY = """
INSERT OR REPLACE INTO daily (day, verdict, action, would, n_messages, n_recipients, size_bytes)
SELECT time_unix / 86400, verdict, action, would, count(*), count(*), sum(size_bytes)
FROM verdict
GROUP BY 1, 2, 3, 4"""


def step(name, begin):
    print(f"fill_db: {name}: {time.monotonic() - begin:.1f} s", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rules", type=int, default=0)
    parser.add_argument("--verdicts", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=0)
    parser.add_argument("--keys", type=int, default=0)
    parser.add_argument("--key-id", default="0000000000000001")
    parser.add_argument("--start", type=int, default=int(time.time()))
    parser.add_argument("database")
    args = parser.parse_args()
    if not os.path.exists(args.database):
        sys.exit(f"{args.database}: no such file; make it with: pgpgate -o database=sqlite:{args.database} db init")

    db = sqlite3.connect(args.database, isolation_level=None)
    # It is a scratch database: when this is killed, it is made anew.
    for pragma in ("journal_mode = DELETE", "synchronous = OFF", "cache_size = -400000", "foreign_keys = OFF",
                   "temp_store = FILE"):
        db.execute("PRAGMA " + pragma)
    if db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'verdict'").fetchone()[0] == 0:
        sys.exit(f"{args.database}: no schema; make it with: pgpgate -o database=sqlite:{args.database} db init")
    values = {"start": args.start, "span": 90 * 86400, "pool": max(args.rules, 1000)}
    begin = time.monotonic()
    db.execute("BEGIN EXCLUSIVE")
    indices = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN "
        "('verdict', 'verdict_recipient')").fetchall() if args.verdicts else []
    for name, _ in indices:
        db.execute(f"DROP INDEX {name}")
    if args.rules:
        db.execute(RULES, dict(values, n=args.rules))
        step("rules", begin)
    if args.verdicts:
        last = db.execute("SELECT coalesce(max(id), 0) FROM verdict").fetchone()[0]
        db.execute(VERDICTS, dict(values, n=args.verdicts))
        step("verdicts", begin)
        db.execute(RECIPIENTS, dict(values, last=last))
        step("recipients", begin)
        db.execute(DAILY)
        step("daily", begin)
    if args.pairs:
        db.execute(PAIRS, dict(values, n=args.pairs))
        step("pairs", begin)
    if args.keys:
        number = int(args.key_id, 16)
        db.execute(KEYS, dict(values, n=args.keys, key_hex=args.key_id, key_id=number - (number >> 63 << 64)))
        step("keys", begin)
    for name, sql in indices:
        db.execute(sql)
        step(name, begin)
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    step(f"{os.path.getsize(args.database) / 1e6:.0f} MB", begin)


if __name__ == "__main__":
    main()

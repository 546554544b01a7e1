-- SPDX-License-Identifier: ISC
--
-- Schema 10: HTML is a form of encrypted mail; bounces that one of ours may expect
--
-- A CHECK can be changed only in the schema's text, or by writing the whole table anew, which takes minutes with
-- millions of verdicts. A wider CHECK holds for every row that the narrower one let in. The new table that follows
-- makes every other connection read the schema again.

PRAGMA writable_schema = ON;

UPDATE sqlite_schema
SET sql = replace(sql, 'form = ''pgp-inline'')', 'form = ''pgp-inline'' OR form = ''pgp-html'')')
WHERE type = 'table'
	AND name = 'verdict';

PRAGMA writable_schema = RESET;

-- One of ours sent mail to the outside, and it was accepted; since then, bounces that passed for that reason.
CREATE TABLE bounce_window (
	sender_key TEXT PRIMARY KEY,           -- ours
	last_sent_unix INTEGER NOT NULL,
	day INTEGER NOT NULL,                  -- UTC, days since 1970-01-01: of n_bounces
	n_bounces INTEGER NOT NULL             -- that were let in that day
) STRICT, WITHOUT ROWID;

CREATE INDEX bounce_window_by_time
ON bounce_window (last_sent_unix);

PRAGMA user_version = 10;

-- SPDX-License-Identifier: ISC
--
-- verdicts.sql: writing and reading the verdict log.

-- name: verdict_insert
INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, header_from_key,
	is_local, message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail,
	cleartext_bytes, returns_readable, action, would, reply, key_ids)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21);

-- name: verdict_recipient_insert
INSERT INTO verdict_recipient (verdict_id, position, recipient_key, is_trustworthy, requirement, demand,
	source, rule_id, passes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: verdict_retract
UPDATE verdict
SET action = 'tempfail',
	would = 'tempfail',
	reply = ?2
WHERE id = ?1;

-- name: verdict_of_id
SELECT id, time_unix, queue_id, host, client, authenticated, sender_key, header_from_key, is_local,
	message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes,
	returns_readable, action, would, reply, key_ids
FROM verdict
WHERE id = ?1;

-- name: verdict_recipients
SELECT recipient_key, is_trustworthy, requirement, demand, source, rule_id, passes
FROM verdict_recipient
WHERE verdict_id = ?1
ORDER BY position;

-- name: verdict_ids_after
SELECT id, time_unix, verdict, action, client, message_id
FROM verdict
WHERE id > ?1
ORDER BY id
LIMIT ?2;

-- name: verdict_ids_forward
-- By time, from after (time, id).
SELECT id, time_unix, verdict, action, client, message_id
FROM verdict
WHERE (time_unix, id) > (?1, ?2)
	AND time_unix < ?3
ORDER BY time_unix, id
LIMIT ?4;

-- name: verdict_ids_backward
-- By time, from before (time, id).
SELECT id, time_unix, verdict, action, client, message_id
FROM verdict
WHERE (time_unix, id) < (?1, ?2)
	AND time_unix >= ?3
ORDER BY time_unix DESC, id DESC
LIMIT ?4;

-- name: verdict_ids_of_queue_id
SELECT id, queue_id
FROM verdict
WHERE queue_id = ?1
	AND id > ?3
ORDER BY queue_id, id
LIMIT ?4;

-- name: verdict_ids_of_sender
SELECT id, sender_key
FROM verdict
WHERE sender_key = ?1
	AND id > ?3
ORDER BY sender_key, id
LIMIT ?4;

-- name: verdict_ids_of_senders
-- A range of keys, from after (key, id).
SELECT id, sender_key
FROM verdict
WHERE (sender_key, id) > (?1, ?3)
	AND sender_key < ?2
ORDER BY sender_key, id
LIMIT ?4;

-- name: verdict_ids_of_recipient
SELECT verdict_id, recipient_key
FROM verdict_recipient
WHERE recipient_key = ?1
	AND verdict_id > ?3
ORDER BY recipient_key, verdict_id
LIMIT ?4;

-- name: verdict_ids_of_recipients
-- A range of keys, from after (key, id).
SELECT verdict_id, recipient_key
FROM verdict_recipient
WHERE (recipient_key, verdict_id) > (?1, ?3)
	AND recipient_key < ?2
ORDER BY recipient_key, verdict_id
LIMIT ?4;

-- name: verdict_last_id
SELECT coalesce(max(id), 0)
FROM verdict;

-- name: verdict_span
-- The newest is the one that was stored last: a clock that was ahead for a day leaves times of the future behind.
SELECT
	(SELECT min(id) FROM verdict),
	(SELECT max(id) FROM verdict),
	(SELECT min(time_unix) FROM verdict),
	(SELECT time_unix FROM verdict ORDER BY id DESC LIMIT 1);

-- name: verdict_expire
-- What the centre of a site does not have yet stays until ?3.
DELETE FROM verdict
WHERE id IN (
	SELECT id
	FROM verdict
	WHERE time_unix < ?1
		AND (id <= (SELECT coalesce(min(pushed_no), 9223372036854775807) FROM site) OR time_unix < ?3)
	ORDER BY time_unix
	LIMIT ?2);

-- name: verdict_prune_ids
-- The same, by time behind (?2, ?3).
SELECT id, time_unix
FROM verdict
WHERE time_unix < ?1
	AND (time_unix, id) > (?2, ?3)
	AND (id <= (SELECT coalesce(min(pushed_no), 9223372036854775807) FROM site) OR time_unix < ?4)
ORDER BY time_unix, id
LIMIT ?5;

-- name: verdict_prune_one
DELETE FROM verdict
WHERE id = ?1
	AND time_unix < ?2
	AND (id <= (SELECT coalesce(min(pushed_no), 9223372036854775807) FROM site) OR time_unix < ?3);

-- name: verdict_prune_gap
-- The newest that is older than ?1, and the oldest that is not.
SELECT
	(SELECT max(time_unix) FROM verdict WHERE time_unix < ?1),
	(SELECT min(time_unix) FROM verdict WHERE time_unix >= ?1);

-- name: verdict_oldest
SELECT time_unix
FROM verdict
ORDER BY time_unix
LIMIT 1;

-- name: daily_add
INSERT INTO daily (day, verdict, action, would, n_messages, n_recipients, size_bytes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (day, verdict, action, would) DO UPDATE
SET n_messages = n_messages + ?5,
	n_recipients = n_recipients + ?6,
	size_bytes = size_bytes + ?7;

-- name: daily_delete_empty
DELETE FROM daily
WHERE day = ?1
	AND n_messages = 0;

-- name: daily_span
-- scan: some ten rows a day
SELECT min(day), max(day)
FROM daily
WHERE (?1 IS NULL OR verdict = ?1)
	AND (?2 IS NULL OR action = ?2);

-- name: daily_page
-- From after a row; a year of days with everything that can happen is some thousand rows.
SELECT day, verdict, action, would, n_messages, n_recipients, size_bytes
FROM daily
WHERE day >= ?1
	AND day < ?2
	AND (day, verdict, action, would) > (?3, ?4, ?5, ?6)
ORDER BY day, verdict, action, would
LIMIT ?7;

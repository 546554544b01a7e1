-- SPDX-License-Identifier: ISC
--
-- site.sql: a host that belongs to a site (migration-009.sql). What travels is JSON that SQLite itself writes and reads.

-- name: site_state
SELECT site_id, host_id, started, rules_no, rules_mark, feed_no, pushed_no, last_pull_unix, offset_ms,
	coalesce(here_paused_until_unix, 0)
FROM site
WHERE id = 1;

-- name: site_count
SELECT count(*)
FROM site;

-- name: site_insert
INSERT INTO site (id, site_id, host_id, started, rules_no, rules_mark, feed_no, pushed_no, last_pull_unix, offset_ms)
VALUES (1, ?1, ?2, '', ?3, ?4, 0, 0, 0, 0);

-- name: site_delete
DELETE FROM site
WHERE id = 1;

-- name: site_forget_known
DELETE FROM site_known;

-- name: site_forget_here
DELETE FROM site_here;

-- name: site_forget_retracted
DELETE FROM site_retracted;

-- name: site_set_rules
UPDATE site
SET rules_no = ?1,
	rules_mark = ?2
WHERE id = 1;

-- name: site_drop_change_rows
-- Of changes that the centre does not know (any more).
DELETE FROM change_row
WHERE change_key IN (
	SELECT key
	FROM change
	WHERE no >= ?1);

-- name: site_drop_changes
DELETE FROM change
WHERE no >= ?1;

-- name: site_set_pull
UPDATE site
SET last_pull_unix = ?1,
	offset_ms = ?2,
	pushed_no = ?3
WHERE id = 1;

-- name: site_set_started
UPDATE site
SET started = ?1,
	feed_no = 0
WHERE id = 1;

-- name: site_set_feed
UPDATE site
SET feed_no = ?1
WHERE id = 1;

-- name: site_set_pause
UPDATE state
SET paused_until_unix = ?1
WHERE id = 1;

-- name: site_set_here_pause
UPDATE site
SET here_paused_until_unix = ?1
WHERE id = 1;

-- name: site_here_put
INSERT INTO site_here (recipient, author, created_at_unix, expires_at_unix)
VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (recipient) DO UPDATE
SET expires_at_unix = ?4;

-- name: site_here_of
SELECT expires_at_unix
FROM site_here
WHERE recipient = ?1
	AND expires_at_unix > ?2;

-- name: site_here_list
SELECT recipient, author, created_at_unix, expires_at_unix
FROM site_here
WHERE expires_at_unix > ?1;

-- name: site_here_expire
DELETE FROM site_here
WHERE expires_at_unix <= ?1;

-- name: site_push_end
-- The last of the next rows to be pushed.
SELECT max(id)
FROM (
	SELECT id
	FROM verdict
	WHERE id > ?1
	ORDER BY id
	LIMIT ?2);

-- name: site_push_rows
SELECT json_group_array(json_array(v.id, v.time_unix, v.queue_id, v.host, v.client, v.authenticated, v.sender_key,
	v.header_from_key, v.is_local, v.message_id, v.declared_size_bytes, v.size_bytes, v.verdict, v.form,
	v.reason, v.detail, v.cleartext_bytes, v.returns_readable, v.action, v.would, v.reply,
	(
		SELECT json_group_array(json_array(r.recipient_key, r.is_trustworthy, r.requirement, r.demand,
			r.source, r.rule_id, r.passes))
		FROM verdict_recipient AS r
		WHERE r.verdict_id = v.id
	)))
FROM verdict AS v
WHERE v.id > ?1
	AND v.id <= ?2;

-- name: site_retracted_end
SELECT max(verdict_id)
FROM site_retracted;

-- name: site_retracted_rows
SELECT json_group_array(json_array(v.id, v.time_unix, v.action, v.would, v.reply))
FROM site_retracted AS s
CROSS JOIN verdict AS v ON v.id = s.verdict_id
WHERE s.verdict_id <= ?1;

-- name: site_retracted_done
DELETE FROM site_retracted
WHERE verdict_id <= ?1;

-- name: site_unpushed
-- How many rows, about, and the time of the oldest.
SELECT coalesce((SELECT max(id) FROM verdict), ?1) - ?1,
	coalesce((SELECT time_unix FROM verdict WHERE id > ?1 ORDER BY id LIMIT 1), 0),
	max(0, coalesce((SELECT min(id) FROM verdict), 1) - 1 - ?1);

-- name: site_feed_rows
-- What the verdicts of a range, and splits since ?3, changed of what other hosts ask.
SELECT json_group_array(json_array(kind, a, b, c, x, y))
FROM (
	SELECT DISTINCT 'pair' AS kind,
		p.sender_key AS a,
		p.recipient_key AS b,
		'' AS c,
		p.first_encrypted_unix AS x,
		p.last_encrypted_unix AS y
	FROM verdict AS v
	CROSS JOIN verdict_recipient AS r ON r.verdict_id = v.id
	CROSS JOIN pair AS p ON p.sender_key IN (v.sender_key, v.header_from_key)
		AND p.recipient_key = r.recipient_key
	WHERE v.id > ?1
		AND v.id <= ?2
		AND v.verdict = 'encrypted'
		AND p.first_encrypted_unix IS NOT NULL
		AND NOT EXISTS (
			SELECT 1
			FROM site_known AS k
			WHERE k.kind = 'pair'
				AND k.a = p.sender_key
				AND k.b = p.recipient_key
				AND k.c = ''
				AND k.time_unix > p.last_encrypted_unix - 2592000)
	UNION
	SELECT 'window',
		o.sender_key,
		o.domain,
		'',
		o.last_cleartext_unix,
		o.last_cleartext_unix
	FROM verdict AS v
	CROSS JOIN outgoing AS o ON o.sender_key = v.sender_key
	WHERE v.id > ?1
		AND v.id <= ?2
		AND v.is_local = 1
		AND NOT EXISTS (
			SELECT 1
			FROM site_known AS k
			WHERE k.kind = 'window'
				AND k.a = o.sender_key
				AND k.b = o.domain
				AND k.c = ''
				AND k.time_unix > o.last_cleartext_unix - 3600)
	UNION
	SELECT 'bounce',
		w.sender_key,
		'',
		'',
		w.last_sent_unix,
		w.last_sent_unix
	FROM verdict AS v
	CROSS JOIN bounce_window AS w ON w.sender_key = v.sender_key
	WHERE v.id > ?1
		AND v.id <= ?2
		AND v.is_local = 1
		AND NOT EXISTS (
			SELECT 1
			FROM site_known AS k
			WHERE k.kind = 'bounce'
				AND k.a = w.sender_key
				AND k.b = ''
				AND k.c = ''
				AND k.time_unix > w.last_sent_unix - 3600)
	UNION
	SELECT 'split',
		e.sender_key,
		e.recipient_key,
		e.declared_size_bytes || ':' || hex(e.digest),
		e.passed + 2 * e.yields,
		e.time_unix
	FROM split_evidence AS e
	WHERE e.time_unix >= ?3
		AND NOT EXISTS (
			SELECT 1
			FROM site_known AS k
			WHERE k.kind = 'split'
				AND k.a = e.sender_key
				AND k.b = e.recipient_key
				AND k.c = e.declared_size_bytes || ':' || hex(e.digest)
				AND k.time_unix >= e.time_unix)
);

-- name: site_known_splits_expire
-- What is known of pairs goes with nothing; of splits there is a row each, and their evidence serves for a day.
DELETE FROM site_known
WHERE kind = 'split'
	AND time_unix < ?1;

-- name: site_feed_pairs_all
-- Of a range of pairs, what the centre was not told.
SELECT json_group_array(json_array('pair', p.sender_key, p.recipient_key, '', p.first_encrypted_unix,
	p.last_encrypted_unix))
FROM pair AS p
WHERE (p.sender_key, p.recipient_key) > (?1, ?2)
	AND (p.sender_key, p.recipient_key) <= (?3, ?4)
	AND p.first_encrypted_unix IS NOT NULL
	AND NOT EXISTS (
		SELECT 1
		FROM site_known AS k
		WHERE k.kind = 'pair'
			AND k.a = p.sender_key
			AND k.b = p.recipient_key
			AND k.c = '');

-- name: site_feed_windows_all
SELECT json_group_array(json_array('window', o.sender_key, o.domain, '', o.last_cleartext_unix,
	o.last_cleartext_unix))
FROM outgoing AS o
WHERE (o.sender_key, o.domain) > (?1, ?2)
	AND (o.sender_key, o.domain) <= (?3, ?4)
	AND NOT EXISTS (
		SELECT 1
		FROM site_known AS k
		WHERE k.kind = 'window'
			AND k.a = o.sender_key
			AND k.b = o.domain
			AND k.c = '');

-- name: site_feed_known
INSERT INTO site_known (kind, a, b, c, time_unix)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 5
FROM json_each(?1)
WHERE true
ON CONFLICT (kind, a, b, c) DO UPDATE
SET time_unix = max(time_unix, excluded.time_unix);

-- name: site_feed_pairs
INSERT INTO pair (sender_key, recipient_key, first_encrypted_unix, last_encrypted_unix, n_encrypted)
SELECT value ->> 1, value ->> 2, value ->> 4, value ->> 5, 1
FROM json_each(?1)
WHERE value ->> 0 = 'pair'
ON CONFLICT (sender_key, recipient_key) DO UPDATE
SET first_encrypted_unix = min(coalesce(first_encrypted_unix, excluded.first_encrypted_unix),
		excluded.first_encrypted_unix),
	last_encrypted_unix = max(coalesce(last_encrypted_unix, 0), excluded.last_encrypted_unix),
	n_encrypted = max(n_encrypted, 1);

-- name: site_feed_windows
INSERT INTO outgoing (sender_key, domain, last_cleartext_unix)
SELECT value ->> 1, value ->> 2, value ->> 5
FROM json_each(?1)
WHERE value ->> 0 = 'window'
ON CONFLICT (sender_key, domain) DO UPDATE
SET last_cleartext_unix = max(last_cleartext_unix, excluded.last_cleartext_unix);

-- name: site_feed_bounces
INSERT INTO bounce_window (sender_key, last_sent_unix, day, n_bounces)
SELECT value ->> 1, value ->> 5, 0, 0
FROM json_each(?1)
WHERE value ->> 0 = 'bounce'
ON CONFLICT (sender_key) DO UPDATE
SET last_sent_unix = max(last_sent_unix, excluded.last_sent_unix);

-- name: site_feed_splits
SELECT value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM json_each(?1)
WHERE value ->> 0 = 'split'
	AND value ->> 5 > ?2;

-- name: site_forget_pair
-- A tombstone: what came later stays, and counts as one message.
UPDATE pair
SET first_encrypted_unix = CASE WHEN last_encrypted_unix > ?3 THEN last_encrypted_unix END,
	n_encrypted = coalesce(last_encrypted_unix > ?3, 0),
	last_encrypted_unix = CASE WHEN last_encrypted_unix > ?3 THEN last_encrypted_unix END,
	first_cleartext_unix = CASE WHEN last_cleartext_unix > ?3 THEN last_cleartext_unix END,
	n_cleartext = coalesce(last_cleartext_unix > ?3, 0),
	last_cleartext_unix = CASE WHEN last_cleartext_unix > ?3 THEN last_cleartext_unix END
WHERE sender_key = ?1
	AND recipient_key = ?2;

-- name: site_forget_known_pair
DELETE FROM site_known
WHERE kind = 'pair'
	AND a = ?1
	AND b = ?2;

-- name: site_move_rule
-- A number that the site uses for another rule: this one takes the next, until the snapshot removes it.
UPDATE rule
SET id = (SELECT max(id) + 1 FROM rule)
WHERE id = ?1;

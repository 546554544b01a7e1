-- SPDX-License-Identifier: ISC
--
-- site.sql: a host that belongs to a site (migration-009.sql). What travels is JSON that SQLite itself writes and reads.

-- name: site_state
SELECT site_id, host_id, started, rules_no, rules_mark, feed_no, pushed_no, last_pull_unix, offset_ms,
	coalesce(here_paused_until_unix, 0), incarnation, incarnation_mark
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

-- name: site_forget_told
-- All is told anew; but that a split is over here, which stands nowhere else, is kept.
DELETE FROM site_known
WHERE kind <> 'split'
	OR EXISTS (
		SELECT 1
		FROM split_evidence AS e
		WHERE e.sender_key = site_known.a
			AND e.recipient_key = site_known.b
			AND e.declared_size_bytes || ':' || hex(e.digest) = site_known.c);

-- name: site_forget_bounces
DELETE FROM site_bounce;

-- name: site_forget_counts
-- Before ?1 is noted: a centre that has aliases now in place of ids, under which it told counts before. It tells them again.
DELETE FROM site_bounce
WHERE ?1 LIKE '% aliases'
	AND (SELECT started FROM site) NOT LIKE '% aliases';

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

-- name: site_renew
-- The same host under another id: rows here have numbers that others had.
UPDATE site
SET host_id = ?2,
	pushed_no = ?1,
	feed_no = 0,
	incarnation = 0,
	incarnation_mark = ''
WHERE id = 1;

-- name: site_set_incarnation
UPDATE site
SET incarnation = ?1,
	incarnation_mark = ?2
WHERE id = 1
	AND incarnation < ?1;

-- name: site_set_started
UPDATE site
SET started = ?1,
	feed_no = 0
WHERE id = 1;

-- name: site_drop_changes_unlike
-- Of the changes from the centre's oldest in ?1 on, those that it does not know. ?1: [number, time, author, what] each.
DELETE FROM change
WHERE no >= (SELECT min(value ->> 0) FROM json_each(?1))
	AND NOT EXISTS (
		SELECT 1
		FROM json_each(?1)
		WHERE value ->> 0 = change.no
			AND (change.what = 'snapshot'
				OR (value ->> 1 = change.time_unix AND value ->> 2 = change.author AND value ->> 3 = change.what)));

-- name: site_drop_change_rows_loose
DELETE FROM change_row
WHERE change_key IN (
	SELECT key
	FROM change
	WHERE no >= (SELECT min(value ->> 0) FROM json_each(?1))
		AND NOT EXISTS (
			SELECT 1
			FROM json_each(?1)
			WHERE value ->> 0 = change.no
				AND (change.what = 'snapshot'
					OR (value ->> 1 = change.time_unix AND value ->> 2 = change.author AND value ->> 3 = change.what))));

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
	), v.key_ids))
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
-- Those that were sent: others may have come since, and with lower numbers. And those whose verdict is gone.
DELETE FROM site_retracted
WHERE verdict_id IN (
		SELECT value ->> 0
		FROM json_each(?1))
	OR NOT EXISTS (
		SELECT 1
		FROM verdict AS v
		WHERE v.id = site_retracted.verdict_id);

-- name: site_unpushed
-- How many rows, about, and the time of the oldest.
SELECT coalesce((SELECT max(id) FROM verdict), ?1) - ?1,
	coalesce((SELECT time_unix FROM verdict WHERE id > ?1 ORDER BY id LIMIT 1), 0),
	max(0, coalesce((SELECT min(id) FROM verdict), 1) - 1 - ?1);

-- name: site_feed_rows
-- What the verdicts of a range, and splits since ?3, changed of what other hosts ask.
-- With each, the last change that was applied: a tombstone of one up to that is known to be over.
SELECT json_group_array(json_array(kind, a, b, c, x, y, (SELECT rules_no FROM site)))
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
	SELECT 'pair',
		p.sender_key,
		p.recipient_key,
		'',
		p.first_encrypted_unix,
		p.last_encrypted_unix
	FROM (
		SELECT a, b
		FROM site_known
		WHERE time_unix = 0
			AND kind = 'pair'
		LIMIT 500) AS k
	CROSS JOIN pair AS p ON p.sender_key = k.a
		AND p.recipient_key = k.b
	WHERE p.first_encrypted_unix IS NOT NULL
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
	UNION
	-- Splits that were known, and whose message got its last answer here.
	SELECT 'split',
		k.a,
		k.b,
		k.c,
		4,
		k.time_unix
	FROM site_known AS k
	WHERE k.kind = 'split'
		AND k.time_unix >= ?3
		AND NOT EXISTS (
			SELECT 1
			FROM split_evidence AS e
			WHERE e.sender_key = k.a
				AND e.recipient_key = k.b
				AND e.declared_size_bytes || ':' || hex(e.digest) = k.c)
	UNION
	SELECT 'count',
		w.sender_key,
		'',
		CAST(w.day AS TEXT),
		w.n_bounces,
		w.day * 86400 + w.n_bounces
	FROM verdict AS v
	CROSS JOIN verdict_recipient AS r ON r.verdict_id = v.id
	CROSS JOIN bounce_window AS w ON w.sender_key = r.recipient_key
	WHERE v.id > ?1
		AND v.id <= ?2
		AND v.reason = 'bounce-expected'
		AND w.n_bounces > 0
);

-- name: site_known_expire_kind
-- In steps: ?3 rows.
DELETE FROM site_known
WHERE (kind, a, b, c) IN (
	SELECT kind, a, b, c
	FROM site_known
	WHERE kind = ?1
		AND time_unix < ?2
		AND time_unix > 0
	LIMIT ?3);

-- name: site_bounces_expire
DELETE FROM site_bounce
WHERE day < ?1;

-- name: site_feed_pairs_all
-- Of a range of pairs, what the centre was not told.
SELECT json_group_array(json_array('pair', p.sender_key, p.recipient_key, '', p.first_encrypted_unix,
	p.last_encrypted_unix, (SELECT rules_no FROM site)))
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

-- name: site_feed_bounce_end
SELECT sender_key, ''
FROM bounce_window
WHERE sender_key > ?1
	AND ?2 = ''
ORDER BY sender_key
LIMIT 1 OFFSET ?3;

-- name: site_feed_bounces_all
SELECT json_group_array(json_array('bounce', w.sender_key, '', '', w.last_sent_unix, w.last_sent_unix))
FROM bounce_window AS w
WHERE w.sender_key > ?1
	AND w.sender_key <= ?3
	AND w.last_sent_unix > 0
	AND NOT EXISTS (
		SELECT 1
		FROM site_known AS k
		WHERE k.kind = 'bounce'
			AND k.a = w.sender_key
			AND k.b = ''
			AND k.c = '');

-- name: site_feed_known
INSERT INTO site_known (kind, a, b, c, time_unix)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 5
FROM json_each(?1)
WHERE value ->> 0 IN ('pair', 'window', 'bounce', 'split')
	AND (value ->> 0 <> 'split' OR value ->> 4 & 4 = 0)
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
-- Not those that are over here, which the centre is to be told yet.
SELECT value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5
FROM json_each(?1)
WHERE value ->> 0 = 'split'
	AND (value ->> 4 & 4 <> 0
		OR (value ->> 5 > ?2
			AND NOT EXISTS (
				SELECT 1
				FROM site_known AS k
				WHERE k.kind = 'split'
					AND k.a = value ->> 1
					AND k.b = value ->> 2
					AND k.c = value ->> 3
					AND k.time_unix >= value ->> 5
					AND NOT EXISTS (
						SELECT 1
						FROM split_evidence AS e
						WHERE e.sender_key = k.a
							AND e.recipient_key = k.b
							AND e.declared_size_bytes || ':' || hex(e.digest) = k.c))));

-- name: site_split_over
DELETE FROM split_evidence
WHERE sender_key = ?1
	AND declared_size_bytes = ?2
	AND recipient_key = ?3
	AND digest = ?4
	AND time_unix <= ?5;

-- name: site_feed_over
-- What is over need not be known any more.
DELETE FROM site_known
WHERE kind = 'split'
	AND (a, b, c) IN (
		SELECT value ->> 1, value ->> 2, value ->> 3
		FROM json_each(?1)
		WHERE value ->> 0 = 'split'
			AND value ->> 4 & 4 <> 0
			AND value ->> 5 >= site_known.time_unix);

-- name: site_feed_counts
INSERT INTO site_bounce (sender_key, host_id, day, n_bounces)
SELECT value ->> 1, value ->> 2, CAST(value ->> 3 AS INTEGER), value ->> 4
FROM json_each(?1)
WHERE value ->> 0 = 'count'
	AND value ->> 2 <> (SELECT host_id FROM site)
ON CONFLICT (sender_key, host_id) DO UPDATE
SET n_bounces = CASE WHEN day = excluded.day THEN max(n_bounces, excluded.n_bounces) ELSE excluded.n_bounces END,
	day = excluded.day
WHERE excluded.day >= day;

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

-- name: site_forget_pairs
-- Tombstones of a snapshot: [sender, recipient, time] each.
UPDATE pair
SET first_encrypted_unix = CASE WHEN last_encrypted_unix > t.until_unix THEN last_encrypted_unix END,
	n_encrypted = coalesce(last_encrypted_unix > t.until_unix, 0),
	last_encrypted_unix = CASE WHEN last_encrypted_unix > t.until_unix THEN last_encrypted_unix END,
	first_cleartext_unix = CASE WHEN last_cleartext_unix > t.until_unix THEN last_cleartext_unix END,
	n_cleartext = coalesce(last_cleartext_unix > t.until_unix, 0),
	last_cleartext_unix = CASE WHEN last_cleartext_unix > t.until_unix THEN last_cleartext_unix END
FROM (
	SELECT value ->> 0 AS sender, value ->> 1 AS recipient, value ->> 2 AS until_unix
	FROM json_each(?1)) AS t
WHERE pair.sender_key = t.sender
	AND pair.recipient_key = t.recipient
	AND (first_encrypted_unix <= t.until_unix OR first_cleartext_unix <= t.until_unix);

-- name: site_delete_empty_pairs
DELETE FROM pair
WHERE (sender_key, recipient_key) IN (
		SELECT value ->> 0, value ->> 1
		FROM json_each(?1))
	AND n_encrypted = 0
	AND n_cleartext = 0;

-- name: site_forget_known_pairs
DELETE FROM site_known
WHERE kind = 'pair'
	AND (a, b) IN (
		SELECT value ->> 0, value ->> 1
		FROM json_each(?1));

-- name: site_forget_known_pair
DELETE FROM site_known
WHERE kind = 'pair'
	AND a = ?1
	AND b = ?2;

-- name: site_untold_pair
-- What a tombstone left is told (again): time 0.
INSERT INTO site_known (kind, a, b, c, time_unix)
SELECT 'pair', sender_key, recipient_key, '', 0
FROM pair
WHERE sender_key = ?1
	AND recipient_key = ?2
	AND first_encrypted_unix IS NOT NULL
ON CONFLICT (kind, a, b, c) DO UPDATE
SET time_unix = 0;

-- name: site_untold_pairs
INSERT INTO site_known (kind, a, b, c, time_unix)
SELECT 'pair', p.sender_key, p.recipient_key, '', 0
FROM json_each(?1) AS t
CROSS JOIN pair AS p ON p.sender_key = t.value ->> 0
	AND p.recipient_key = t.value ->> 1
WHERE p.first_encrypted_unix IS NOT NULL
ON CONFLICT (kind, a, b, c) DO UPDATE
SET time_unix = 0;

-- name: site_move_rule
-- A number that the site uses for another rule: this one takes the next, until the snapshot removes it.
UPDATE rule
SET id = (SELECT max(id) + 1 FROM rule)
WHERE id = ?1;

-- name: site_rows_schema
-- Tables and their indexes, in the order in which they were made.
SELECT sql
FROM sqlite_schema
WHERE tbl_name IN ('verdict', 'verdict_recipient', 'daily')
	AND type IN ('table', 'index')
	AND sql IS NOT NULL
ORDER BY rowid;

-- name: site_rows_verdicts
-- A page of the centre, numbered from ?2 on. What this version does not know is left out.
INSERT OR IGNORE INTO verdict (id, time_unix, queue_id, host, client, authenticated, sender_key, header_from_key,
	is_local, message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes,
	returns_readable, action, would, reply, key_ids)
SELECT ?2 + key, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8,
	value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13, value ->> 14, value ->> 15, value ->> 16,
	value ->> 17, value ->> 18, value ->> 19, value ->> 20, value ->> 21, value ->> 22
FROM json_each(?1);

-- name: site_rows_recipients
INSERT OR IGNORE INTO verdict_recipient (verdict_id, position, recipient_key, is_trustworthy, requirement, demand,
	source, rule_id, passes)
SELECT ?2 + v.key, r.key, r.value ->> 0, r.value ->> 1, r.value ->> 2, r.value ->> 3, r.value ->> 4, r.value ->> 5,
	r.value ->> 6
FROM json_each(?1) AS v
CROSS JOIN json_each(v.value, '$[23]') AS r
WHERE EXISTS (
	SELECT 1
	FROM verdict
	WHERE id = ?2 + v.key);

-- name: site_rows_daily
INSERT INTO daily (day, verdict, action, would, n_messages, n_recipients, size_bytes)
SELECT time_unix / 86400, verdict, action, would, 1,
	(
		SELECT count(*)
		FROM verdict_recipient AS r
		WHERE r.verdict_id = v.id
	), size_bytes
FROM verdict AS v
WHERE true
ON CONFLICT (day, verdict, action, would) DO UPDATE
SET n_messages = n_messages + 1,
	n_recipients = n_recipients + excluded.n_recipients,
	size_bytes = size_bytes + excluded.size_bytes;

-- name: site_key_of
-- A key as it travels: [kind, a, b, what is kept of it, or null].
-- It travels in the clear, as rules do (db/engine/sealed.h).
SELECT json_array('key', pattern, key_plain(fingerprint), json_array(key_plain(primary_fingerprint),
	coalesce(key_id_plain(fingerprint), key_id), from_unix, until_unix, state, source, note, author, created_at_unix))
FROM recipient_key
WHERE pattern = ?1
	AND fingerprint = key_form(?2);

-- name: site_group_of
SELECT json_array('group', pattern, '', json_array(max(wants_all), json_group_array(member)))
FROM key_group
WHERE pattern = ?1
GROUP BY pattern;

-- name: site_certificate_of
SELECT json_array('certificate', key_plain(fingerprint), '', hex(key_plain(packets)))
FROM certificate
WHERE fingerprint = key_form(?1);

-- name: site_item_gone
SELECT json_array(?1, ?2, ?3, NULL);

-- name: site_note_of
SELECT json_array('note', ?1, '', json_array(?2, ?3));

-- name: site_keys_all
-- What nobody here can read stays here.
SELECT json_array('key', pattern, key_plain(fingerprint), json_array(key_plain(primary_fingerprint),
	coalesce(key_id_plain(fingerprint), key_id), from_unix, until_unix, state, source, note, author, created_at_unix))
FROM recipient_key
WHERE key_plain(fingerprint) IS NOT NULL
UNION ALL
SELECT json_array('group', g.pattern, '', json_array(max(g.wants_all), json_group_array(g.member)))
FROM key_group AS g
GROUP BY g.pattern
UNION ALL
SELECT json_array('certificate', key_plain(c.fingerprint), '', hex(key_plain(c.packets)))
FROM certificate AS c
WHERE key_plain(c.packets) IS NOT NULL;

-- name: site_keys_sealed
-- Are there any that nobody here can read?
SELECT EXISTS (
		SELECT 1
		FROM recipient_key
		WHERE key_plain(fingerprint) IS NULL)
	OR EXISTS (
		SELECT 1
		FROM certificate
		WHERE key_plain(fingerprint) IS NULL
			OR key_plain(packets) IS NULL);

-- name: site_key_put
INSERT INTO recipient_key (pattern, fingerprint, primary_fingerprint, key_id, from_unix, until_unix, state, source,
	note, author, created_at_unix)
SELECT ?1 ->> 1, key_form(?1 ->> 2), key_form(?1 ->> '$[3][0]'),
	coalesce(key_id_form(?1 ->> 2), ?1 ->> '$[3][1]'), ?1 ->> '$[3][2]', ?1 ->> '$[3][3]', ?1 ->> '$[3][4]',
	?1 ->> '$[3][5]', ?1 ->> '$[3][6]', ?1 ->> '$[3][7]', ?1 ->> '$[3][8]'
WHERE true
ON CONFLICT (pattern, fingerprint) DO UPDATE
SET key_id = excluded.key_id,
	primary_fingerprint = excluded.primary_fingerprint,
	from_unix = excluded.from_unix,
	until_unix = excluded.until_unix,
	state = excluded.state,
	source = excluded.source,
	note = excluded.note,
	author = excluded.author,
	created_at_unix = excluded.created_at_unix;

-- name: site_key_delete
DELETE FROM recipient_key
WHERE pattern = ?1 ->> 1
	AND fingerprint = key_form(?1 ->> 2);

-- name: site_group_delete
DELETE FROM key_group
WHERE pattern = ?1 ->> 1;

-- name: site_group_put
INSERT INTO key_group (pattern, member, wants_all)
SELECT ?1 ->> 1, m.value, ?1 ->> '$[3][0]'
FROM json_each(?1, '$[3][1]') AS m;

-- name: site_certificate_put
INSERT INTO certificate (fingerprint, packets)
VALUES (key_form(?1), key_form(?2))
ON CONFLICT (fingerprint) DO UPDATE
SET packets = excluded.packets;

-- name: site_item
-- Kind, whether something is kept, and its texts.
SELECT ?1 ->> 0, json_type(?1, '$[3]') <> 'null', ?1 ->> 1, ?1 ->> '$[3][0]', ?1 ->> '$[3][1]', ?1 ->> 3;

-- name: site_keys_clear
DELETE FROM recipient_key;

-- name: site_groups_clear
DELETE FROM key_group;

-- name: site_certificates_clear
DELETE FROM certificate;

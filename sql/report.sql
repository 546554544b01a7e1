-- SPDX-License-Identifier: ISC
--
-- report.sql: for `pgpgate report`, `simulate` and `suggest`: many verdicts, in pages.

-- name: report_page
-- Verdicts by time from after (time, id), each with its recipients; one row a recipient, those of a verdict
-- together. NULL for the recipient of a verdict that has none.
SELECT page.id, page.time_unix, page.sender_key, page.client, page.authenticated, page.is_local,
	page.size_bytes, page.verdict, page.form, page.reason, page.cleartext_bytes,
	page.returns_readable, page.action, page.would,
	r.recipient_key, r.is_trustworthy, r.requirement, r.demand, r.source, r.rule_id, r.passes, page.key_ids
FROM (
	SELECT id, time_unix, sender_key, client, authenticated, is_local, size_bytes, verdict, form, reason,
		cleartext_bytes, returns_readable, action, would, key_ids
	FROM verdict
	WHERE (time_unix, id) > (?1, ?2)
		AND time_unix < ?3
	ORDER BY time_unix, id
	LIMIT ?4) AS page
LEFT JOIN verdict_recipient AS r ON r.verdict_id = page.id;

-- name: report_row
-- One verdict as above.
SELECT v.id, v.time_unix, v.sender_key, v.client, v.authenticated, v.is_local,
	v.size_bytes, v.verdict, v.form, v.reason, v.cleartext_bytes,
	v.returns_readable, v.action, v.would,
	r.recipient_key, r.is_trustworthy, r.requirement, r.demand, r.source, r.rule_id, r.passes, v.key_ids
FROM verdict AS v
LEFT JOIN verdict_recipient AS r ON r.verdict_id = v.id
WHERE v.id = ?1;

-- name: report_ids_to
-- The verdicts of a time with a recipient whose key is ?3 or ?4, or from ?5 to below ?6; in no order.
SELECT verdict.time_unix, verdict.id
FROM (
	SELECT verdict_id
	FROM verdict_recipient
	WHERE recipient_key = ?3
	UNION
	SELECT verdict_id
	FROM verdict_recipient
	WHERE recipient_key = ?4
	UNION
	SELECT verdict_id
	FROM verdict_recipient
	WHERE recipient_key >= ?5
		AND recipient_key < ?6) AS wanted
CROSS JOIN verdict ON verdict.id = wanted.verdict_id
WHERE verdict.time_unix >= ?1
	AND verdict.time_unix < ?2;

-- name: report_first
SELECT time_unix
FROM verdict
WHERE time_unix >= ?1
	AND time_unix < ?2
ORDER BY time_unix
LIMIT 1;

-- name: report_last
SELECT time_unix
FROM verdict
WHERE time_unix >= ?1
	AND time_unix < ?2
ORDER BY time_unix DESC
LIMIT 1;

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

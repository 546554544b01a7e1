-- SPDX-License-Identifier: ISC
--
-- rules.sql: the rules as the administrator keeps them. A rule is live when its generation is not greater
-- than state.live_generation and no live rule with the same key has a greater one.

-- name: rule_insert
INSERT INTO rule (generation, recipient, sender, client, requirement, starts_at_unix, expires_at_unix,
	note, help_url, author, created_at_unix)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- name: rule_of_key
-- All generations of one key, the newest first.
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix
FROM rule
WHERE recipient = ?1
	AND sender = ?2
	AND client = ?3
	AND generation <= ?4
ORDER BY generation DESC;

-- name: rule_of_id
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix
FROM rule
WHERE id = ?1
	AND generation <= ?2
	AND NOT EXISTS (
		SELECT 1
		FROM rule AS newer
		WHERE newer.recipient = rule.recipient
			AND newer.sender = rule.sender
			AND newer.client = rule.client
			AND newer.generation > rule.generation
			AND newer.generation <= ?2);

-- name: rule_page
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix
FROM rule
WHERE id > ?1
	AND generation <= ?2
	AND NOT EXISTS (
		SELECT 1
		FROM rule AS newer
		WHERE newer.recipient = rule.recipient
			AND newer.sender = rule.sender
			AND newer.client = rule.client
			AND newer.generation > rule.generation
			AND newer.generation <= ?2)
ORDER BY id
LIMIT ?3;

-- name: rule_page_of_recipient
-- By key, from after the key given.
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix
FROM rule
WHERE recipient = ?1
	AND (sender, client) > (?2, ?3)
	AND generation <= ?4
	AND NOT EXISTS (
		SELECT 1
		FROM rule AS newer
		WHERE newer.recipient = rule.recipient
			AND newer.sender = rule.sender
			AND newer.client = rule.client
			AND newer.generation > rule.generation
			AND newer.generation <= ?4)
ORDER BY sender, client
LIMIT ?5;

-- name: rule_delete
DELETE FROM rule
WHERE id = ?1;

-- name: rule_delete_key
-- The live one and older generations that an interrupted import left.
DELETE FROM rule
WHERE recipient = ?1
	AND sender = ?2
	AND client = ?3
	AND generation <= ?4;

-- name: rule_stage
-- A key that comes twice in one import: the later line counts.
INSERT INTO rule (generation, recipient, sender, client, requirement, starts_at_unix, expires_at_unix,
	note, help_url, author, created_at_unix)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (recipient, sender, client, generation) DO UPDATE
SET requirement = excluded.requirement,
	starts_at_unix = excluded.starts_at_unix,
	expires_at_unix = excluded.expires_at_unix,
	note = excluded.note,
	help_url = excluded.help_url;

-- name: rule_clean
-- Staged and never switched on, or replaced by a later generation, within a range of ids.
DELETE FROM rule
WHERE id > ?1
	AND id <= ?2
	AND (generation > ?3
		OR EXISTS (
			SELECT 1
			FROM rule AS newer
			WHERE newer.recipient = rule.recipient
				AND newer.sender = rule.sender
				AND newer.client = rule.client
				AND newer.generation > rule.generation
				AND newer.generation <= ?3));

-- name: rule_last_id
SELECT coalesce(max(id), 0)
FROM rule;

-- name: rule_hit
UPDATE rule
SET hits = hits + ?2,
	last_hit_at_unix = max(coalesce(last_hit_at_unix, 0), ?3)
WHERE id = ?1;

-- name: audit_insert
INSERT INTO rule_audit (generation, time_unix, author, what, recipient, before, after)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: audit_page
SELECT id, time_unix, author, what, before, after
FROM rule_audit
WHERE id > ?1
	AND generation <= ?2
ORDER BY id
LIMIT ?3;

-- name: audit_page_of_recipient
SELECT id, time_unix, author, what, before, after
FROM rule_audit
WHERE recipient = ?4
	AND id > ?1
	AND generation <= ?2
ORDER BY id
LIMIT ?3;

-- name: audit_clean
DELETE FROM rule_audit
WHERE id > ?1
	AND id <= ?2
	AND generation > ?3;

-- name: audit_first_import
-- The first that an import has written behind an id.
SELECT generation
FROM rule_audit
WHERE id > ?1
	AND what = 'import'
ORDER BY id
LIMIT 1;

-- name: audit_last_id
SELECT coalesce(max(id), 0)
FROM rule_audit;

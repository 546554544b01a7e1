-- SPDX-License-Identifier: ISC
--
-- rules.sql: the rules as the administrator keeps them. A rule is live when its generation is not greater
-- than state.live_generation, its until_generation is, or is NULL, and no live rule with the same key has a
-- greater generation.

-- name: rule_insert
-- ?15: its old number, of a rule that is put back; NULL: a new one.
INSERT INTO rule (generation, recipient, sender, client, requirement, starts_at_unix, expires_at_unix,
	note, help_url, author, created_at_unix, owner, hits, last_hit_at_unix, id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15);

-- name: rule_of_key
-- All generations of one key that hold at one generation, the newest first.
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix, owner, generation
FROM rule
WHERE recipient = ?1
	AND sender = ?2
	AND client = ?3
	AND generation <= ?4
	AND (until_generation IS NULL OR until_generation > ?5)
ORDER BY generation DESC;

-- name: rule_of_id
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix, owner, generation
FROM rule
WHERE id = ?1
	AND generation <= ?2
	AND (until_generation IS NULL OR until_generation > ?2)
	AND NOT EXISTS (
		SELECT 1
		FROM rule AS newer
		WHERE newer.recipient = rule.recipient
			AND newer.sender = rule.sender
			AND newer.client = rule.client
			AND newer.generation > rule.generation
			AND newer.generation <= ?2);

-- name: rule_page
-- ?4: only those that expire up to then; NULL: all.
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix, owner, generation
FROM rule
WHERE id > ?1
	AND (?4 IS NULL OR expires_at_unix <= ?4)
	AND generation <= ?2
	AND (until_generation IS NULL OR until_generation > ?2)
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
	author, created_at_unix, hits, last_hit_at_unix, owner, generation
FROM rule
WHERE recipient = ?1
	AND (sender, client) > (?2, ?3)
	AND generation <= ?4
	AND (until_generation IS NULL OR until_generation > ?4)
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

-- name: rule_delete_staged
-- One key of one import.
DELETE FROM rule
WHERE recipient = ?1
	AND sender = ?2
	AND client = ?3
	AND generation = ?4;

-- name: rule_end
-- All generations of one key end when that of an import becomes live.
UPDATE rule
SET until_generation = ?5
WHERE recipient = ?1
	AND sender = ?2
	AND client = ?3
	AND generation <= ?4;

-- name: rule_clean_staged
-- Staged and never switched on, within a range of ids.
DELETE FROM rule
WHERE id > ?1
	AND id <= ?2
	AND generation > ?3;

-- name: rule_clean_ended
DELETE FROM rule
WHERE id IN (
	SELECT id
	FROM rule
	WHERE until_generation <= ?1
	ORDER BY until_generation
	LIMIT ?2);

-- name: rule_revive
-- Ends that an import staged and that never came.
UPDATE rule
SET until_generation = NULL
WHERE id IN (
	SELECT id
	FROM rule
	WHERE until_generation > ?1
	ORDER BY until_generation
	LIMIT ?2);

-- name: rule_count_ended
SELECT count(*)
FROM rule
WHERE until_generation IS NOT NULL;

-- name: rule_next_id
SELECT coalesce(max(seq), 0) + 1
FROM sqlite_sequence
WHERE name = 'rule';

-- name: rule_last_id
SELECT coalesce(max(id), 0)
FROM rule;

-- name: rule_hit
UPDATE rule
SET hits = hits + ?2,
	last_hit_at_unix = max(coalesce(last_hit_at_unix, 0), ?3)
WHERE id = ?1;

-- SPDX-License-Identifier: ISC
--
-- upkeep.sql: for `pgpgate db`.

-- name: count_rules
-- scan: counts for a person who asked, never for mail
SELECT count(*)
FROM rule;

-- name: count_pairs
-- scan: counts for a person who asked, never for mail
SELECT count(*)
FROM pair;

-- name: page_size
PRAGMA page_size;

-- name: freelist_count
PRAGMA freelist_count;

-- name: auto_vacuum
-- 2: pages can be given back, some at a time
PRAGMA auto_vacuum;

-- name: compact_some
-- Moves so many of the last pages into free ones, and cuts them off.
PRAGMA incremental_vacuum(32);

-- name: check_integrity
PRAGMA integrity_check(100);

-- name: check_foreign_keys
PRAGMA foreign_key_check;

-- name: check_verdicts_without_recipients
-- scan: db check reads everything
SELECT count(*)
FROM verdict
WHERE NOT EXISTS (
	SELECT 1
	FROM verdict_recipient
	WHERE verdict_recipient.verdict_id = verdict.id);

-- name: check_state
SELECT count(*)
FROM state
WHERE id = 1;

-- name: check_pairs
-- scan: db check reads everything
SELECT count(*)
FROM pair
WHERE (n_encrypted > 0) <> (last_encrypted_unix IS NOT NULL)
	OR (n_cleartext > 0) <> (last_cleartext_unix IS NOT NULL);

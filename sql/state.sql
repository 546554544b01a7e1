-- SPDX-License-Identifier: ISC
--
-- state.sql: the one row of the table state, and transactions.

-- name: begin_read
BEGIN DEFERRED;

-- name: begin_write
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: user_version
PRAGMA user_version;

-- name: data_version
-- Another one when another connection has committed since the transaction before.
PRAGMA data_version;

-- name: state
-- With what a host of a site asks: when the centre last answered (NULL: belongs to none), paused here alone, exemptions here
-- alone.
SELECT live_generation, paused_until_unix, import_first_rule, import_change_key, site.last_pull_unix,
	site.here_paused_until_unix,
	EXISTS (
		SELECT 1
		FROM site_here)
FROM state
LEFT JOIN site ON site.id = 1
WHERE state.id = 1;

-- name: state_pause
UPDATE state
SET paused_until_unix = ?1
WHERE id = 1;

-- name: state_import_begin
-- The id after which all staged rules come, and the change.
UPDATE state
SET import_first_rule = ?2,
	import_change_key = ?1
WHERE id = 1;

-- name: state_import_live
UPDATE state
SET live_generation = ?1
WHERE id = 1;

-- name: state_import_end
UPDATE state
SET import_first_rule = NULL,
	import_change_key = NULL
WHERE id = 1;

-- name: state_key_check
SELECT hash_key_check
FROM state
WHERE id = 1;

-- name: state_set_key_check
UPDATE state
SET hash_key_check = ?1
WHERE id = 1;

-- name: state_has_hashed
-- Something was stored under a key: hashed addresses begin with 'h:', keys of recipients with 's:'.
SELECT EXISTS (
	SELECT 1
	FROM pair
	WHERE sender_key >= 'h:'
		AND sender_key < 'h;'
) OR EXISTS (
	SELECT 1
	FROM verdict
	WHERE sender_key >= 'h:'
		AND sender_key < 'h;'
) OR coalesce((
	SELECT substr(fingerprint, 1, 2) = 's:'
	FROM recipient_key
	LIMIT 1), 0);

-- name: state_has_record
-- A verdict or a pair was stored under a key: hashed addresses begin with 'h:'.
SELECT EXISTS (
	SELECT 1
	FROM pair
	WHERE sender_key >= 'h:'
		AND sender_key < 'h;'
) OR EXISTS (
	SELECT 1
	FROM verdict
	WHERE sender_key >= 'h:'
		AND sender_key < 'h;'
);

-- name: state_mark_wal
-- 'pgpgate-wal:', the number of the mark before, ':', its own.
UPDATE state
SET wal_mark = 'pgpgate-wal:' || coalesce(substr(wal_mark, 30, 16), '0000000000000000') ||
	':' || lower(hex(randomblob(8)))
WHERE id = 1;

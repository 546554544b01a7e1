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

-- name: state
SELECT live_generation, paused_until_unix, import_first_rule, import_first_audit
FROM state
WHERE id = 1;

-- name: state_pause
UPDATE state
SET paused_until_unix = ?1
WHERE id = 1;

-- name: state_import_begin
-- The ids after which everything staged comes.
UPDATE state
SET import_first_rule = (SELECT coalesce(max(id), 0) FROM rule),
	import_first_audit = (SELECT coalesce(max(id), 0) FROM rule_audit)
WHERE id = 1;

-- name: state_import_live
UPDATE state
SET live_generation = ?1
WHERE id = 1;

-- name: state_import_end
UPDATE state
SET import_first_rule = NULL,
	import_first_audit = NULL
WHERE id = 1;

-- SPDX-License-Identifier: ISC
--
-- journal.sql: how far the journal was moved (migration-007.sql).

-- name: journal_moved
SELECT moved
FROM journal
WHERE stream = ?1;

-- name: journal_old_stream
SELECT stream
FROM journal
WHERE stream > ?1
	AND time_unix < ?2
ORDER BY stream
LIMIT 1;

-- name: journal_set_moved
INSERT INTO journal (stream, moved, time_unix)
VALUES (?1, ?2, ?3)
ON CONFLICT (stream) DO UPDATE
SET moved = max(moved, ?2),
	time_unix = ?3;

-- name: journal_forget_stream
DELETE FROM journal
WHERE stream = ?1;

-- name: journal_uses_ratchet
SELECT 1
FROM rule
WHERE requirement = 'ratchet'
LIMIT 1;

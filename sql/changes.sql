-- SPDX-License-Identifier: ISC
--
-- changes.sql: what was changed, when, by whom: rules, pauses, and what history was forgotten.

-- name: change_insert
INSERT INTO change (time_unix, author, what, owner, undoes, n_rows)
VALUES (?1, ?2, ?3, ?4, ?5, 0);

-- name: change_number
-- It becomes true now: after all that did before. ?3: the number that the centre of a site gave it, or NULL.
UPDATE change
SET no = coalesce(?3, (SELECT coalesce(max(no), 0) + 1 FROM change)),
	n_rows = ?2
WHERE key = ?1;

-- name: change_last_no
SELECT coalesce(max(no), 0)
FROM change;

-- name: change_row_insert
INSERT INTO change_row (change_key, recipient, before, after, rule_id, rule_author, rule_created_unix,
	rule_hits, rule_last_hit_unix)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: change_of_key
SELECT no
FROM change
WHERE key = ?1;

-- name: change_of_no
SELECT key, no, time_unix, author, what, owner, undoes, n_rows
FROM change
WHERE no = ?1;

-- name: change_next
SELECT key, no, time_unix, author, what, owner, undoes, n_rows
FROM change
WHERE no > ?1
ORDER BY no
LIMIT 1;

-- name: change_before
SELECT key, no, time_unix, author, what, owner, undoes, n_rows
FROM change
WHERE no < ?1
ORDER BY no DESC
LIMIT 1;

-- name: change_rows_page
SELECT id, recipient, before, after, rule_id, rule_author, rule_created_unix, rule_hits, rule_last_hit_unix
FROM change_row
WHERE change_key = ?1
	AND id > ?2
ORDER BY id
LIMIT ?3;

-- name: change_rows_page_back
SELECT id, recipient, before, after, rule_id, rule_author, rule_created_unix, rule_hits, rule_last_hit_unix
FROM change_row
WHERE change_key = ?1
	AND id < ?2
ORDER BY id DESC
LIMIT ?3;

-- name: change_rows_of_recipient
-- Those of changes that are staged come too, with NULL for their number.
SELECT change_row.id, change_row.recipient, before, after, rule_id, rule_author, rule_created_unix, rule_hits,
	rule_last_hit_unix, no, time_unix, author, what, owner, undoes
FROM change_row
CROSS JOIN change ON change.key = change_row.change_key
WHERE change_row.recipient = ?1
	AND change_row.id > ?2
ORDER BY change_row.id
LIMIT ?3;

-- name: change_row_unstage
-- A key that came twice in one import.
DELETE FROM change_row
WHERE recipient = ?2
	AND change_key = ?1
	AND after = ?3;

-- name: change_rows_clean
DELETE FROM change_row
WHERE id IN (
	SELECT id
	FROM change_row
	WHERE change_key = ?1
	ORDER BY id
	LIMIT ?2);

-- name: change_count_rows
SELECT count(*)
FROM change_row
WHERE change_key = ?1;

-- name: change_delete_staged
DELETE FROM change
WHERE key = ?1
	AND no IS NULL;

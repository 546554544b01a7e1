-- SPDX-License-Identifier: ISC
--
-- keys.sql: keys of recipients, their certificates, groups.

-- name: key_find
SELECT primary_fingerprint, key_id, from_unix, until_unix, state, source, note, author, created_at_unix
FROM recipient_key
WHERE pattern = ?1
	AND fingerprint = ?2;

-- name: key_put
INSERT INTO recipient_key (pattern, key_id, fingerprint, primary_fingerprint, from_unix, until_unix, state,
	source, note, author, created_at_unix)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (pattern, fingerprint) DO UPDATE
SET key_id = ?2,
	primary_fingerprint = ?4,
	from_unix = ?5,
	until_unix = ?6,
	state = ?7,
	source = ?8,
	note = ?9,
	author = ?10,
	created_at_unix = ?11;

-- name: key_delete
DELETE FROM recipient_key
WHERE pattern = ?1
	AND fingerprint = ?2;

-- name: key_page
-- From after (pattern, fingerprint).
SELECT pattern, fingerprint, primary_fingerprint, key_id, from_unix, until_unix, state, source, note, author,
	created_at_unix
FROM recipient_key
WHERE (pattern, fingerprint) > (?1, ?2)
ORDER BY pattern, fingerprint
LIMIT ?3;

-- name: key_group_put
INSERT INTO key_group (pattern, member, wants_all)
VALUES (?1, ?2, ?3);

-- name: key_group_delete
DELETE FROM key_group
WHERE pattern = ?1;

-- name: key_group_page
SELECT pattern, member, wants_all
FROM key_group
WHERE (pattern, member) > (?1, ?2)
ORDER BY pattern, member
LIMIT ?3;

-- name: certificate_put
INSERT INTO certificate (fingerprint, packets)
VALUES (?1, ?2)
ON CONFLICT (fingerprint) DO UPDATE
SET packets = ?2;

-- name: certificate_find
SELECT packets
FROM certificate
WHERE fingerprint = ?1;

-- name: certificate_sweep
-- Those that no key is from any more.
DELETE FROM certificate
WHERE NOT EXISTS (
	SELECT 1
	FROM recipient_key
	WHERE primary_fingerprint = certificate.fingerprint);

-- name: key_missing
-- Recipients that must have mail to their own key, by rules that hold, and have none; from after a pattern.
SELECT DISTINCT recipient
FROM rule
WHERE recipient > ?1
	AND requirement = 'own-key'
	AND generation <= (SELECT live_generation FROM state)
	AND (until_generation IS NULL OR until_generation > (SELECT live_generation FROM state))
	AND NOT EXISTS (
		SELECT 1
		FROM recipient_key
		WHERE pattern = rule.recipient)
	AND NOT EXISTS (
		SELECT 1
		FROM key_group
		WHERE pattern = rule.recipient)
ORDER BY recipient
LIMIT ?2;

-- name: key_demanded
SELECT 1
FROM rule
WHERE recipient = ?1
	AND requirement = 'own-key'
	AND generation <= (SELECT live_generation FROM state)
	AND (until_generation IS NULL OR until_generation > (SELECT live_generation FROM state))
LIMIT 1;

-- name: key_ending
-- Active keys that end from ?1 on and before ?2.
SELECT count(*)
FROM recipient_key
WHERE until_unix >= ?1
	AND until_unix < ?2
	AND state = 'active'
	AND source <> 'spare';

-- name: sealed_otherwise
-- Are keys kept in another form (db/engine/sealed.h) than is wanted? All are in the same. ?1: sealed.
SELECT coalesce((
	SELECT (substr(fingerprint, 1, 2) = 's:') <> ?1
	FROM recipient_key
	LIMIT 1), 0) OR coalesce((
	SELECT (substr(fingerprint, 1, 2) = 's:') <> ?1
	FROM certificate
	LIMIT 1), 0);

-- name: sealed_unread
SELECT EXISTS (
	SELECT 1
	FROM recipient_key
	WHERE key_plain(fingerprint) IS NULL
		OR key_plain(primary_fingerprint) IS NULL
) OR EXISTS (
	SELECT 1
	FROM certificate
	WHERE key_plain(fingerprint) IS NULL
		OR key_plain(packets) IS NULL
);

-- name: sealed_turn_keys
UPDATE recipient_key
SET key_id = coalesce(key_id_form(fingerprint), key_id),
	fingerprint = key_form(fingerprint),
	primary_fingerprint = key_form(primary_fingerprint);

-- name: sealed_turn_certificates
UPDATE certificate
SET fingerprint = key_form(fingerprint),
	packets = key_form(packets);

-- name: sealed_turn_history
-- scan: once, when the form changes
UPDATE change_row
SET before = key_text_form(before),
	after = key_text_form(after)
WHERE substr(before, 1, 4) = 'key '
	OR substr(after, 1, 4) = 'key ';

-- name: sealed_drop_keys
DELETE FROM recipient_key
WHERE key_plain(fingerprint) IS NULL
	OR key_plain(primary_fingerprint) IS NULL;

-- name: sealed_drop_certificates
DELETE FROM certificate
WHERE key_plain(fingerprint) IS NULL
	OR key_plain(packets) IS NULL;

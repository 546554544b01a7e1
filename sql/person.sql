-- SPDX-License-Identifier: ISC
--
-- person.sql: removing what is known of one address (`pgpgate forget --person`), in small steps. ?1 is its key, or
-- the address itself where rules are. Steps with a limit are repeated until nothing is left.

-- name: person_verdicts_sent
DELETE FROM verdict
WHERE id IN (
	SELECT id
	FROM verdict
	WHERE sender_key = ?1
	LIMIT ?2);

-- name: person_verdicts_received
-- By nobody else.
DELETE FROM verdict
WHERE id IN (
	SELECT r.verdict_id
	FROM verdict_recipient AS r
	WHERE r.recipient_key = ?1
		AND NOT EXISTS (
			SELECT 1
			FROM verdict_recipient AS other
			WHERE other.verdict_id = r.verdict_id
				AND other.recipient_key <> ?1)
	LIMIT ?2);

-- name: person_replies
-- A reply names recipients.
UPDATE verdict
SET reply = '',
	key_ids = NULL
WHERE id IN (
	SELECT r.verdict_id
	FROM verdict_recipient AS r
	CROSS JOIN verdict AS v ON v.id = r.verdict_id
	WHERE r.recipient_key = ?1
		AND (v.reply <> '' OR v.key_ids IS NOT NULL)
	LIMIT ?2);

-- name: person_recipients
DELETE FROM verdict_recipient
WHERE (verdict_id, position) IN (
	SELECT verdict_id, position
	FROM verdict_recipient
	WHERE recipient_key = ?1
	LIMIT ?2);

-- name: person_header_from
UPDATE verdict
SET header_from_key = NULL
WHERE id > ?2
	AND id <= ?3
	AND header_from_key = ?1;

-- name: person_pairs_sent
DELETE FROM pair
WHERE (sender_key, recipient_key) IN (
	SELECT sender_key, recipient_key
	FROM pair
	WHERE sender_key = ?1
	LIMIT ?2);

-- name: person_pairs_received
DELETE FROM pair
WHERE (sender_key, recipient_key) > (?2, ?3)
	AND (sender_key, recipient_key) <= (?4, ?5)
	AND recipient_key = ?1;

-- name: person_pairs_page
-- From after a pair: those of one address, for its export.
SELECT sender_key, recipient_key, first_encrypted_unix, last_encrypted_unix, n_encrypted,
	first_cleartext_unix, last_cleartext_unix, n_cleartext
FROM pair
WHERE (sender_key, recipient_key) > (?1, ?2)
ORDER BY sender_key, recipient_key
LIMIT ?3;

-- name: person_outgoing
DELETE FROM outgoing
WHERE (sender_key, domain) IN (
	SELECT sender_key, domain
	FROM outgoing
	WHERE sender_key = ?1
	LIMIT ?2);

-- name: person_bounces
DELETE FROM bounce_window
WHERE sender_key = ?1
	AND ?2 > 0;

-- name: person_splits
-- scan: of a day, and few
DELETE FROM split_evidence
WHERE (recipient_key = ?1
		OR sender_key = ?1
		OR substr(sender_key, 1, length(?1) + 1) = ?1 || ' ')
	AND ?2 > 0;

-- name: person_split_vain
DELETE FROM split_vain
WHERE (sender_key, declared_size_bytes) IN (
	SELECT sender_key, declared_size_bytes
	FROM split_vain
	WHERE sender_key >= ?1 || ' '
		AND sender_key < ?1 || '!'
	LIMIT ?2);

-- name: person_rules
DELETE FROM rule
WHERE id > ?2
	AND id <= ?3
	AND (recipient = ?1 OR sender = ?1);

-- name: person_changes
-- The text of a rule with what separates words turned into blanks.
UPDATE change_row
SET recipient = NULL,
	before = NULL,
	after = NULL
WHERE id > ?2
	AND id <= ?3
	AND (recipient = ?1
		OR instr(' ' || replace(replace(coalesce(before, '') || ' ' || coalesce(after, ''), '=', ' '), char(34), ' ')
			|| ' ', ' ' || ?1 || ' ') > 0);

-- name: person_last_verdict
SELECT coalesce(max(id), 0)
FROM verdict;

-- name: person_last_change_row
SELECT coalesce(max(id), 0)
FROM change_row;

-- name: person_keys
DELETE FROM recipient_key
WHERE pattern = ?1
	AND ?2 > 0;

-- name: person_groups
DELETE FROM key_group
WHERE (pattern = ?1 OR member = ?1)
	AND ?2 > 0;

-- name: person_certificates_page
-- From after a fingerprint as it is kept.
SELECT fingerprint, packets
FROM certificate
WHERE fingerprint > ?1
ORDER BY fingerprint
LIMIT ?2;

-- name: person_certificates_others
-- The same, of those that somebody else's keys are from.
SELECT c.fingerprint, c.packets
FROM certificate AS c
WHERE c.fingerprint > ?1
	AND EXISTS (
		SELECT 1
		FROM recipient_key AS k
		WHERE k.primary_fingerprint = c.fingerprint
			AND k.pattern <> ?3)
ORDER BY c.fingerprint
LIMIT ?2;

-- name: person_certificate_item
-- One that is without user ids of the person now, as the centre of a site keeps it.
SELECT json_array('certificate', key_plain(?1), '', hex(?2));

-- name: person_certificates
DELETE FROM certificate
WHERE ?1 <> ''
	AND ?2 > 0
	AND NOT EXISTS (
		SELECT 1
		FROM recipient_key
		WHERE primary_fingerprint = certificate.fingerprint);

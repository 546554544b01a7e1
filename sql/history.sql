-- SPDX-License-Identifier: ISC
--
-- history.sql: what earlier verdicts decide later: pairs, the reply window, evidence for mixed recipients.

-- name: pair_encrypted
INSERT INTO pair (sender_key, recipient_key, first_encrypted_unix, last_encrypted_unix, n_encrypted)
VALUES (?1, ?2, ?3, ?3, 1)
ON CONFLICT (sender_key, recipient_key) DO UPDATE
SET first_encrypted_unix = coalesce(first_encrypted_unix, ?3),
	last_encrypted_unix = max(coalesce(last_encrypted_unix, 0), ?3),
	n_encrypted = n_encrypted + 1;

-- name: pair_cleartext
INSERT INTO pair (sender_key, recipient_key, first_cleartext_unix, last_cleartext_unix, n_cleartext)
VALUES (?1, ?2, ?3, ?3, 1)
ON CONFLICT (sender_key, recipient_key) DO UPDATE
SET first_cleartext_unix = coalesce(first_cleartext_unix, ?3),
	last_cleartext_unix = max(coalesce(last_cleartext_unix, 0), ?3),
	n_cleartext = n_cleartext + 1;

-- name: pair_encrypted_retract
-- One message less. ?3: its time, ?4: that of the one before it, or NULL.
UPDATE pair
SET n_encrypted = n_encrypted - 1,
	first_encrypted_unix = CASE WHEN n_encrypted > 1 THEN first_encrypted_unix END,
	last_encrypted_unix = CASE
		WHEN n_encrypted = 1 THEN NULL
		WHEN last_encrypted_unix = ?3 THEN coalesce(?4, ?3)
		ELSE last_encrypted_unix
	END
WHERE sender_key = ?1
	AND recipient_key = ?2
	AND n_encrypted > 0;

-- name: pair_cleartext_retract
UPDATE pair
SET n_cleartext = n_cleartext - 1,
	first_cleartext_unix = CASE WHEN n_cleartext > 1 THEN first_cleartext_unix END,
	last_cleartext_unix = CASE
		WHEN n_cleartext = 1 THEN NULL
		WHEN last_cleartext_unix = ?3 THEN coalesce(?4, ?3)
		ELSE last_cleartext_unix
	END
WHERE sender_key = ?1
	AND recipient_key = ?2
	AND n_cleartext > 0;

-- name: pair_delete_empty
DELETE FROM pair
WHERE sender_key = ?1
	AND recipient_key = ?2
	AND n_encrypted = 0
	AND n_cleartext = 0;

-- name: pair_delete
DELETE FROM pair
WHERE sender_key = ?1
	AND recipient_key = ?2;

-- name: outgoing_cleartext
-- ?4: what is later was written by a clock that was wrong.
INSERT INTO outgoing (sender_key, domain, last_cleartext_unix)
VALUES (?1, ?2, ?3)
ON CONFLICT (sender_key, domain) DO UPDATE
SET last_cleartext_unix = CASE
		WHEN last_cleartext_unix > ?4 THEN ?3
		ELSE max(last_cleartext_unix, ?3)
	END;

-- name: outgoing_retract
-- ?3: the time to be taken back, ?4: that of the message before.
UPDATE outgoing
SET last_cleartext_unix = ?4
WHERE sender_key = ?1
	AND domain = ?2
	AND last_cleartext_unix = ?3;

-- name: outgoing_delete
DELETE FROM outgoing
WHERE sender_key = ?1
	AND domain = ?2
	AND last_cleartext_unix = ?3;

-- name: split_insert
INSERT INTO split_evidence (sender_key, declared_size_bytes, recipient_key, digest, passed, yields, time_unix)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (sender_key, declared_size_bytes, recipient_key, digest) DO UPDATE
SET passed = ?5,
	yields = ?6,
	time_unix = ?7;

-- name: split_other_sizes
-- Of a sender with a client there are those of a day.
DELETE FROM split_evidence
WHERE sender_key = ?1
	AND declared_size_bytes <> ?2
	AND digest = ?3;

-- name: split_done
DELETE FROM split_evidence
WHERE sender_key = ?1
	AND declared_size_bytes = ?2
	AND recipient_key = ?3
	AND digest = ?4;

-- name: vain_insert
INSERT INTO split_vain (sender_key, declared_size_bytes, n_vain, time_unix)
VALUES (?1, ?2, 1, ?3)
ON CONFLICT (sender_key, declared_size_bytes) DO UPDATE
SET n_vain = n_vain + 1,
	time_unix = ?3;

-- name: vain_delete
DELETE FROM split_vain
WHERE sender_key = ?1
	AND declared_size_bytes = ?2;

-- name: attempt_insert
-- ?3: seconds within which a further attempt is not counted.
INSERT INTO split_attempt (digest, n_attempts, last_counted_unix)
VALUES (?1, 1, ?2)
ON CONFLICT (digest) DO UPDATE
SET n_attempts = n_attempts + 1,
	last_counted_unix = ?2
WHERE last_counted_unix <= ?2 - ?3;

-- name: pair_sweep_end
-- The key that ends the next step of a sweep: NULL columns when fewer rows are left.
SELECT sender_key, recipient_key
FROM pair
WHERE (sender_key, recipient_key) > (?1, ?2)
ORDER BY sender_key, recipient_key
LIMIT 1 OFFSET ?3;

-- name: pair_sweep
DELETE FROM pair
WHERE (sender_key, recipient_key) > (?1, ?2)
	AND (sender_key, recipient_key) <= (?3, ?4)
	AND max(coalesce(last_encrypted_unix, 0), coalesce(last_cleartext_unix, 0)) < ?5;

-- name: pair_sweep_rest
DELETE FROM pair
WHERE (sender_key, recipient_key) > (?1, ?2)
	AND max(coalesce(last_encrypted_unix, 0), coalesce(last_cleartext_unix, 0)) < ?3;

-- name: outgoing_sweep_end
SELECT sender_key, domain
FROM outgoing
WHERE (sender_key, domain) > (?1, ?2)
ORDER BY sender_key, domain
LIMIT 1 OFFSET ?3;

-- name: outgoing_sweep
DELETE FROM outgoing
WHERE (sender_key, domain) > (?1, ?2)
	AND (sender_key, domain) <= (?3, ?4)
	AND last_cleartext_unix < ?5;

-- name: outgoing_sweep_rest
DELETE FROM outgoing
WHERE (sender_key, domain) > (?1, ?2)
	AND last_cleartext_unix < ?3;

-- name: split_expire
DELETE FROM split_evidence
WHERE (sender_key, declared_size_bytes, recipient_key, digest) IN (
	SELECT sender_key, declared_size_bytes, recipient_key, digest
	FROM split_evidence
	WHERE time_unix < ?1
	ORDER BY time_unix
	LIMIT ?2);

-- name: vain_expire
DELETE FROM split_vain
WHERE (sender_key, declared_size_bytes) IN (
	SELECT sender_key, declared_size_bytes
	FROM split_vain
	WHERE time_unix < ?1
	ORDER BY time_unix
	LIMIT ?2);

-- name: attempt_expire
DELETE FROM split_attempt
WHERE digest IN (
	SELECT digest
	FROM split_attempt
	WHERE last_counted_unix < ?1
	ORDER BY last_counted_unix
	LIMIT ?2);

-- name: bounce_open
-- ?3: seconds within which a window is not opened anew; ?4: what is later was written by a clock that was wrong.
INSERT INTO bounce_window (sender_key, last_sent_unix, day, n_bounces)
VALUES (?1, ?2, 0, 0)
ON CONFLICT (sender_key) DO UPDATE
SET last_sent_unix = ?2
WHERE last_sent_unix < ?2 - ?3
	OR last_sent_unix > ?4;

-- name: bounce_count
-- The window may stand under the other form of the address, plain or hashed: then the count has a row of its own.
INSERT INTO bounce_window (sender_key, last_sent_unix, day, n_bounces)
VALUES (?1, 0, ?2, 1)
ON CONFLICT (sender_key) DO UPDATE
SET n_bounces = CASE WHEN day = ?2 THEN n_bounces + 1 ELSE 1 END,
	day = ?2;

-- name: bounce_expire
DELETE FROM bounce_window
WHERE sender_key IN (
	SELECT sender_key
	FROM bounce_window
	WHERE last_sent_unix < ?1
		AND day < ?1 / 86400
	ORDER BY last_sent_unix
	LIMIT ?2);

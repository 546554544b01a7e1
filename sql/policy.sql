-- SPDX-License-Identifier: ISC
--
-- policy.sql: what a decision asks. Each is one descent of an index, however many rules there are.

-- name: policy_last_of_recipient
-- The last rule of a recipient pattern in the order of the index: without a sender, none there has one;
-- without a client too, there is only the rule for everybody, which this is, unless it is staged or over.
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix, owner, generation, until_generation
FROM rule
WHERE recipient = ?1
ORDER BY sender DESC, client DESC, generation DESC
LIMIT 1;

-- name: policy_has_sender
SELECT 1
FROM rule
WHERE recipient = ?1
	AND sender = ?2
LIMIT 1;

-- name: policy_rule_of_client
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix, owner
FROM rule
WHERE recipient = ?1
	AND sender = ?2
	AND client = ?3
	AND generation <= ?4
	AND (until_generation IS NULL OR until_generation > ?4)
ORDER BY generation DESC
LIMIT 1;

-- name: policy_rule_of_network
-- The last network that sorts at or before an address, or before a network around it.
SELECT id, recipient, sender, client, requirement, starts_at_unix, expires_at_unix, note, help_url,
	author, created_at_unix, hits, last_hit_at_unix, owner
FROM rule
WHERE recipient = ?1
	AND sender = ?2
	AND client >= 'net:'
	AND client <= ?3
	AND generation <= ?4
	AND (until_generation IS NULL OR until_generation > ?4)
ORDER BY client DESC, generation DESC
LIMIT 1;

-- name: policy_pair
SELECT first_encrypted_unix, last_encrypted_unix, n_encrypted,
	first_cleartext_unix, last_cleartext_unix, n_cleartext
FROM pair
WHERE sender_key = ?1
	AND recipient_key = ?2;

-- name: policy_outgoing
SELECT last_cleartext_unix
FROM outgoing
WHERE sender_key = ?1
	AND domain = ?2;

-- name: policy_bounce
-- ?2: today. At a site, with what other hosts let in.
SELECT last_sent_unix,
	CASE WHEN day = ?2 THEN n_bounces ELSE 0 END + (
		SELECT coalesce(sum(s.n_bounces), 0)
		FROM site_bounce AS s
		WHERE s.sender_key = ?1
			AND s.day = ?2)
FROM bounce_window
WHERE sender_key = ?1;

-- name: policy_bounce_any
SELECT 1
FROM bounce_window
WHERE last_sent_unix > ?1
LIMIT 1;

-- name: policy_split_any
SELECT EXISTS (
	SELECT 1
	FROM split_evidence
	WHERE time_unix > 0
);

-- name: policy_split
-- In the order of digests, so that of too many messages the same ones are told apart for each recipient.
SELECT digest, passed, yields
FROM split_evidence
WHERE sender_key = ?1
	AND declared_size_bytes = ?2
	AND recipient_key = ?3
	AND time_unix > ?4
ORDER BY digest;

-- name: policy_split_others
SELECT 1
FROM split_evidence
WHERE sender_key = ?1
	AND declared_size_bytes = ?2
	AND digest = ?3
	AND passed = ?4
	AND time_unix > ?5
LIMIT 1;

-- name: policy_split_yielding
SELECT 1
FROM split_evidence
WHERE sender_key = ?1
	AND declared_size_bytes = ?2
	AND yields = 1
	AND time_unix > ?3
LIMIT 1;

-- name: policy_split_vain
SELECT n_vain
FROM split_vain
WHERE sender_key = ?1
	AND declared_size_bytes = ?2
	AND time_unix > ?3;

-- name: policy_attempts
SELECT n_attempts, last_counted_unix
FROM split_attempt
WHERE digest = ?1;

-- name: policy_keys
-- Keys of a pattern; and of those behind it, who come one after the other, each with NULL when no key is known.
SELECT '' AS member, 0 AS wants_all, key_id, state, until_unix, from_unix, fingerprint, source = 'spare'
FROM recipient_key
WHERE pattern = ?1
UNION ALL
SELECT key_group.member, key_group.wants_all, k.key_id, k.state, k.until_unix, k.from_unix, k.fingerprint,
	k.source = 'spare'
FROM key_group
LEFT JOIN recipient_key AS k ON k.pattern = key_group.member
WHERE key_group.pattern = ?1;

-- SPDX-License-Identifier: ISC
--
-- Schema 6: policy: evidence for mixed recipients, told apart by message, and for clients that declare no SIZE.
--
-- What was there served for a day; a message that is under way now is split once more.

DROP TABLE split_evidence;

-- What a message that was split meant for each recipient, until it is answered there or a day has passed.
CREATE TABLE split_evidence (
	sender_key TEXT NOT NULL,              -- without what BATV and SRS change in it
	declared_size_bytes INTEGER NOT NULL,  -- SIZE= at MAIL FROM; 0: not declared
	recipient_key TEXT NOT NULL,
	digest BLOB NOT NULL                   -- SHA-256 of the content: which message
		CHECK (length(digest) = 32),
	passed INTEGER NOT NULL                -- the message met this recipient's demand
		CHECK (passed IN (0, 1)),
	yields INTEGER NOT NULL                -- the others were too many to be deferred: they come first
		CHECK (yields IN (0, 1)),
	time_unix INTEGER NOT NULL,
	PRIMARY KEY (sender_key, declared_size_bytes, recipient_key, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX split_evidence_by_class
ON split_evidence (sender_key, declared_size_bytes, digest, passed);

CREATE INDEX split_evidence_by_time
ON split_evidence (time_unix);

-- Transactions that ended before their content, since a message of this sender and size was last answered.
CREATE TABLE split_vain (
	sender_key TEXT NOT NULL,
	declared_size_bytes INTEGER NOT NULL,
	n_vain INTEGER NOT NULL,
	time_unix INTEGER NOT NULL,            -- of the last one
	PRIMARY KEY (sender_key, declared_size_bytes)
) STRICT, WITHOUT ROWID;

CREATE INDEX split_vain_by_time
ON split_vain (time_unix);

PRAGMA user_version = 6;

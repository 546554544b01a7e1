-- SPDX-License-Identifier: ISC
--
-- Schema 8: keys: which keys recipients have, and to which keys a message was encrypted.
--
-- Two further words for requirements. The text of a CHECK is all that changes, so no row is touched; creating a
-- table below makes every other connection read the schema again.

PRAGMA writable_schema = ON;

UPDATE sqlite_schema
SET sql = replace(sql,
	'requirement = ''ratchet'')',
	'requirement = ''ratchet'' OR requirement = ''own-key'' OR requirement = ''readable'')')
WHERE type = 'table'
	AND name IN ('rule', 'verdict_recipient');

UPDATE sqlite_schema
SET sql = replace(sql,
	'demand = ''ratchet'')',
	'demand = ''ratchet'' OR demand = ''own-key'' OR demand = ''readable'')')
WHERE type = 'table'
	AND name = 'verdict_recipient';

PRAGMA writable_schema = RESET;

ALTER TABLE verdict
ADD COLUMN key_ids TEXT;                       -- containers and session keys (db/record/key_ids.h); NULL: no OpenPGP

-- Keys that mail to a pattern's recipients may be encrypted to. One row a key.
CREATE TABLE recipient_key (
	pattern TEXT NOT NULL                  -- canonical pattern, as of rules
		CHECK (pattern <> ''),
	key_id INTEGER NOT NULL,               -- 64 bits of the encryption key's fingerprint; 0: its fingerprint tells none
	fingerprint TEXT NOT NULL,             -- of the encryption key, upper-case hex digits
	primary_fingerprint TEXT NOT NULL,     -- of its certificate
	from_unix INTEGER,                     -- when it was made; NULL: not known
	until_unix INTEGER,                    -- it expires, or was revoked, then; NULL: never
	state TEXT NOT NULL                    -- by now it may have expired as well
		CHECK (state = 'active' OR state = 'expired' OR state = 'superseded' OR
			state = 'compromised'),
	source TEXT NOT NULL,                  -- 'import', 'add'
	note TEXT,                             -- NULL: none
	author TEXT NOT NULL,                  -- login name
	created_at_unix INTEGER NOT NULL,
	PRIMARY KEY (pattern, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE INDEX recipient_key_by_end
ON recipient_key (until_unix)
WHERE until_unix IS NOT NULL;

CREATE INDEX recipient_key_by_certificate
ON recipient_key (primary_fingerprint);

-- The certificates of these keys, as OpenPGP packets, once each.
CREATE TABLE certificate (
	fingerprint TEXT PRIMARY KEY,
	packets BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is behind a recipient that stands for several.
CREATE TABLE key_group (
	pattern TEXT NOT NULL
		CHECK (pattern <> ''),
	member TEXT NOT NULL                   -- canonical pattern of a mailbox
		CHECK (member <> ''),
	wants_all INTEGER NOT NULL             -- a message must be for every member, not for one
		CHECK (wants_all IN (0, 1)),
	PRIMARY KEY (pattern, member)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 8;

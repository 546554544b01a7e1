-- SPDX-License-Identifier: ISC
--
-- migration-001.sql: the first schema. Migrations are append-only, all together one transaction, user_version last.
--
-- Conventions. Times are seconds since 1970-01-01 UTC (_unix). Where an address is stored as a key its
-- domain comes first, with its labels reversed, then '@' and the local part: alice@mail.example.org is
-- org.example.mail@alice. So one index finds an address, a domain (org.example@...) and everything below
-- a domain (org.example....). An address without a domain is stored as it is; the null sender is '<>'.
-- With log_addresses = hashed a key is made of keyed hashes (h:16hex@h:16hex), and is found like any other.
--
-- Checks of words are chains of OR: for IN with more than two values SQLite builds a temporary b-tree each
-- time a row is written, which made a verdict three times as expensive.

PRAGMA application_id = 1346850887; -- 'PGPG'

CREATE TABLE state (
	id INTEGER PRIMARY KEY CHECK (id = 1), -- one row
	live_generation INTEGER NOT NULL,      -- rules and audit rows of a greater generation are staged by an import
	paused_until_unix INTEGER,             -- refuse nothing until then; NULL: not paused
	import_first_rule INTEGER,             -- staged rules have greater ids; NULL: no import to clean up after
	import_first_audit INTEGER             -- staged audit rows have greater ids; NULL likewise
) STRICT;

INSERT INTO state (id, live_generation)
VALUES (1, 1);

CREATE TABLE rule (
	id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: the verdict log names rules that are gone
	generation INTEGER NOT NULL,           -- of several live ones with one key the greatest counts
	recipient TEXT NOT NULL                -- canonical pattern
		CHECK (recipient <> ''),
	sender TEXT NOT NULL,                  -- canonical pattern, '<>'; '': any sender
	client TEXT NOT NULL                   -- '': any; 'authenticated'; 'net:' 32 hex digits '/' 3-digit prefix
		CHECK (client = '' OR client = 'authenticated' OR client LIKE 'net:%/___'),
	requirement TEXT NOT NULL
		CHECK (requirement = 'exempt' OR requirement = 'observe' OR
			requirement = 'signed' OR requirement = 'encrypted' OR
			requirement = 'ratchet'),
	starts_at_unix INTEGER,                -- first second at which it holds; NULL: at once
	expires_at_unix INTEGER,               -- first second at which it does not hold; NULL: never
	note TEXT,                             -- the administrator's; NULL: none
	help_url TEXT,                         -- shown in the reply; NULL: that of the configuration
	author TEXT NOT NULL,                  -- login name
	created_at_unix INTEGER NOT NULL,
	hits INTEGER NOT NULL DEFAULT 0,       -- recipients decided by it
	last_hit_at_unix INTEGER               -- NULL: never
) STRICT;

CREATE UNIQUE INDEX rule_by_key
ON rule (recipient, sender, client, generation);

CREATE TABLE rule_audit (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	generation INTEGER NOT NULL,           -- greater than live_generation: staged, not yet true
	time_unix INTEGER NOT NULL,
	author TEXT NOT NULL,                  -- login name
	what TEXT NOT NULL
		CHECK (what = 'add' OR what = 'replace' OR what = 'forget' OR what = 'import' OR
			what = 'pause' OR what = 'resume' OR what = 'forget-history'),
	recipient TEXT,                        -- canonical pattern; NULL: not about a rule
	before TEXT,                           -- the rule as import reads it; NULL: there was none
	after TEXT                             -- likewise; NULL: there is none now
) STRICT;

CREATE INDEX rule_audit_by_recipient
ON rule_audit (recipient);

CREATE TABLE verdict (
	id INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order of commits
	time_unix INTEGER NOT NULL,            -- when the message was judged
	queue_id TEXT NOT NULL,                -- Postfix uses them again; '': none
	host TEXT NOT NULL,                    -- our own name
	client TEXT NOT NULL,                  -- address of the client, or its hash; '': sendmail(1)
	authenticated TEXT NOT NULL,           -- login name of the client, or its hash; '': none
	sender_key TEXT NOT NULL,              -- envelope sender
	header_from_key TEXT,                  -- address in From:; NULL: none, or several
	is_local INTEGER NOT NULL              -- sent by one of ours
		CHECK (is_local IN (0, 1)),
	message_id TEXT NOT NULL,              -- escaped, or its hash; '': none
	declared_size_bytes INTEGER,           -- SIZE= at MAIL FROM; NULL: not declared
	size_bytes INTEGER NOT NULL,
	verdict TEXT NOT NULL
		CHECK (verdict = 'cleartext' OR verdict = 'encrypted' OR verdict = 'smime' OR
			verdict = 'signed' OR verdict = 'partial' OR verdict = 'invalid' OR
			verdict = 'report' OR verdict = 'handshake'),
	form TEXT NOT NULL
		CHECK (form = 'none' OR form = 'pgp-mime' OR form = 'pgp-mixed' OR
			form = 'pgp-inline'),
	reason TEXT NOT NULL,                  -- slug
	detail TEXT NOT NULL,
	cleartext_bytes INTEGER NOT NULL,
	returns_readable INTEGER NOT NULL      -- verdict report: with a readable body
		CHECK (returns_readable IN (0, 1)),
	action TEXT NOT NULL
		CHECK (action = 'accept' OR action = 'refuse' OR action = 'split' OR
			action = 'quarantine' OR action = 'tag' OR action = 'tempfail'),
	would TEXT NOT NULL                    -- the action if nothing were paused and enforce were yes
		CHECK (would = 'accept' OR would = 'refuse' OR would = 'split' OR
			would = 'quarantine' OR would = 'tag' OR would = 'tempfail'),
	reply TEXT NOT NULL                    -- what the client was told
) STRICT;

CREATE INDEX verdict_by_time
ON verdict (time_unix);

CREATE INDEX verdict_by_queue_id
ON verdict (queue_id);

CREATE INDEX verdict_by_sender
ON verdict (sender_key);

CREATE TABLE verdict_recipient (
	verdict_id INTEGER NOT NULL
		REFERENCES verdict (id) ON DELETE CASCADE,
	position INTEGER NOT NULL,             -- 0 and up, in the order of RCPT
	recipient_key TEXT NOT NULL,
	is_trustworthy INTEGER NOT NULL        -- 0: an address that only a stricter rule may match
		CHECK (is_trustworthy IN (0, 1)),
	requirement TEXT NOT NULL
		CHECK (requirement = 'exempt' OR requirement = 'observe' OR
			requirement = 'signed' OR requirement = 'encrypted' OR
			requirement = 'ratchet'),
	demand TEXT NOT NULL                   -- the requirement with what history says about it
		CHECK (demand = 'exempt' OR demand = 'observe' OR demand = 'signed' OR
			demand = 'encrypted' OR demand = 'ratchet'),
	source TEXT NOT NULL
		CHECK (source = 'rule' OR source = 'default' OR source = 'exempt_recipients' OR
			source = 'history'),
	rule_id INTEGER,                       -- the rule may be gone since; NULL: no rule
	passes INTEGER NOT NULL                -- the message met the demand
		CHECK (passes IN (0, 1)),
	PRIMARY KEY (verdict_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX verdict_recipient_by_key
ON verdict_recipient (recipient_key);

-- Accepted mail only, from the envelope sender and from the address in From:.
CREATE TABLE pair (
	sender_key TEXT NOT NULL,
	recipient_key TEXT NOT NULL,
	first_encrypted_unix INTEGER,          -- NULL: never
	last_encrypted_unix INTEGER,           -- NULL: never
	n_encrypted INTEGER NOT NULL DEFAULT 0,
	first_cleartext_unix INTEGER,          -- NULL: never
	last_cleartext_unix INTEGER,           -- NULL: never
	n_cleartext INTEGER NOT NULL DEFAULT 0,
	PRIMARY KEY (sender_key, recipient_key)
) STRICT, WITHOUT ROWID;

-- One of ours sent mail that was not encrypted to that domain, and it was accepted (reply_window).
CREATE TABLE outgoing (
	sender_key TEXT NOT NULL,              -- ours
	domain TEXT NOT NULL,                  -- registrable domain of the recipient, or its hash
	last_cleartext_unix INTEGER NOT NULL,
	PRIMARY KEY (sender_key, domain)
) STRICT, WITHOUT ROWID;

-- Mixed recipients: what a message that was split meant for each recipient. Serves for a day.
CREATE TABLE split_evidence (
	sender_key TEXT NOT NULL,
	recipient_key TEXT NOT NULL,
	declared_size_bytes INTEGER NOT NULL,  -- SIZE= at MAIL FROM
	passed INTEGER NOT NULL                -- the message met this recipient's demand
		CHECK (passed IN (0, 1)),
	time_unix INTEGER NOT NULL,
	PRIMARY KEY (sender_key, recipient_key, declared_size_bytes)
) STRICT, WITHOUT ROWID;

CREATE INDEX split_evidence_by_time
ON split_evidence (time_unix);

-- Mixed recipients: the same message coming together again. Attempts less than 5 minutes after one that
-- was counted are not counted.
CREATE TABLE split_attempt (
	digest BLOB PRIMARY KEY                -- SHA-256
		CHECK (length(digest) = 32),
	n_attempts INTEGER NOT NULL,
	last_counted_unix INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX split_attempt_by_time
ON split_attempt (last_counted_unix);

PRAGMA user_version = 1;

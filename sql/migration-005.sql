-- SPDX-License-Identifier: ISC
--
-- migration-005.sql: rules have owners, and changes have numbers. A change is what one command did: some
-- rules, a million of them (import), a pause. It gets its number when it is committed, so that the order of
-- the numbers is the order in which changes became true; `pgpgate undo` takes it back as a whole.
--
-- The table rule_audit goes into change and change_row. Before that, what an interrupted import left is
-- removed: nothing knows of it any more.

DELETE FROM rule
WHERE generation > (SELECT live_generation FROM state);

DELETE FROM rule_audit
WHERE generation > (SELECT live_generation FROM state);

DELETE FROM rule
WHERE (SELECT import_first_rule FROM state) IS NOT NULL
	AND EXISTS (
		SELECT 1
		FROM rule AS newer
		WHERE newer.recipient = rule.recipient
			AND newer.sender = rule.sender
			AND newer.client = rule.client
			AND newer.generation > rule.generation);

UPDATE state
SET import_first_rule = NULL,
	import_first_audit = NULL;

ALTER TABLE state
RENAME COLUMN import_first_audit TO import_change_key; -- of the change that it makes; NULL: no import to clean up after

ALTER TABLE rule
ADD COLUMN owner TEXT;                         -- whose import keeps it: ldap, ansible; NULL: typed

ALTER TABLE rule
ADD COLUMN until_generation INTEGER;           -- removed or replaced by the import of that generation; NULL: by none

CREATE INDEX rule_by_until
ON rule (until_generation)
WHERE until_generation IS NOT NULL;

CREATE TABLE change (
	key INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which changes were begun
	no INTEGER UNIQUE,                     -- in the order in which they became true; NULL: staged, not yet true
	time_unix INTEGER NOT NULL,
	author TEXT NOT NULL,                  -- login name
	what TEXT NOT NULL,                    -- rules, import, undo, pause, resume, forget-history, forget-person
	owner TEXT,                            -- of an import; NULL: none
	undoes INTEGER,                        -- number of the change that it took back; NULL: none
	n_rows INTEGER NOT NULL
) STRICT;

CREATE TABLE change_row (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	change_key INTEGER NOT NULL
		REFERENCES change (key),
	recipient TEXT,                        -- canonical pattern; NULL: not about a rule
	before TEXT,                           -- the rule as import reads it; NULL: there was none
	after TEXT,                            -- likewise; NULL: there is none now
	rule_id INTEGER,                       -- of the rule before, as are the following; NULL: there was none
	rule_author TEXT,
	rule_created_unix INTEGER,
	rule_hits INTEGER,
	rule_last_hit_unix INTEGER
) STRICT;

INSERT INTO change (key, no, time_unix, author, what, n_rows)
SELECT min(id),
	row_number() OVER (ORDER BY min(id)),
	time_unix,
	author,
	CASE WHEN what = 'add' OR what = 'replace' OR what = 'forget' THEN 'rules' ELSE what END,
	count(*)
FROM rule_audit
GROUP BY CASE WHEN what = 'import' THEN -generation ELSE id END;

INSERT INTO change_row (id, change_key, recipient, before, after)
SELECT id,
	min(id) OVER (PARTITION BY CASE WHEN what = 'import' THEN -generation ELSE id END),
	recipient,
	before,
	after
FROM rule_audit;

CREATE INDEX change_row_by_change
ON change_row (change_key, id);

CREATE INDEX change_row_by_recipient
ON change_row (recipient);

DROP TABLE rule_audit;

PRAGMA user_version = 5;

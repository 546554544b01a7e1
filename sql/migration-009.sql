-- SPDX-License-Identifier: ISC
--
-- Schema 9: sites: several hosts. Without a centre all of these tables are empty.

CREATE TABLE site (
	id INTEGER PRIMARY KEY CHECK (id = 1), -- one row, while this host belongs to a site
	site_id TEXT NOT NULL,                 -- of the centre
	host_id TEXT NOT NULL,                 -- ours there
	started TEXT NOT NULL,                 -- which server, started when: with another one the feed is read anew
	rules_no INTEGER NOT NULL,             -- number of the last change that was applied here
	rules_mark TEXT NOT NULL,              -- its mark, by which a centre that lost changes is known
	feed_no INTEGER NOT NULL,              -- likewise of the feed of history
	pushed_no INTEGER NOT NULL,            -- verdicts up to this id are at the centre
	last_pull_unix INTEGER NOT NULL,       -- when the centre last answered; 0: never
	offset_ms INTEGER NOT NULL,            -- our clock less the centre's
	here_paused_until_unix INTEGER         -- paused on this host alone; NULL: not
) STRICT;

-- What the centre has of the feed, so that it is not told again.
CREATE TABLE site_known (
	kind TEXT NOT NULL,                    -- pair, window, bounce, split
	a TEXT NOT NULL,
	b TEXT NOT NULL,
	c TEXT NOT NULL,
	time_unix INTEGER NOT NULL,            -- of the last message of that kind
	PRIMARY KEY (kind, a, b, c)
) STRICT, WITHOUT ROWID;

CREATE INDEX site_known_by_time
ON site_known (time_unix);

-- Exemptions that hold on this host alone, made while the centre was away.
CREATE TABLE site_here (
	recipient TEXT PRIMARY KEY,            -- canonical pattern
	author TEXT NOT NULL,
	created_at_unix INTEGER NOT NULL,
	expires_at_unix INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Verdicts that became temporary failures after they may have been pushed.
CREATE TABLE site_retracted (
	verdict_id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER verdict_retracted
AFTER UPDATE OF action ON verdict
WHEN EXISTS (SELECT 1 FROM site)
BEGIN
	INSERT OR IGNORE INTO site_retracted (verdict_id)
	VALUES (new.id);
END;

PRAGMA user_version = 9;

-- SPDX-License-Identifier: ISC
--
-- migration-002.sql: sums of verdicts by day, which stay when the verdicts are too old to be kept. The verdict
-- log adds to them in the transaction that stores the verdict, so that they are exact.
--
-- What is stored already is summed up here, which takes some seconds per million verdicts.

CREATE TABLE daily (
	day INTEGER NOT NULL,                  -- UTC, days since 1970-01-01
	verdict TEXT NOT NULL,                 -- the words of the table verdict
	action TEXT NOT NULL,
	would TEXT NOT NULL,
	n_messages INTEGER NOT NULL,
	n_recipients INTEGER NOT NULL,
	size_bytes INTEGER NOT NULL,           -- of all bodies
	PRIMARY KEY (day, verdict, action, would)
) STRICT, WITHOUT ROWID;

INSERT INTO daily (day, verdict, action, would, n_messages, n_recipients, size_bytes)
SELECT time_unix / 86400,
	verdict,
	action,
	would,
	count(*),
	sum((SELECT count(*) FROM verdict_recipient WHERE verdict_id = verdict.id)),
	sum(size_bytes)
FROM verdict
GROUP BY 1, 2, 3, 4;

PRAGMA user_version = 2;

-- SPDX-License-Identifier: ISC
--
-- Schema 7: record: how far the journal was moved. The filter's journal (db/record/journal_format.h) is moved into the
-- tables verdict and what follows from it; the transaction that does so says here how far, so that nothing is moved twice.

CREATE TABLE journal (
	stream INTEGER PRIMARY KEY,            -- of one filter, from its start to its end; random
	moved INTEGER NOT NULL,                -- sequence of the last record that is in the database
	time_unix INTEGER NOT NULL             -- when that was
) STRICT;

-- Whether a ratchet is in use is asked at each step of the journal's.
CREATE INDEX rule_ratchet
ON rule (requirement)
WHERE requirement = 'ratchet';

PRAGMA user_version = 7;

-- SPDX-License-Identifier: ISC
--
-- migration-003.sql: how long the filter takes to answer, as a histogram. The verdict log adds to it once a
-- second; a filter that is killed takes the last second's with it.

CREATE TABLE answer_time (
	le_us INTEGER PRIMARY KEY,             -- upper bound of these, microseconds; 2^63 - 1: no bound
	n INTEGER NOT NULL,                    -- answers at the end of a message
	sum_us INTEGER NOT NULL                -- what they took together
) STRICT;

PRAGMA user_version = 3;

-- SPDX-License-Identifier: ISC
--
-- Schema 11: sites: bounces are counted over all hosts.

CREATE TABLE site_bounce (
	sender_key TEXT NOT NULL,              -- ours, as in bounce_window
	host_id TEXT NOT NULL,                 -- another host of the site
	day INTEGER NOT NULL,                  -- UTC, days since 1970-01-01: of n_bounces
	n_bounces INTEGER NOT NULL,            -- that it let in that day
	PRIMARY KEY (sender_key, host_id)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 11;

-- SPDX-License-Identifier: ISC
--
-- Schema 12: sites: by what a copy of this host is told from it.

ALTER TABLE site
ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0;    -- how often the centre gave this host a mark

ALTER TABLE site
ADD COLUMN incarnation_mark TEXT NOT NULL DEFAULT ''; -- the last one

PRAGMA user_version = 12;

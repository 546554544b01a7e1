-- SPDX-License-Identifier: ISC
--
-- Schema 7: record: how far the journal was moved

PRAGMA user_version = 7;

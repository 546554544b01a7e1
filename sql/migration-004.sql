-- SPDX-License-Identifier: ISC
--
-- Schema 4: engine: files and keys

PRAGMA user_version = 4;

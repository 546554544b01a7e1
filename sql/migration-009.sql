-- SPDX-License-Identifier: ISC
--
-- Schema 9: sites: several hosts

PRAGMA user_version = 9;

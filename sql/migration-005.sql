-- SPDX-License-Identifier: ISC
--
-- Schema 5: rules: owners, numbered changes

PRAGMA user_version = 5;

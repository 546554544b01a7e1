-- SPDX-License-Identifier: ISC
--
-- Schema 8: keys: certificates of recipients

PRAGMA user_version = 8;

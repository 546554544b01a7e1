-- SPDX-License-Identifier: ISC
--
-- Schema 4: engine: which key and which write-ahead log belong to this database

ALTER TABLE state ADD COLUMN hash_key_check TEXT;  -- 32 hex digits of a hash under the key of hashed addresses; NULL: no key yet
ALTER TABLE state ADD COLUMN wal_mark TEXT;        -- 'pgpgate-wal:' 16 hex digits of the one before ':' 16 of its own; NULL: none yet

PRAGMA user_version = 4;

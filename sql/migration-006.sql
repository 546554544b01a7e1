-- SPDX-License-Identifier: ISC
--
-- Schema 6: policy: evidence without SIZE, expected bounces

PRAGMA user_version = 6;

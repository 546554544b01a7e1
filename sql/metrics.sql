-- SPDX-License-Identifier: ISC
--
-- metrics.sql: for `pgpgate metrics` and the policy server's page. Nothing here may take long: the policy
-- server answers nobody meanwhile.

-- name: metrics_totals
-- scan: some ten rows a day
SELECT verdict, action, would, n_messages, n_recipients, size_bytes
FROM daily;

-- name: answer_time_add
INSERT INTO answer_time (le_us, n, sum_us)
VALUES (?1, ?2, ?3)
ON CONFLICT (le_us) DO UPDATE
SET n = n + ?2,
	sum_us = sum_us + ?3;

-- name: answer_times
SELECT le_us, n, sum_us
FROM answer_time;

-- name: metrics_rules_changed
-- Each change of the rules that is true has a number; one that is staged by an import, a rule.
SELECT
	(SELECT max(no) FROM change),
	(SELECT max(id) FROM rule);

-- name: metrics_site
-- Of a host of a site: how far it is, and what the centre does not have.
SELECT last_pull_unix,
	rules_no,
	offset_ms,
	coalesce((SELECT max(id) FROM verdict), pushed_no) - pushed_no,
	coalesce((SELECT time_unix FROM verdict WHERE id > pushed_no ORDER BY id LIMIT 1), 0),
	max(0, coalesce((SELECT min(id) FROM verdict), 1) - 1 - pushed_no)
FROM site
WHERE id = 1;

-- SPDX-License-Identifier: ISC
--
-- metrics.sql: for `pgpgate metrics` and the policy server's page. Nothing here may take long: the policy
-- server answers nobody meanwhile.

-- name: metrics_totals
-- scan: some ten rows a day
SELECT verdict, action, would, n_messages, n_recipients, size_bytes
FROM daily;

-- name: metrics_rules_changed
-- Each change of the rules has a row in the audit; one that is staged by an import, a rule.
SELECT
	(SELECT max(id) FROM rule_audit),
	(SELECT max(id) FROM rule);

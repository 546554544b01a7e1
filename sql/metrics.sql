-- SPDX-License-Identifier: ISC
--
-- metrics.sql: for `pgpgate metrics` and the policy server's page. Nothing here may take long: the policy
-- server answers nobody meanwhile.

-- name: metrics_totals
-- scan: some ten rows a day
SELECT verdict, action, would, n_messages, n_recipients, size_bytes
FROM daily;

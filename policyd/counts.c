/* SPDX-License-Identifier: ISC */
#include "policyd/counts.h"

void counts_write(const struct counts *c, size_t n_connections_now, FILE *out)
{
	char label[64];

	metrics_head(out, "pgpgate_policy_answers_total", METRIC_COUNTER,
		     "Recipients answered for Postfix, by the requirement found.");
	for (int r = 0; r < REQUIREMENT_COUNT; r++) {
		snprintf(label, sizeof label, "requirement=\"%s\"",
			 requirement_name((enum requirement)r));
		metrics_sample(out, "pgpgate_policy_answers_total", label, c->n_requirement[r]);
	}
	metrics_single(out, "pgpgate_policy_deferrals_total", METRIC_COUNTER,
		       "Recipients of the other class of a split message, answered 450.",
		       c->n_deferred);
	metrics_single(out, "pgpgate_policy_unconcerned_total", METRIC_COUNTER,
		       "Requests at other states than RCPT or without an instance, answered DUNNO.",
		       c->n_not_asked);
	metrics_single(out, "pgpgate_policy_database_failures_total", METRIC_COUNTER,
		       "Requests that the database could not decide.", c->n_unanswered);
	metrics_single(out, "pgpgate_policy_malformed_requests_total", METRIC_COUNTER,
		       "Connections closed because of a request that Postfix would not send.",
		       c->n_malformed);
	metrics_single(out, "pgpgate_policy_connections", METRIC_GAUGE,
		       "Connections of Postfix now.", (int64_t)n_connections_now);
	metrics_single(out, "pgpgate_policy_connections_total", METRIC_COUNTER,
		       "Connections accepted from Postfix.", c->n_connections);
	metrics_single(out, "pgpgate_policy_refused_connections_total", METRIC_COUNTER,
		       "Connections closed because of max_connections.", c->n_too_many);
	metrics_histogram(out, "pgpgate_policy_decision_seconds",
			  "Time to decide about a recipient, in the policy server.", &c->decision);
	metrics_single(out, "process_start_time_seconds", METRIC_GAUGE,
		       "When the policy server started, in seconds since 1970.", c->started_unix);
}

/* SPDX-License-Identifier: ISC
 *
 * counts.h: what the policy server counts of its own work, for its metrics page. Plain values, one
 * thread.
 */
#ifndef PGPGATE_POLICYD_COUNTS_H
#define PGPGATE_POLICYD_COUNTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/metrics.h"
#include "common/verdict.h"

struct counts {
	int64_t started_unix;
	int64_t n_requirement[REQUIREMENT_COUNT]; /* answered with what policy_actions says for it
						   */
	int64_t n_deferred;	   /* recipients of the other class of a split message */
	int64_t n_not_asked;	   /* DUNNO: another protocol state, or no instance */
	int64_t n_unanswered;	   /* the database failed: closed, or DUNNO by on_database_error */
	int64_t n_malformed;	   /* requests that nobody's Postfix sends */
	int64_t n_connections;	   /* accepted */
	int64_t n_too_many;	   /* closed because of max_connections */
	struct histogram decision; /* of requests at RCPT, answered or not */
};

/* Writes them all as samples. n_connections_now: those that are open. Errors are for the caller to
 * see in out. */
void counts_write(const struct counts *c, size_t n_connections_now, FILE *out);

#endif

/* SPDX-License-Identifier: ISC
 *
 * policy_site.c: a host of a site (pgpgate-site(7)): what holds here alone while the centre is
 * away, and whether the copy of the rules is fresh enough to refuse for good.
 */
#include "db/policy/policy_internal.h"

#include <stdio.h>

#include "db/engine/pause_time.h"

static int is_exempt_here(struct db *d, const char *pattern, int64_t now_unix)
{
	sqlite3_stmt *st = db_statement(d, SQL_SITE_HERE_OF);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	db_bind_int(st, 2, now_unix);
	got = db_step(d, st);
	sqlite3_reset(st);
	return got;
}

static int ask_exemptions(struct db *d, const struct policy_query *q,
			  const struct policy_address *recipient, struct policy_answer *a)
{
	if (a->requirement == REQUIREMENT_EXEMPT)
		return 0;
	for (size_t i = 0; i < recipient->candidates.n; i++) {
		const char *pattern = recipient->candidates.text[i];
		const bool counts = address_is_sure(recipient->address,
						    recipient->candidates.kind[i]);
		const int found = counts ? is_exempt_here(d, pattern, q->now_unix) : 0;

		if (found < 0)
			return -1;
		if (found == 0)
			continue;
		a->requirement = a->demand = REQUIREMENT_EXEMPT;
		a->source = SOURCE_RULE;
		a->rule_id = 0;
		snprintf(a->why, sizeof a->why, "exempt on this host alone (%.160s)", pattern);
		return 0;
	}
	return 0;
}

int policy_ask_site(struct db *d, const struct settings *s, const struct policy_query *q,
		    const struct db_state *state, const struct policy_address *recipient,
		    struct policy_answer *a)
{
	int64_t age_s;

	if (!state->is_at_site)
		return 0;
	if (pause_is_on(state->here_paused_until_unix, q->now_unix))
		a->is_paused = true;
	/* A clock that was set back makes it older, not younger. */
	age_s = q->now_unix - state->last_pull_unix;
	if (age_s < -1)
		age_s = -age_s;
	a->is_overdue = age_s > s->stale_after_s + s->stale_refusal_s;
	a->is_stale = age_s > s->stale_after_s && !a->is_overdue;
	return state->has_exemptions_here ? ask_exemptions(d, q, recipient, a) : 0;
}

/* SPDX-License-Identifier: ISC
 *
 * policy_internal.h: what a decision asks: the rules (policy_rules.c), what happened before
 * (policy_history.c), and what is known of messages with mixed recipients (split.c). For db/ only.
 */
#ifndef PGPGATE_DB_POLICY_INTERNAL_H
#define PGPGATE_DB_POLICY_INTERNAL_H

#include "db/engine/internal.h"
#include "db/pair.h"
#include "db/policy.h"

/* An address as the patterns that match it. */
struct policy_address {
	const struct address *address;
	bool is_trustworthy;
	struct candidates candidates;
};

/* How strict a requirement is: exempt < observe < readable < ratchet < signed < encrypted <
 * own-key. */
int policy_strength(enum requirement r);

/* The rule that holds, within a read transaction. `fallback` is what holds without any rule. 1 and
 * *winner set, 0 when the fallback holds, -1. */
int policy_find_rule(struct db *d, int64_t generation, const struct policy_query *q,
		     const struct policy_address *recipient, const struct policy_address *sender,
		     enum requirement fallback, struct rule *winner);

/* Why a rule of one of the recipient's patterns did not win over `winner` (NULL: nothing won); ""
 * for the winner itself. Returns out. */
const char *policy_why_lost(const struct policy_query *q, const struct policy_address *sender,
			    const struct rule *r, const struct rule *winner, char *out,
			    size_t out_size);

/* What history says, within a read transaction: it may change a->demand, a->source and a->why. 0 or
 * -1. */
int policy_ask_history(struct db *d, const struct settings *s, const struct policy_query *q,
		       struct policy_answer *a);
/* Is mail from the null sender plausible as a bounce: a->expects_bounce, and a->why then. 0 or -1.
 * (policy_bounce.c) */
int policy_ask_bounce(struct db *d, const struct settings *s, const struct policy_query *q,
		      struct policy_answer *a);
/* At a site (policy_site.c): what holds on this host alone, and whether the copy of the rules may
 * be old: a->is_paused, a->is_stale, and a->demand with a->why where an exemption of this host
 * holds. Costs no statement more than a host that stands alone, unless there is such an exemption.
 * 0 or -1. */
int policy_ask_site(struct db *d, const struct settings *s, const struct policy_query *q,
		    const struct db_state *state, const struct policy_address *recipient,
		    struct policy_answer *a);
/* What messages that were split meant for this recipient: a->n_split and what belongs to it. 0 or
 * -1. */
int policy_ask_split(struct db *d, const struct policy_query *q, struct policy_answer *a);

/* Is `then` less than lasts_s ago? What a clock that was ahead has written lies in the future: then
 * it is that far away, too, or what was to last for days would last until then. */
bool policy_is_within(int64_t then_unix, int64_t now_unix, int64_t lasts_s);

/* The record of a pair under each form in which it may be stored (plain, hashed), added up. 1, 0,
 * -1. */
int policy_read_pair(struct db *d, const char *sender, const char *recipient,
		     struct pair_record *out);

#endif

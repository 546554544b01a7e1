/* SPDX-License-Identifier: ISC
 *
 * rule_hits.h: hits of rules, gathered in memory between two writes, because a write for each
 * message would dirty one more page for each. One thread's. For db/ only.
 */
#ifndef PGPGATE_DB_RULE_HITS_H
#define PGPGATE_DB_RULE_HITS_H

#include "db/engine/internal.h"

#define HITS_SLOTS 1024
#define HITS_MAX \
	(HITS_SLOTS / 4 * 3) /* rules: beyond it a search among the slots would take long */

/* Zero-initialised. A rule is in the slot of its id modulo HITS_SLOTS, or in the next ones that are
 * free: rules made together are written together, and share pages. */
struct rule_hits {
	size_t n; /* slots in use */
	struct {
		int64_t rule_id; /* 0: free */
		int64_t n, last_unix;
	} slot[HITS_SLOTS];
};

/* false: there is no room for one more rule. */
bool rule_hits_count(struct rule_hits *hits, int64_t rule_id, int64_t time_unix);

/* In a transaction of its own: 0, and none are left, or -1, and all are. Rules that are gone are
 * passed over. */
int rule_hits_write(struct db *d, struct rule_hits *hits);

#endif

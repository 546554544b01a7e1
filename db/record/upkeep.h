/* SPDX-License-Identifier: ISC
 *
 * upkeep.h: removing what is too old, in steps that hold the write lock for some 20 ms at most. The verdict
 * log's writer runs one step a second, more often while there is a backlog. For db/ only.
 */
#ifndef PGPGATE_DB_UPKEEP_H
#define PGPGATE_DB_UPKEEP_H

#include "db/engine/internal.h"
#include "db/engine/key.h"

/* Where a sweep over a table with a key of two columns is. */
struct sweep {
	char a[KEY_MAX], b[KEY_MAX];
};

struct upkeep {
	int64_t n_steps;
	int remove_ms; /* how long a step removes verdicts, fitted to what its commit takes; 0: not yet known */
	struct sweep pairs, outgoing;
};

/* One step. Returns the ms after which the next one is due; failures are left to the next step. */
int upkeep_step(struct db *d, const struct settings *s, int64_t now_unix, struct upkeep *u);

/* Removes verdicts before a time: for about *remove_ms, which it fits. Returns how many, or -1. */
int upkeep_expire_verdicts(struct db *d, int64_t before_unix, int *remove_ms);

#endif

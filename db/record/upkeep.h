/* SPDX-License-Identifier: ISC
 *
 * upkeep.h: removing what is too old, in steps that hold the write lock for some 20 ms at most. The
 * verdict log's writer runs one step a second, more often while there is a backlog. For db/ only.
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
	int remove_ms; /* how long a step removes verdicts, fitted to what its commit takes; 0: not
			  yet known */
	struct sweep pairs, outgoing;
	int64_t unsteady_before_unix; /* what is removed at most while the clock is not to be
					 believed; 0: it is */
};

/* One step. While the clock is not to be believed (common/clock_watch.h) only verdicts of the
 * oldest days go, and nothing else, so that a wrong year takes away next to nothing. Returns the ms
 * after which the next one is due; failures are left to the next step. */
int upkeep_step(struct db *d, const struct settings *s, int64_t now_unix, bool is_clock_steady,
		struct upkeep *u);

/* Removes verdicts for about *remove_ms, which it fits: from ids[*at] on, which becomes the next
 * one, what is older than before_unix still. Returns how many, or -1. */
int upkeep_remove(struct db *d, const int64_t *ids, size_t n, size_t *at, int64_t before_unix,
		  int *remove_ms);

/* Verdicts older than this go also where the centre of a site does not have them. */
int64_t upkeep_unpushed_before(const struct db *d);

#endif

/* SPDX-License-Identifier: ISC
 *
 * arena.h: strings that live and die together. Zero-initialised; one thread at a time. For db/
 * only.
 */
#ifndef PGPGATE_DB_ARENA_H
#define PGPGATE_DB_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *blocks;
	size_t n_failed; /* allocations that were not had: what arena_keep() returned was "" */
};

/* Memory for size bytes, aligned for any type, zeroed; NULL when there is none. */
void *arena_take(struct arena *a, size_t size);
/* A copy; NULL counts as "". Never NULL. */
const char *arena_keep(struct arena *a, const char *text);
void arena_reset(struct arena *a);

#endif

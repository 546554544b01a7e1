/* SPDX-License-Identifier: ISC
 *
 * sums.h: counts of messages by a key (a day, an address, a domain), for `report`, `simulate` and
 * `suggest`. A hash table that grows to SUMS_MAX keys; what comes after goes to one more key,
 * SUMS_OTHERS, so that a flood of forged senders cannot take all memory.
 */
#ifndef PGPGATE_CLI_SUMS_H
#define PGPGATE_CLI_SUMS_H

#include <stddef.h>
#include <stdint.h>

#include "common/verdict.h"

#define SUMS_MAX 500000 /* keys: some 100 MB at the worst */
#define SUMS_OTHERS "(others)"

struct sum {
	const char *key; /* behind the struct: one line of cache less to wait for */
	int64_t n_messages;
	int64_t n_encrypted; /* verdict encrypted */
	int64_t n_refused;   /* refused or held */
	int64_t n_would;     /* would have been, had the rules been enforced */
	int64_t n_deferred;  /* split, tempfail */
	int64_t bytes;
	int64_t by_verdict[VERDICT_COUNT];
	int64_t first_unix, last_unix; /* 0: not known */
};

struct sums_bucket {
	struct sum *sum; /* NULL: free */
	size_t hash;
};

struct sums {
	struct sums_bucket *buckets;
	size_t n_buckets;
	struct sum **list; /* in the order in which they came */
	size_t n;
};

/* The sum of a key, made if it is not there. Stays where it is. Ends the process when memory is
 * short, as output_memory() does. */
struct sum *sums_get(struct sums *s, const char *key);

/* The same, or NULL: it is not there. */
struct sum *sums_find(struct sums *s, const char *key);

/* Sorts list: by key, or by one of the counts, the greatest first (ties by key). */
enum sums_order { SUMS_BY_KEY, SUMS_BY_MESSAGES, SUMS_BY_REFUSED };
void sums_sort(struct sums *s, enum sums_order order);

void sums_free(struct sums *s);

#endif

/* SPDX-License-Identifier: ISC */
#include "cli/sums.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. Keys are forged by whoever likes: a flood of equal hashes makes a report slow, nothing else. */
static size_t hash_of(const char *key)
{
	uint64_t hash = 14695981039346656037u;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 1099511628211u;
	return (size_t)(hash ^ hash >> 32);
}

static struct sum **slot_of(struct sums *s, const char *key)
{
	size_t at = hash_of(key) & (s->n_buckets - 1);

	while (s->buckets[at] != NULL && strcmp(s->buckets[at]->key, key) != 0)
		at = (at + 1) & (s->n_buckets - 1);
	return &s->buckets[at];
}

static int grow(struct sums *s)
{
	const size_t n_buckets = s->n_buckets == 0 ? 64 : 2 * s->n_buckets;
	struct sum **old = s->buckets;
	struct sum **buckets = calloc(n_buckets, sizeof(*buckets));
	struct sum **list = realloc(s->list, n_buckets * sizeof(*list));

	if (list != NULL)
		s->list = list;
	if (buckets == NULL || list == NULL) {
		free(buckets);
		return -1;
	}
	s->buckets = buckets;
	s->n_buckets = n_buckets;
	for (size_t i = 0; i < s->n; i++)
		*slot_of(s, s->list[i]->key) = s->list[i];
	free(old);
	return 0;
}

struct sum *sums_get(struct sums *s, const char *key)
{
	struct sum **slot;

	if (2 * s->n >= s->n_buckets && grow(s) != 0)
		return NULL;
	slot = slot_of(s, key);
	if (*slot == NULL && s->n >= SUMS_MAX) {
		key = SUMS_OTHERS;
		slot = slot_of(s, key);
	}
	if (*slot == NULL) {
		struct sum *sum = calloc(1, sizeof(*sum));

		if (sum == NULL || (sum->key = strdup(key)) == NULL) {
			free(sum);
			return NULL;
		}
		*slot = sum;
		s->list[s->n++] = sum;
	}
	return *slot;
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(struct sum *const *)a)->key, (*(struct sum *const *)b)->key);
}

static int by_count(int64_t x, int64_t y, const void *a, const void *b)
{
	return x != y ? (x < y) - (x > y) : by_key(a, b);
}

static int by_messages(const void *a, const void *b)
{
	return by_count((*(struct sum *const *)a)->n_messages,
			(*(struct sum *const *)b)->n_messages, a, b);
}

static int by_refused(const void *a, const void *b)
{
	const struct sum *x = *(struct sum *const *)a, *y = *(struct sum *const *)b;

	return by_count(x->n_refused + x->n_would, y->n_refused + y->n_would, a, b);
}

void sums_sort(struct sums *s, enum sums_order order)
{
	if (s->n > 0)
		qsort(s->list, s->n, sizeof(*s->list),
		      order == SUMS_BY_KEY	  ? by_key
		      : order == SUMS_BY_MESSAGES ? by_messages
						  : by_refused);
}

void sums_free(struct sums *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->list[i]->key);
		free(s->list[i]);
	}
	free(s->buckets);
	free(s->list);
	memset(s, 0, sizeof(*s));
}

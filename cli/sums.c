/* SPDX-License-Identifier: ISC */
#include "cli/sums.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

/* FNV-1a. Keys are forged by whoever likes: a flood of equal hashes makes a report slow, nothing
 * else. */
static size_t hash_of(const char *key)
{
	uint64_t hash = 14695981039346656037u;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 1099511628211u;
	return (size_t)(hash ^ hash >> 32);
}

static struct sums_bucket *bucket_of(struct sums *s, const char *key, size_t hash)
{
	size_t at = hash & (s->n_buckets - 1);

	while (s->buckets[at].sum != NULL &&
	       (s->buckets[at].hash != hash || strcmp(s->buckets[at].sum->key, key) != 0))
		at = (at + 1) & (s->n_buckets - 1);
	return &s->buckets[at];
}

static void grow(struct sums *s)
{
	const size_t n_buckets = s->n_buckets == 0 ? 64 : 2 * s->n_buckets;
	struct sums_bucket *buckets = output_memory(NULL, n_buckets * sizeof(*buckets));

	memset(buckets, 0, n_buckets * sizeof(*buckets));
	s->list = output_memory(s->list, n_buckets * sizeof(*s->list));
	for (size_t i = 0; i < s->n_buckets; i++) {
		size_t at = s->buckets[i].hash & (n_buckets - 1);

		if (s->buckets[i].sum == NULL)
			continue;
		while (buckets[at].sum != NULL)
			at = (at + 1) & (n_buckets - 1);
		buckets[at] = s->buckets[i];
	}
	free(s->buckets);
	s->buckets = buckets;
	s->n_buckets = n_buckets;
}

static struct sum *make_sum(const char *key)
{
	const size_t size = strlen(key) + 1;
	struct sum *sum = output_memory(NULL, sizeof(*sum) + size);

	memset(sum, 0, sizeof(*sum));
	sum->key = memcpy((char *)sum + sizeof(*sum), key, size);
	return sum;
}

struct sum *sums_get(struct sums *s, const char *key)
{
	struct sums_bucket *bucket;
	size_t hash = hash_of(key);

	if (2 * s->n >= s->n_buckets)
		grow(s);
	bucket = bucket_of(s, key, hash);
	if (bucket->sum == NULL && s->n >= SUMS_MAX) {
		key = SUMS_OTHERS;
		hash = hash_of(key);
		bucket = bucket_of(s, key, hash);
	}
	if (bucket->sum == NULL) {
		bucket->sum = make_sum(key);
		bucket->hash = hash;
		s->list[s->n++] = bucket->sum;
	}
	return bucket->sum;
}

struct sum *sums_find(struct sums *s, const char *key)
{
	return s->n_buckets > 0 ? bucket_of(s, key, hash_of(key))->sum : NULL;
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
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i]);
	free(s->buckets);
	free(s->list);
	memset(s, 0, sizeof(*s));
}

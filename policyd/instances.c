/* SPDX-License-Identifier: ISC */
#include "policyd/instances.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024 /* four entries in each when full */
#define NAME_MAX_BYTES 256
#define NONE UINT16_MAX

_Static_assert(INSTANCES_MAX < NONE, "entries are numbered in 16 bits");

struct entry {
	char name[NAME_MAX_BYTES];
	struct policy_split split;
	int64_t used_s;
	uint16_t next_in_bucket;
	uint16_t older, newer; /* by use */
};

struct instances {
	size_t n;
	uint16_t bucket[BUCKETS];
	uint16_t oldest, newest;
	uint16_t n_made; /* entries [0, n_made) were used once; then the free ones are in free_list
			  */
	uint16_t free_list;
	struct entry *entry; /* INSTANCES_MAX; untouched pages cost nothing */
};

struct instances *instances_new(void)
{
	struct instances *i = calloc(1, sizeof *i);

	if (i == NULL)
		return NULL;
	i->entry = calloc(INSTANCES_MAX, sizeof *i->entry);
	if (i->entry == NULL) {
		free(i);
		return NULL;
	}
	for (size_t b = 0; b < BUCKETS; b++)
		i->bucket[b] = NONE;
	i->oldest = i->newest = i->free_list = NONE;
	return i;
}

void instances_free(struct instances *i)
{
	if (i == NULL)
		return;
	free(i->entry);
	free(i);
}

size_t instances_count(const struct instances *i)
{
	return i->n;
}

static uint16_t *bucket_of(struct instances *i, const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a; the names are Postfix's, not the client's */

	for (const char *p = name; *p != '\0'; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	return &i->bucket[h % BUCKETS];
}

static void unlink_use(struct instances *i, uint16_t number)
{
	struct entry *e = &i->entry[number];

	if (e->older != NONE)
		i->entry[e->older].newer = e->newer;
	else
		i->oldest = e->newer;
	if (e->newer != NONE)
		i->entry[e->newer].older = e->older;
	else
		i->newest = e->older;
}

static void link_newest(struct instances *i, uint16_t number)
{
	struct entry *e = &i->entry[number];

	e->newer = NONE;
	e->older = i->newest;
	if (i->newest != NONE)
		i->entry[i->newest].newer = number;
	else
		i->oldest = number;
	i->newest = number;
}

static void remove_oldest(struct instances *i)
{
	uint16_t number = i->oldest;
	uint16_t *link = bucket_of(i, i->entry[number].name);

	while (*link != number)
		link = &i->entry[*link].next_in_bucket;
	*link = i->entry[number].next_in_bucket;
	unlink_use(i, number);
	i->entry[number].next_in_bucket = i->free_list;
	i->free_list = number;
	i->n--;
}

static uint16_t take_free(struct instances *i)
{
	uint16_t number = i->free_list;

	if (number == NONE)
		return i->n_made++;
	i->free_list = i->entry[number].next_in_bucket;
	return number;
}

struct policy_split *instances_get(struct instances *i, const char *name, int64_t now_s)
{
	uint16_t *bucket = bucket_of(i, name);
	uint16_t number;
	struct entry *e;

	while (i->oldest != NONE && i->entry[i->oldest].used_s + INSTANCES_EXPIRY_S <= now_s)
		remove_oldest(i);
	for (number = *bucket; number != NONE; number = i->entry[number].next_in_bucket) {
		if (strcmp(i->entry[number].name, name) == 0)
			break;
	}
	if (number != NONE) {
		unlink_use(i, number);
	} else {
		if (i->n == INSTANCES_MAX)
			remove_oldest(i);
		number = take_free(i);
		e = &i->entry[number];
		memset(e, 0, sizeof *e);
		strncpy(e->name, name, sizeof e->name - 1);
		e->next_in_bucket = *bucket;
		*bucket = number;
		i->n++;
	}
	i->entry[number].used_s = now_s;
	link_newest(i, number);
	return &i->entry[number].split;
}

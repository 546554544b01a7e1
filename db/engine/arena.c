/* SPDX-License-Identifier: ISC */
#include "db/engine/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 4000 /* a verdict with a handful of recipients */

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

void *arena_take(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;
	void *start;

	size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
	if (b == NULL || b->size - b->used < size) {
		const size_t room = size > BLOCK_BYTES ? size : BLOCK_BYTES;

		b = malloc(sizeof *b + room);
		if (b == NULL) {
			a->n_failed++;
			return NULL;
		}
		b->size = room;
		b->used = 0;
		b->next = a->blocks;
		a->blocks = b;
	}
	start = b->bytes + b->used;
	b->used += size;
	memset(start, 0, size);
	return start;
}

const char *arena_keep(struct arena *a, const char *text)
{
	char *copy;
	size_t len;

	if (text == NULL || text[0] == '\0')
		return "";
	len = strlen(text);
	copy = arena_take(a, len + 1);
	if (copy == NULL)
		return "";
	memcpy(copy, text, len + 1);
	return copy;
}

void arena_reset(struct arena *a)
{
	while (a->blocks != NULL) {
		struct arena_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	a->n_failed = 0;
}

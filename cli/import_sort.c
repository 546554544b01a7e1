/* SPDX-License-Identifier: ISC */
#include "cli/import_sort.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)1 << 20)

struct import_sort_block {
	struct import_sort_block *next;
	size_t used;
	char bytes[BLOCK_BYTES];
};

static const char *keep(struct import_sort *s, const char *text)
{
	const size_t size = strlen(text) + 1;
	struct import_sort_block *b = s->blocks;
	char *copy;

	if (size > BLOCK_BYTES)
		return NULL;
	if (b == NULL || BLOCK_BYTES - b->used < size) {
		b = malloc(sizeof(*b));
		if (b == NULL)
			return NULL;
		b->next = s->blocks;
		b->used = 0;
		s->blocks = b;
		s->bytes += sizeof(*b);
	}
	copy = b->bytes + b->used;
	memcpy(copy, text, size);
	b->used += size;
	return copy;
}

const char *import_sort_keep(struct import_sort *s, const char *line)
{
	return keep(s, line);
}

int import_sort_add(struct import_sort *s, const char *recipient, const char *line, int which)
{
	if (s->n == s->room) {
		const size_t room = s->room == 0 ? 1024 : 2 * s->room;
		struct import_sorted *more = realloc(s->list, room * sizeof(*more));

		if (more == NULL)
			return -1;
		s->bytes += (room - s->room) * sizeof(*more);
		s->list = more;
		s->room = room;
	}
	recipient = keep(s, recipient);
	if (recipient == NULL)
		return -1;
	s->list[s->n++] = (struct import_sorted){recipient, line, which};
	return 0;
}

bool import_sort_is_full(const struct import_sort *s)
{
	return s->bytes >= IMPORT_SORT_BYTES_MAX;
}

/* ---- a merge sort: it keeps the order of equals ---- */

static bool is_after(const struct import_sorted *a, const struct import_sorted *b)
{
	return strcmp(a->recipient, b->recipient) > 0;
}

static void merge(const struct import_sorted *from, struct import_sorted *to, size_t n_left,
		  size_t n)
{
	size_t left = 0, right = n_left;

	for (size_t i = 0; i < n; i++) {
		const bool takes_right = right < n &&
					 (left == n_left || is_after(&from[left], &from[right]));

		to[i] = takes_right ? from[right++] : from[left++];
	}
}

void import_sort_end(struct import_sort *s)
{
	struct import_sorted *other = malloc((s->n + 1) * sizeof(*other)), *swap;

	/* Without memory it is slow, and right. */
	for (size_t width = 1; other != NULL && width < s->n; width *= 2) {
		for (size_t at = 0; at < s->n; at += 2 * width) {
			const size_t rest = s->n - at, n = rest < 2 * width ? rest : 2 * width;

			merge(s->list + at, other + at, rest < width ? rest : width, n);
		}
		swap = s->list;
		s->list = other;
		s->room = s->n + 1;
		other = swap;
	}
	free(other);
}

void import_sort_reset(struct import_sort *s)
{
	while (s->blocks != NULL) {
		struct import_sort_block *b = s->blocks;

		s->blocks = b->next;
		free(b);
	}
	free(s->list);
	memset(s, 0, sizeof(*s));
}

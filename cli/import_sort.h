/* SPDX-License-Identifier: ISC
 *
 * import_sort.h: the rules of a file in the order of their recipients, which is that of the indices
 * of rules and of changes. A query gives them in any order, and then each rule is in a page of its
 * own: a million were 16 GB of writes, half an hour of a disk; in order some sixty share a page.
 *
 * Kept is where a rule stands, not the rule: the line, of up to 8 KB, and which of its rules. Rules
 * of one recipient stay in the order in which they came: of those with the same key the last one
 * counts. Bounded by IMPORT_SORT_BYTES_MAX: who adds gives away what there is when it is full. One
 * thread.
 */
#ifndef PGPGATE_CLI_IMPORT_SORT_H
#define PGPGATE_CLI_IMPORT_SORT_H

#include <stdbool.h>
#include <stddef.h>

#define IMPORT_SORT_BYTES_MAX ((size_t)256 << 20) /* two million rules of usual length */

struct import_sorted {
	const char *recipient; /* canonical */
	const char *line;
	int which; /* of the rules of that line */
};

/* Zero-initialised is empty. */
struct import_sort {
	struct import_sorted *list;
	size_t n, room;
	struct import_sort_block *blocks;
	size_t bytes;
};

/* A copy of the line, to be given to import_sort_add(); NULL: no memory. */
const char *import_sort_keep(struct import_sort *s, const char *line);
/* 0, or -1: no memory. */
int import_sort_add(struct import_sort *s, const char *recipient, const char *line, int which);
bool import_sort_is_full(const struct import_sort *s);
/* Puts list in order. */
void import_sort_end(struct import_sort *s);
/* Frees all; empty again. */
void import_sort_reset(struct import_sort *s);

#endif

/* SPDX-License-Identifier: ISC
 *
 * apply_rows.h: rows of rules and keys from the centre, page by page, for a change (sync/apply.c)
 * and for all of them (sync/snapshot.c). One thread. Functions return 0, -1 with h->error, or,
 * where it is said, DAMAGED with h->error.
 */
#ifndef PGPGATE_SYNC_APPLY_ROWS_H
#define PGPGATE_SYNC_APPLY_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "sync/host.h"

#define PAGE_ROWS "2000" /* rules that travel at once */

/* A row that cannot be read, or that is missing: all rules are to be taken anew. */
#define DAMAGED (-2)

/* Items of keys, copied. Zero-initialised. */
struct items {
	char **text;
	size_t n, room;
};
int items_add(struct items *i, const char *text);
void items_free(struct items *i);

/* The rows of a change or a snapshot (no 0), page by page, into e; those of keys into items, unless
 * that is NULL. *n_rows counts them; no further page is asked for when that is n_expected. 0, -1 or
 * DAMAGED. */
int apply_rows(struct host *h, struct site_edit *e, struct items *items, const char *sql,
	       int64_t no, int64_t n_expected, int64_t *n_rows);

/* Everything that is kept here about a person goes. */
int apply_person_removal(struct host *h, const char *address);
/* Change no made a person go whom the centre knows no more, since all hosts had done so: only one
 * whose database was put back comes to it then. */
void apply_warn_forgotten(int64_t no);

#endif

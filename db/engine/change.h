/* SPDX-License-Identifier: ISC
 *
 * change.h: the one door through which every change of rules, pauses and history goes into its audit trail.
 * A change is what one command did, as a whole: who, when, what, and rows of before and after. For db/ only.
 *
 * Numbers. A change is opened (staged: nobody sees it), gets rows, and is closed, which gives it its number: one
 * more than the last, in the transaction that makes it true. So numbers only grow, in the order of commits,
 * and a reader that is at number N misses nothing that comes later. A change is opened in the transaction that
 * closes it, or, for a bulk import, in an earlier one. One without rows is not opened at all: what changes
 * nothing leaves no trace.
 *
 * Within a write transaction of the connection's thread. Texts are borrowed.
 */
#ifndef PGPGATE_DB_CHANGE_H
#define PGPGATE_DB_CHANGE_H

#include "db/engine/internal.h"

struct change {
	int64_t time_unix;
	const char *author;
	const char *what;  /* see the table change */
	const char *owner; /* of an import; NULL or "": none */
	int64_t undoes;	   /* number of the change that it takes back; 0: none */
	int64_t key;	   /* set by change_open() */
	int64_t n_rows;	   /* counted by change_add() */
	int64_t no;	   /* set by change_close() */
};

struct change_row {
	const char *recipient;	    /* NULL: not about a rule */
	const char *before, *after; /* as import reads it, or what people read; NULL or "": none */
	int64_t rule_id; /* of the rule before; 0: there was none. And its author and so on: */
	const char *rule_author;
	int64_t rule_created_unix, rule_hits, rule_last_hit_unix;
};

/* Each returns 0 or -1. */
int change_open(struct db *d, struct change *c);
int change_add(struct db *d, struct change *c, const struct change_row *row);
int change_close(struct db *d, struct change *c);

/* A change of one row: all three. */
int change_single(struct db *d, struct change *c, const struct change_row *row);

#endif

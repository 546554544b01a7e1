/* SPDX-License-Identifier: ISC
 *
 * change.h: the one door through which every change of rules, pauses and history goes into its
 * audit trail. A change is what one command did, as a whole: who, when, what, and rows of before
 * and after. For db/ only.
 *
 * Numbers. A change is opened (staged: nobody sees it), gets rows, and is closed, which gives it
 * its number: one more than the last, in the transaction that makes it true. So numbers only grow,
 * in the order of commits, and a reader that is at number N misses nothing that comes later. A
 * change is opened in the transaction that closes it, or, for a bulk import, in an earlier one. One
 * without rows is not opened at all: what changes nothing leaves no trace.
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
	/* Of a change that was made at the centre of a site: its number and mark there. The
	 * transaction that closes it also notes that this host has come so far. */
	int64_t site_no;
	const char *site_mark;
	int64_t (*moved)[2]; /* by rules_write(): numbers of rules that had to change, old and new;
				malloc()ed */
	size_t n_moved;
	bool is_snapshot; /* it stands for all changes up to that one; later ones are dropped */
};

/* Hands a change over to the centre (d->remote), whose rows are there already. 0 or -1. */
int change_send(struct db *d, const struct db_remote_change *c, int64_t *no);
int change_send_row(struct db *d, const struct db_remote_row *row);

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

/* The pause that a change of the centre made: c as above, with site_no. 0 or -1. (status.c) */
int pause_apply(struct db *d, int64_t until_unix, struct change *c);

/* A change of one row: all three. */
int change_single(struct db *d, struct change *c, const struct change_row *row);

#endif

/* SPDX-License-Identifier: ISC
 *
 * person.h: what the database holds about one address: to be told, or to be removed. One thread a
 * connection.
 *
 * Removed are verdicts of mail that it sent, and of mail that nobody else received; its place among
 * the recipients of other mail, with the reply, which names recipients; its address in From:; the
 * record of its pairs; what was noted for answers, bounces and mixed recipients; rules that are
 * made for exactly this address or narrowed to it; and what the history of changes says of them.
 * The sums by day name nobody and stay. Where log_addresses is or was hashed it is found under its
 * hash, too.
 */
#ifndef PGPGATE_DB_PERSON_H
#define PGPGATE_DB_PERSON_H

#include <stdint.h>

#include "db/db.h"
#include "db/pair.h"

struct person_counts {
	int64_t n_verdicts;   /* removed as a whole */
	int64_t n_recipients; /* places among others */
	int64_t n_pairs;
	int64_t n_rules;
	int64_t n_changes; /* rows of the history that named it */
	int64_t n_others;
	int64_t no; /* of the change; 0: there was nothing */
};

/* address: canonical. In steps of some 20 ms; who interrupts it can start it again. Audited without
 * its name. 0 or -1. */
int person_forget(struct db *d, const char *address, int64_t now_unix, const char *author,
		  struct person_counts *out);

/* The same without the audit, which at a site is the centre's. */
int person_remove(struct db *d, const char *address, struct person_counts *out);
/* At a site (db.h, db_remote): hands it over to the centre, from where it comes back. n: what is
 * here. 0 or -1. */
int person_hand_over(struct db *d, const char *address, int64_t now_unix, const char *author,
		     struct person_counts *n);

/* Tells the pairs of an address, as they are stored. 0, -1 failed; a nonzero tell() ends it and is
 * returned. */
int person_pairs(struct db *d, const char *address,
		 int (*tell)(void *context, const char *sender, const char *recipient,
			     const struct pair_record *pair),
		 void *context);

#endif

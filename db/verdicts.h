/* SPDX-License-Identifier: ISC
 *
 * verdicts.h: reading the record: single verdicts for `pgpgate log` and `explain --queue-id`, and
 * the pairs' record. Rows are read in pages; no snapshot is held while tell() runs, and none over
 * 200 ms. One thread a connection.
 */
#ifndef PGPGATE_DB_VERDICTS_H
#define PGPGATE_DB_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/netaddr.h"
#include "common/verdict.h"
#include "db/db.h"
#include "db/verdict_log.h"

/* One verdict on record. Strings are owned by the reader and live during tell(). */
struct verdict_row {
	int64_t id; /* INT64_MAX: in the journal, not yet in the database */
	struct verdict_record record;
	struct judgement judgement; /* record.judgement points here */
};

struct verdicts_filter {
	int64_t since_unix, until_unix; /* 0: open */
	const char *recipient;		/* address, or domain pattern text; NULL: all */
	const char *sender;
	int verdict;		/* enum verdict, or -1 */
	int action;		/* enum action, or -1 */
	const char *queue_id;	/* NULL: all */
	const char *message_id; /* with or without angle brackets; NULL: all. No index has it: every
				   row is read */
	const struct netaddr *client; /* the client's network; NULL: all. Likewise */
	int64_t after_id;	      /* only newer ones (for --follow) */
	bool is_stored_only; /* without what waits in the journal (for --follow, which would see it
				twice) */
	int64_t last_n;	     /* the newest N that match, told oldest first; 0: all */
	/* Told now and then how many verdicts were looked at, in the order of time. NULL: nobody
	 * waits. */
	void (*progress)(void *context, int64_t n_seen);
	void *progress_context;
};

/* Tells matching rows, oldest first, those that wait in the journal last. 0, -1 failed; a nonzero
 * tell() ends it and is returned. */
int verdicts_list(struct db *d, const struct verdicts_filter *f,
		  int (*tell)(void *context, const struct verdict_row *row), void *context);

/* Sums of a day (UTC), kept beyond verdict_retention. Tells those with since <= day < until, in
 * order; behind them, one by one, messages that wait in the journal, to be added. Days are counted
 * from 1970-01-01. 0, -1 failed; a nonzero tell() ends it and is returned. */
struct verdicts_day {
	int64_t day;
	enum verdict verdict;
	enum action action, would;
	int64_t n_messages, n_recipients, size_bytes;
};
int verdicts_daily(struct db *d, int64_t since_day, int64_t until_day,
		   int (*tell)(void *context, const struct verdicts_day *day), void *context);

/* Waits until what is in the journal now is in the database, at most wait_ms. 1 it is, 0 not in
 * time, -1. */
int verdicts_settle(struct db *d, int wait_ms);

/* How far the database is behind the journal. 0 or -1. */
struct verdicts_lag {
	int64_t n_segments, bytes; /* of the journal's files, with what is moved already */
	int64_t n_records;	   /* that wait */
	int64_t oldest_unix;	   /* time of the first of them; 0: none waits */
};
int verdicts_get_lag(struct db *d, struct verdicts_lag *out);

/* Removes verdicts older than before_unix, in steps of some 20 ms, for `pgpgate db prune`. progress
 * may be NULL. Returns how many, or -1. */
int64_t verdicts_prune(struct db *d, int64_t before_unix,
		       void (*progress)(void *context, int64_t done), void *context);

/* Whether before_unix is to be doubted, since the clock may have been set forward: between the last
 * verdict that would be removed (*last_unix) and the first that would stay, or now_unix where none
 * would, there is a month without any. 1, 0, -1. */
int verdicts_prune_doubt(struct db *d, int64_t before_unix, int64_t now_unix, int64_t *last_unix);

#endif

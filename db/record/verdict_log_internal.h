/* SPDX-License-Identifier: ISC
 *
 * verdict_log_internal.h: what a verdict log is made of, for its own files and for their tests.
 */
#ifndef PGPGATE_DB_VERDICT_LOG_INTERNAL_H
#define PGPGATE_DB_VERDICT_LOG_INTERNAL_H

#include <pthread.h>

#include "common/clock_watch.h"
#include "db/record/answer_times.h"
#include "db/record/journal.h"
#include "db/record/upkeep.h"
#include "db/record/verdict_batch.h"
#include "db/record/verdict_queue.h"
#include "db/record/verdict_ticket.h"
#include "db/record/verdict_urgent.h"
#include "db/rules/rule_hits.h"
#include "db/verdict_log.h"

/* A verdict that is in the database and whose message was answered with a temporary failure: to be
 * retracted. */
struct late_verdict {
	struct late_verdict *next;
	uint64_t sequence;
	unsigned char *payload;	       /* which the strings of the verdict point into */
	struct stored_verdict verdict; /* owns its arena */
};

struct verdict_log {
	struct verdict_queue queue;
	struct journal journal;
	struct tickets tickets;
	struct urgent urgent;
	int patience_ms;      /* VERDICT_LOG_WAIT_MS; less in tests */
	pthread_mutex_t lock; /* guards settings, hashed, took */
	struct settings *settings;
	struct hashed hashed;
	struct histogram took; /* since the last tick */
	pthread_t mover, writer;
	bool has_writer; /* verdict_sync = power */
	_Atomic bool must_stop;
	_Atomic uint64_t moved; /* of the own stream; no less than stored */
	/* the mover's own */
	struct db *db;	  /* NULL: memory was short; tried again */
	uint64_t stored;  /* how far the database said that the own stream is moved */
	uint64_t covered; /* how far that is in the database file itself */
	int64_t next_cover_ms;
	struct settings *mover_settings;
	struct journal_reader reader;
	struct batch batch;
	size_t batch_max; /* 1 while a record is looked for that the schema does not take */
	int64_t next_complaint_ms; /* of a database that does not take records */
	int64_t next_leftover_ms;
	int64_t last_audit; /* of the rules, when they were looked at last */
	struct upkeep upkeep;
	struct clock_watch clock;
	struct rule_hits hits;	/* of records that are stored; not yet written */
	struct histogram times; /* not yet written, likewise */
	struct late_verdict *late;
};

#endif

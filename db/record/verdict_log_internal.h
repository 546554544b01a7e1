/* SPDX-License-Identifier: ISC
 *
 * verdict_log_internal.h: what a verdict log is made of, for its own files and for their tests.
 */
#ifndef PGPGATE_DB_VERDICT_LOG_INTERNAL_H
#define PGPGATE_DB_VERDICT_LOG_INTERNAL_H

#include <pthread.h>

#include "db/record/answer_times.h"
#include "db/record/upkeep.h"
#include "db/record/verdict_queue.h"
#include "db/rules/rule_hits.h"
#include "db/verdict_log.h"

struct verdict_log {
	struct verdict_queue queue;
	int patience_ms;      /* VERDICT_LOG_WAIT_MS; less in tests */
	pthread_mutex_t lock; /* guards settings, hashed, took */
	struct settings *settings;
	struct hashed hashed;
	struct histogram took; /* since the last tick */
	pthread_t writer;
	/* the writer's own */
	struct db *db; /* NULL: memory was short; tried again */
	struct upkeep upkeep;
	struct rule_hits hits;	 /* of groups that are committed; not yet written */
	struct histogram times;	 /* not yet written, likewise */
	struct submission *gone; /* committed, answered otherwise, to be retracted */
	bool was_full;		 /* the last group failed for want of space */
};

#endif

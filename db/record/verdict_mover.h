/* SPDX-License-Identifier: ISC
 *
 * verdict_mover.h: the thread that moves the journal into the database: a second or BATCH_RECORDS
 * records behind while the database is well, at once for those that wait (verdict_ticket.h). It
 * also does what is due once a second: counts, upkeep, checkpoints. What streams of others that
 * ended have left (journal_leftover.h) it moves, too. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_MOVER_H
#define PGPGATE_DB_VERDICT_MOVER_H

#include "db/record/verdict_log_internal.h"

/* The thread; context: the log. Ends when l->must_stop is set and tickets_wake() was called: what
 * is in the journal is moved first, if the database takes it within VERDICT_LOG_WAIT_MS. */
void *verdict_mover_run(void *context);

/* One batch of what a reader gives, stored. *stored: as for batch_store(); l->batch.went_back too.
 * 1: stored; 0: nothing left to read; -1: failed, the reader is where it was. Answers those that
 * wait when it is the log's own stream. */
int verdict_mover_step(struct verdict_log *l, struct journal_reader *r, uint64_t *stored,
		       bool (*is_voided)(void *context, uint64_t sequence), void *context);

/* What waits in the log's own stream, if it is urgent: somebody waits, or it is much. 0, or -1:
 * failed. */
int verdict_mover_own(struct verdict_log *l, bool all);

#endif

/* SPDX-License-Identifier: ISC
 *
 * verdict_late.h: verdicts that are in the database as they were judged, and whose messages were
 * answered with a temporary failure, since the commit came too late: their rows are made to say so.
 * For the mover's thread. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_LATE_H
#define PGPGATE_DB_VERDICT_LATE_H

#include "db/record/verdict_log_internal.h"

/* Of the batch that was just stored. context: the log. */
void late_note(void *context, uint64_t sequence);

/* One a transaction: they are rare. What the database does not take now is tried again with the
 * next call. */
void late_retract(struct verdict_log *l);

/* The rows of those behind a sequence are gone, and come again as the journal has them. */
void late_forget(struct verdict_log *l, uint64_t after);

/* At the end: what is left is told to the log. */
void late_give_up(struct verdict_log *l);

#endif

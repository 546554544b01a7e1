/* SPDX-License-Identifier: ISC
 *
 * journal_leftover.h: streams whose writers have ended, by a kill or while the database did not
 * take what they had: moved by the next filter that starts, or by one that runs, each by one. For
 * the mover's thread. For db/ only.
 */
#ifndef PGPGATE_DB_JOURNAL_LEFTOVER_H
#define PGPGATE_DB_JOURNAL_LEFTOVER_H

#include "db/record/verdict_log_internal.h"

/* Moves what there is. Between batches, the log's own records have their turn. 0, or -1: something
 * is left, for the reason in db_error(); to be called again. is_clock_steady: clock_watch.h; what
 * is known of streams that went long ago is forgotten only then. */
int journal_leftover_move(struct verdict_log *l, bool is_clock_steady);

#endif

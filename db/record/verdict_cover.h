/* SPDX-License-Identifier: ISC
 *
 * verdict_cover.h: checkpoints, and which segments of the journal may go. What was moved is in the
 * write-ahead log at first, which whoever removes or cuts it takes away: so a segment stays until
 * all of it is in the database file itself, synced. Only when the journal is half full it goes
 * before that: a full one would stop mail.
 *
 * For the mover's thread. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_COVER_H
#define PGPGATE_DB_VERDICT_COVER_H

#include "db/record/verdict_log_internal.h"

void cover_begin(struct verdict_log *l);

/* After a batch: a checkpoint if one is due, and segments go that may. */
void cover_step(struct verdict_log *l);

/* Once a second: what was moved a minute ago is covered, however little it is. */
void cover_tick(struct verdict_log *l);

/* Now, within a second. Whether all that is in the database may be removed from the journal. */
bool cover_now(struct verdict_log *l);

#endif

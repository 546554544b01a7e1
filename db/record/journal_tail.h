/* SPDX-License-Identifier: ISC
 *
 * journal_tail.h: what is in the journal and not yet in the database, for those who read the
 * record: so that nobody sees the second between. How to read both, nothing missing and nothing
 * twice: open the tail; in one read transaction ask journal_tail_settle(), which says how far each
 * stream was moved then and the last id of that moment; read the database up to that id, in as many
 * transactions as it takes; then the tail. One thread; nothing is locked. For db/ only.
 */
#ifndef PGPGATE_DB_JOURNAL_TAIL_H
#define PGPGATE_DB_JOURNAL_TAIL_H

#include "db/record/verdict_batch.h"
#include "db/verdicts.h"

struct journal_tail;

/* Never fails but for want of memory (NULL, with db_error()): segments that cannot be opened are
 * not there. */
struct journal_tail *journal_tail_open(struct db *d);
void journal_tail_close(struct journal_tail *t);

/* In a transaction of its own. *last_id: of the verdicts in the database. 0 or -1. */
int journal_tail_settle(struct journal_tail *t, struct db *d, int64_t *last_id);
/* The same in the caller's. */
int journal_tail_settle_within(struct journal_tail *t, struct db *d, int64_t *last_id);

/* Tells each verdict that was not in the database then, stream by stream, oldest first; what was
 * voided says so. v and its strings live during tell(). 0, -1 (db_error()), or a nonzero tell(),
 * which ends it. */
int journal_tail_each(struct journal_tail *t, struct db *d,
		      int (*tell)(void *context, const struct stored_verdict *v), void *context);

#endif

/* SPDX-License-Identifier: ISC
 *
 * wal_rescue.h: what is saved of a write-ahead log that was harmed while connections have it open.
 *
 * A log that was removed, or whose index was, is whole in what the engine has open: it is written
 * back. One that was cut short or overwritten is not, and a checkpoint would write half of it, or
 * garbage, into the database. The engine would replay what is left of its beginning; where the
 * database is later than that already, pages of two times would be mixed, and so such a log is
 * emptied. What nobody can mend is left to wal_mark.h, which refuses it.
 *
 * A connection by its owner, outside of a transaction, with an index that is whole. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_WAL_RESCUE_H
#define PGPGATE_DB_ENGINE_WAL_RESCUE_H

#include "db/engine/internal.h"

/* Waits for the transactions of others, up to a second. True: all that was committed is in the
 * database, synced. */
bool wal_rescue(struct db *d);

/* The log holds what its index says, from its beginning: a restart finds all that was committed.
 * True as well where that cannot be seen. Reads the whole log: some 10 ms for 16 MB. */
bool wal_holds(struct db *d);

#endif

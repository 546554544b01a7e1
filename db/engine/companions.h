/* SPDX-License-Identifier: ISC
 *
 * companions.h: the write-ahead log and its index (DATABASE-wal, DATABASE-shm) are still those that
 * the connections have open, and whole. The engine finds them by name when the first connection of
 * a process opens them, and never looks again: with one removed, programs that opened before and
 * after write past each other, and what was confirmed is gone after the next start. An index that
 * was cut short ends the program with SIGBUS (common/bus_error.h).
 *
 * Who notices (harm.h) saves what the log still holds back (wal_rescue.h), forsakes the files, and
 * closes. The engine shares files between the connections of a process: so none of them opens again
 * before all have closed, and none opens while another process goes on with a file that has no name
 * any more, or is shorter than its index says. Until then everything fails with DB_BROKEN. A
 * rollback journal (DATABASE-journal) beside a database that has a write-ahead log is somebody
 * else's, and renamed.
 *
 * Costs two stat(2) and a look at the head of the index before, at the beginning, and at the end of
 * a transaction. Any thread; a connection by its owner. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_COMPANIONS_H
#define PGPGATE_DB_ENGINE_COMPANIONS_H

#include "db/engine/internal.h"

/* Around the time that d has its handle; the first before the engine opens it, with d->opened set.
 * 0 or -1. */
int companions_enter(struct db *d);
void companions_leave(struct db *d);

/* When the engine has opened them: after the first statement that reads. */
void companions_remember(struct db *d);

/* Outside of a transaction, also while it lies idle. -1: they were forsaken, by this connection or
 * another one, and it is to be closed. */
int companions_look(struct db *d);

/* The same, within a transaction too, but nothing is done yet. */
bool companions_are_whole(struct db *d);

/* The engine has failed on d, and d is about to close: were they harmed, all of this process let go
 * of them. */
void companions_suspect(struct db *d);

/* After the transaction for which that is not so. 1: all that was committed is in the database now;
 * 0: it is not; both with the error set. */
int companions_forsake(struct db *d);

/* After a transaction. All that it wrote or read is there after a restart: the log is whole from
 * its beginning, which is read (some ms for 4 MB). 0, or -1 as above. */
int companions_prove(struct db *d);

#endif

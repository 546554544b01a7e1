/* SPDX-License-Identifier: ISC
 *
 * wal_mark.h: whether the write-ahead log that lies beside the database is its own. The engine
 * replays whatever log is there: after a kill, with a backup copied over the database by hand,
 * pages of both would be mixed, and no check of the engine sees it.
 *
 * One of the first transactions of each generation of the log writes a mark into the table state, a
 * random number and the one before it, and so does the last before the log is written back. A log
 * belongs to a file whose own mark is the one before the log's first, or any of the log's. What was
 * copied in between has an older one, and a backup of ours one of its own. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_WAL_MARK_H
#define PGPGATE_DB_ENGINE_WAL_MARK_H

#include "db/engine/internal.h"

/* Before the first statement of an open handle; looks only while nobody writes, and where it
 * cannot, does not. -1 with the mend when the log is another file's. */
int wal_mark_check(struct db *d);

/* After a commit, the lock still held: marks a log that has begun anew. What fails here is no
 * failure of the transaction. */
void wal_mark_write(struct db *d);

/* Before the log may be written back, with the lock held. Likewise. */
void wal_mark_close(struct db *d);

/* Gives a closed copy, which goes its own way, a mark of its own in place. 0, or -1 with errno. */
int wal_mark_copy(int fd);

#endif

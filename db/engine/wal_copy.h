/* SPDX-License-Identifier: ISC
 *
 * wal_copy.h: writing the log back from a copy in memory whose sums were found right. The engine
 * writes back what it reads at that moment: a log that is cut short or overwritten meanwhile would
 * leave a database of two times, or garbage in it, which nothing can mend.
 *
 * Memory: what is not yet written back, up to WAL_COPY_MAX; of what is behind that, the sums are
 * looked at, and it is read from the file. A connection by its owner, outside of a transaction,
 * with an index that is whole. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_WAL_COPY_H
#define PGPGATE_DB_ENGINE_WAL_COPY_H

#include "db/engine/wal_frames.h"

#define WAL_COPY_MAX ((size_t)64 << 20) /* four times what is there when a checkpoint is due */

struct wal_copy {
	sqlite3_io_methods methods; /* in place of the log's while it is written back */
	const sqlite3_io_methods *real;
	struct wal_walk walk;
	sqlite3_int64 from; /* where in the log it begins */
	unsigned char *bytes;
	size_t len, room;
};

/* Reads what is there, c zeroed at first; the next call only what was added. 1: done. 0: the log
 * does not hold what it has to. -1: not now: the index is being written, or there is no memory. */
int wal_copy_read(struct wal_copy *c, struct db *d);

/* Writes back what wal_copy_read() gave, all of it or nothing: so that the database without the log
 * is of one time. With DATABASE.lock held exclusively: nobody commits. 1: done; 0: within wait_ms
 * somebody always read an older state; -1: the engine failed. */
int wal_copy_write_back(struct wal_copy *c, struct db *d, int wait_ms);

void wal_copy_free(struct wal_copy *c);

#endif

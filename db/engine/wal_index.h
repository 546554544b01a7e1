/* SPDX-License-Identifier: ISC
 *
 * wal_index.h: the header of the write-ahead log's index, as it stands in the memory that all who
 * have the database open share. Every transaction that is committed, by whatever process, changes
 * it, and it is by comparing it that the engine knows whether its page cache still holds: so as
 * long as it is the same, so is the database. Costs no system call.
 * https://sqlite.org/walformat.html section 2.1. A connection by its owner. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_WAL_INDEX_H
#define PGPGATE_DB_ENGINE_WAL_INDEX_H

#include "db/engine/internal.h"

#define WAL_INDEX_BYTES 32768
#define WAL_INDEX_HEADER_BYTES 48

/* The index, as the engine has mapped it for this connection: there as long as d->handle is open,
 * and asked for once, since the engine holds a lock of the whole process meanwhile. d->index.file
 * is the database. NULL: there is no log, or it cannot be seen. */
volatile const unsigned char *wal_index_map(struct db *d);

/* What the database is at a moment. To be taken before what is to be remembered of it is read: then
 * as long as the mark is the same nothing of that can have become another. */
struct wal_index_mark {
	bool is_known; /* false: differs from any */
	dev_t device;
	ino_t inode;
	unsigned char header[WAL_INDEX_HEADER_BYTES];
};

/* Not known where d is not open, or its file is another one by now. An index that was removed a
 * moment ago may still be seen as it was: not for what a decision depends on. */
void wal_index_take_mark(struct db *d, struct wal_index_mark *out);
bool wal_index_is_same(const struct wal_index_mark *a, const struct wal_index_mark *b);

#endif

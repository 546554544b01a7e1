/* SPDX-License-Identifier: ISC
 *
 * journal_files.h: the segments of the journal as files beside the database: their names, making,
 * opening and removing them. Who writes a stream holds flock(2) on each of its segments; what has
 * no holder was left by a process that ended, and belongs to whoever gets the lock.
 *
 * Functions return -1 with db_error() of d, of which only path and error are used: it need not be
 * open. One thread a d. For db/ only.
 */
#ifndef PGPGATE_DB_JOURNAL_FILES_H
#define PGPGATE_DB_JOURNAL_FILES_H

#include "db/engine/internal.h"
#include "db/record/journal_format.h"

struct journal_names {
	struct journal_header *name; /* by stream, then number */
	size_t n;
};

/* What lies beside the database now. 0 or -1; the caller frees out->name. */
int journal_files_list(struct db *d, struct journal_names *out);

/* An existing segment. *size: as it is now. With a lock (exclusive, not waited for) access must be
 * O_RDWR. A descriptor; -1 failed; -2 it is gone, or somebody holds the lock. */
int journal_files_open(struct db *d, const struct journal_header *name, int access, bool lock,
		       int64_t *size);

/* A new segment, locked, its header written, with its name. A descriptor or -1. */
int journal_files_create(struct db *d, const struct journal_header *name);

/* Removes what processes have left that were killed while they made a segment: it has another name
 * until it has its header, and nothing is in it. */
void journal_files_sweep(struct db *d);

/* 0, also when it is gone, or -1. */
int journal_files_remove(struct db *d, const struct journal_header *name);

/* The directory, so that names survive a power cut. 0 or -1. */
int journal_files_sync_names(struct db *d);

#endif

/* SPDX-License-Identifier: ISC
 *
 * file.h: the database file and the files beside it (lock, key): whether they are there and ours,
 * making them, locking. Each function sets db_failure() and db_error() when it fails. One thread a
 * connection. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_FILE_H
#define PGPGATE_DB_ENGINE_FILE_H

#include "db/engine/internal.h"

bool file_is_network(long statfs_type);		/* by its magic number (linux/magic.h) */
int file_check(struct db *d, struct stat *out); /* there, ours to open, local; 0 or -1 */
int file_create(struct db *d);			/* the database, empty, if absent */

/* The only way to a file beside the database, "DATABASE" and suffix: safe_open() with the owner and
 * group of the directory. mode 0: it must be there; otherwise it is made with that mode if absent.
 * A descriptor, or -1. */
int file_open_beside(struct db *d, const char *suffix, int access, mode_t mode, bool *is_new);
/* The files that the engine opens by itself (-wal, -shm, -journal) are absent, or regular with one
 * name. 0 or -1. */
int file_check_beside(struct db *d);

int file_open_lock(struct db *d); /* d->lock_fd */
/* DATABASE.key.new, whole and on the disk, with the key given or (NULL) a random one, which is
 * written to key; and its name DATABASE.key, in place of what has that. Each within a write
 * transaction: only one at a time does so. 0 or -1. */
int file_make_key(struct db *d, const unsigned char *given, unsigned char key[HASHED_KEY_BYTES]);
int file_name_key(struct db *d);
int file_lock(struct db *d, bool exclusive, int wait_ms); /* 1 had, 0 not in time, -1 */
void file_unlock(struct db *d);

#endif

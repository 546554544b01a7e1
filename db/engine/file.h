/* SPDX-License-Identifier: ISC
 *
 * file.h: the database file and the files beside it (lock, key): whether they are there and ours, making them,
 * locking. Each function sets db_failure() and db_error() when it fails. One thread a connection. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_FILE_H
#define PGPGATE_DB_ENGINE_FILE_H

#include "db/engine/internal.h"

bool file_is_network(long statfs_type);		/* by its magic number (linux/magic.h) */
int file_check(struct db *d, struct stat *out); /* there, ours to open, local; 0 or -1 */
int file_create(struct db *d);			/* the database, empty, if absent */
/* Mode and owner for a new file, whatever the umask and whoever makes it. */
void file_give_away(const char *path, int fd, mode_t mode);
int file_open_lock(struct db *d);			  /* d->lock_fd */
int file_create_key(struct db *d);			  /* DATABASE.key, if absent */
int file_lock(struct db *d, bool exclusive, int wait_ms); /* 1 had, 0 not in time, -1 */
void file_unlock(struct db *d);

#endif

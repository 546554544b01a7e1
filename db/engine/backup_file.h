/* SPDX-License-Identifier: ISC
 *
 * backup_file.h: a descriptor as the engine's file, so that a copy goes where only the caller may
 * write: the file was opened before the process became another user, and no name is opened again.
 * No locks, no journal, one connection. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_BACKUP_FILE_H
#define PGPGATE_DB_ENGINE_BACKUP_FILE_H

#include "db/engine/internal.h"

struct backup_file {
	sqlite3_vfs vfs;
	char name[40];
	int fd;
};

/* Opens a connection on fd, which stays the caller's, as does f until sqlite3_close(*to) and
 * backup_file_end(f). An SQLite result code. */
int backup_file_begin(struct backup_file *f, int fd, sqlite3 **to);
void backup_file_end(struct backup_file *f);

#endif

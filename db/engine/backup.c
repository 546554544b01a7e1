/* SPDX-License-Identifier: ISC
 *
 * backup.c: `pgpgate db backup`: a copy of the open database into a new file.
 */
#include "db/engine/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BACKUP_PAGES 256 /* a step: 1 MiB, under one read lock */

static int run_backup(struct db *d, sqlite3 *to, const char *file,
		      void (*progress)(void *context, int done, int total), void *context)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", d->handle, "main");
	int rc = backup != NULL ? SQLITE_OK : sqlite3_errcode(to);
	int n_waits = 0;

	while (backup != NULL) {
		rc = sqlite3_backup_step(backup, BACKUP_PAGES);
		if (progress != NULL && sqlite3_backup_pagecount(backup) > 0)
			progress(context,
				 sqlite3_backup_pagecount(backup) - sqlite3_backup_remaining(backup),
				 sqlite3_backup_pagecount(backup));
		if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
			break;
		if (rc != SQLITE_OK && ++n_waits > DB_BUSY_MS)
			break;
		if (rc != SQLITE_OK)
			nanosleep(&pause, NULL);
	}
	sqlite3_backup_finish(backup);
	if (rc == SQLITE_DONE)
		return 0;
	return db_fail(d, (rc & 0xff) == SQLITE_FULL ? DB_FULL : DB_BROKEN, "backup to %.200s: %s",
		       file, sqlite3_errstr(rc));
}

int db_backup(struct db *d, const char *file, void (*progress)(void *context, int done, int total),
	      void *context)
{
	sqlite3 *to = NULL;
	int fd, result;

	if (db_ready(d) != 0)
		return -1;
	/* Never over something that is there: it may be the last good backup. */
	fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return db_fail(d, errno == ENOSPC ? DB_FULL : DB_NO_PERMISSION,
			       "backup to %.200s: %s%s", file, strerror(errno),
			       errno == EEXIST ? "; choose another name, or remove it" : "");
	close(fd);
	if (sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		result = db_fail(d, DB_NO_PERMISSION, "backup to %.200s: %s", file, sqlite3_errmsg(to));
	/* One snapshot for all steps: the engine begins again whenever another connection has written. The WAL
	 * grows meanwhile, and mail goes on. */
	else if (db_begin_read(d) != 0)
		result = -1;
	else
		result = db_end(d, run_backup(d, to, file, progress, context));
	if (sqlite3_close(to) != SQLITE_OK && result == 0)
		result = db_fail(d, DB_BROKEN, "backup to %.200s: cannot be closed", file);
	fd = result == 0 ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (result == 0 && (fd < 0 || fsync(fd) != 0))
		result = db_fail(d, DB_BROKEN, "backup to %.200s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (result != 0)
		unlink(file); /* half a backup would be taken for one */
	return result;
}

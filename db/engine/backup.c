/* SPDX-License-Identifier: ISC
 *
 * backup.c: `pgpgate db backup`: a copy of the open database into a new file. It is written under
 * another name, which an interrupted one leaves and the next one uses, and gets its own when it is
 * whole and on the disk.
 */
#include "db/engine/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/safe_open.h"
#include "db/engine/backup_file.h"
#include "db/engine/wal_mark.h"

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
				 sqlite3_backup_pagecount(backup) -
					 sqlite3_backup_remaining(backup),
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

struct db_copy {
	char file[DB_PATH_MAX], partial[DB_PATH_MAX + 16];
	int fd;
};

static enum db_failure copy_fail(struct db_copy *c, enum db_failure failure, char *err,
				 const char *what)
{
	snprintf(err, DB_ERROR_MAX, "backup to %.250s: %s", c->file, what);
	db_copy_abandon(c);
	return failure;
}

static enum db_failure failure_of(int error)
{
	return error == ENOSPC || error == EDQUOT ? DB_FULL : DB_NO_PERMISSION;
}

enum db_failure db_copy_begin(const char *file, struct db_copy **out, char err[DB_ERROR_MAX])
{
	struct db_copy *c = calloc(1, sizeof *c);
	struct safe_open o = {.access = O_RDWR,
			      .is_create = true,
			      .mode = 0600,
			      .owner = geteuid(),
			      .group = (gid_t)-1};
	char why[SAFE_OPEN_WHY_MAX];
	struct stat st;

	*out = NULL;
	if (c == NULL || strlen(file) >= sizeof c->file) {
		snprintf(err, DB_ERROR_MAX, "backup to %.250s: %s", file,
			 c == NULL ? "out of memory" : strerror(ENAMETOOLONG));
		free(c);
		return DB_BROKEN;
	}
	c->fd = -1;
	snprintf(c->file, sizeof c->file, "%s", file);
	snprintf(c->partial, sizeof c->partial, "%s.partial", file);
	/* Never over something that is there: it may be the last good backup. */
	if (lstat(file, &st) == 0)
		return copy_fail(c, DB_NO_PERMISSION, err,
				 "File exists; choose another name, or remove it");
	if (errno != ENOENT)
		return copy_fail(c, DB_NO_PERMISSION, err, strerror(errno));
	o.path = c->partial;
	c->fd = safe_open(&o, NULL, why);
	if (c->fd < 0)
		return copy_fail(c, failure_of(errno), err, why);
	if (flock(c->fd, LOCK_EX | LOCK_NB) != 0) {
		close(c->fd);
		c->fd = -1; /* not ours to remove */
		return copy_fail(c, DB_BUSY, err, "another backup to it is under way");
	}
	if (ftruncate(c->fd, 0) != 0)
		return copy_fail(c, DB_BROKEN, err, strerror(errno));
	*out = c;
	return DB_OK;
}

void db_copy_abandon(struct db_copy *c)
{
	if (c != NULL && c->fd >= 0) {
		unlink(c->partial); /* half a backup would be taken for one */
		close(c->fd);
	}
	free(c);
}

/* The name of a new file lasts when its directory is on the disk. */
static int sync_directory(const char *file)
{
	char directory[DB_PATH_MAX];
	char *slash;
	int fd, result;

	snprintf(directory, sizeof directory, "%s", file);
	slash = strrchr(directory, '/');
	if (slash != NULL)
		slash[slash == directory ? 1 : 0] = '\0';
	fd = open(slash != NULL ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

enum db_failure db_copy_end(struct db_copy *c, char err[DB_ERROR_MAX])
{
	if (renameat2(AT_FDCWD, c->partial, AT_FDCWD, c->file, RENAME_NOREPLACE) != 0) {
		/* Not every file system knows the flag; a link does not replace either. */
		if (errno != EINVAL || link(c->partial, c->file) != 0)
			return copy_fail(c, failure_of(errno), err, strerror(errno));
		unlink(c->partial);
	}
	if (sync_directory(c->file) != 0) {
		snprintf(err, DB_ERROR_MAX, "backup to %.250s: its directory: %s", c->file,
			 strerror(errno));
		close(c->fd);
		free(c);
		return DB_BROKEN;
	}
	close(c->fd);
	free(c);
	return DB_OK;
}

int db_backup(struct db *d, struct db_copy *c, void (*progress)(void *context, int done, int total),
	      void *context)
{
	struct backup_file file;
	sqlite3 *to = NULL;
	int rc, result;

	if (db_ready(d) != 0)
		return -1;
	rc = backup_file_begin(&file, c->fd, &to);
	if (rc != SQLITE_OK)
		result = db_fail(d, DB_BROKEN, "backup to %.200s: %s", c->file, sqlite3_errstr(rc));
	/* One snapshot for all steps: the engine begins again whenever another connection has
	 * written. The WAL grows meanwhile, and mail goes on. */
	else if (db_begin_read(d) != 0)
		result = -1;
	else
		result = db_end(d, run_backup(d, to, c->file, progress, context));
	if (sqlite3_close(to) != SQLITE_OK && result == 0)
		result = db_fail(d, DB_BROKEN, "backup to %.200s: cannot be closed", c->file);
	backup_file_end(&file);
	if (result == 0 && (wal_mark_copy(c->fd) != 0 || fsync(c->fd) != 0))
		result = db_fail(d, failure_of(errno), "backup to %.200s: %s", c->file,
				 strerror(errno));
	return result;
}

int db_backup_key(struct db *d, struct db_copy *c)
{
	if (!d->hashed.has_key)
		return db_fail(d, DB_ABSENT, "has no key to back up");
	if (pwrite(c->fd, d->hashed.key, sizeof d->hashed.key, 0) !=
		    (ssize_t)sizeof d->hashed.key ||
	    fsync(c->fd) != 0)
		return db_fail(d, failure_of(errno), "backup to %.200s: %s", c->file,
			       strerror(errno));
	return 0;
}

/* SPDX-License-Identifier: ISC */
#include "db/engine/backup_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SECTOR_BYTES 4096

struct open_file {
	sqlite3_file base;
	int fd; /* the caller's */
};

static int fd_of(sqlite3_file *f)
{
	return ((struct open_file *)(void *)f)->fd;
}

static int file_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int file_read(sqlite3_file *f, void *bytes, int n, sqlite3_int64 at)
{
	int done = 0;

	while (done < n) {
		const ssize_t got = pread(fd_of(f), (char *)bytes + done, (size_t)(n - done),
					  at + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return SQLITE_IOERR_READ;
		if (got == 0)
			break;
		done += (int)got;
	}
	if (done == n)
		return SQLITE_OK;
	memset((char *)bytes + done, 0, (size_t)(n - done));
	return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
	int done = 0;

	while (done < n) {
		const ssize_t put = pwrite(fd_of(f), (const char *)bytes + done, (size_t)(n - done),
					   at + done);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return errno == ENOSPC || errno == EDQUOT ? SQLITE_FULL
								  : SQLITE_IOERR_WRITE;
		done += (int)put;
	}
	return SQLITE_OK;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return ftruncate(fd_of(f), size) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int file_sync(sqlite3_file *f, int flags)
{
	(void)flags;
	return fsync(fd_of(f)) == 0 ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *out)
{
	struct stat st;

	if (fstat(fd_of(f), &st) != 0)
		return SQLITE_IOERR_FSTAT;
	*out = st.st_size;
	return SQLITE_OK;
}

static int file_no_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK;
}

static int file_check_lock(sqlite3_file *f, int *out)
{
	(void)f;
	*out = 0;
	return SQLITE_OK;
}

static int file_control_none(sqlite3_file *f, int op, void *argument)
{
	(void)f;
	(void)op;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *f)
{
	(void)f;
	return SECTOR_BYTES;
}

static int file_device(sqlite3_file *f)
{
	(void)f;
	return 0;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_no_lock,
	.xUnlock = file_no_lock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control_none,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_device,
};

/* The one file; no journal and nothing temporary. */
static int vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	struct open_file *o = (struct open_file *)(void *)f;

	(void)name;
	f->pMethods = NULL;
	if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
		return SQLITE_CANTOPEN;
	f->pMethods = &methods;
	o->fd = ((struct backup_file *)v->pAppData)->fd;
	if (out_flags != NULL)
		*out_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *v, const char *name, int sync_directory)
{
	(void)v;
	(void)name;
	(void)sync_directory;
	return SQLITE_IOERR_DELETE_NOENT;
}

static int vfs_access(sqlite3_vfs *v, const char *name, int flags, int *out)
{
	(void)v;
	(void)name;
	(void)flags;
	*out = 0;
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *v, const char *name, int out_size, char *out)
{
	(void)v;
	sqlite3_snprintf(out_size, out, "%s", name);
	return SQLITE_OK;
}

int backup_file_begin(struct backup_file *f, int fd, sqlite3 **to)
{
	sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
	int rc;

	*to = NULL;
	if (usual == NULL)
		return SQLITE_ERROR;
	f->vfs = *usual;
	f->fd = fd;
	snprintf(f->name, sizeof f->name, "pgpgate-backup-%d", fd);
	f->vfs.zName = f->name;
	f->vfs.szOsFile = (int)sizeof(struct open_file);
	f->vfs.pAppData = f;
	f->vfs.pNext = NULL;
	f->vfs.xOpen = vfs_open;
	f->vfs.xDelete = vfs_delete;
	f->vfs.xAccess = vfs_access;
	f->vfs.xFullPathname = vfs_full_path;
	rc = sqlite3_vfs_register(&f->vfs, 0);
	if (rc != SQLITE_OK)
		return rc;
	rc = sqlite3_open_v2("backup", to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, f->name);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(*to, "PRAGMA journal_mode = OFF", NULL, NULL, NULL);
	return rc;
}

void backup_file_end(struct backup_file *f)
{
	sqlite3_vfs_unregister(&f->vfs);
}

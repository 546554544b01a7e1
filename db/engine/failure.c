/* SPDX-License-Identifier: ISC
 *
 * failure.c: why the last call failed, as a kind and as a sentence with its mend.
 */
#include "db/engine/internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sysexits.h>

enum db_failure db_failure(const struct db *d)
{
	return d->failure;
}

const char *db_error(const struct db *d)
{
	return d->error;
}

int db_sysexit(enum db_failure f)
{
	switch (f) {
	case DB_OK:
		return EX_OK;
	case DB_ABSENT:
		return EX_NOINPUT;
	case DB_NO_PERMISSION:
		return EX_NOPERM;
	case DB_NOT_OURS:
		return EX_DATAERR;
	case DB_TOO_NEW:
	case DB_TOO_OLD:
	case DB_NETWORK_FS:
		return EX_CONFIG;
	case DB_BUSY:
		return EX_TEMPFAIL;
	case DB_FULL:
	case DB_BROKEN:
		return EX_IOERR;
	}
	return EX_SOFTWARE;
}

int db_fail(struct db *d, enum db_failure failure, const char *format, ...)
{
	va_list arguments;
	int used;

	used = snprintf(d->error, sizeof d->error, "%.250s: ", d->path);
	va_start(arguments, format);
	vsnprintf(d->error + used, sizeof d->error - (size_t)used, format, arguments);
	va_end(arguments);
	d->failure = failure;
	return -1;
}

/* The engine says the same of it as of a file that is not ours to write. */
bool db_is_mounted_read_only(struct db *d)
{
	struct statvfs fs;

	return (d->handle != NULL && sqlite3_system_errno(d->handle) == EROFS) ||
	       (statvfs(d->path, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0);
}

int db_fail_engine(struct db *d, const char *doing)
{
	const int extended = d->handle != NULL ? sqlite3_extended_errcode(d->handle) : SQLITE_NOMEM;
	const char *text = d->handle != NULL ? sqlite3_errmsg(d->handle) : "out of memory";
	const char *mend = "";
	enum db_failure failure = DB_BROKEN;

	d->must_reopen = true;
	d->was_constraint = (extended & 0xff) == SQLITE_CONSTRAINT;
	switch (extended & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		failure = DB_BUSY;
		mend = "; another program holds the database";
		d->must_reopen = false;
		break;
	case SQLITE_FULL:
		failure = DB_FULL;
		mend = "; free some space";
		d->must_reopen = false;
		break;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN:
		failure = DB_NO_PERMISSION;
		mend = db_is_mounted_read_only(d) ? DB_MOUNT_MEND
						  : "; check owner and mode of the file, its -wal "
						    "and -shm, and the directory";
		break;
	case SQLITE_NOTADB:
		failure = DB_NOT_OURS;
		mend = "; restore a backup, or choose another path for \"database\"";
		d->is_suspect = true;
		break;
	case SQLITE_IOERR:
		d->is_suspect = true;
		if (d->handle != NULL && sqlite3_system_errno(d->handle) == EDQUOT) {
			failure = DB_FULL; /* the engine knows no quota */
			mend = "; free some space";
		} else if (db_is_mounted_read_only(d)) {
			failure = DB_NO_PERMISSION;
			mend = DB_MOUNT_MEND;
		}
		break;
	case SQLITE_CORRUPT:
		d->is_suspect = true;
		mend = "; restore a backup (\"pgpgate db check\" says more)";
		break;
	case SQLITE_CONSTRAINT:
		d->must_reopen = false;
		break;
	}
	return db_fail(d, failure, "%s: %s%s", doing, text, mend);
}

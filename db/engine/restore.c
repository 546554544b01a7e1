/* SPDX-License-Identifier: ISC
 *
 * restore.c: `pgpgate db restore`. The copy is made beside the database, looked at there, and takes
 * its place by one rename(2), while we hold the lock that every connection of the engine shares:
 * nobody has the database open. What was there keeps its write-ahead log, under another name, and
 * none is left for the engine to replay into the copy.
 */
#include "db/engine/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "db/engine/file.h"
#include "db/engine/schema.h"

#define COPY_BYTES 65536
#define COPY_SUFFIX ".restore"
#define KEY_SUFFIX ".key.restore" /* not that of a key which db init --new-key has to name yet */
#define SAME_SECOND_MAX 100
#define KEPT ".before-"

static const char magic[16] = "SQLite format 3";

struct db_restore {
	char file[DB_PATH_MAX];
	int fd, wal_fd, key_fd; /* -1: not there */
	unsigned char key[HASHED_KEY_BYTES];
	bool has_key;
};

/* ---- what root names ---- */

static enum db_failure begin_fail(struct db_restore *r, enum db_failure failure, char *err,
				  const char *suffix, const char *what)
{
	snprintf(err, DB_ERROR_MAX, "%.300s%s: %s", r->file, suffix, what);
	db_restore_end(r);
	return failure;
}

/* May others than root put names there? */
static bool is_shared_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[DB_PATH_MAX + 8];
	struct stat st;

	snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
		 slash != NULL ? path : ".");
	return stat(folder, &st) != 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* A regular file, and not by way of a link: who reads it as root must not copy for others what they
 * may not read. Where fs.protected_hardlinks is off, a further name can be theirs, too. */
static int open_plain(const char *path, const char *suffix, const char **why)
{
	char full[DB_PATH_MAX + 8];
	struct stat st;
	int fd;

	snprintf(full, sizeof full, "%s%s", path, suffix);
	fd = open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		*why = errno == ELOOP ? "is a symbolic link; name the file itself"
				      : strerror(errno);
		return -1;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		*why = "is no regular file";
	else if (geteuid() == 0 && st.st_nlink > 1 && is_shared_folder(full))
		*why = "has more than one name, in a folder where others may have put it; move it "
		       "to one of root's";
	else
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

/* Does it end before its last page does? The engine takes zeros for what lacks there. What a
 * write-ahead log holds may not be counted here, and a header that an old program wrote says
 * nothing: https://sqlite.org/fileformat2.html section 1.3.7. */
static bool is_short(int fd)
{
	unsigned char h[100];
	uint64_t page_bytes, n_pages;
	struct stat st;

	if (pread(fd, h, sizeof h, 0) != (ssize_t)sizeof h || fstat(fd, &st) != 0)
		return true;
	if (memcmp(h + 24, h + 92, 4) != 0)
		return false;
	page_bytes = (uint64_t)h[16] << 8 | h[17];
	n_pages = (uint64_t)h[28] << 24 | (uint64_t)h[29] << 16 | (uint64_t)h[30] << 8 | h[31];
	return (uint64_t)st.st_size < n_pages * (page_bytes == 1 ? 65536 : page_bytes);
}

enum db_failure db_restore_begin(const char *file, struct db_restore **out, char err[DB_ERROR_MAX])
{
	struct db_restore *r = calloc(1, sizeof *r);
	char head[sizeof magic] = "";
	const char *why = "";

	*out = NULL;
	if (r == NULL) {
		snprintf(err, DB_ERROR_MAX, "out of memory");
		return DB_BROKEN;
	}
	r->fd = r->wal_fd = r->key_fd = -1;
	snprintf(r->file, sizeof r->file, "%s", file);
	r->fd = open_plain(file, "", &why);
	if (r->fd < 0)
		return begin_fail(r, errno == EACCES ? DB_NO_PERMISSION : DB_ABSENT, err, "", why);
	if (pread(r->fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
	    memcmp(head, magic, sizeof magic) != 0)
		return begin_fail(r, DB_NOT_OURS, err, "", "is no database");
	r->wal_fd = open_plain(file, "-wal", &why);
	if (r->wal_fd < 0 && errno != ENOENT)
		return begin_fail(r, DB_NO_PERMISSION, err, "-wal", why);
	if (r->wal_fd < 0 && is_short(r->fd))
		return begin_fail(
			r, DB_BROKEN, err, "",
			"not all of it was copied; bring it again, or take another backup");
	r->key_fd = open_plain(file, ".key", &why);
	if (r->key_fd < 0 && errno != ENOENT)
		return begin_fail(r, DB_NO_PERMISSION, err, ".key", why);
	r->has_key = r->key_fd >= 0;
	if (r->has_key && read(r->key_fd, r->key, sizeof r->key) != (ssize_t)sizeof r->key)
		return begin_fail(r, DB_NOT_OURS, err, ".key", "is no key: it has not 32 bytes");
	*out = r;
	return DB_OK;
}

void db_restore_end(struct db_restore *r)
{
	if (r == NULL)
		return;
	for (int i = 0; i < 3; i++) {
		const int fd = i == 0 ? r->fd : i == 1 ? r->wal_fd : r->key_fd;

		if (fd >= 0)
			close(fd);
	}
	explicit_bzero(r->key, sizeof r->key);
	free(r);
}

/* ---- the copy beside the database ---- */

static void beside(const struct db *d, const char *suffix, char out[DB_PATH_MAX + 64])
{
	snprintf(out, DB_PATH_MAX + 64, "%s%s", d->path, suffix);
}

static void unlink_beside(const struct db *d, const char *suffix)
{
	char path[DB_PATH_MAX + 64];

	beside(d, suffix, path);
	unlink(path);
}

/* 0, or -1 with errno. */
static int copy_octets(int from, int to)
{
	char octets[COPY_BYTES];
	off_t at = 0;
	ssize_t n;

	if (ftruncate(to, 0) != 0)
		return -1;
	while ((n = pread(from, octets, sizeof octets, at)) > 0) {
		const ssize_t written = pwrite(to, octets, (size_t)n, at);

		if (written != n) {
			errno = written >= 0 ? ENOSPC : errno;
			return -1;
		}
		at += n;
	}
	return n < 0 ? -1 : fsync(to);
}

static int copy_beside(struct db *d, int from, const char *suffix, int *out_fd)
{
	const int fd = file_open_beside(d, suffix, O_RDWR, DB_FILE_MODE, NULL);
	int result = 0;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		result = db_fail(d, DB_BUSY, "another restore is under way");
	else if (copy_octets(from, fd) != 0) {
		result = db_fail(d, errno == ENOSPC ? DB_FULL : DB_BROKEN,
				 "no copy of the file can be made beside it: %s", strerror(errno));
		unlink_beside(d, suffix); /* on a full disk it would keep what is missing */
	}
	if (result == 0 && out_fd != NULL)
		*out_fd = fd; /* locked until it has its place */
	else
		close(fd);
	return result;
}

static int one_text(struct db *d, const char *sql, char *out, size_t out_size)
{
	sqlite3_stmt *st = NULL;
	int result = -1;

	if (sqlite3_prepare_v2(d->handle, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		db_column_text(st, 0, out, out_size);
		result = 0;
	} else {
		db_fail_engine(d, "the copy");
	}
	sqlite3_finalize(st);
	return result;
}

/* Looks at the copy, and makes one file of it. has_hashed: something is on record under its key. */
static int examine_copy(struct db *d, char check[HASHED_CHECK_MAX], bool *has_hashed, int *version)
{
	char path[DB_PATH_MAX + 64], text[300];
	int ours;

	beside(d, COPY_SUFFIX, path);
	check[0] = '\0';
	if (sqlite3_open_v2(path, &d->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return db_fail_engine(d, "the copy");
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	ours = schema_is_ours(d);
	if (ours < 0)
		return -1;
	if (ours == 0)
		return db_fail(d, DB_NOT_OURS, "the file is an empty database");
	if (one_text(d, "PRAGMA user_version", text, sizeof text) != 0)
		return -1;
	*version = atoi(text);
	if (*version < 1 || *version > db_schema_current())
		return db_fail(d, *version < 1 ? DB_NOT_OURS : DB_TOO_NEW,
			       "the file has schema version %d, this program %d%s", *version,
			       db_schema_current(),
			       *version < 1 ? "" : "; install the newer pgpgate");
	if (one_text(d, "PRAGMA integrity_check(1)", text, sizeof text) != 0)
		return -1;
	if (strcmp(text, "ok") != 0)
		return db_fail(d, DB_BROKEN, "the file is damaged: %.200s", text);
	if (*version >= 4 && one_text(d, "SELECT coalesce(max(hash_key_check), '') FROM state",
				      check, HASHED_CHECK_MAX) != 0)
		return -1;
	if (*version == db_schema_current() &&
	    one_text(d, sql_statements[SQL_STATE_HAS_HASHED].text, text, sizeof text) != 0)
		return -1;
	*has_hashed = *version < db_schema_current() || strcmp(text, "0") != 0;
	/* The mode of its own as others made it may not be ours. Closing writes the WAL back and
	 * removes it. */
	if (one_text(d, "PRAGMA journal_mode = WAL", text, sizeof text) != 0)
		return -1;
	if (sqlite3_close(d->handle) != SQLITE_OK)
		return db_fail(d, DB_BROKEN, "the copy cannot be closed");
	d->handle = NULL;
	return 0;
}

/* What is wrong is wrong with the file that was named, not with the database that is there. */
static void blame_file(struct db *d, const struct db_restore *r)
{
	const int code = d->handle != NULL ? sqlite3_errcode(d->handle) & 0xff : SQLITE_OK;
	const size_t prefix = strnlen(d->path, 250) + 2;
	char text[DB_ERROR_MAX];

	if (d->failure != DB_BROKEN && d->failure != DB_NOT_OURS && d->failure != DB_TOO_NEW)
		return;
	snprintf(text, sizeof text, "%s", strlen(d->error) > prefix ? d->error + prefix : d->error);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_IOERR)
		snprintf(text, sizeof text,
			 "is damaged, or not all of it was copied (%.100s); bring it again, or "
			 "take another backup",
			 sqlite3_errmsg(d->handle));
	snprintf(d->error, sizeof d->error, "%.250s: %.240s", r->file, text);
}

/* ---- the key ---- */

static bool matches(const unsigned char *key, const char *check)
{
	struct hashed h = {.has_key = true};
	char found[HASHED_CHECK_MAX];
	bool is_it;

	memcpy(h.key, key, sizeof h.key);
	is_it = strcmp(hashed_check(&h, found), check) == 0;
	explicit_bzero(&h, sizeof h);
	return is_it;
}

static bool read_present_key(struct db *d, unsigned char key[HASHED_KEY_BYTES])
{
	const int fd = file_open_beside(d, ".key", O_RDONLY, 0, NULL);
	bool is_whole;

	if (fd < 0)
		return false;
	is_whole = read(fd, key, HASHED_KEY_BYTES) == HASHED_KEY_BYTES;
	close(fd);
	return is_whole;
}

/* Which key is to be there afterwards. 0 or -1. */
static int choose_key(struct db *d, const struct db_restore *r, const char *check, bool has_hashed,
		      struct db_restored *out)
{
	unsigned char present[HASHED_KEY_BYTES];
	const bool has_present = read_present_key(d, present);

	if (r->has_key && check[0] != '\0' && !matches(r->key, check))
		return db_fail(d, DB_ABSENT,
			       "%.150s.key is not the key of %.150s; put the right one there",
			       r->file, r->file);
	if (check[0] != '\0' && has_present && matches(present, check))
		return 0;
	if (r->has_key) {
		out->has_new_key = !has_present || memcmp(present, r->key, sizeof present) != 0;
		return 0;
	}
	if (check[0] == '\0')
		return 0;
	if (d->settings->hash_addresses)
		return db_fail(d, DB_ABSENT,
			       "the hashed addresses in %.120s need their key; put it there as "
			       "%.120s.key",
			       r->file, r->file);
	out->lacks_key = has_hashed; /* every database has a key, whether it is used or not */
	return 0;
}

static int put_key(struct db *d, const struct db_restore *r, const char *kept_suffix)
{
	char path[DB_PATH_MAX + 64], new_path[DB_PATH_MAX + 64], kept[DB_PATH_MAX + 64];
	const int fd = file_open_beside(d, KEY_SUFFIX, O_RDWR, 0640, NULL);

	if (fd < 0)
		return -1;
	beside(d, ".key", path);
	beside(d, KEY_SUFFIX, new_path);
	snprintf(kept, sizeof kept, "%s%s.key", d->path, kept_suffix);
	if (ftruncate(fd, 0) != 0 ||
	    pwrite(fd, r->key, sizeof r->key, 0) != (ssize_t)sizeof r->key || fsync(fd) != 0 ||
	    (link(path, kept) != 0 && errno != ENOENT) || rename(new_path, path) != 0) {
		close(fd);
		return db_fail(d, DB_BROKEN, "%.200s: %s", path, strerror(errno));
	}
	close(fd);
	return 0;
}

/* ---- in its place ---- */

static const struct flock whole_database = {.l_type = F_WRLCK,
					    .l_whence = SEEK_SET,
					    .l_start = DB_SHARED_FIRST,
					    .l_len = DB_SHARED_SIZE};

static int refuse_in_use(struct db *d, int fd)
{
	struct flock lock = whole_database;

	if (fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0)
		return db_fail(d, DB_BUSY, "in use by process %ld; stop the daemons first",
			       (long)lock.l_pid);
	return db_fail(d, DB_BUSY, "in use; stop the daemons first");
}

/* The descriptor that holds the lock, -2 when there is no database, or -1. */
static int lock_present(struct db *d)
{
	struct flock lock = whole_database;
	int fd = file_open_beside(d, "", O_RDWR, 0, NULL);

	if (fd < 0)
		return d->failure == DB_ABSENT ? -2 : -1;
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return fd;
	refuse_in_use(d, fd);
	close(fd);
	return -1;
}

/* Is name that of a file which a restore has kept, and what lies there the file at path? */
static bool is_kept_name(const struct db *d, const char *name, const char *path,
			 char out[DB_PATH_MAX + 300])
{
	const char *slash = strrchr(d->path, '/'), *base = slash != NULL ? slash + 1 : d->path;
	const size_t len = strlen(base);
	struct stat kept, present;

	snprintf(out, DB_PATH_MAX + 300, "%.*s%s", (int)(base - d->path), d->path, name);
	return strncmp(name, base, len) == 0 && strncmp(name + len, KEPT, strlen(KEPT)) == 0 &&
	       lstat(path, &present) == 0 && lstat(out, &kept) == 0 &&
	       kept.st_ino == present.st_ino && kept.st_dev == present.st_dev;
}

/* Of a restore that was killed before the copy had its place: the database, or its key, still has
 * the second name under which it was to be kept. A log that has gone there already stays: others
 * may have used the database since. */
static void undo_killed(struct db *d)
{
	char directory[DB_PATH_MAX], database[DB_PATH_MAX + 64], key[DB_PATH_MAX + 64];
	char kept[DB_PATH_MAX + 300];
	const char *slash = strrchr(d->path, '/');
	const struct dirent *entry;
	struct flock lock = whole_database;
	DIR *all = NULL;
	int fd;

	snprintf(directory, sizeof directory, "%.*s",
		 slash != NULL ? (int)(slash - d->path) + 1 : 1, slash != NULL ? d->path : ".");
	beside(d, "", database);
	beside(d, ".key", key);
	/* Another restore may just be between its two steps. Opened for its lock alone, since
	 * file_open_beside() refuses a file of two names. */
	fd = open(database, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0)
		all = opendir(directory);
	while (all != NULL && (entry = readdir(all)) != NULL)
		if (is_kept_name(d, entry->d_name, database, kept) ||
		    is_kept_name(d, entry->d_name, key, kept))
			unlink(kept);
	if (all != NULL)
		closedir(all);
	if (fd >= 0)
		close(fd);
}

static int keep_present(struct db *d, const char *kept_suffix)
{
	char path[DB_PATH_MAX + 64], kept[DB_PATH_MAX + 64];
	struct stat st;

	beside(d, kept_suffix, kept);
	if (link(d->path, kept) != 0)
		return db_fail(d, DB_BROKEN, "cannot be kept as %.200s: %s", kept, strerror(errno));
	beside(d, "-wal", path);
	snprintf(kept, sizeof kept, "%s%s-wal", d->path, kept_suffix);
	if (lstat(path, &st) == 0 && st.st_size > 0 && rename(path, kept) != 0)
		return db_fail(d, DB_BROKEN, "%.200s: %s", path, strerror(errno));
	return 0;
}

static int take_place(struct db *d, struct db_restored *out)
{
	char copy[DB_PATH_MAX + 64], suffix[40];
	struct tm tm;
	const time_t now = (time_t)clock_now_unix();
	int lock_fd, result;

	undo_killed(d);
	lock_fd = lock_present(d);
	result = lock_fd == -1 ? -1 : 0;
	gmtime_r(&now, &tm);
	strftime(suffix, sizeof suffix, KEPT "%Y%m%dT%H%M%SZ", &tm);
	/* Twice in a second. */
	for (size_t len = strlen(suffix), n = 2; n < SAME_SECOND_MAX; n++) {
		beside(d, suffix, copy);
		if (access(copy, F_OK) != 0)
			break;
		snprintf(suffix + len, sizeof suffix - len, "-%zu", n);
	}
	if (lock_fd >= 0) {
		result = keep_present(d, suffix);
		snprintf(out->kept, sizeof out->kept, "%.4000s%s", d->path, suffix);
	}
	/* None of these may meet the new file. */
	if (result == 0) {
		unlink_beside(d, "-wal");
		unlink_beside(d, "-shm");
		unlink_beside(d, "-journal");
		beside(d, COPY_SUFFIX, copy);
		if (rename(copy, d->path) != 0)
			result = db_fail(d, DB_BROKEN, "%s: %s", copy, strerror(errno));
	}
	if (lock_fd >= 0)
		close(lock_fd);
	return result;
}

static int restore(struct db *d, struct db_restore *r, struct db_restored *out)
{
	char check[HASHED_CHECK_MAX];
	int copy_fd = -1, result = -1;
	bool is_good, has_hashed = false;

	if (copy_beside(d, r->fd, COPY_SUFFIX, &copy_fd) != 0)
		return -1;
	unlink_beside(d, COPY_SUFFIX "-shm");
	unlink_beside(d, COPY_SUFFIX "-wal");
	is_good = r->wal_fd < 0 || copy_beside(d, r->wal_fd, COPY_SUFFIX "-wal", NULL) == 0;
	if (is_good && examine_copy(d, check, &has_hashed, &out->schema_version) != 0) {
		is_good = false;
		blame_file(d, r);
	}
	if (is_good && choose_key(d, r, check, has_hashed, out) == 0 && fsync(copy_fd) == 0 &&
	    take_place(d, out) == 0)
		result = 0;
	/* The key last: with another one, after a crash here, every program refuses to work, and
	 * says so. */
	if (result == 0 && out->has_new_key)
		result = put_key(d, r,
				 out->kept[0] != '\0' ? out->kept + strlen(d->path) : ".before");
	if (d->handle != NULL)
		sqlite3_close(d->handle);
	d->handle = NULL;
	unlink_beside(d, COPY_SUFFIX "-shm");
	unlink_beside(d, COPY_SUFFIX "-wal");
	unlink_beside(d, COPY_SUFFIX);
	close(copy_fd);
	return result;
}

enum db_failure db_restore(struct db_restore *r, struct settings *s, struct db_restored *out,
			   char err[DB_ERROR_MAX])
{
	struct db *d = calloc(1, sizeof *d);
	enum db_failure failure = DB_OK;

	memset(out, 0, sizeof *out);
	if (d == NULL || strlen(s->database_path) > DB_PATH_MAX - 64) {
		snprintf(err, DB_ERROR_MAX, "%s",
			 d == NULL ? "out of memory" : "the path is too long");
		free(d);
		return DB_BROKEN;
	}
	d->settings = s;
	d->mode = DB_WRITE;
	d->lock_fd = -1;
	snprintf(d->path, sizeof d->path, "%s", s->database_path);
	if (restore(d, r, out) != 0) {
		failure = d->failure != DB_OK ? d->failure : DB_BROKEN;
		snprintf(err, DB_ERROR_MAX, "%s", d->error);
	}
	free(d);
	return failure;
}

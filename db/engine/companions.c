/* SPDX-License-Identifier: ISC */
#include "db/engine/companions.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/engine/file.h"
#include "db/engine/harm.h"
#include "db/engine/wal_frames.h"
#include "db/engine/wal_rescue.h"

/* Another process that opens or closes is between two files for some ms at most, and one of ours
 * lets go of what was harmed within a second or two. */
#define OPENING_MS 3000

/* One for each database that this process has open, as the engine has. */
struct opened_file {
	struct opened_file *next;
	dev_t device;
	ino_t inode;
	unsigned n_handles;
	bool is_forsaken;
	bool has_log; /* a rollback journal beside it is none of its own */
};

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static struct opened_file *files;

static int stat_beside(const struct db *d, const char *suffix, struct stat *out)
{
	char path[DB_PATH_MAX + 8];

	memcpy(path, d->path, strlen(d->path));
	memcpy(path + strlen(d->path), suffix, strlen(suffix) + 1);
	return lstat(path, out);
}

/* ---- who has it open ---- */

/* Called with the lock. */
static struct opened_file *find_file(const struct db *d)
{
	struct opened_file *f = files;

	while (f != NULL && (f->inode != d->opened.st_ino || f->device != d->opened.st_dev))
		f = f->next;
	return f;
}

/* Of another process, its number; 0: none. Only while this process has no connection: closing the
 * descriptor drops all of its locks on the file. */
static long find_other(const struct db *d)
{
	struct flock lock = {.l_type = F_WRLCK,
			     .l_whence = SEEK_SET,
			     .l_start = DB_SHARED_FIRST,
			     .l_len = DB_SHARED_SIZE};
	const int fd = open(d->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	long pid = 0;

	if (fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_RDLCK)
		pid = lock.l_pid > 0 ? (long)lock.l_pid : -1;
	if (fd >= 0)
		close(fd);
	return pid;
}

static bool read_beside(const struct db *d, const char *suffix, void *out, size_t len, off_t offset)
{
	char path[DB_PATH_MAX + 8];
	bool result;
	int fd;

	memcpy(path, d->path, strlen(d->path));
	memcpy(path + strlen(d->path), suffix, strlen(suffix) + 1);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;
	result = pread(fd, out, len, offset) == (ssize_t)len;
	close(fd);
	return result;
}

/* Whose index and log do not fit, as harm.c finds for those that have them open; NULL: none. As
 * above, only while this process has no connection. What changes at this moment may look so. */
static const char *unfit(const struct db *d, int64_t log_bytes)
{
	unsigned char head[WAL_FRAMES_HEAD_BYTES], frame[WAL_FRAMES_FIRST_BYTES];
	struct wal_frames x;

	if (!read_beside(d, "-shm", head, sizeof head, 0) || !wal_frames_parse(head, &x) ||
	    x.n_frames == 0)
		return NULL;
	if (log_bytes < wal_frames_log_bytes(&x))
		return "-wal";
	if (x.is_nonsense || (read_beside(d, "-wal", frame, sizeof frame, WAL_FRAMES_FIRST_AT) &&
			      !wal_frames_first_fits(&x, frame)))
		return "-shm";
	return NULL;
}

/* Which is not there as one that is in use would be; NULL: none. */
static const char *missing(const struct db *d)
{
	struct stat index, log;

	if (stat_beside(d, "-wal", &log) != 0)
		return "-wal";
	if (stat_beside(d, "-shm", &index) != 0 || index.st_size < WAL_INDEX_BYTES)
		return "-shm";
	return unfit(d, log.st_size);
}

/* https://sqlite.org/fileformat2.html section 1.3. As above. */
static bool has_log(const struct db *d)
{
	static const unsigned char versions[] = {2, 2};
	unsigned char head[20];
	const int fd = open(d->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	const bool result = fd >= 0 && pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
			    memcmp(head + 18, versions, sizeof versions) == 0;

	if (fd >= 0)
		close(fd);
	return result;
}

/* The engine would take it for what a crash has left, and write what it holds into the database,
 * when it has that for itself; until then, nobody could open it. */
static void set_journal_aside(const struct db *d)
{
	char path[DB_PATH_MAX + 8], aside[DB_PATH_MAX + 32];

	snprintf(path, sizeof path, "%s-journal", d->path);
	snprintf(aside, sizeof aside, "%s.not-ours", path);
	if (rename(path, aside) == 0)
		log_error(
			"%s: is none of this database, which has a write-ahead log; it is %s now, "
			"look who put it there",
			path, aside);
}

static void look_for_journal(const struct db *d)
{
	struct opened_file *f;
	struct stat st;

	if (stat_beside(d, "-journal", &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
		return;
	pthread_mutex_lock(&files_lock);
	f = find_file(d);
	if (f != NULL ? f->has_log : has_log(d))
		set_journal_aside(d);
	pthread_mutex_unlock(&files_lock);
}

/* 1: in. 0: not yet, tried again. -1: this process has to close first. */
static int try_enter(struct db *d, long *other, const char **what)
{
	struct opened_file *f;
	int result = 1;

	*other = 0;
	*what = NULL;
	pthread_mutex_lock(&files_lock);
	f = find_file(d);
	if (f != NULL && f->is_forsaken)
		result = -1;
	else if (f == NULL && (*what = missing(d)) != NULL && (*other = find_other(d)) != 0)
		result = 0;
	if (result == 1 && f == NULL) {
		f = calloc(1, sizeof *f);
		if (f != NULL) {
			f->device = d->opened.st_dev;
			f->inode = d->opened.st_ino;
			f->next = files;
			files = f;
		} else {
			result = -1;
		}
	}
	if (result == 1) {
		f->n_handles++;
		d->companions.file = f;
	}
	pthread_mutex_unlock(&files_lock);
	return result;
}

int companions_enter(struct db *d)
{
	static const struct timespec pause = {.tv_nsec = 10000000};
	const int64_t until_ms = clock_monotonic_ms() + OPENING_MS;
	const char *what = NULL;
	long other = 0;
	int got;

	memset(&d->companions, 0, sizeof d->companions);
	look_for_journal(d);
	while ((got = try_enter(d, &other, &what)) == 0 && clock_monotonic_ms() < until_ms)
		nanosleep(&pause, NULL);
	if (got < 0) {
		db_pools_drop_idle();
		got = try_enter(d, &other, &what);
	}
	if (got == 1)
		return 0;
	if (got == 0)
		return db_fail(d, DB_BROKEN,
			       "%.200s%s was removed or cut short while process %ld has the "
			       "database open; end that process",
			       d->path, what != NULL ? what : "", other);
	return db_fail(d, DB_BROKEN,
		       "a file beside it was removed or cut short; this process is closing it, to "
		       "open it anew");
}

void companions_leave(struct db *d)
{
	struct opened_file *f = d->companions.file, **at;

	if (f == NULL)
		return;
	pthread_mutex_lock(&files_lock);
	if (--f->n_handles == 0) {
		for (at = &files; *at != f;)
			at = &(*at)->next;
		*at = f->next;
		free(f);
	}
	pthread_mutex_unlock(&files_lock);
	d->companions.file = NULL;
}

/* ---- are they there, and whole ---- */

void companions_remember(struct db *d)
{
	struct wal_frames x;

	harm_remember(d);
	if (!d->companions.are_known || !wal_frames_read(d, &x))
		return;
	pthread_mutex_lock(&files_lock);
	d->companions.file->has_log = true;
	pthread_mutex_unlock(&files_lock);
}

bool companions_are_whole(struct db *d)
{
	return harm_find(d) == HARM_NONE;
}

/* ---- when they are not ---- */

/* What has become of what was committed: as people are told, and as companions_forsake() returns
 * it. */
static const char *save(struct db *d, enum harm h, bool *is_saved)
{
	*is_saved = true;
	if (h == HARM_INDEX_SHORT || h == HARM_INDEX_WRONG)
		return "it is made anew from the write-ahead log";
	if (wal_rescue(d))
		return "all that was committed is in the database";
	*is_saved = false;
	return "the latest changes may be lost (\"pgpgate db check\", \"pgpgate rules\")";
}

int companions_forsake(struct db *d)
{
	const enum harm h = harm_find(d);
	const char *outcome;
	bool is_first, is_saved;

	d->must_reopen = true;
	db_fail(d, DB_BROKEN, "%.200s%s was removed, cut short or overwritten while in use",
		d->path, harm_suffix(h));
	if (h == HARM_NONE && wal_holds(d))
		return 0; /* the engine has mended its index meanwhile */
	outcome = save(d, h, &is_saved);
	pthread_mutex_lock(&files_lock);
	is_first = !d->companions.file->is_forsaken;
	d->companions.file->is_forsaken = true;
	pthread_mutex_unlock(&files_lock);
	if (is_first)
		log_error(
			"%s%s was removed, cut short or overwritten while in use; %s; opening the "
			"database anew",
			d->path, harm_suffix(h), outcome);
	/* Whatever saving it has said meanwhile. */
	db_fail(d, DB_BROKEN, "%.200s%s was removed, cut short or overwritten while in use",
		d->path, harm_suffix(h));
	return is_saved;
}

int companions_prove(struct db *d)
{
	if (d->handle == NULL || (companions_are_whole(d) && wal_holds(d)))
		return 0;
	return companions_forsake(d) == 1 ? 0 : -1;
}

int companions_look(struct db *d)
{
	bool is_forsaken;

	if (!d->companions.are_known)
		return 0;
	pthread_mutex_lock(&files_lock);
	is_forsaken = d->companions.file->is_forsaken;
	pthread_mutex_unlock(&files_lock);
	if (is_forsaken) {
		d->must_reopen = true;
		return -1;
	}
	if (companions_are_whole(d))
		return 0;
	companions_forsake(d);
	return -1;
}

void companions_suspect(struct db *d)
{
	const enum db_failure failure = d->failure;
	char error[DB_ERROR_MAX];

	if (!d->is_suspect || d->companions.file == NULL)
		return;
	d->is_suspect = false;
	/* Its first statement has failed: it has opened them all the same. */
	if (!d->companions.are_known)
		companions_remember(d);
	if (!d->companions.are_known)
		return;
	memcpy(error, d->error, sizeof error);
	companions_forsake(d);
	pthread_mutex_lock(&files_lock);
	if (!d->companions.file->is_forsaken) {
		d->failure = failure;
		memcpy(d->error, error, sizeof error);
	}
	pthread_mutex_unlock(&files_lock);
}

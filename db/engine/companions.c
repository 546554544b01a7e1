/* SPDX-License-Identifier: ISC */
#include "db/engine/companions.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/engine/file.h"
#include "db/engine/wal_index.h"

/* Another process that opens or closes is between two files for some ms at most, and one of ours lets go of what was
 * harmed within a second or two. */
#define OPENING_MS 3000
#define RESCUE_MS 1000 /* for other transactions to end */

/* https://sqlite.org/walformat.html sections 2.1 and 2.2: two copies of the header, then what was written back. */
#define MX_FRAME_AT 16
#define PAGE_SIZE_AT 14
#define WAL_HEADER_BYTES 32
#define FRAME_HEADER_BYTES 24

/* One for each database that this process has open, as the engine has. */
struct opened_file {
	struct opened_file *next;
	dev_t device;
	ino_t inode;
	unsigned n_handles;
	bool is_forsaken;
};

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static struct opened_file *files;

static int stat_beside(const struct db *d, const char *suffix, struct stat *out)
{
	char path[DB_PATH_MAX + 8];
	const size_t len = strlen(d->path);

	/* Not by snprintf(), which takes longer than what the kernel does. */
	memcpy(path, d->path, len);
	memcpy(path + len, suffix, strlen(suffix) + 1);
	return lstat(path, out);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
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

/* Of another process, its number; 0: none. Only while this process has no connection: closing the descriptor drops all
 * of its locks on the file. */
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

/* Which is not there as one that is in use would be; NULL: none. */
static const char *missing(const struct db *d)
{
	struct stat st;

	if (stat_beside(d, "-wal", &st) != 0)
		return "-wal";
	return stat_beside(d, "-shm", &st) != 0 || st.st_size < WAL_INDEX_BYTES ? "-shm" : NULL;
}

/* 1: in. 0: not yet, tried again. -1: this process has to close first. */
static int try_enter(struct db *d, long *other)
{
	struct opened_file *f;
	int result = 1;

	*other = 0;
	pthread_mutex_lock(&files_lock);
	f = find_file(d);
	if (f != NULL && f->is_forsaken)
		result = -1;
	else if (f == NULL && missing(d) != NULL && (*other = find_other(d)) != 0)
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
	long other = 0;
	int got;

	memset(&d->companions, 0, sizeof d->companions);
	while ((got = try_enter(d, &other)) == 0 && clock_monotonic_ms() < until_ms)
		nanosleep(&pause, NULL);
	if (got < 0) {
		db_pools_drop_idle();
		got = try_enter(d, &other);
	}
	if (got == 1)
		return 0;
	if (got == 0)
		return db_fail(d, DB_BROKEN, "%.200s%s was removed or cut short while process %ld has the database open; end that process",
			       d->path, missing(d) != NULL ? missing(d) : "", other);
	return db_fail(
		d, DB_BROKEN, "a file beside it was removed or cut short; this process is closing it, to open it anew");
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
	/* Neither: somebody chose another journal for the database. */
	d->companions.are_known = stat_beside(d, "-wal", &d->companions.wal) == 0 &&
				  stat_beside(d, "-shm", &d->companions.index) == 0;
}

/* The file that the engine has open, which never becomes shorter while it does. */
static bool index_is_whole(struct db *d)
{
	struct stat st;

	if (stat_beside(d, "-shm", &st) != 0 || !is_same(&st, &d->companions.index) ||
	    st.st_size < d->companions.index.st_size)
		return false;
	d->companions.index.st_size = st.st_size;
	return true;
}

static bool log_is_there(struct db *d, struct stat *st)
{
	return stat_beside(d, "-wal", st) == 0 && is_same(st, &d->companions.wal);
}

static bool index_was_cut(struct db *d)
{
	struct stat st;

	return stat_beside(d, "-shm", &st) == 0 && is_same(&st, &d->companions.index) &&
	       st.st_size < d->companions.index.st_size;
}

/* What the log has to hold, by the index. -1: it is being written at this moment, or cannot be seen. */
static int64_t needed_bytes(struct db *d)
{
	unsigned char header[WAL_INDEX_HEADER_BYTES];
	uint32_t mx_frame;
	uint16_t page_bytes;

	if (!wal_index_header(d, header))
		return -1;
	memcpy(&mx_frame, header + MX_FRAME_AT, sizeof mx_frame);
	memcpy(&page_bytes, header + PAGE_SIZE_AT, sizeof page_bytes);
	if (mx_frame == 0)
		return 0;
	return WAL_HEADER_BYTES +
	       (int64_t)mx_frame * (FRAME_HEADER_BYTES + (page_bytes == 1 ? 65536 : page_bytes));
}

bool companions_are_whole(struct db *d)
{
	struct stat st;
	int64_t before, after;

	if (!d->companions.are_known)
		return true;
	if (!index_is_whole(d))
		return false;
	do {
		before = needed_bytes(d);
		if (!log_is_there(d, &st))
			return false;
		if (before < 0 || st.st_size >= before)
			return true;
		after = needed_bytes(d);
	} while (after != before); /* it began anew in between, and may be short by right */
	return false;
}

/* ---- when they are not ---- */

/* By the engine's own descriptor, which still has what was removed. True: all of it. */
static bool write_back(struct db *d)
{
	static const struct timespec pause = {.tv_nsec = 5000000};
	const int64_t until_ms = clock_monotonic_ms() + RESCUE_MS;
	const int busy_ms = d->busy_ms;
	int fd = d->lock_fd, n_log = -1, n_done = -1, rc = SQLITE_BUSY;

	if (fd < 0)
		fd = file_open_beside(d, ".lock", O_RDONLY, 0, NULL);
	d->busy_ms = 0;
	while (clock_monotonic_ms() < until_ms) {
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) {
			rc = sqlite3_wal_checkpoint_v2(d->handle, NULL, SQLITE_CHECKPOINT_PASSIVE,
						       &n_log, &n_done);
			if (fd >= 0)
				flock(fd, LOCK_UN);
			if ((rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY) ||
			    (rc == SQLITE_OK && n_log == n_done))
				break;
		}
		nanosleep(&pause, NULL);
	}
	d->busy_ms = busy_ms;
	if (fd != d->lock_fd)
		close(fd);
	return rc == SQLITE_OK && n_log >= 0 && n_log == n_done;
}

int companions_forsake(struct db *d)
{
	struct stat st;
	const bool has_log = log_is_there(d, &st);
	const bool was_cut = index_was_cut(d);
	const char *suffix = !has_log ? "-wal" : was_cut || !index_is_whole(d) ? "-shm" : "-wal";
	const bool is_saved = !was_cut && write_back(d);
	bool is_first;

	pthread_mutex_lock(&files_lock);
	is_first = !d->companions.file->is_forsaken;
	d->companions.file->is_forsaken = true;
	pthread_mutex_unlock(&files_lock);
	d->must_reopen = true;
	if (is_first)
		log_error(
			"%s%s was removed or cut short while in use; %s; opening the database anew",
			d->path, suffix,
			is_saved  ? "all that was committed is in the database"
			: was_cut ? "it is made anew from the write-ahead log"
				  : "the latest changes may be lost (\"pgpgate db check\", "
				    "\"pgpgate rules\")");
	db_fail(d, DB_BROKEN, "%.200s%s was removed or cut short while in use", d->path, suffix);
	return is_saved || (was_cut && has_log);
}

int companions_look(struct db *d)
{
	struct stat st;
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
	if (index_is_whole(d) && log_is_there(d, &st))
		return 0;
	companions_forsake(d);
	return -1;
}

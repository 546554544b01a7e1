/* SPDX-License-Identifier: ISC */
#include "db/engine/wal_rescue.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "db/engine/file.h"
#include "db/engine/wal_copy.h"
#include "db/engine/wal_mark.h"

#define RESCUE_MS 1000 /* for other transactions to end */
#define INDEX_TRIES 50 /* each while somebody else writes its head, which takes microseconds */
#define WAIT_MS 20     /* for those that read, while others wait for the lock */

enum rescued { SAVED, LOST, NOT_YET };

/* From its beginning, as the engine would replay it. As wal_walk(). */
static int walk_all(struct db *d, const struct wal_frames *x, struct wal_walk *walk)
{
	memset(walk, 0, sizeof *walk);
	return wal_walk(d, x, walk, NULL, NULL);
}

bool wal_holds(struct db *d)
{
	static const struct timespec pause = {.tv_nsec = 200000};
	struct wal_frames x, again;
	struct wal_walk walk;

	for (int i = 0; i < INDEX_TRIES; i++) {
		if (!wal_frames_read(d, &x)) {
			nanosleep(&pause, NULL); /* somebody commits at this moment */
			continue;
		}
		if (x.is_nonsense || walk_all(d, &x, &walk) != 0)
			return true;
		/* Or has it begun anew meanwhile? */
		if (wal_frames_read(d, &again) && again.n_frames >= x.n_frames &&
		    memcmp(x.salts, again.salts, sizeof x.salts) == 0)
			return false;
	}
	return true;
}

static void cut_log(struct db *d, sqlite3_int64 bytes)
{
	sqlite3_file *log = NULL;

	if (sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) ==
		    SQLITE_OK &&
	    log != NULL && log->pMethods != NULL)
		log->pMethods->xTruncate(log, bytes);
}

/* Everybody else is to see that it is not what the index says. */
static enum rescued give_up(struct db *d, const struct wal_frames *x)
{
	struct wal_frames left = *x;
	struct wal_walk walk;

	if (walk_all(d, x, &walk) == -1)
		return NOT_YET;
	left.n_frames = walk.n_committed;
	/* Written back up to a commit, and no further: without the log it is of one time, and later
	 * than what is left. */
	if (walk.n_committed < x->n_begun && x->n_begun == x->n_written_back)
		left.n_frames = 0;
	cut_log(d, wal_frames_log_bytes(&left));
	return LOST;
}

/* With the lock: nobody commits. */
static enum rescued rescue_locked(struct db *d, struct wal_copy *copy)
{
	struct wal_walk walk;
	struct wal_frames x;
	int got;

	if (!wal_frames_read(d, &x) || x.is_nonsense || (got = wal_copy_read(copy, d)) < 0)
		return NOT_YET;
	if (got == 0)
		return give_up(d, &x);
	/* So that nobody takes an older copy of the log for that of this file. */
	wal_mark_close(d);
	got = wal_copy_read(copy, d) == 1 ? wal_copy_write_back(copy, d, WAIT_MS) : 0;
	if (got != 1)
		return got == 0 ? NOT_YET : LOST;
	if (!wal_frames_read(d, &x) || walk_all(d, &x, &walk) == 0)
		cut_log(d, 0);
	return SAVED;
}

bool wal_rescue(struct db *d)
{
	static const struct timespec pause = {.tv_nsec = 5000000};
	const int64_t until_ms = clock_monotonic_ms() + RESCUE_MS;
	const int busy_ms = d->busy_ms;
	enum rescued result = NOT_YET;
	struct wal_copy copy = {.len = 0};
	int fd = d->lock_fd;

	if (fd < 0)
		fd = file_open_beside(d, ".lock", O_RDONLY, 0, NULL);
	d->busy_ms = 0;
	while (clock_monotonic_ms() < until_ms) {
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) {
			result = rescue_locked(d, &copy);
			if (fd >= 0)
				flock(fd, LOCK_UN);
		}
		if (result != NOT_YET)
			break;
		nanosleep(&pause, NULL);
	}
	wal_copy_free(&copy);
	d->busy_ms = busy_ms;
	if (fd != d->lock_fd)
		close(fd);
	return result == SAVED;
}

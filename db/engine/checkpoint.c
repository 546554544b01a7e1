/* SPDX-License-Identifier: ISC
 *
 * checkpoint.c: writing the WAL back into the database. SQLite up to 3.51.2 can corrupt the file
 * when a checkpoint runs while another connection commits, so it runs only while nobody writes: all
 * our writers hold DATABASE.lock shared, and this takes it exclusively or leaves it.
 */
#include "db/engine/internal.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/engine/companions.h"
#include "db/engine/file.h"
#include "db/engine/wal_copy.h"
#include "db/engine/wal_mark.h"
#include "db/engine/wal_rescue.h"

#define PAGE_BYTES 4096		/* SQLite's default; what is measured is only when to begin */
#define HELD_BYTES (64LL << 20) /* many times what is left between two checkpoints */
#define READERS_MS \
	10 /* for those who read an older state: policy_decide() does for less than one */
#define HELD_PAUSE_MS 200 /* before the next look, when that was not enough */
#define WAIT_MS 50 /* for the lock when the WAL is 4 times too long: other writers leave gaps */

static int64_t wal_bytes(struct db *d)
{
	char path[DB_PATH_MAX + 8];
	struct stat st;

	/* The file keeps its length when the WAL starts again from its beginning: pages in use are
	 * better. */
	if (d->wal_pages >= 0)
		return (int64_t)d->wal_pages * PAGE_BYTES;
	snprintf(path, sizeof path, "%s-wal", d->path);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* What the checkpoint will do first, done while others may still write: it then excludes them for a
 * third of the time. A disk tells of an error only once, so that it is an error here, too. 0 or -1.
 */
static int sync_wal(struct db *d)
{
	sqlite3_file *wal = NULL;

	if (sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) !=
		    SQLITE_OK ||
	    wal == NULL || wal->pMethods == NULL)
		return 0;
	if (wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) == SQLITE_OK)
		return 0;
	d->must_reopen = true;
	return db_fail(d, DB_BROKEN,
		       "checkpoint: the write-ahead log cannot be synced; check the disk");
}

/* A reader that keeps the log for long makes it grow without bound. */
static void tell_held(struct db *d, int n_left)
{
	char holder[80] = "a reader that cannot be seen from here";
	unsigned n_suppressed;

	if ((int64_t)n_left * PAGE_BYTES < HELD_BYTES) {
		if (log_limit_clear(&d->wal_is_held, clock_monotonic_ms()))
			log_info("%s: the write-ahead log is written back again", d->path);
		return;
	}
	if (!log_limit_allows(&d->wal_is_held, clock_monotonic_ms(), &n_suppressed))
		return;
	db_wal_holder(d, holder, sizeof holder);
	log_warning("%s: %lld MB of write-ahead log cannot be written back while %s reads; end it",
		    d->path, (long long)n_left * PAGE_BYTES / 1000000, holder);
}

/* With the lock. As wal_copy_write_back(), or -2: the log is not whole. */
static int write_back(struct db *d, struct wal_copy *copy)
{
	int got;

	wal_mark_close(d);
	/* The rest, by now. */
	got = companions_are_whole(d) ? wal_copy_read(copy, d) : 0;
	if (got == 1)
		return wal_copy_write_back(copy, d, READERS_MS);
	return got == 0 ? -2 : 0;
}

/* Looked at before anything is read: whoever reads for long does so for many commits. */
static bool is_held(struct db *d)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	struct wal_frames x;

	for (int i = 0; i < READERS_MS && wal_frames_is_read_behind(d); i++)
		nanosleep(&pause, NULL);
	if (!wal_frames_is_read_behind(d))
		return false;
	if (wal_frames_read(d, &x))
		tell_held(d, (int)(x.n_frames - x.n_written_back));
	d->next_checkpoint_ms = clock_monotonic_ms() + HELD_PAUSE_MS;
	return true;
}

static int checkpoint(struct db *d, int wait_ms, struct wal_copy *copy)
{
	int got;

	if (companions_are_whole(d) && is_held(d))
		return 0;
	/* Most of it while others may write. */
	if (companions_are_whole(d) && sync_wal(d) != 0)
		return -1;
	if (!companions_are_whole(d) || (got = wal_copy_read(copy, d)) == 0) {
		companions_forsake(d);
		return -1;
	}
	if (got < 0 && copy->walk.is_unread)
		return db_fail(d, DB_BROKEN,
			       "checkpoint: the write-ahead log cannot be read; check the disk");
	got = file_lock(d, true, wait_ms);
	if (got != 1)
		return got;
	got = write_back(d, copy);
	/* What was written back before was not looked at, but a restart would stop there. */
	if (got == 1 && copy->walk.from > 0 && !wal_holds(d))
		got = -2;
	file_unlock(d);
	if (got == -2) {
		companions_forsake(d);
		return -1;
	}
	if (got < 0)
		return db_fail_engine(d, "checkpoint");
	if (got == 1) {
		d->wal_pages = 0;
		tell_held(d, 0);
	}
	return got;
}

int db_checkpoint(struct db *d, int64_t threshold_bytes)
{
	struct wal_copy copy = {.len = 0};
	int wait_ms, result;

	if (d->handle == NULL || d->must_reopen || d->mode == DB_READ)
		return 0;
	if (wal_bytes(d) <= threshold_bytes || clock_monotonic_ms() < d->next_checkpoint_ms)
		return 0;
	wait_ms = wal_bytes(d) > 4 * threshold_bytes ? WAIT_MS : 0;
	/* No sync for nothing while somebody writes all the time. */
	result = file_lock(d, true, wait_ms);
	if (result != 1)
		return result;
	file_unlock(d);
	result = checkpoint(d, wait_ms, &copy);
	wal_copy_free(&copy);
	return result;
}

/* SPDX-License-Identifier: ISC
 *
 * checkpoint.c: writing the WAL back into the database. SQLite up to 3.51.2 can corrupt the file when a
 * checkpoint runs while another connection commits, so it runs only while nobody writes: all our writers
 * hold DATABASE.lock shared, and this takes it exclusively or leaves it.
 */
#include "db/engine/internal.h"

#include <stdio.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/engine/file.h"
#include "db/engine/wal_mark.h"

#define PAGE_BYTES 4096		/* SQLite's default; what is measured is only when to begin */
#define HELD_BYTES (64LL << 20) /* many times what is left between two checkpoints */
#define WAIT_MS 50 /* for the lock when the WAL is 4 times too long: other writers leave gaps */

static int64_t wal_bytes(struct db *d)
{
	char path[DB_PATH_MAX + 8];
	struct stat st;

	/* The file keeps its length when the WAL starts again from its beginning: pages in use are better. */
	if (d->wal_pages >= 0)
		return (int64_t)d->wal_pages * PAGE_BYTES;
	snprintf(path, sizeof path, "%s-wal", d->path);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* What the checkpoint will do first, done while others may still write: it then excludes them for a third of the
 * time. A disk tells of an error only once, so that it is an error here, too. 0 or -1. */
static int sync_wal(struct db *d)
{
	sqlite3_file *wal = NULL;

	if (sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) != SQLITE_OK ||
	    wal == NULL || wal->pMethods == NULL)
		return 0;
	if (wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) == SQLITE_OK)
		return 0;
	d->must_reopen = true;
	return db_fail(d, DB_BROKEN, "checkpoint: the write-ahead log cannot be synced; check the disk");
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

int db_checkpoint(struct db *d, int64_t threshold_bytes)
{
	const int busy_ms = d->busy_ms;
	int n_log = 0, n_done = 0, wait_ms, had, rc;

	if (d->handle == NULL || d->must_reopen || d->mode == DB_READ)
		return 0;
	if (wal_bytes(d) <= threshold_bytes)
		return 0;
	wait_ms = wal_bytes(d) > 4 * threshold_bytes ? WAIT_MS : 0;
	/* No sync for nothing while somebody writes all the time. */
	had = file_lock(d, true, wait_ms);
	if (had != 1)
		return had;
	file_unlock(d);
	if (sync_wal(d) != 0)
		return -1;
	had = file_lock(d, true, wait_ms);
	if (had != 1)
		return had;
	d->busy_ms = 0;
	wal_mark_close(d);
	rc = sqlite3_wal_checkpoint_v2(d->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &n_log, &n_done);
	d->busy_ms = busy_ms;
	file_unlock(d);
	if ((rc & 0xff) == SQLITE_BUSY)
		return 0;
	if (rc != SQLITE_OK)
		return db_fail_engine(d, "checkpoint");
	/* A reader may keep the rest back; what is left is looked at after the next commit. */
	d->wal_pages = n_log >= 0 && n_done >= 0 ? n_log - n_done : -1;
	tell_held(d, d->wal_pages);
	return 1;
}

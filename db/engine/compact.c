/* SPDX-License-Identifier: ISC
 *
 * compact.c: `pgpgate db compact`: free pages go back to the file system. A database made by this
 * version lets the engine move its last pages into free ones, some at a time: each step is a
 * transaction of some 20 ms, after which others have their turn, and a compaction that was
 * interrupted is simply gone on with. One that an older version made has to be written anew once.
 */
#include "db/engine/internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "db/engine/file.h"

#define AUTO_VACUUM_INCREMENTAL 2
#define STEP_AIM_MS 20
#define MOVE_FIRST_MS 5
#define MOVE_MOST_MS 12
#define PAUSE_MS 5		   /* between steps: mail's turn */
#define WAL_BYTES (512 << 10)	   /* written back beyond this: others wait for it */
#define LAST_CHECKPOINT_MS 10000   /* the file becomes shorter with it */
#define REBUILD_OPERATIONS 1000000 /* of the engine between two looks: tens of ms */

static int count_unused(struct db *d, int64_t *n)
{
	if (db_begin_read(d) != 0)
		return -1;
	return db_end(d, db_one(d, SQL_FREELIST_COUNT, n));
}

/* Within a write transaction, until the time is over or no page is free. */
static int move_pages(struct db *d, int64_t until_ms)
{
	int64_t unused = 0;

	do {
		if (db_run(d, db_statement(d, SQL_COMPACT_SOME)) != 0 ||
		    db_one(d, SQL_FREELIST_COUNT, &unused) != 0)
			return -1;
	} while (unused > 0 && clock_monotonic_ms() < until_ms);
	return 0;
}

/* *move_ms is fitted, so that the commit is over in time as well. */
static int step(struct db *d, int *move_ms)
{
	int64_t started_ms, took_ms;

	if (db_begin_write(d) != 0)
		return -1;
	started_ms = clock_monotonic_ms();
	if (db_end(d, move_pages(d, started_ms + *move_ms)) != 0)
		return -1;
	took_ms = clock_monotonic_ms() - started_ms;
	if (took_ms > STEP_AIM_MS && *move_ms > 1)
		*move_ms /= 2;
	else if (took_ms < STEP_AIM_MS * 3 / 4 && *move_ms < MOVE_MOST_MS)
		++*move_ms;
	return 0;
}

/* The file keeps its length until all of the log is written back. Readers may hold it up; then a
 * later one does it. */
static void write_back(struct db *d)
{
	static const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	const int64_t until_ms = clock_monotonic_ms() + LAST_CHECKPOINT_MS;

	while (db_checkpoint(d, 0) >= 0 && d->wal_pages > 0 && clock_monotonic_ms() < until_ms)
		nanosleep(&pause, NULL);
}

static int compact_in_steps(struct db *d, struct db_compaction *c)
{
	static const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	int64_t unused = 0, at_first = -1;
	int move_ms = MOVE_FIRST_MS;

	for (;;) {
		if (count_unused(d, &unused) != 0)
			return -1;
		if (at_first < 0 || at_first < unused)
			at_first = unused;
		if (c->progress != NULL)
			c->progress(c->context, at_first - unused, at_first);
		if (unused == 0)
			break;
		if (step(d, &move_ms) != 0)
			return -1;
		db_checkpoint(d, WAL_BYTES);
		nanosleep(&pause, NULL);
	}
	write_back(d);
	return 0;
}

static int tell_progress(void *context)
{
	struct db_compaction *c = context;

	c->progress(c->context, 0, 0);
	return 0; /* go on */
}

/* One transaction of the engine's: readers go on with what was, and nobody writes. */
static int rebuild(struct db *d, struct db_compaction *c)
{
	int rc;

	if (file_lock(d, false, d->busy_ms) != 1)
		return d->failure != DB_OK ? -1 : db_fail(d, DB_BUSY, "the lock file is held");
	if (c->progress != NULL)
		sqlite3_progress_handler(d->handle, REBUILD_OPERATIONS, tell_progress, c);
	rc = sqlite3_exec(d->handle, "PRAGMA auto_vacuum = INCREMENTAL; VACUUM", NULL, NULL, NULL);
	sqlite3_progress_handler(d->handle, 0, NULL, NULL);
	if (rc != SQLITE_OK)
		db_fail_engine(d, "rebuilding");
	file_unlock(d);
	if (rc != SQLITE_OK)
		return -1;
	write_back(d);
	return 0;
}

int db_compact(struct db *d, struct db_compaction *c)
{
	int64_t mode = 0;
	struct stat st;
	int result;

	c->must_rebuild = false;
	c->before_bytes = c->after_bytes = 0;
	if (db_ready(d) != 0 || db_one(d, SQL_AUTO_VACUUM, &mode) != 0)
		return -1;
	if (lstat(d->path, &st) == 0)
		c->before_bytes = st.st_size;
	if (mode != AUTO_VACUUM_INCREMENTAL && !c->may_rebuild) {
		c->must_rebuild = true;
		c->after_bytes = c->before_bytes;
		return 0;
	}
	result = mode == AUTO_VACUUM_INCREMENTAL ? compact_in_steps(d, c) : rebuild(d, c);
	if (lstat(d->path, &st) == 0)
		c->after_bytes = st.st_size;
	return result;
}

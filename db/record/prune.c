/* SPDX-License-Identifier: ISC
 *
 * prune.c: `pgpgate db prune`: first the ids of what is too old, then the rows, in the order in
 * which they lie in the file: rows whose times are not in the order of their ids would else be
 * looked for all over it, each a page of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "db/engine/internal.h"
#include "db/record/upkeep.h"
#include "db/verdicts.h"

#define GATHER_MAX 1000000   /* ids held in memory: 8 MB */
#define GATHER_ONCE 20000    /* under one snapshot: some ms */
#define PAUSE_MS 2	     /* between steps: mail's turn */
#define WAL_BYTES (8 << 20)  /* written back beyond this: others wait for it */
#define CACHE_KIB 32768	     /* index pages are come back to, in no order */
#define GAP_S (30 * 86400LL) /* without a message: longer than most are closed */

struct gathered {
	int64_t *id;
	size_t n;
	int64_t last_time_unix, last_id; /* where the next page begins */
};

/* One page. 1: some; 0: none are left; -1. */
static int gather_page(struct db *d, struct gathered *g, int64_t before_unix)
{
	const size_t had = g->n;
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_VERDICT_PRUNE_IDS);
	if (st != NULL) {
		db_bind_int(st, 1, before_unix);
		db_bind_int(st, 2, g->last_time_unix);
		db_bind_int(st, 3, g->last_id);
		db_bind_int(st, 4, upkeep_unpushed_before(d));
		db_bind_int(st, 5, GATHER_ONCE);
		while (g->n < GATHER_MAX && (got = db_step(d, st)) == 1) {
			g->id[g->n++] = g->last_id = sqlite3_column_int64(st, 0);
			g->last_time_unix = sqlite3_column_int64(st, 1);
		}
	}
	if (db_end(d, got < 0 ? -1 : 0) != 0)
		return -1;
	return g->n > had;
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* 0 or -1. */
static int gather(struct db *d, struct gathered *g, int64_t before_unix)
{
	int got = 1;

	g->n = 0;
	g->last_time_unix = INT64_MIN;
	g->last_id = 0;
	while (g->n < GATHER_MAX && got == 1)
		got = gather_page(d, g, before_unix);
	if (got >= 0)
		qsort(g->id, g->n, sizeof g->id[0], by_value);
	return got < 0 ? -1 : 0;
}

/* Until all of g is gone. Returns how many rows, or -1. */
static int64_t remove_gathered(struct db *d, const struct gathered *g, int64_t before_unix,
			       int64_t total, void (*progress)(void *context, int64_t done),
			       void *context)
{
	static const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	size_t at = 0;
	int remove_ms = 0, removed;

	while (at < g->n) {
		removed = upkeep_remove(d, g->id, g->n, &at, before_unix, &remove_ms);
		if (removed < 0)
			return -1;
		total += removed;
		if (progress != NULL)
			progress(context, total);
		db_checkpoint(d, WAL_BYTES);
		nanosleep(&pause, NULL);
	}
	return total;
}

/* As long as the connection stays open. */
static void use_cache(struct db *d)
{
	char sql[64];

	snprintf(sql, sizeof sql, "PRAGMA cache_size = -%d", CACHE_KIB);
	if (db_ready(d) == 0)
		sqlite3_exec(d->handle, sql, NULL, NULL, NULL);
}

int64_t verdicts_prune(struct db *d, int64_t before_unix,
		       void (*progress)(void *context, int64_t done), void *context)
{
	struct gathered g = {.id = malloc(GATHER_MAX * sizeof g.id[0])};
	int64_t total = 0;

	if (g.id == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	use_cache(d);
	do {
		const int64_t before = total;

		if (gather(d, &g, before_unix) != 0)
			total = -1;
		else
			total = remove_gathered(d, &g, before_unix, total, progress, context);
		if (total <= before)
			break;
	} while (g.n == GATHER_MAX);
	free(g.id);
	return total;
}

int verdicts_prune_doubt(struct db *d, int64_t before_unix, int64_t now_unix, int64_t *last_unix)
{
	int64_t next_unix = now_unix;
	sqlite3_stmt *st;
	int got = -1;

	*last_unix = 0;
	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_VERDICT_PRUNE_GAP);
	if (st != NULL) {
		db_bind_int(st, 1, before_unix);
		got = db_step(d, st);
	}
	if (got == 1 && sqlite3_column_type(st, 0) != SQLITE_NULL)
		*last_unix = sqlite3_column_int64(st, 0);
	else if (got == 1)
		next_unix = 0; /* nothing is that old */
	if (got == 1 && sqlite3_column_type(st, 1) != SQLITE_NULL)
		next_unix = sqlite3_column_int64(st, 1);
	if (db_end(d, got < 0 ? -1 : 0) != 0)
		return -1;
	return next_unix - *last_unix > GAP_S && *last_unix != 0;
}

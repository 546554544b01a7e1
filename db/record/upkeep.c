/* SPDX-License-Identifier: ISC */
#include "db/record/upkeep.h"

#include <stddef.h>

#include "common/clock.h"
#include "db/policy/split.h"
#include "db/verdicts.h"

#define STEP_MS 1000	   /* between steps when nothing waits to be removed */
#define BACKLOG_STEP_MS 50 /* between steps while there is more: half of the time is mail's */
/* A step that removes verdicts aims at STEP_AIM_MS from begin to commit. What the commit takes is
 * known only afterwards: so the time for removing is fitted, and looked at every few rows, since
 * one row can be ten pages of a disk. */
#define STEP_AIM_MS 20
#define REMOVE_FIRST_MS 5
#define REMOVE_MOST_MS 12
#define ROWS_AT_ONCE 5
#define SWEEP_ROWS 500	       /* rows looked at in one step of a sweep */
#define SWEEP_EVERY 10	       /* steps */
#define UNSTEADY_S (3 * 86400) /* what a clock may take away that is not to be believed */
#define OTHER_ROWS 200	       /* rows of split evidence and attempts removed in one step */

int64_t upkeep_unpushed_before(const struct db *d)
{
	const int64_t most_s = d->settings->unpushed_max_s;

	return most_s == 0 ? INT64_MIN : clock_now_unix() - most_s;
}

/* Removes for some ms, within a write transaction. Returns how many rows, or -1. */
static int remove_verdicts(struct db *d, int64_t before_unix, int64_t until_ms)
{
	int total = 0, removed;

	do {
		sqlite3_stmt *st = db_statement(d, SQL_VERDICT_EXPIRE);

		if (st == NULL)
			return -1;
		db_bind_int(st, 1, before_unix);
		db_bind_int(st, 2, ROWS_AT_ONCE);
		db_bind_int(st, 3, upkeep_unpushed_before(d));
		if (db_run(d, st) != 0)
			return -1;
		removed = sqlite3_changes(d->handle);
		total += removed;
	} while (removed == ROWS_AT_ONCE && clock_monotonic_ms() < until_ms);
	return total;
}

/* The next step is to take so long that all of it, with its commit, takes STEP_AIM_MS. */
static void fit(int *remove_ms, int64_t took_ms)
{
	if (took_ms > STEP_AIM_MS && *remove_ms > 1)
		*remove_ms /= 2;
	else if (took_ms < STEP_AIM_MS * 3 / 4 && *remove_ms < REMOVE_MOST_MS)
		++*remove_ms;
}

/* Removes verdicts before a time: for about *remove_ms, which it fits. Returns how many, or -1. */
static int upkeep_expire_verdicts(struct db *d, int64_t before_unix, int *remove_ms)
{
	int64_t started_ms;
	int removed;

	if (*remove_ms == 0)
		*remove_ms = REMOVE_FIRST_MS;
	if (db_begin_write(d) != 0)
		return -1;
	started_ms = clock_monotonic_ms();
	removed = remove_verdicts(d, before_unix, started_ms + *remove_ms);
	if (db_end(d, removed < 0 ? -1 : 0) != 0)
		return -1;
	fit(remove_ms, clock_monotonic_ms() - started_ms);
	return removed;
}

/* One row. 1, 0 it is gone or to stay, -1. */
static int remove_one(struct db *d, int64_t id, int64_t before_unix)
{
	sqlite3_stmt *st = db_statement(d, SQL_VERDICT_PRUNE_ONE);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, id);
	db_bind_int(st, 2, before_unix);
	db_bind_int(st, 3, upkeep_unpushed_before(d));
	return db_run(d, st) != 0 ? -1 : sqlite3_changes(d->handle);
}

int upkeep_remove(struct db *d, const int64_t *ids, size_t n, size_t *at, int64_t before_unix,
		  int *remove_ms)
{
	size_t next = *at;
	int removed = 0, got = 0;
	int64_t started_ms;

	if (*remove_ms == 0)
		*remove_ms = REMOVE_FIRST_MS;
	if (db_begin_write(d) != 0)
		return -1;
	started_ms = clock_monotonic_ms();
	do {
		got = remove_one(d, ids[next], before_unix);
		removed += got > 0 ? got : 0;
		next++;
	} while (got >= 0 && next < n && clock_monotonic_ms() < started_ms + *remove_ms);
	if (db_end(d, got < 0 ? -1 : 0) != 0)
		return -1;
	*at = next;
	fit(remove_ms, clock_monotonic_ms() - started_ms);
	return removed;
}

/* Looked at without a write lock. 1, 0 there is none, -1. */
static int oldest_verdict(struct db *d, int64_t *time_unix)
{
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_VERDICT_OLDEST);
	if (st != NULL)
		got = db_step(d, st);
	if (got == 1)
		*time_unix = sqlite3_column_int64(st, 0);
	return db_end(d, got < 0 ? -1 : 0) == 0 ? got : -1;
}

/* Is there anything for verdict_expire? Where the clock is not to be believed, *before_unix is set
 * back. */
static bool has_old_verdicts(struct db *d, struct upkeep *u, bool is_clock_steady,
			     int64_t *before_unix)
{
	int64_t oldest_unix;

	if (oldest_verdict(d, &oldest_unix) != 1)
		return false;
	if (is_clock_steady)
		u->unsteady_before_unix = 0;
	else if (u->unsteady_before_unix == 0)
		u->unsteady_before_unix = oldest_unix + UNSTEADY_S;
	if (!is_clock_steady && *before_unix > u->unsteady_before_unix)
		*before_unix = u->unsteady_before_unix;
	return oldest_unix < *before_unix;
}

static int expire_others(struct db *d, int64_t now_unix)
{
	static const enum sql_statement which[] = {SQL_SPLIT_EXPIRE, SQL_VAIN_EXPIRE,
						   SQL_ATTEMPT_EXPIRE, SQL_BOUNCE_EXPIRE};
	static const int64_t age_s[] = {SPLIT_EVIDENCE_S, SPLIT_EVIDENCE_S, ATTEMPT_RETENTION_S,
					BOUNCE_WINDOW_S};
	int result = 0;

	if (db_begin_write(d) != 0)
		return -1;
	for (size_t i = 0; i < sizeof which / sizeof which[0] && result == 0; i++) {
		sqlite3_stmt *st = db_statement(d, which[i]);

		if (st == NULL) {
			result = -1;
			break;
		}
		db_bind_int(st, 1, now_unix - age_s[i]);
		db_bind_int(st, 2, OTHER_ROWS);
		result = db_run(d, st);
	}
	return db_end(d, result);
}

struct sweep_statements {
	enum sql_statement end, sweep, rest;
};

/* One step of a sweep, within a write transaction: looks at SWEEP_ROWS rows, or at the last ones.
 */
static int sweep_rows(struct db *d, const struct sweep_statements *which, struct sweep *at,
		      int64_t before_unix)
{
	struct sweep end = {"", ""};
	sqlite3_stmt *st = db_statement(d, which->end);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, at->a);
	db_bind_text(st, 2, at->b);
	db_bind_int(st, 3, SWEEP_ROWS);
	got = db_step(d, st);
	if (got < 0)
		return -1;
	if (got == 1) {
		db_column_text(st, 0, end.a, sizeof end.a);
		db_column_text(st, 1, end.b, sizeof end.b);
		sqlite3_reset(st);
	}
	st = db_statement(d, got == 1 ? which->sweep : which->rest);
	if (st == NULL)
		return -1;
	db_bind_text(st, 1, at->a);
	db_bind_text(st, 2, at->b);
	if (got == 1) {
		db_bind_text(st, 3, end.a);
		db_bind_text(st, 4, end.b);
	}
	db_bind_int(st, got == 1 ? 5 : 3, before_unix);
	if (db_run(d, st) != 0)
		return -1;
	*at = end; /* from the start again after the last rows */
	return 0;
}

static int sweep(struct db *d, const struct sweep_statements *which, struct sweep *at,
		 int64_t before_unix)
{
	if (db_begin_write(d) != 0)
		return -1;
	return db_end(d, sweep_rows(d, which, at, before_unix));
}

int upkeep_step(struct db *d, const struct settings *s, int64_t now_unix, bool is_clock_steady,
		struct upkeep *u)
{
	static const struct sweep_statements pairs = {SQL_PAIR_SWEEP_END, SQL_PAIR_SWEEP,
						      SQL_PAIR_SWEEP_REST};
	static const struct sweep_statements outgoing = {SQL_OUTGOING_SWEEP_END, SQL_OUTGOING_SWEEP,
							 SQL_OUTGOING_SWEEP_REST};
	int64_t before_unix = now_unix - s->verdict_retention_s;

	if (is_clock_steady && u->n_steps++ % SWEEP_EVERY == 0) {
		expire_others(d, now_unix);
		if (s->pair_retention_s > 0) {
			sweep(d, &pairs, &u->pairs, now_unix - s->pair_retention_s);
			sweep(d, &outgoing, &u->outgoing, now_unix - s->pair_retention_s);
		}
	}
	if (s->verdict_retention_s == 0 || !has_old_verdicts(d, u, is_clock_steady, &before_unix))
		return STEP_MS;
	return upkeep_expire_verdicts(d, before_unix, &u->remove_ms) > 0 ? BACKLOG_STEP_MS
									 : STEP_MS;
}

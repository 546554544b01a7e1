/* SPDX-License-Identifier: ISC
 *
 * daily.c: reading the sums by day (verdicts.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/engine/internal.h"
#include "db/record/journal_tail.h"
#include "db/verdicts.h"

#define PAGE_DAYS 100 /* rows that are read at once */
#define SECONDS_A_DAY 86400

/* The rows behind *last, within a read transaction. Returns how many, or -1. */
static int read_rows(struct db *d, int64_t since_day, int64_t until_day,
		     const struct verdicts_day *last, struct verdicts_day *page)
{
	sqlite3_stmt *st = db_statement(d, SQL_DAILY_PAGE);
	int got, n = 0;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, since_day);
	db_bind_int(st, 2, until_day);
	db_bind_int(st, 3, last != NULL ? last->day : since_day);
	db_bind_text(st, 4, last != NULL ? verdict_name(last->verdict) : "");
	db_bind_text(st, 5, last != NULL ? action_name(last->action) : "");
	db_bind_text(st, 6, last != NULL ? action_name(last->would) : "");
	db_bind_int(st, 7, PAGE_DAYS);
	for (; (got = db_step(d, st)) == 1; n++) {
		memset(&page[n], 0, sizeof page[n]);
		page[n].day = sqlite3_column_int64(st, 0);
		/* A word that is none would not lead to the next page, but back to this one. */
		if (verdict_from_name(column_text(st, 1), &page[n].verdict) != 0 ||
		    action_from_name(column_text(st, 2), &page[n].action) != 0 ||
		    action_from_name(column_text(st, 3), &page[n].would) != 0) {
			sqlite3_reset(st);
			return db_fail(d, DB_BROKEN,
				       "the sums by day are damaged; restore a backup");
		}
		page[n].n_messages = column_count(st, 4);
		page[n].n_recipients = column_count(st, 5);
		page[n].size_bytes = column_count(st, 6);
	}
	return got == 0 ? n : -1;
}

struct days {
	struct verdicts_day *day;
	size_t n, room;
};

static int make_room(struct db *d, struct days *all)
{
	struct verdicts_day *more;

	if (all->room - all->n >= PAGE_DAYS)
		return 0;
	more = realloc(all->day, (2 * all->room + PAGE_DAYS) * sizeof more[0]);
	if (more == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	all->day = more;
	all->room = 2 * all->room + PAGE_DAYS;
	return 0;
}

/* All rows, of the moment at which the tail is settled: some ms for ten years. */
static int read_all(struct db *d, int64_t since_day, int64_t until_day, struct journal_tail *tail,
		    struct days *all)
{
	int64_t last_id;
	int n = PAGE_DAYS;

	if (db_begin_read(d) != 0)
		return -1;
	if (journal_tail_settle_within(tail, d, &last_id) != 0)
		n = -1;
	while (n == PAGE_DAYS) {
		n = make_room(d, all) != 0 ? -1
					   : read_rows(d, since_day, until_day,
						       all->n > 0 ? &all->day[all->n - 1] : NULL,
						       &all->day[all->n]);
		if (n > 0)
			all->n += (size_t)n;
	}
	return db_end(d, n < 0 ? -1 : 0);
}

struct waiting {
	int64_t since_day, until_day;
	int (*tell)(void *context, const struct verdicts_day *day);
	void *context;
};

static int tell_waiting(void *context, const struct stored_verdict *v)
{
	const struct waiting *w = context;
	const struct verdicts_day day = {.day = v->record.time_unix / SECONDS_A_DAY,
					 .verdict = v->judgement.verdict,
					 .action = v->record.action,
					 .would = v->record.would,
					 .n_messages = 1,
					 .n_recipients = (int64_t)v->record.n_recipients,
					 .size_bytes = v->record.size_bytes};

	return day.day < w->since_day || day.day >= w->until_day ? 0 : w->tell(w->context, &day);
}

int verdicts_daily(struct db *d, int64_t since_day, int64_t until_day,
		   int (*tell)(void *context, const struct verdicts_day *day), void *context)
{
	struct waiting waiting = {since_day, until_day, tell, context};
	struct journal_tail *tail = journal_tail_open(d);
	struct days all = {.n = 0};
	int result = -1;

	if (tail != NULL)
		result = read_all(d, since_day, until_day, tail, &all);
	for (size_t i = 0; i < all.n && result == 0; i++)
		result = tell(context, &all.day[i]);
	if (result == 0)
		result = journal_tail_each(tail, d, tell_waiting, &waiting);
	journal_tail_close(tail);
	free(all.day);
	return result;
}

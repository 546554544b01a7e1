/* SPDX-License-Identifier: ISC
 *
 * verdicts.c: first the ids, then the rows. Where an address or a queue id is asked for, an index
 * gives the ids of all its verdicts, in pages; they are sorted, and the rows loaded by id.
 * Elsewhere the walk goes by time, or by id behind after_id. Each page is a short read transaction
 * of its own, over before tell() runs. What waits in the journal comes last.
 */
#include "db/verdicts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/record/journal_tail.h"
#include "db/record/verdict_asked.h"
#include "db/record/verdict_ids.h"
#include "db/record/verdict_row.h"

#define PAGE_ROWS 50 /* whole rows read under one snapshot */
#define FOREVER INT64_MAX
#define WALK_ROWS 10000	  /* looked at before an index is asked: a quarter of a second */
#define WINDOW_ROWS 50000 /* likewise, of a time: only their ids */
#define SECONDS_A_DAY 86400

struct listing {
	struct db *d;
	struct asked asked;
	int (*tell)(void *context, const struct verdict_row *row);
	void *context;
	int64_t last_id;		/* in the database when the tail was settled */
	int64_t last_n;			/* 0: all */
	int64_t since_unix, until_unix; /* where what is asked for can be */
	int64_t n_seen;			/* by page_by_time() */
};

/* Loads and tells the rows of ids[], in order, those that are asked for. */
static int tell_ids(struct listing *l, const int64_t *ids, size_t n_ids)
{
	struct verdict_row *rows = calloc(PAGE_ROWS, sizeof *rows);
	struct arena arena = {0};
	int result = rows == NULL ? db_fail(l->d, DB_BROKEN, "out of memory") : 0;

	for (size_t at = 0; at < n_ids && result == 0; at += PAGE_ROWS) {
		const size_t many = n_ids - at < PAGE_ROWS ? n_ids - at : PAGE_ROWS;
		const int n = verdict_rows_load(l->d, &arena, ids + at, many, rows);

		if (n < 0)
			result = -1;
		for (int i = 0; i < n && result == 0; i++)
			if (asked_row(&l->asked, &rows[i]))
				result = l->tell(l->context, &rows[i]);
		arena_reset(&arena);
	}
	free(rows);
	return result;
}

/* Of sorted ids, keeps the newest last_n that are asked for. */
static int keep_newest(struct listing *l, struct ids *ids, int64_t last_n)
{
	struct verdict_row *rows = calloc(PAGE_ROWS, sizeof *rows);
	struct arena arena = {0};
	size_t at = ids->n, kept = ids->n;
	int64_t n_found = 0;
	int result = rows == NULL ? db_fail(l->d, DB_BROKEN, "out of memory") : 0;

	/* Backwards in pages; those that are asked for gather at the end of the array. */
	while (at > 0 && n_found < last_n && result == 0) {
		const size_t many = at < PAGE_ROWS ? at : PAGE_ROWS;
		int n = verdict_rows_load(l->d, &arena, ids->id + at - many, many, rows);

		if (n < 0)
			result = -1;
		while (n-- > 0 && n_found < last_n)
			if (asked_row(&l->asked, &rows[n])) {
				ids->id[--kept] = rows[n].id;
				n_found++;
			}
		at -= many;
		arena_reset(&arena);
	}
	free(rows);
	memmove(ids->id, ids->id + kept, (ids->n - kept) * sizeof ids->id[0]);
	ids->n -= kept;
	return result;
}

static int list_by_index(struct listing *l)
{
	const struct verdicts_filter *f = l->asked.filter;
	struct ids ids = {.last_id = l->last_id};
	int result;

	if (f->queue_id != NULL)
		result = ids_by_index(l->d, SQL_VERDICT_IDS_OF_QUEUE_ID, f->queue_id, NULL,
				      f->after_id, &ids);
	else if (f->recipient != NULL)
		result = ids_by_address(l->d, SQL_VERDICT_IDS_OF_RECIPIENT,
					SQL_VERDICT_IDS_OF_RECIPIENTS, f->recipient, f->after_id,
					&ids);
	else
		result = ids_by_address(l->d, SQL_VERDICT_IDS_OF_SENDER, SQL_VERDICT_IDS_OF_SENDERS,
					f->sender, f->after_id, &ids);
	ids_sort(&ids);
	if (result == 0 && l->last_n > 0 && ids.n > 0)
		result = keep_newest(l, &ids, l->last_n);
	if (result == 0)
		result = tell_ids(l, ids.id, ids.n);
	free(ids.id);
	return result;
}

/* ---- by time or by id ---- */

struct position {
	int64_t time_unix, id;
};

/* Of one page of verdicts the ids that may be asked for. *n_seen: rows looked at. 0 or -1. */
static int page_by_time(struct listing *l, bool backward, struct position *at, struct ids *ids,
			int *n_seen)
{
	const struct verdicts_filter *f = l->asked.filter;
	const bool by_id = f->after_id > 0 && !backward;
	sqlite3_stmt *st;
	int got = -1;

	*n_seen = 0;
	if (db_begin_read(l->d) != 0)
		return -1;
	st = db_statement(l->d, by_id	   ? SQL_VERDICT_IDS_AFTER
				: backward ? SQL_VERDICT_IDS_BACKWARD
					   : SQL_VERDICT_IDS_FORWARD);
	if (st != NULL) {
		db_bind_int(st, 1, by_id ? at->id : at->time_unix);
		db_bind_int(st, 2, by_id ? IDS_PAGE : at->id);
		if (!by_id) {
			db_bind_int(st, 3, backward ? l->since_unix : l->until_unix);
			db_bind_int(st, 4, IDS_PAGE);
		}
		while ((got = db_step(l->d, st)) == 1) {
			at->id = sqlite3_column_int64(st, 0);
			at->time_unix = sqlite3_column_int64(st, 1);
			++*n_seen;
			if ((f->verdict < 0 ||
			     strcmp(column_text(st, 2), verdict_name((enum verdict)f->verdict)) ==
				     0) &&
			    (f->action < 0 || strcmp(column_text(st, 3),
						     action_name((enum action)f->action)) == 0) &&
			    asked_client(&l->asked, column_text(st, 4)) &&
			    asked_message_id(&l->asked, column_text(st, 5)) &&
			    ids_add(l->d, ids, at->id) != 0) {
				got = -1;
				break;
			}
		}
	}
	got = db_end(l->d, got);
	l->n_seen += *n_seen;
	if (got == 0 && f->progress != NULL)
		f->progress(f->progress_context, l->n_seen);
	return got;
}

static void reverse(int64_t *ids, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		const int64_t other = ids[n - 1 - i];

		ids[n - 1 - i] = ids[i];
		ids[i] = other;
	}
}

static int list_newest(struct listing *l)
{
	struct position at = {l->until_unix, 0};
	struct ids ids = {.last_id = l->last_id};
	int n_seen, result;

	do
		result = page_by_time(l, true, &at, &ids, &n_seen);
	while (result == 0 && n_seen == IDS_PAGE && (int64_t)ids.n < l->last_n);
	if (result == 0 && ids.n > 0) {
		if ((int64_t)ids.n > l->last_n)
			ids.n = (size_t)l->last_n;
		reverse(ids.id, ids.n);
		result = tell_ids(l, ids.id, ids.n);
	}
	free(ids.id);
	return result;
}

static int list_all(struct listing *l)
{
	const struct verdicts_filter *f = l->asked.filter;
	struct position at = {l->since_unix, f->after_id};
	struct ids ids = {.last_id = l->last_id};
	int n_seen, result;

	do {
		ids.n = 0;
		result = page_by_time(l, false, &at, &ids, &n_seen);
		if (result == 0)
			result = tell_ids(l, ids.id, ids.n);
	} while (result == 0 && n_seen == IDS_PAGE);
	free(ids.id);
	return result;
}

/* ---- which way ---- */

/* An address or a domain, its newest: whoever has much mail has some among the last ones.
 * *is_enough: they were found, or nothing else is there. */
static int newest_by_walk(struct listing *l, struct ids *found, bool *is_enough)
{
	struct position at = {l->until_unix, 0};
	struct ids page = {.last_id = l->last_id};
	int n_seen, n_walked = 0, result;

	do {
		page.n = 0;
		result = page_by_time(l, true, &at, &page, &n_seen);
		n_walked += n_seen;
		reverse(page.id, page.n);
		if (result == 0 && page.n > 0)
			result = keep_newest(l, &page, l->last_n - (int64_t)found->n);
		for (size_t i = page.n; i-- > 0 && result == 0;)
			result = ids_add(l->d, found, page.id[i]);
	} while (result == 0 && (int64_t)found->n < l->last_n && n_seen == IDS_PAGE &&
		 n_walked < WALK_ROWS);
	*is_enough = (int64_t)found->n == l->last_n || n_seen < IDS_PAGE;
	reverse(found->id, found->n);
	free(page.id);
	return result;
}

/* All ids of the time that is asked for, if they are few. */
static int ids_of_window(struct listing *l, struct ids *ids, bool *is_whole)
{
	struct position at = {l->since_unix, 0};
	int n_seen, n_walked = 0, result;

	do {
		result = page_by_time(l, false, &at, ids, &n_seen);
		n_walked += n_seen;
	} while (result == 0 && n_seen == IDS_PAGE && n_walked < WINDOW_ROWS);
	*is_whole = n_seen < IDS_PAGE;
	return result;
}

/* By time where that is short, else by an index. */
static int list_address(struct listing *l)
{
	const struct verdicts_filter *f = l->asked.filter;
	struct ids ids = {.last_id = l->last_id};
	bool is_done = false;
	int result = 0;

	if (l->last_n > 0)
		result = newest_by_walk(l, &ids, &is_done);
	else if (f->since_unix > 0)
		result = ids_of_window(l, &ids, &is_done);
	if (result == 0 && is_done)
		result = tell_ids(l, ids.id, ids.n);
	free(ids.id);
	return result != 0 || is_done ? result : list_by_index(l);
}

/* The first and the last day on which there was such a verdict. 1, 0: there was none, -1. */
static int ask_days(struct db *d, const struct verdicts_filter *f, int64_t *first_day,
		    int64_t *last_day)
{
	sqlite3_stmt *st;
	int got = -1, found = 0;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_DAILY_SPAN);
	if (st != NULL) {
		db_bind_text(st, 1,
			     f->verdict >= 0 ? verdict_name((enum verdict)f->verdict) : NULL);
		db_bind_text(st, 2, f->action >= 0 ? action_name((enum action)f->action) : NULL);
		got = db_step(d, st);
	}
	if (got == 1) {
		found = sqlite3_column_type(st, 0) != SQLITE_NULL;
		*first_day = sqlite3_column_int64(st, 0);
		*last_day = sqlite3_column_int64(st, 1);
	}
	return db_end(d, got < 0 ? -1 : 0) == 0 ? found : -1;
}

/* The sums know when a verdict that is asked for never was. 1, 0: nothing is to be looked for, -1.
 */
static int narrow(struct listing *l)
{
	const struct verdicts_filter *f = l->asked.filter;
	int64_t first_day, last_day;
	int got;

	l->since_unix = f->since_unix;
	l->until_unix = f->until_unix != 0 ? f->until_unix : FOREVER;
	if (f->verdict < 0 && f->action < 0)
		return 1;
	got = ask_days(l->d, f, &first_day, &last_day);
	if (got != 1)
		return got;
	if (first_day * SECONDS_A_DAY > l->since_unix)
		l->since_unix = first_day * SECONDS_A_DAY;
	if ((last_day + 1) * SECONDS_A_DAY < l->until_unix)
		l->until_unix = (last_day + 1) * SECONDS_A_DAY;
	return 1;
}

/* ---- the journal's tail ---- */

static int list_stored(struct listing *l)
{
	const struct verdicts_filter *f = l->asked.filter;
	const int is_there = narrow(l);

	if (is_there != 1)
		return is_there;
	/* What came since the last look is little, whoever it is from. */
	if (f->after_id > 0)
		return list_all(l);
	if (f->queue_id != NULL)
		return list_by_index(l);
	if (f->recipient != NULL || f->sender != NULL)
		return list_address(l);
	return l->last_n > 0 ? list_newest(l) : list_all(l);
}

struct tail {
	struct listing *listing;
	struct arena arena;
	int64_t n_found, n_skip; /* that are asked for; of those the first are not told */
	bool is_counting;
};

static int tell_waiting(void *context, const struct stored_verdict *v)
{
	struct tail *t = context;
	struct verdict_row row;
	int result = 0;

	if (verdict_row_of(&t->arena, v, &row) != 0)
		result = db_fail(t->listing->d, DB_BROKEN, "out of memory");
	else if (asked_row(&t->listing->asked, &row) && t->n_found++ >= t->n_skip &&
		 !t->is_counting)
		result = t->listing->tell(t->listing->context, &row);
	arena_reset(&t->arena);
	return result;
}

/* The newest of both: as many as the tail has not are had from the database. */
static int list_with_tail(struct listing *l, struct journal_tail *tail)
{
	struct tail t = {.listing = l, .is_counting = true};
	int result = 0;

	if (l->last_n > 0)
		result = journal_tail_each(tail, l->d, tell_waiting, &t);
	if (result != 0)
		return result;
	if (l->last_n > 0 && t.n_found >= l->last_n) {
		t.n_skip = t.n_found - l->last_n;
	} else {
		l->last_n -= l->last_n > 0 ? t.n_found : 0;
		result = list_stored(l);
	}
	t.is_counting = false;
	t.n_found = 0;
	return result == 0 ? journal_tail_each(tail, l->d, tell_waiting, &t) : result;
}

int verdicts_list(struct db *d, const struct verdicts_filter *f,
		  int (*tell)(void *context, const struct verdict_row *row), void *context)
{
	struct listing l = {.d = d,
			    .tell = tell,
			    .context = context,
			    .last_id = INT64_MAX,
			    .last_n = f->last_n};
	struct journal_tail *tail;
	int result = -1;

	if (db_ready(d) != 0)
		return -1;
	asked_begin(&l.asked, d, f);
	if (f->is_stored_only)
		return list_stored(&l);
	tail = journal_tail_open(d);
	if (tail != NULL && journal_tail_settle(tail, d, &l.last_id) == 0)
		result = list_with_tail(&l, tail);
	journal_tail_close(tail);
	return result;
}

/* SPDX-License-Identifier: ISC
 *
 * daily.c: reading the sums by day (verdicts.h).
 */
#include <stdio.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/engine/internal.h"
#include "db/verdicts.h"

#define PAGE_DAYS 100 /* rows read under one snapshot */

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
			return db_fail(d, DB_BROKEN, "the sums by day are damaged; restore a backup");
		}
		page[n].n_messages = column_count(st, 4);
		page[n].n_recipients = column_count(st, 5);
		page[n].size_bytes = column_count(st, 6);
	}
	return got == 0 ? n : -1;
}

int verdicts_daily(struct db *d, int64_t since_day, int64_t until_day,
		   int (*tell)(void *context, const struct verdicts_day *day), void *context)
{
	struct verdicts_day page[PAGE_DAYS], last;
	bool has_last = false;
	int n, result = 0;

	do {
		if (db_begin_read(d) != 0)
			return -1;
		n = read_rows(d, since_day, until_day, has_last ? &last : NULL, page);
		if (db_end(d, n < 0 ? -1 : 0) != 0)
			return -1;
		for (int i = 0; i < n && result == 0; i++)
			result = tell(context, &page[i]);
		if (n > 0)
			last = page[n - 1];
		has_last = n > 0;
	} while (result == 0 && n == PAGE_DAYS);
	return result;
}

/* SPDX-License-Identifier: ISC */
#include "db/record/answer_times.h"

#include <string.h>

static int write_all(struct db *d, const struct histogram *h)
{
	for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		sqlite3_stmt *st;

		if (h->n[i] == 0)
			continue;
		st = db_statement(d, SQL_ANSWER_TIME_ADD);
		if (st == NULL)
			return -1;
		db_bind_int(st, 1, histogram_bound_us(i));
		db_bind_int(st, 2, (int64_t)h->n[i]);
		db_bind_int(st, 3, (int64_t)h->sum_us[i]);
		if (db_run(d, st) != 0)
			return -1;
	}
	return 0;
}

int answer_times_write(struct db *d, struct histogram *h)
{
	static const struct histogram empty;

	if (memcmp(h, &empty, sizeof *h) == 0)
		return 0;
	if (db_begin_write(d) != 0 || db_end(d, write_all(d, h)) != 0)
		return -1;
	*h = empty;
	return 0;
}

int answer_times_read(struct db *d, struct histogram *h)
{
	sqlite3_stmt *st = db_statement(d, SQL_ANSWER_TIMES);
	int got = -1;

	while (st != NULL && (got = db_step(d, st)) == 1) {
		const int64_t le_us = sqlite3_column_int64(st, 0);
		size_t i = 0;

		/* A bound that another version had counts with the next greater one of ours. */
		while (i < HISTOGRAM_BOUNDS && histogram_bound_us(i) < le_us)
			i++;
		h->n[i] += (uint64_t)sqlite3_column_int64(st, 1);
		h->sum_us[i] += (uint64_t)sqlite3_column_int64(st, 2);
	}
	return got;
}

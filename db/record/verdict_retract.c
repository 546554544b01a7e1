/* SPDX-License-Identifier: ISC
 *
 * verdict_retract.c: a verdict that was committed after its message had been answered with a
 * temporary failure.
 */
#include "common/outcome.h"
#include "db/record/verdict_write.h"

#define SECONDS_A_DAY 86400

static int update_row(struct db *d, int64_t id, const char *reply)
{
	sqlite3_stmt *st = db_statement(d, SQL_VERDICT_RETRACT);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, id);
	db_bind_text(st, 2, reply);
	return db_run(d, st);
}

/* A statement about two keys, a time and the time before it (0: none). */
static int run(struct db *d, enum sql_statement which, const char *a, const char *b,
	       int64_t time_unix, int64_t before_unix)
{
	sqlite3_stmt *st = db_statement(d, which);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, a);
	db_bind_text(st, 2, b);
	if (sqlite3_bind_parameter_count(st) >= 3)
		db_bind_int(st, 3, time_unix);
	if (sqlite3_bind_parameter_count(st) >= 4)
		db_bind_int_or_null(st, 4, before_unix);
	return db_run(d, st);
}

static int retract_recipient(struct db *d, const struct stored_verdict *v,
			     const struct stored_recipient *r)
{
	const struct verdict_record *m = &v->record;
	const char *const senders[] = {m->sender, m->header_from};
	enum sql_statement count, retract;

	if (!stored_verdict_pair_statement(v->judgement.verdict, &count, &retract))
		return 0;
	for (size_t i = 0; i < 2; i++)
		if (stored_verdict_counts(v, r, i) &&
		    (run(d, retract, senders[i], r->key, m->time_unix, r->pair_last_unix[i]) != 0 ||
		     run(d, SQL_PAIR_DELETE_EMPTY, senders[i], r->key, 0, 0) != 0))
			return -1;
	if (r->outgoing_domain[0] == '\0')
		return 0;
	return run(d, r->outgoing_last_unix != 0 ? SQL_OUTGOING_RETRACT : SQL_OUTGOING_DELETE,
		   m->sender, r->outgoing_domain, m->time_unix, r->outgoing_last_unix);
}

static int delete_empty_day(struct db *d, int64_t day)
{
	sqlite3_stmt *st = db_statement(d, SQL_DAILY_DELETE_EMPTY);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, day);
	return db_run(d, st);
}

int stored_verdict_retract(struct db *d, const struct stored_verdict *v, struct daily_sums *daily)
{
	struct verdict_record answered = v->record;
	struct outcome tempfail;
	char reply[OUTCOME_LINES_MAX * OUTCOME_LINE_MAX];

	outcome_tempfail(&tempfail);
	answered.action = answered.would = ACTION_TEMPFAIL;
	if (update_row(d, v->id, outcome_reply_text(&tempfail, reply, sizeof reply)) != 0)
		return -1;
	for (size_t i = 0; i < v->record.n_recipients; i++)
		if (retract_recipient(d, v, &v->recipients[i]) != 0)
			return -1;
	if (daily_sums_add(d, daily, &v->record, -1) != 0 ||
	    daily_sums_add(d, daily, &answered, 1) != 0 || daily_sums_write(d, daily) != 0)
		return -1;
	return delete_empty_day(d, v->record.time_unix / SECONDS_A_DAY);
}

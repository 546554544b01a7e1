/* SPDX-License-Identifier: ISC */
#include "db/engine/change.h"

int change_open(struct db *d, struct change *c)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHANGE_INSERT);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, c->time_unix);
	db_bind_text(st, 2, c->author);
	db_bind_text(st, 3, c->what);
	db_bind_text_or_null(st, 4, c->owner);
	db_bind_int_or_null(st, 5, c->undoes);
	if (db_run(d, st) != 0)
		return -1;
	c->key = sqlite3_last_insert_rowid(d->handle);
	c->n_rows = 0;
	c->no = 0;
	return 0;
}

int change_add(struct db *d, struct change *c, const struct change_row *row)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHANGE_ROW_INSERT);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, c->key);
	db_bind_text_or_null(st, 2, row->recipient);
	db_bind_text_or_null(st, 3, row->before);
	db_bind_text_or_null(st, 4, row->after);
	if (row->rule_id != 0) {
		db_bind_int(st, 5, row->rule_id);
		db_bind_text(st, 6, row->rule_author);
		db_bind_int(st, 7, row->rule_created_unix);
		db_bind_int(st, 8, row->rule_hits);
		db_bind_int_or_null(st, 9, row->rule_last_hit_unix);
	}
	c->n_rows++;
	return db_run(d, st);
}

static int run_with(struct db *d, enum sql_statement which, int64_t value)
{
	sqlite3_stmt *st = db_statement(d, which);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, value);
	return db_run(d, st);
}

/* How far this host has come in what the centre has changed. */
static int note_site(struct db *d, const struct change *c)
{
	sqlite3_stmt *st = db_statement(d, SQL_SITE_SET_RULES);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, c->site_no);
	db_bind_text(st, 2, c->site_mark);
	return db_run(d, st);
}

/* Rules of a site have one writer, whatever the configuration says now. */
static int refuse_at_site(struct db *d)
{
	int64_t n;

	if (db_one(d, SQL_SITE_COUNT, &n) != 0)
		return -1;
	return n == 0 ? 0
		      : db_fail(d, DB_BUSY,
				"this host belongs to a site, whose centre alone changes this: set "
				"`centre`, or leave with `pgpgate site leave`");
}

int change_close(struct db *d, struct change *c)
{
	sqlite3_stmt *st;

	if (c->site_no == 0 && refuse_at_site(d) != 0)
		return -1;
	/* The centre sends its own again to who has lost them. */
	d->is_relied_on = c->site_no == 0;
	if (c->is_snapshot && (run_with(d, SQL_SITE_DROP_CHANGE_ROWS, c->site_no) != 0 ||
			       run_with(d, SQL_SITE_DROP_CHANGES, c->site_no) != 0))
		return -1;
	st = db_statement(d, SQL_CHANGE_NUMBER);
	if (st == NULL)
		return -1;
	db_bind_int(st, 1, c->key);
	db_bind_int(st, 2, c->n_rows);
	db_bind_int_or_null(st, 3, c->site_no);
	if (db_run(d, st) != 0 || (c->site_no != 0 && note_site(d, c) != 0))
		return -1;
	return db_one(d, SQL_CHANGE_LAST_NO, &c->no);
}

int change_send_row(struct db *d, const struct db_remote_row *row)
{
	char err[DB_ERROR_MAX] = "";

	if (d->remote->row(d->remote->context, row, err) == 0)
		return 0;
	return db_fail(d, DB_BUSY, "the centre: %s", err);
}

int change_send(struct db *d, const struct db_remote_change *c, int64_t *no)
{
	char err[DB_ERROR_MAX] = "";

	if (d->remote->commit(d->remote->context, c, no, err) == 0)
		return 0;
	return db_fail(d, DB_BUSY, "the centre: %s", err);
}

int change_single(struct db *d, struct change *c, const struct change_row *row)
{
	if (change_open(d, c) != 0 || change_add(d, c, row) != 0)
		return -1;
	return change_close(d, c);
}

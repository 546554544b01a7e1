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

int change_close(struct db *d, struct change *c)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHANGE_NUMBER);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, c->key);
	db_bind_int(st, 2, c->n_rows);
	if (db_run(d, st) != 0)
		return -1;
	return db_one(d, SQL_CHANGE_LAST_NO, &c->no);
}

int change_single(struct db *d, struct change *c, const struct change_row *row)
{
	if (change_open(d, c) != 0 || change_add(d, c, row) != 0)
		return -1;
	return change_close(d, c);
}

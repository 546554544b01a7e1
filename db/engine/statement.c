/* SPDX-License-Identifier: ISC
 *
 * statement.c: prepared statements of a connection.
 */
#include "db/engine/internal.h"

#include <stdio.h>
#include <string.h>

#include "common/copy.h"

sqlite3_stmt *db_statement(struct db *d, enum sql_statement which)
{
	sqlite3_stmt **st = &d->statements[which];

	if (*st != NULL) {
		sqlite3_reset(*st);
		sqlite3_clear_bindings(*st);
		return *st;
	}
	if (sqlite3_prepare_v3(d->handle, sql_statements[which].text, -1, SQLITE_PREPARE_PERSISTENT,
			       st, NULL) != SQLITE_OK)
		db_fail_engine(d, sql_statements[which].name);
	if (*st != NULL)
		d->prepared[d->n_prepared++] = which;
	return *st;
}

static const char *name_of(struct db *d, sqlite3_stmt *st)
{
	for (size_t i = 0; i < SQL_STATEMENT_COUNT; i++)
		if (d->statements[i] == st)
			return sql_statements[i].name;
	return "statement";
}

int db_step(struct db *d, sqlite3_stmt *st)
{
	const int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		db_fail_engine(d, name_of(d, st));
	sqlite3_reset(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int db_run(struct db *d, sqlite3_stmt *st)
{
	int rc;

	if (st == NULL)
		return -1;
	do
		rc = db_step(d, st);
	while (rc == 1);
	return rc;
}

int db_one(struct db *d, enum sql_statement which, int64_t *out)
{
	sqlite3_stmt *st = db_statement(d, which);

	if (st == NULL || db_step(d, st) < 0)
		return -1;
	*out = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return 0;
}

void db_bind_text(sqlite3_stmt *st, int n, const char *text)
{
	if (text == NULL)
		sqlite3_bind_null(st, n);
	else
		sqlite3_bind_text(st, n, text, -1, SQLITE_STATIC);
}

void db_bind_text_or_null(sqlite3_stmt *st, int n, const char *text)
{
	db_bind_text(st, n, text == NULL || text[0] == '\0' ? NULL : text);
}

void db_bind_int(sqlite3_stmt *st, int n, int64_t value)
{
	sqlite3_bind_int64(st, n, value);
}

void db_bind_int_or_null(sqlite3_stmt *st, int n, int64_t value)
{
	if (value == 0)
		sqlite3_bind_null(st, n);
	else
		sqlite3_bind_int64(st, n, value);
}

void db_column_text(sqlite3_stmt *st, int column, char *out, size_t out_size)
{
	const char *text = (const char *)sqlite3_column_text(st, column);

	copy_text(out, out_size, text != NULL ? text : "");
}

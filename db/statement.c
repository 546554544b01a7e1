/* SPDX-License-Identifier: ISC
 *
 * statement.c: prepared statements and transactions of a connection.
 */
#include "db/internal.h"

#include <stdio.h>
#include <string.h>

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

	snprintf(out, out_size, "%s", text != NULL ? text : "");
}

static int begin(struct db *d, enum sql_statement which)
{
	if (db_run(d, db_statement(d, which)) != 0)
		return -1;
	d->is_in_transaction = true;
	/* A newer program may have migrated while we run: then we know nothing of what the tables mean. */
	return schema_check(d) == 0 ? 0 : db_end(d, -1);
}

int db_begin_read(struct db *d)
{
	if (db_ready(d) != 0)
		return -1;
	return begin(d, SQL_BEGIN_READ);
}

int db_begin_write(struct db *d)
{
	int had;

	if (db_ready(d) != 0)
		return -1;
	if (d->mode == DB_READ)
		return db_fail(d, DB_NO_PERMISSION, "opened for reading only");
	had = file_lock(d, false, d->busy_ms);
	if (had == 0)
		return db_fail(d, DB_BUSY, "the lock file is held: a checkpoint takes too long");
	if (had < 0)
		return -1;
	if (begin(d, SQL_BEGIN_WRITE) == 0)
		return 0;
	file_unlock(d);
	return -1;
}

static void reset_all(struct db *d)
{
	for (size_t i = 0; i < SQL_STATEMENT_COUNT; i++)
		if (d->statements[i] != NULL && sqlite3_stmt_busy(d->statements[i]))
			sqlite3_reset(d->statements[i]);
}

int db_end(struct db *d, int result)
{
	if (!d->is_in_transaction)
		return -1;
	reset_all(d);
	if (result == 0)
		result = db_run(d, db_statement(d, SQL_COMMIT));
	/* Not by db_run(): the error to be told is the one that brought us here. */
	if (!sqlite3_get_autocommit(d->handle) &&
	    sqlite3_exec(d->handle, sql_statements[SQL_ROLLBACK].text, NULL, NULL, NULL) != SQLITE_OK)
		d->must_reopen = true;
	d->is_in_transaction = false;
	file_unlock(d);
	return result;
}

int db_read_state(struct db *d, struct db_state *out)
{
	sqlite3_stmt *st = db_statement(d, SQL_STATE);

	if (st == NULL)
		return -1;
	switch (db_step(d, st)) {
	case 0:
		return db_fail(d, DB_BROKEN, "the table \"state\" is empty; restore a backup");
	case -1:
		return -1;
	}
	out->live_generation = sqlite3_column_int64(st, 0);
	out->paused_until_unix = sqlite3_column_int64(st, 1);
	out->import_first_rule = sqlite3_column_type(st, 2) == SQLITE_NULL
					 ? -1
					 : sqlite3_column_int64(st, 2);
	out->import_first_audit = sqlite3_column_type(st, 3) == SQLITE_NULL
					  ? -1
					  : sqlite3_column_int64(st, 3);
	sqlite3_reset(st);
	return 0;
}

int db_audit(struct db *d, int64_t generation, int64_t now_unix, const char *author,
	     const char *what, const char *recipient, const char *before, const char *after)
{
	sqlite3_stmt *st = db_statement(d, SQL_AUDIT_INSERT);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, generation);
	db_bind_int(st, 2, now_unix);
	db_bind_text(st, 3, author);
	db_bind_text(st, 4, what);
	db_bind_text_or_null(st, 5, recipient);
	db_bind_text_or_null(st, 6, before);
	db_bind_text_or_null(st, 7, after);
	return db_run(d, st);
}

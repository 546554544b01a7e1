/* SPDX-License-Identifier: ISC
 *
 * rows.c: the record of all hosts, for those who read the record (site.h). It lies in temporary
 * tables of this connection that have the names of the real ones, which they hide: so all that
 * reads the record reads that of the site, beside the rules and the history of this host. Nothing
 * is written to the database.
 */
#include "db/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/engine/internal.h"

#define SCHEMA_TEXTS_MAX 16
#define SCHEMA_TEXT_MAX 8192

/* "CREATE TABLE verdict (" and "CREATE INDEX name ON" as those of a temporary table. */
static int copy_one(struct db *d, const char *text)
{
	static const char table[] = "CREATE TABLE ", index[] = "CREATE INDEX ";
	char copy[SCHEMA_TEXT_MAX];

	if (strncmp(text, table, sizeof table - 1) == 0)
		snprintf(copy, sizeof copy, "CREATE TEMP TABLE %s", text + sizeof table - 1);
	else if (strncmp(text, index, sizeof index - 1) == 0)
		snprintf(copy, sizeof copy, "CREATE INDEX temp.%s", text + sizeof index - 1);
	else
		return db_fail(d, DB_BROKEN, "its schema cannot be read");
	return sqlite3_exec(d->handle, copy, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : db_fail_engine(d, "making room for the record of the site");
}

/* Tables first. */
static int copy_schema(struct db *d)
{
	char *texts[SCHEMA_TEXTS_MAX];
	sqlite3_stmt *st = db_statement(d, SQL_SITE_ROWS_SCHEMA);
	size_t n = 0;
	int got = -1, result = 0;

	while (st != NULL && n < SCHEMA_TEXTS_MAX && (got = db_step(d, st)) == 1)
		if ((texts[n] = strdup(column_text(st, 0))) != NULL)
			n++;
	if (st != NULL)
		sqlite3_reset(st);
	for (size_t i = 0; i < n; i++) {
		if (result == 0 && got >= 0)
			result = copy_one(d, texts[i]);
		free(texts[i]);
	}
	return got < 0 ? -1 : result;
}

int site_rows_begin(struct db *d)
{
	if (db_ready(d) != 0)
		return -1;
	if (sqlite3_exec(d->handle, "PRAGMA query_only = OFF", NULL, NULL, NULL) != SQLITE_OK)
		return db_fail_engine(d, "making room for the record of the site");
	d->has_site_rows = true;
	return copy_schema(d);
}

int site_rows_add(struct db *d, const char *page, int64_t *last_id)
{
	static const enum sql_statement which[] = {SQL_SITE_ROWS_VERDICTS,
						   SQL_SITE_ROWS_RECIPIENTS};
	int result = d->has_site_rows ? 0 : -1;

	if (result != 0 || db_begin_read(d) != 0)
		return -1;
	for (size_t i = 0; i < sizeof which / sizeof which[0] && result == 0; i++) {
		sqlite3_stmt *st = db_statement(d, which[i]);

		if (st != NULL) {
			db_bind_text(st, 1, page);
			db_bind_int(st, 2, *last_id + 1);
		}
		result = st == NULL ? -1 : db_run(d, st);
	}
	if (result == 0)
		result = db_one(d, SQL_VERDICT_LAST_ID, last_id);
	return db_end(d, result);
}

int site_rows_end(struct db *d)
{
	int result = -1;

	if (d->has_site_rows && db_begin_read(d) == 0)
		result = db_end(d, db_run(d, db_statement(d, SQL_SITE_ROWS_DAILY)));
	if (result == 0 &&
	    sqlite3_exec(d->handle, "PRAGMA query_only = ON", NULL, NULL, NULL) != SQLITE_OK)
		result = db_fail_engine(d, "reading the record of the site");
	return result;
}

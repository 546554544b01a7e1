/* SPDX-License-Identifier: ISC
 *
 * schema.c: which schema a file has, and bringing it to ours.
 */
#include "db/engine/schema.h"

#include <stdio.h>

#include "db/engine/file.h"

int db_schema_current(void)
{
	return SQL_MIGRATION_COUNT;
}

static int pragma_int(struct db *d, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int result = -1;

	if (sqlite3_prepare_v2(d->handle, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW) {
		*out = sqlite3_column_int64(st, 0);
		result = 0;
	} else {
		db_fail_engine(d, "opening");
	}
	sqlite3_finalize(st);
	return result;
}

int schema_is_ours(struct db *d)
{
	int64_t id, n_tables;

	if (pragma_int(d, "PRAGMA application_id", &id) != 0)
		return -1;
	if (id == DB_APPLICATION_ID)
		return 1;
	if (pragma_int(d, "SELECT count(*) FROM sqlite_schema", &n_tables) != 0)
		return -1;
	if (id == 0 && n_tables == 0)
		return 0;
	return db_fail(d, DB_NOT_OURS,
		       "a database of another program; choose another path for \"database\"");
}

static int refuse_newer(struct db *d, int version)
{
	return db_fail(
		d, DB_TOO_NEW,
		"schema version %d is newer than this program's %d; install the newer pgpgate",
		version, db_schema_current());
}

int schema_check(struct db *d)
{
	/* Asked at every transaction: whose file it is only when that is not known yet. */
	const bool was_current = d->schema_version == db_schema_current();
	int64_t found;

	if (db_one(d, SQL_USER_VERSION, &found) != 0)
		return -1;
	d->schema_version = (int)found;
	if (found == db_schema_current() && was_current)
		return 0;
	if (schema_is_ours(d) < 0) {
		d->schema_version = 0;
		return -1;
	}
	if (found == db_schema_current())
		return 0;
	if (found > db_schema_current())
		return refuse_newer(d, (int)found);
	if (found == 0)
		return db_fail(d, DB_ABSENT, "empty; run \"pgpgate db init\"");
	return db_fail(
		d, DB_TOO_OLD,
		"schema version %d is older than this program's %d; run \"pgpgate db migrate\"",
		(int)found, db_schema_current());
}

#define PROGRESS_OPERATIONS 1000000 /* of the engine between two looks: tens of ms */

/* Looked up by itself: named statements are those of the current schema. 0 where it cannot be
 * known. */
static int64_t estimate_verdicts(struct db *d)
{
	int64_t n = 0;

	if (pragma_int(d,
		       "SELECT coalesce((SELECT max(id) FROM verdict) - (SELECT min(id) FROM "
		       "verdict) + 1, 0)",
		       &n) != 0)
		return 0;
	return n > 0 ? n : 0;
}

static int tell_progress(void *context)
{
	struct db *d = context;

	d->migrating.progress(d->migrating.context, d->migrating.from_version,
			      d->migrating.n_verdicts);
	return 0; /* go on */
}

static int run_migration(struct db *d, int version)
{
	int rc;

	if (d->migrating.progress != NULL && version > 0) {
		d->migrating.from_version = version;
		d->migrating.n_verdicts = estimate_verdicts(d);
		tell_progress(d);
		sqlite3_progress_handler(d->handle, PROGRESS_OPERATIONS, tell_progress, d);
	}
	/* Ours may write the schema's text, to widen a CHECK; nothing else may. */
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	rc = sqlite3_exec(d->handle, sql_migrations[version], NULL, NULL, NULL);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_progress_handler(d->handle, 0, NULL, NULL);
	return rc == SQLITE_OK ? 0 : -1;
}

/* From the version that the file has now (another process may have been here first) to ours. */
static int run_migrations(struct db *d)
{
	int64_t version;

	if (pragma_int(d, "PRAGMA user_version", &version) != 0)
		return -1;
	if (version > db_schema_current())
		return refuse_newer(d, (int)version);
	for (; version < db_schema_current(); version++)
		if (run_migration(d, (int)version) != 0)
			return db_fail_engine(d, "migration");
	return 0;
}

/* All steps in one transaction: whoever goes back to the version before finds its own schema. */
static int migrate(struct db *d)
{
	int result = -1;

	if (file_lock(d, false, d->busy_ms) != 1)
		return d->failure != DB_OK ? -1 : db_fail(d, DB_BUSY, "the lock file is held");
	if (sqlite3_exec(d->handle, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
		result = run_migrations(d);
		if (result == 0 && sqlite3_exec(d->handle, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
			result = db_fail_engine(d, "migration");
		if (result != 0)
			sqlite3_exec(d->handle, "ROLLBACK", NULL, NULL, NULL);
	} else {
		db_fail_engine(d, "migration");
	}
	file_unlock(d);
	return result;
}

int schema_migrate(struct db *d, bool create)
{
	int ours = schema_is_ours(d);

	if (ours < 0)
		return -1;
	if (ours == 0) {
		if (!create)
			return db_fail(d, DB_ABSENT, "empty; run \"pgpgate db init\"");
		/* Before there is any page: compact.c gives pages back, some at a time. */
		if (sqlite3_exec(d->handle,
				 "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL",
				 NULL, NULL, NULL) != SQLITE_OK)
			return db_fail_engine(d, "opening");
	}
	if (migrate(d) != 0)
		return -1;
	d->schema_version = db_schema_current();
	return 0;
}

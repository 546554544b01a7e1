/* SPDX-License-Identifier: ISC
 *
 * transaction.c: begin and end of a transaction, and the table that every one may touch: state.
 */
#include "db/engine/internal.h"

#include "db/engine/companions.h"
#include "db/engine/file.h"
#include "db/engine/harm.h"
#include "db/engine/schema.h"
#include "db/engine/wal_mark.h"

/* A newer program may have migrated while we run: then we know nothing of what the tables mean.
 * What a reader knows of the schema and of the state holds as long as nobody has committed
 * anything, which the engine knows exactly. */
static int check_schema(struct db *d)
{
	int64_t version = 0;

	if (d->mode == DB_READ) {
		if (db_one(d, SQL_DATA_VERSION, &version) != 0)
			return -1;
		if (d->seen.is_known && d->seen.data_version == version)
			return 0;
		d->seen.is_known = d->seen.has_state = d->seen.has_splits = false;
	}
	if (schema_check(d) != 0)
		return -1;
	d->seen.is_known = d->mode == DB_READ;
	d->seen.data_version = version;
	return 0;
}

static int begin(struct db *d, enum sql_statement which)
{
	if (db_run(d, db_statement(d, which)) != 0)
		return -1;
	d->is_in_transaction = true;
	d->is_relied_on = false;
	if (check_schema(d) != 0)
		return db_end(d, -1);
	if (companions_are_whole(d))
		return 0;
	db_end(d, -1);
	companions_forsake(d);
	return -1;
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
	for (size_t i = 0; i < d->n_prepared; i++)
		if (sqlite3_stmt_busy(d->statements[d->prepared[i]]))
			sqlite3_reset(d->statements[d->prepared[i]]);
}

int db_end(struct db *d, int result)
{
	if (!d->is_in_transaction)
		return -1;
	reset_all(d);
	/* What was read from such a file is not to be believed, and written behind the end of a log
	 * that was cut short it makes that as long as it was, with a hole. */
	if (result == 0 && !(d->has_lock ? companions_are_whole(d) : harm_index_is_right(d))) {
		result = db_fail(
			d, DB_BROKEN,
			"a file beside it was removed, cut short or overwritten meanwhile");
		d->must_reopen = true;
	}
	if (result == 0)
		result = db_run(d, db_statement(d, SQL_COMMIT));
	/* Not by db_run(): the error to be told is the one that brought us here. */
	if (!sqlite3_get_autocommit(d->handle) &&
	    sqlite3_exec(d->handle, sql_statements[SQL_ROLLBACK].text, NULL, NULL, NULL) !=
		    SQLITE_OK)
		d->must_reopen = true;
	d->is_in_transaction = false;
	/* Written to a log that has no name any more, or behind what was overwritten, it would be
	 * gone with the next start. Records of mail are in the journal until a checkpoint. */
	if (result == 0 && d->has_lock)
		result = d->is_relied_on || !companions_are_whole(d) ? companions_prove(d) : 0;
	if (result == 0 && d->has_lock && !d->must_reopen) {
		wal_mark_write(d);
		d->failure = DB_OK;
		d->error[0] = '\0';
	}
	file_unlock(d);
	return result;
}

int db_read_state(struct db *d, struct db_state *out)
{
	sqlite3_stmt *st;

	if (d->seen.has_state) {
		*out = d->seen.state;
		return 0;
	}
	st = db_statement(d, SQL_STATE);
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
	out->import_change_key = sqlite3_column_type(st, 3) == SQLITE_NULL
					 ? -1
					 : sqlite3_column_int64(st, 3);
	out->is_at_site = sqlite3_column_type(st, 4) != SQLITE_NULL;
	out->last_pull_unix = sqlite3_column_int64(st, 4);
	out->here_paused_until_unix = sqlite3_column_int64(st, 5);
	out->has_exemptions_here = sqlite3_column_int(st, 6) != 0;
	sqlite3_reset(st);
	if (d->seen.is_known) {
		d->seen.state = *out;
		d->seen.has_state = true;
	}
	return 0;
}

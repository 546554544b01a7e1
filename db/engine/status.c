/* SPDX-License-Identifier: ISC
 *
 * status.c: `pgpgate db status`, and the pause.
 */
#include "db/engine/change.h"
#include "db/engine/internal.h"
#include "db/engine/pause_time.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

/* ---- status ---- */

static int64_t bytes_of(const char *path, const char *suffix)
{
	char full[DB_PATH_MAX + 8];
	struct stat st;

	snprintf(full, sizeof full, "%s%s", path, suffix);
	return stat(full, &st) == 0 ? (int64_t)st.st_size : 0;
}

static int read_verdict_span(struct db *d, struct db_status *out)
{
	sqlite3_stmt *st = db_statement(d, SQL_VERDICT_SPAN);

	if (st == NULL || db_step(d, st) != 1)
		return -1;
	if (sqlite3_column_int64(st, 0) >
	    0) /* as all of ours are: what is none counts as nothing */
		out->n_verdicts = sqlite3_column_int64(st, 1) - sqlite3_column_int64(st, 0) + 1;
	out->first_verdict_unix = sqlite3_column_int64(st, 2);
	out->last_verdict_unix = sqlite3_column_int64(st, 3);
	sqlite3_reset(st);
	return 0;
}

/* Counted only when they have changed: a million takes 100 ms, and the policy server does nothing
 * else then. */
static int count_rules(struct db *d, int64_t *n)
{
	sqlite3_stmt *st = db_statement(d, SQL_METRICS_RULES_CHANGED);
	int64_t last_change, last_rule;

	if (st == NULL || db_step(d, st) != 1)
		return -1;
	last_change = sqlite3_column_int64(st, 0);
	last_rule = sqlite3_column_int64(st, 1);
	sqlite3_reset(st);
	if (!d->rules_counted.is_known || d->rules_counted.last_change != last_change ||
	    d->rules_counted.last_rule != last_rule) {
		if (db_one(d, SQL_COUNT_RULES, &d->rules_counted.n) != 0)
			return -1;
		d->rules_counted.is_known = true;
		d->rules_counted.last_change = last_change;
		d->rules_counted.last_rule = last_rule;
	}
	*n = d->rules_counted.n;
	return 0;
}

static int count_unused(struct db *d, int64_t *bytes)
{
	int64_t n_unused, page_bytes;

	if (db_one(d, SQL_FREELIST_COUNT, &n_unused) != 0 ||
	    db_one(d, SQL_PAGE_SIZE, &page_bytes) != 0)
		return -1;
	*bytes = n_unused * page_bytes;
	return 0;
}

static int get_status(struct db *d, bool count_pairs, struct db_status *out)
{
	struct statvfs fs;
	struct db_state state;
	int result = -1;

	memset(out, 0, sizeof *out);
	snprintf(out->path, sizeof out->path, "%s", d->path);
	out->file_bytes = bytes_of(d->path, "");
	out->wal_bytes = bytes_of(d->path, "-wal");
	if (statvfs(d->path, &fs) == 0)
		out->free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	out->schema_version = db_schema_version(d);
	if (db_begin_read(d) != 0)
		return -1;
	if (db_read_state(d, &state) == 0 && count_rules(d, &out->n_rules) == 0 &&
	    (!count_pairs || db_one(d, SQL_COUNT_PAIRS, &out->n_pairs) == 0) &&
	    read_verdict_span(d, out) == 0 && count_unused(d, &out->unused_bytes) == 0)
		result = 0;
	if (result == 0 && pause_is_on(state.paused_until_unix, clock_now_unix()))
		out->paused_until_unix = state.paused_until_unix;
	return db_end(d, result);
}

int db_get_status(struct db *d, struct db_status *out)
{
	return get_status(d, true, out);
}

int db_get_vitals(struct db *d, struct db_status *out)
{
	return get_status(d, false, out);
}

/* ---- pause ---- */

static int send_pause(struct db *d, int64_t until_unix, struct change *c,
		      const struct change_row *row)
{
	const struct db_remote_change change = {.time_unix = c->time_unix,
						.author = c->author,
						.what = c->what,
						.undoes = c->undoes,
						.is_pause = true,
						.paused_until_unix = until_unix,
						.before = row->before,
						.after = row->after};

	return change_send(d, &change, &c->no);
}

static int pause_in_transaction(struct db *d, int64_t until_unix, struct change *c)
{
	char before[CLOCK_TEXT_MAX] = "", after[CLOCK_TEXT_MAX] = "";
	struct change_row row = {.before = before, .after = after};
	struct db_state state;
	sqlite3_stmt *st;

	if (db_read_state(d, &state) != 0)
		return -1;
	d->is_relied_on = true; /* also where it is so already */
	if (state.paused_until_unix <= c->time_unix)
		state.paused_until_unix = 0;
	if (state.paused_until_unix == until_unix && c->site_no == 0)
		return 0;
	if (state.paused_until_unix != 0)
		clock_format(state.paused_until_unix, before);
	if (until_unix != 0)
		clock_format(until_unix, after);
	if (d->remote != NULL && c->site_no == 0)
		return send_pause(d, until_unix, c, &row);
	st = db_statement(d, SQL_STATE_PAUSE);
	if (st == NULL)
		return -1;
	db_bind_int_or_null(st, 1, until_unix);
	if (db_run(d, st) != 0)
		return -1;
	return change_single(d, c, &row);
}

int pause_apply(struct db *d, int64_t until_unix, struct change *c)
{
	if (db_begin_write(d) != 0)
		return -1;
	return db_end(d, pause_in_transaction(d, until_unix, c));
}

int db_pause_as(struct db *d, int64_t until_unix, int64_t now_unix, const char *author,
		int64_t undoes, int64_t *no)
{
	struct change c = {.time_unix = now_unix,
			   .author = author,
			   .what = undoes != 0	     ? "undo"
				   : until_unix != 0 ? "pause"
						     : "resume",
			   .undoes = undoes};

	if ((d->remote != NULL ? db_begin_read(d) : db_begin_write(d)) != 0 ||
	    db_end(d, pause_in_transaction(d, until_unix, &c)) != 0)
		return -1;
	if (no != NULL)
		*no = c.no;
	return 0;
}

int db_paused_until(struct db *d, int64_t now_unix, int64_t *until_unix)
{
	struct db_state state;
	int result;

	if (db_begin_read(d) != 0)
		return -1;
	result = db_end(d, db_read_state(d, &state));
	*until_unix = result == 0 && pause_is_on(state.paused_until_unix, now_unix)
			      ? state.paused_until_unix
			      : 0;
	return result;
}

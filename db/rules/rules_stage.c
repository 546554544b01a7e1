/* SPDX-License-Identifier: ISC
 *
 * rules_stage.c: large edits. Rules are staged under a generation that is not live yet, in
 * transactions of some 10 ms with a pause between them; what they replace or remove is marked to
 * end with that generation; one short transaction makes it live and gives the change its number;
 * then what has ended is removed, in the same small steps. Whatever is interrupted is invisible
 * (staged) or over (ended), and cleaned up by the next bulk edit. One at a time: DATABASE.import is
 * locked meanwhile.
 */
#include "db/rules/rules_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "db/engine/file.h"
#include "db/rules/rule_row.h"

#define BATCH_MS \
	10	   /* how long a batch may take before its commit: the commit takes as long again */
#define PAUSE_MS 2 /* between batches: another writer looks every millisecond */
#define CLEAN_ROWS 500 /* rows, or ids, of one step of a clean-up */
#define CHECKPOINT_BYTES \
	(512 << 10) /* WAL written back beyond this: mail waits for it, some 15 ms */
/* Pages meanwhile: rules in no order touch an index page each, which a smaller cache writes again
 * and again. A million rules have 80 MiB of index. */
#define CACHE_KIB (64 << 10)

static void make_room(struct db *d)
{
	const struct timespec time = {.tv_nsec = PAUSE_MS * 1000000L};

	db_checkpoint(d, CHECKPOINT_BYTES);
	nanosleep(&time, NULL);
}

/* ---- clean-up ---- */

/* One thing to clean up, in steps of a few rows. */
struct cleaning {
	enum sql_statement which;
	int64_t argument; /* the live generation, or the key of a change */
	bool by_ids; /* walks over ids of rules, from after_id to to_id; else until no row is left
		      */
	int64_t after_id, to_id;
	int64_t n; /* rows or ids, as counted before */
};

struct cleaning_progress {
	rules_edit_progress *tell; /* or NULL */
	void *context;
	int64_t done, total;
};

/* Returns how many rows or ids, or -1. */
static int64_t clean_step(struct db *d, struct cleaning *c)
{
	sqlite3_stmt *st = db_statement(d, c->which);
	const int64_t rest = c->to_id - c->after_id;
	const int64_t next_id = c->after_id + (rest < CLEAN_ROWS ? rest : CLEAN_ROWS);
	const int64_t n_ids = next_id - c->after_id;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, c->by_ids ? c->after_id : c->argument);
	db_bind_int(st, 2, c->by_ids ? next_id : CLEAN_ROWS);
	if (c->by_ids)
		db_bind_int(st, 3, c->argument);
	if (db_run(d, st) != 0)
		return -1;
	c->after_id = next_id;
	return c->by_ids ? n_ids : sqlite3_changes(d->handle);
}

static int clean(struct db *d, struct cleaning *c, struct cleaning_progress *p)
{
	bool is_done = c->n == 0;

	while (!is_done) {
		const int64_t until_ms = clock_monotonic_ms() + BATCH_MS;
		int64_t done = 0, n;

		if (db_begin_write(d) != 0)
			return -1;
		do {
			n = clean_step(d, c);
			done += n;
			is_done = n < CLEAN_ROWS;
		} while (n >= 0 && !is_done && clock_monotonic_ms() < until_ms);
		if (db_end(d, n < 0 ? -1 : 0) != 0)
			return -1;
		p->done += done;
		if (p->tell != NULL && done > 0)
			p->tell(p->context, p->done < p->total ? p->done : p->total, p->total);
		if (!is_done)
			make_room(d);
	}
	return 0;
}

static int count(struct db *d, enum sql_statement which, int64_t argument, int64_t *n)
{
	sqlite3_stmt *st = db_statement(d, which);
	int got;

	if (st == NULL)
		return -1;
	if (which == SQL_CHANGE_COUNT_ROWS)
		db_bind_int(st, 1, argument);
	got = db_step(d, st);
	if (got == 1)
		*n = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return got == 1 ? 0 : -1;
}

/* The change's row, when it never became true, and the note that there is something to clean up. */
static int forget_import(struct db *d, int64_t key)
{
	sqlite3_stmt *st;
	int result = -1;

	if (db_begin_write(d) != 0)
		return -1;
	st = db_statement(d, SQL_CHANGE_DELETE_STAGED);
	if (st != NULL) {
		db_bind_int(st, 1, key);
		result = db_run(d, st);
	}
	if (result == 0)
		result = db_run(d, db_statement(d, SQL_STATE_IMPORT_END));
	return db_end(d, result);
}

/* What has ended, of an import that was switched on; else everything staged, and the ends it had
 * marked. */
static int clean_up(struct db *d, const struct db_state *state, bool was_live,
		    rules_edit_progress *progress, void *context)
{
	struct cleaning ended = {.which = was_live ? SQL_RULE_CLEAN_ENDED : SQL_RULE_REVIVE,
				 .argument = state->live_generation};
	struct cleaning staged = {.which = SQL_RULE_CLEAN_STAGED,
				  .argument = state->live_generation,
				  .by_ids = true,
				  .after_id = state->import_first_rule};
	struct cleaning rows = {.which = SQL_CHANGE_ROWS_CLEAN,
				.argument = state->import_change_key};
	struct cleaning_progress p = {.tell = progress, .context = context};
	int result;

	if (db_begin_read(d) != 0)
		return -1;
	result = count(d, SQL_RULE_COUNT_ENDED, 0, &ended.n);
	if (result == 0 && !was_live) {
		result = db_one(d, SQL_RULE_LAST_ID, &staged.to_id);
		if (result == 0)
			result = count(d, SQL_CHANGE_COUNT_ROWS, rows.argument, &rows.n);
		staged.n = staged.to_id > staged.after_id ? staged.to_id - staged.after_id : 0;
	}
	if (db_end(d, result) != 0)
		return -1;
	p.total = ended.n + staged.n + rows.n;
	if (clean(d, &ended, &p) != 0 || clean(d, &staged, &p) != 0 || clean(d, &rows, &p) != 0)
		return -1;
	return forget_import(d, state->import_change_key);
}

static int read_state(struct db *d, struct db_state *state)
{
	if (db_begin_read(d) != 0)
		return -1;
	return db_end(d, db_read_state(d, state));
}

/* Does the change have its number? 1, 0, -1. */
static int change_has_number(struct db *d, int64_t change_key)
{
	sqlite3_stmt *st;
	int got = -1;
	bool has_number = false;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_CHANGE_OF_KEY);
	if (st != NULL) {
		db_bind_int(st, 1, change_key);
		got = db_step(d, st);
		has_number = got == 1 && sqlite3_column_type(st, 0) != SQLITE_NULL;
	}
	if (db_end(d, got < 0 ? -1 : 0) != 0)
		return -1;
	return has_number;
}

/* What a killed import left. */
static int clean_leftovers(struct db *d, rules_edit_progress *progress, void *context)
{
	struct db_state state;
	int was_live;

	if (read_state(d, &state) != 0)
		return -1;
	if (state.import_first_rule < 0)
		return 0;
	was_live = change_has_number(d, state.import_change_key);
	if (was_live < 0)
		return -1;
	return clean_up(d, &state, was_live == 1, progress, context);
}

/* ---- begin ---- */

static int open_import_lock(struct db *d)
{
	const int fd = file_open_beside(d, ".import", O_RDWR, DB_FILE_MODE, NULL);

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	db_fail(d, DB_BUSY, "another import is under way; wait for it");
	close(fd);
	return -1;
}

static void set_cache(struct db *d, int kib)
{
	char pragma[60];

	snprintf(pragma, sizeof pragma, "PRAGMA cache_size = -%d", kib);
	/* Without it the work is slow, and right. */
	sqlite3_exec(d->handle, pragma, NULL, NULL, NULL);
}

static void unlock(struct rules_stage *s)
{
	if (s->d->handle != NULL)
		set_cache(s->d, DB_CACHE_KIB);
	close(s->lock_fd);
	s->lock_fd = -1;
}

int rules_stage_lock(struct rules_stage *s, struct db *d, rules_edit_progress *progress,
		     void *context)
{
	*s = (struct rules_stage){.d = d, .lock_fd = -1, .progress = progress, .context = context};
	if (db_ready(d) != 0 || (s->lock_fd = open_import_lock(d)) < 0)
		return -1;
	set_cache(d, CACHE_KIB);
	if (clean_leftovers(d, progress, context) == 0)
		return 0;
	unlock(s);
	return -1;
}

static int begin_in_transaction(struct rules_stage *s, struct change *c)
{
	struct db_state state;
	sqlite3_stmt *st;

	if (db_read_state(s->d, &state) != 0 ||
	    db_one(s->d, SQL_RULE_LAST_ID, &s->first_rule) != 0 || change_open(s->d, c) != 0)
		return -1;
	if (state.live_generation == INT64_MAX) /* no program of ours counts so far */
		return db_fail(s->d, DB_BROKEN, "the table \"state\" is damaged; restore a backup");
	/* What an undo brings back has old numbers. */
	if (c->undoes != 0)
		s->first_rule = 0;
	s->generation = state.live_generation + 1;
	st = db_statement(s->d, SQL_STATE_IMPORT_BEGIN);
	if (st == NULL)
		return -1;
	db_bind_int(st, 1, c->key);
	db_bind_int(st, 2, s->first_rule);
	return db_run(s->d, st);
}

int rules_stage_begin(struct rules_stage *s, struct change *c)
{
	s->change = c;
	if (db_begin_write(s->d) != 0 || db_end(s->d, begin_in_transaction(s, c)) != 0)
		return -1;
	s->has_change = true;
	return 0;
}

/* ---- staging ---- */

int rules_stage_drop(struct rules_stage *s, const struct rule *key)
{
	char client[CLIENT_STORED_MAX], text[RULE_TEXT_MAX];
	struct rule staged;
	struct db_state state;
	sqlite3_stmt *st;
	bool is_staged;
	int found;

	if (!s->has_change)
		return 0;
	if (db_read_state(s->d, &state) != 0)
		return -1;
	found = rules_find_staged(s->d, key, s->generation, state.live_generation, &staged,
				  &is_staged);
	if (found < 0 || !is_staged)
		return found < 0 ? -1 : 0;
	st = db_statement(s->d, SQL_RULE_DELETE_STAGED);
	if (st == NULL)
		return -1;
	db_bind_text(st, 1, key->recipient.text);
	db_bind_text(st, 2, key->has_sender ? key->sender.text : "");
	db_bind_text(st, 3, client_stored(key, client));
	db_bind_int(st, 4, s->generation);
	if (db_run(s->d, st) != 0)
		return -1;
	st = db_statement(s->d, SQL_CHANGE_ROW_UNSTAGE);
	if (st == NULL)
		return -1;
	db_bind_int(st, 1, s->change->key);
	db_bind_text(st, 2, key->recipient.text);
	db_bind_text(st, 3, rule_format(&staged, text, sizeof text));
	if (db_run(s->d, st) != 0)
		return -1;
	s->change->n_rows--;
	/* The live one does not end, unless something else for this key comes again. */
	return rules_revive_key(s->d, key, state.live_generation);
}

static int write_some(struct rules_stage *s, struct rules_difference *x, size_t n, size_t *n_done)
{
	const int64_t until_ms = clock_monotonic_ms() + BATCH_MS;
	struct db_state state;
	int result = db_read_state(s->d, &state);

	for (*n_done = 0; *n_done < n && result == 0; ++*n_done) {
		struct rules_difference *one = &x[*n_done];

		if (*n_done > 0 && clock_monotonic_ms() >= until_ms)
			break;
		if (one->replaces_staged)
			result = rules_stage_drop(s, one->outcome == RULE_REMOVED ? &one->before
										  : &one->after);
		if (result == 0)
			result = rules_write(s->d, state.live_generation, s->generation, s->change,
					     one, false);
	}
	return result;
}

int rules_stage_write(struct rules_stage *s, struct rules_difference *x, size_t n)
{
	for (size_t at = 0, n_done; at < n; at += n_done) {
		if (db_begin_write(s->d) != 0 ||
		    db_end(s->d, write_some(s, x + at, n - at, &n_done)) != 0)
			return -1;
		make_room(s->d);
	}
	return 0;
}

/* ---- end ---- */

static int switch_on(struct rules_stage *s)
{
	sqlite3_stmt *st = db_statement(s->d, SQL_STATE_IMPORT_LIVE);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, s->generation);
	if (db_run(s->d, st) != 0)
		return -1;
	return change_close(s->d, s->change);
}

int rules_stage_switch_on(struct rules_stage *s)
{
	if (db_begin_write(s->d) != 0)
		return -1;
	return db_end(s->d, switch_on(s));
}

void rules_stage_end(struct rules_stage *s, bool was_switched_on)
{
	struct db *d = s->d;
	char error[DB_ERROR_MAX];
	const enum db_failure failure = d->failure;
	struct db_state state;

	memcpy(error, d->error, sizeof error);
	/* What is not cleaned up now is invisible, and cleaned up next time. Where the end of the
	 * last transaction was not proven, it may be there all the same. */
	if (s->has_change && read_state(d, &state) == 0 && state.import_first_rule >= 0) {
		const int is_on = was_switched_on ? 1 : change_has_number(d, s->change->key);

		if (is_on >= 0)
			clean_up(d, &state, is_on == 1, s->progress, s->context);
	}
	if (was_switched_on) {
		db_ready(d);
	} else { /* what is told is why it failed, not how the clean-up went */
		memcpy(d->error, error, sizeof error);
		d->failure = failure;
	}
	unlock(s);
}

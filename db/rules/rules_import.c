/* SPDX-License-Identifier: ISC
 *
 * rules_import.c: bulk import. Rules are staged under a generation that is not live yet, in transactions of
 * some 20 ms with a pause between them; one short transaction makes the generation live; then the rules that
 * it replaced are removed, in the same small steps. Whatever is interrupted is invisible (staged) or shadowed
 * (replaced), and cleaned up by the next import. One import at a time: DATABASE.import is locked meanwhile.
 */
#include "db/rules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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
#define CLEAN_IDS 500 /* ids looked at in one step of a clean-up */
#define CHECKPOINT_BYTES \
	(512 << 10) /* WAL written back beyond this: mail waits for it, some 15 ms */
/* Pages meanwhile: rules in no order touch an index page each, which a smaller cache writes again and again. A
 * million rules have 80 MiB of index. */
#define CACHE_KIB (64 << 10)

struct rules_import {
	struct db *d;
	char author[AUTHOR_MAX + 1];
	int64_t now_unix;
	int64_t generation;
	int64_t n_added, n_replaced;
	int lock_fd;
	bool is_in_batch;
	int64_t batch_until_ms;
	rules_import_progress *progress;
	void *context;
};

static void pause_ms(int ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000L};

	nanosleep(&time, NULL);
}

/* ---- clean-up ---- */

static int clean_range(struct db *d, enum sql_statement which, int64_t after_id, int64_t to_id,
		       int64_t live_generation)
{
	sqlite3_stmt *st = db_statement(d, which);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, after_id);
	db_bind_int(st, 2, to_id);
	db_bind_int(st, 3, live_generation);
	return db_run(d, st);
}

/* Ids behind after_id, of one table, and how far all of a clean-up is. */
struct cleaning {
	enum sql_statement clean, last_id;
	int64_t after_id, to_id;
};

struct cleaning_progress {
	rules_import_progress *tell; /* or NULL */
	void *context;
	int64_t done, total;
};

static int find_end(struct db *d, struct cleaning *c)
{
	if (db_begin_read(d) != 0 || db_end(d, db_one(d, c->last_id, &c->to_id)) != 0)
		return -1;
	if (c->to_id < c->after_id)
		c->to_id = c->after_id;
	return 0;
}

/* Walks over the ids, a few at a time. */
static int clean(struct db *d, struct cleaning *c, int64_t live_generation, struct cleaning_progress *p)
{
	while (c->after_id < c->to_id) {
		const int64_t until_ms = clock_monotonic_ms() + BATCH_MS;
		const int64_t first_id = c->after_id;
		int result = 0;

		if (db_begin_write(d) != 0)
			return -1;
		do {
			const int64_t rest = c->to_id - c->after_id;
			const int64_t next_id = c->after_id + (rest < CLEAN_IDS ? rest : CLEAN_IDS);

			result = clean_range(d, c->clean, c->after_id, next_id, live_generation);
			c->after_id = next_id;
		} while (result == 0 && c->after_id < c->to_id && clock_monotonic_ms() < until_ms);
		if (db_end(d, result) != 0)
			return -1;
		p->done += c->after_id - first_id;
		if (p->tell != NULL)
			p->tell(p->context, p->done, p->total);
		db_checkpoint(d, CHECKPOINT_BYTES);
		pause_ms(PAUSE_MS);
	}
	return 0;
}

static int set_state(struct db *d, enum sql_statement which)
{
	if (db_begin_write(d) != 0)
		return -1;
	return db_end(d, db_run(d, db_statement(d, which)));
}

/* Removes what is staged and not live (rules and their audit, all behind the ids that the import began at), or
 * what was replaced, which is anywhere. */
static int clean_up(struct db *d, const struct db_state *state, bool was_live,
		    rules_import_progress *progress, void *context)
{
	struct cleaning rules = {.clean = SQL_RULE_CLEAN,
				 .last_id = SQL_RULE_LAST_ID,
				 .after_id = was_live ? 0 : state->import_first_rule};
	struct cleaning audit = {.clean = SQL_AUDIT_CLEAN,
				 .last_id = SQL_AUDIT_LAST_ID,
				 .after_id = state->import_first_audit};
	struct cleaning_progress p = {.tell = progress, .context = context};

	if (find_end(d, &rules) != 0 || (!was_live && find_end(d, &audit) != 0))
		return -1;
	p.total = rules.to_id - rules.after_id;
	if (!was_live)
		p.total += audit.to_id - audit.after_id;
	if (clean(d, &rules, state->live_generation, &p) != 0 ||
	    (!was_live && clean(d, &audit, state->live_generation, &p) != 0))
		return -1;
	return set_state(d, SQL_STATE_IMPORT_END);
}

static int read_state(struct db *d, struct db_state *state)
{
	if (db_begin_read(d) != 0)
		return -1;
	return db_end(d, db_read_state(d, state));
}

/* Each of its rules has a row in the audit, of the same generation. 1, 0, -1. */
static int was_switched_on(struct db *d, const struct db_state *state)
{
	sqlite3_stmt *st;
	int got = -1;
	int64_t generation = INT64_MAX; /* no row: everything staged was removed already */

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_AUDIT_FIRST_IMPORT);
	if (st != NULL) {
		db_bind_int(st, 1, state->import_first_audit);
		got = db_step(d, st);
	}
	if (got == 1)
		generation = sqlite3_column_int64(st, 0);
	if (db_end(d, got < 0 ? -1 : 0) != 0)
		return -1;
	return generation <= state->live_generation;
}

/* What a killed import left: staged, or, when it was switched on, what it had replaced. */
static int clean_leftovers(struct db *d, rules_import_progress *progress, void *context)
{
	struct db_state state;
	int was_live;

	if (read_state(d, &state) != 0)
		return -1;
	if (state.import_first_rule < 0)
		return 0;
	was_live = was_switched_on(d, &state);
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

static void unlock(struct db *d, int fd)
{
	if (d->handle != NULL)
		set_cache(d, DB_CACHE_KIB);
	close(fd);
}

struct rules_import *rules_import_begin(struct db *d, const char *author, int64_t now_unix,
					rules_import_progress *progress, void *context)
{
	struct rules_import *i;
	struct db_state state;
	int fd;

	if (db_ready(d) != 0 || (fd = open_import_lock(d)) < 0)
		return NULL;
	set_cache(d, CACHE_KIB);
	if (clean_leftovers(d, progress, context) != 0 ||
	    set_state(d, SQL_STATE_IMPORT_BEGIN) != 0 || read_state(d, &state) != 0) {
		unlock(d, fd);
		return NULL;
	}
	if (state.live_generation == INT64_MAX) { /* no program of ours counts so far */
		db_fail(d, DB_BROKEN, "the table \"state\" is damaged; restore a backup");
		unlock(d, fd);
		return NULL;
	}
	i = calloc(1, sizeof *i);
	if (i == NULL) {
		db_fail(d, DB_BROKEN, "out of memory");
		unlock(d, fd);
		return NULL;
	}
	i->d = d;
	snprintf(i->author, sizeof i->author, "%s", author);
	i->now_unix = now_unix;
	i->generation = state.live_generation + 1;
	i->lock_fd = fd;
	i->progress = progress;
	i->context = context;
	return i;
}

/* ---- add ---- */

/* The live rule with the same key as text, "" when there is none. */
static int read_before(struct rules_import *i, const struct rule *r, const char *client,
		       char out[RULE_TEXT_MAX])
{
	sqlite3_stmt *st = db_statement(i->d, SQL_RULE_OF_KEY);
	struct rule before;
	int got;

	out[0] = '\0';
	if (st == NULL)
		return -1;
	db_bind_text(st, 1, r->recipient.text);
	db_bind_text(st, 2, r->has_sender ? r->sender.text : "");
	db_bind_text(st, 3, client);
	db_bind_int(st, 4, i->generation);
	got = db_step(i->d, st);
	if (got == 1) {
		rule_from_row(i->d, st, &before);
		rule_format(&before, out, RULE_TEXT_MAX);
	}
	sqlite3_reset(st);
	return got;
}

static int stage(struct rules_import *i, const struct rule *given)
{
	char client[CLIENT_STORED_MAX], before[RULE_TEXT_MAX], after[RULE_TEXT_MAX];
	struct rule r = *given;
	sqlite3_stmt *st;
	int found;

	snprintf(r.author, sizeof r.author, "%s", i->author);
	r.created_at_unix = i->now_unix;
	client_stored(&r, client);
	found = read_before(i, &r, client, before);
	if (found < 0)
		return -1;
	i->n_replaced += found;
	st = db_statement(i->d, SQL_RULE_STAGE);
	if (st == NULL)
		return -1;
	rule_bind(st, i->generation, &r, client);
	if (db_run(i->d, st) != 0)
		return -1;
	i->n_added++;
	return db_audit(i->d, i->generation, i->now_unix, i->author, "import", r.recipient.text,
			before, rule_format(&r, after, sizeof after));
}

static int end_batch(struct rules_import *i, int result)
{
	if (!i->is_in_batch)
		return result;
	i->is_in_batch = false;
	return db_end(i->d, result);
}

int rules_import_add(struct rules_import *i, const struct rule *r)
{
	if (!i->is_in_batch) {
		if (db_begin_write(i->d) != 0)
			return -1;
		i->is_in_batch = true;
		i->batch_until_ms = clock_monotonic_ms() + BATCH_MS;
	}
	if (stage(i, r) != 0)
		return end_batch(i, -1);
	if (clock_monotonic_ms() < i->batch_until_ms)
		return 0;
	if (end_batch(i, 0) != 0)
		return -1;
	db_checkpoint(i->d, CHECKPOINT_BYTES);
	pause_ms(PAUSE_MS);
	return 0;
}

/* ---- commit, abort ---- */

static int switch_on(struct rules_import *i)
{
	sqlite3_stmt *st;
	int result = -1;

	if (db_begin_write(i->d) != 0)
		return -1;
	st = db_statement(i->d, SQL_STATE_IMPORT_LIVE);
	if (st != NULL) {
		db_bind_int(st, 1, i->generation);
		result = db_run(i->d, st);
	}
	return db_end(i->d, result);
}

static void free_import(struct rules_import *i)
{
	unlock(i->d, i->lock_fd);
	free(i);
}

int rules_import_commit(struct rules_import *i, int64_t *n_added, int64_t *n_replaced)
{
	struct db_state state;

	if (end_batch(i, 0) != 0 || switch_on(i) != 0) {
		struct db *d = i->d;
		char error[DB_ERROR_MAX];
		const enum db_failure failure = d->failure;

		memcpy(error, d->error, sizeof error);
		rules_import_abort(i);
		/* What is told is why it failed, not how the clean-up went. */
		memcpy(d->error, error, sizeof error);
		d->failure = failure;
		return -1;
	}
	*n_added = i->n_added;
	*n_replaced = i->n_replaced;
	/* From here on it has happened: what is not cleaned up now is shadowed, and cleaned up next time. */
	if (i->n_replaced == 0)
		set_state(i->d, SQL_STATE_IMPORT_END);
	else if (read_state(i->d, &state) == 0)
		clean_up(i->d, &state, true, i->progress, i->context);
	db_ready(i->d);
	free_import(i);
	return 0;
}

void rules_import_abort(struct rules_import *i)
{
	struct db_state state;

	end_batch(i, -1);
	if (read_state(i->d, &state) == 0 && state.import_first_rule >= 0)
		clean_up(i->d, &state, false, i->progress, i->context);
	free_import(i);
}

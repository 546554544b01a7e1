/* SPDX-License-Identifier: ISC
 *
 * site.c: how far this host is, what the centre changed, and what holds here alone (site.h).
 */
#include "db/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "db/engine/change.h"
#include "db/engine/file.h"
#include "db/engine/internal.h"

#define LOCK_STEP_MS 5
#define RULE_ID_MAX INT64_C(1000000000000000)
#define CLOCK_MAX_UNIX INT64_C(253402300799) /* the last second of the year 9999 */

struct site_edit {
	struct db *db;
	struct rules_edit *edit;
	int64_t no, now_unix;
	char mark[SITE_ID_MAX], author[AUTHOR_MAX + 1], owner[OWNER_MAX + 1], what[32];
};

/* ---- how far ---- */

int site_read(struct db *d, struct site_state *out)
{
	sqlite3_stmt *st;
	int got = -1;

	memset(out, 0, sizeof *out);
	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_SITE_STATE);
	if (st != NULL)
		got = db_step(d, st);
	if (got == 1) {
		db_column_text(st, 0, out->site_id, sizeof out->site_id);
		db_column_text(st, 1, out->host_id, sizeof out->host_id);
		db_column_text(st, 2, out->started, sizeof out->started);
		out->rules_no = sqlite3_column_int64(st, 3);
		db_column_text(st, 4, out->rules_mark, sizeof out->rules_mark);
		out->feed_no = sqlite3_column_int64(st, 5);
		out->pushed_no = sqlite3_column_int64(st, 6);
		out->last_pull_unix = sqlite3_column_int64(st, 7);
		out->offset_ms = sqlite3_column_int64(st, 8);
		out->here_paused_until_unix = sqlite3_column_int64(st, 9);
		out->incarnation = sqlite3_column_int64(st, 10);
		db_column_text(st, 11, out->incarnation_mark, sizeof out->incarnation_mark);
	}
	return db_end(d, got < 0 ? -1 : 0) == 0 ? got : -1;
}

/* Runs statements without parameters in one transaction. */
static int run_all(struct db *d, const enum sql_statement *which, size_t n)
{
	int result = 0;

	if (db_begin_write(d) != 0)
		return -1;
	d->is_relied_on = true;
	for (size_t i = 0; i < n && result == 0; i++)
		result = db_run(d, db_statement(d, which[i]));
	return db_end(d, result);
}

int site_leave(struct db *d)
{
	static const enum sql_statement which[] = {SQL_SITE_DELETE, SQL_SITE_FORGET_KNOWN,
						   SQL_SITE_FORGET_HERE, SQL_SITE_FORGET_RETRACTED,
						   SQL_SITE_FORGET_BOUNCES};

	return run_all(d, which, sizeof which / sizeof which[0]);
}

/* Who joins has the site's history from then on: its own has numbers that mean something else
 * there. */
static int drop_changes(struct db *d)
{
	static const enum sql_statement which[] = {SQL_SITE_DROP_CHANGE_ROWS,
						   SQL_SITE_DROP_CHANGES};

	for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
		sqlite3_stmt *st = db_statement(d, which[i]);

		if (st == NULL)
			return -1;
		db_bind_int(st, 1, 0);
		if (db_run(d, st) != 0)
			return -1;
	}
	return 0;
}

int site_enter(struct db *d, const char *site_id, const char *host_id, int64_t rules_no,
	       const char *mark)
{
	sqlite3_stmt *st;
	int result = -1;

	if (site_leave(d) != 0 || db_begin_write(d) != 0)
		return -1;
	d->is_relied_on = true;
	if (rules_no == 0 && drop_changes(d) != 0)
		return db_end(d, -1);
	st = db_statement(d, SQL_SITE_INSERT);
	if (st != NULL) {
		db_bind_text(st, 1, site_id);
		db_bind_text(st, 2, host_id);
		db_bind_int(st, 3, rules_no);
		db_bind_text(st, 4, mark);
		result = db_run(d, st);
	}
	return db_end(d, result);
}

/* A number, and the text that goes with it. */
static int run_named(struct db *d, enum sql_statement which, int64_t number, const char *text)
{
	sqlite3_stmt *st;
	int result = -1;

	if (db_begin_write(d) != 0)
		return -1;
	st = db_statement(d, which);
	if (st != NULL) {
		db_bind_int(st, 1, number);
		db_bind_text(st, 2, text);
		result = db_run(d, st);
	}
	return db_end(d, result);
}

int site_renew(struct db *d, const char *host_id, int64_t pushed_no)
{
	return run_named(d, SQL_SITE_RENEW, pushed_no, host_id);
}

int site_lock(struct db *d, int wait_ms)
{
	const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
	const int64_t until_ms = clock_monotonic_ms() + wait_ms;
	const int fd = db_ready(d) == 0 ? file_open_beside(d, ".site", O_RDWR, DB_FILE_MODE, NULL)
					: -1;

	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (clock_monotonic_ms() >= until_ms) {
			close(fd);
			return -2;
		}
		nanosleep(&step, NULL);
	}
	return fd;
}

static int run_write(struct db *d, enum sql_statement which, int64_t a, int64_t b, int64_t c, int n)
{
	sqlite3_stmt *st;
	int result = -1;

	if (db_begin_write(d) != 0)
		return -1;
	st = db_statement(d, which);
	if (st != NULL) {
		db_bind_int(st, 1, a);
		if (n > 1)
			db_bind_int(st, 2, b);
		if (n > 2)
			db_bind_int(st, 3, c);
		result = db_run(d, st);
	}
	return db_end(d, result);
}

int site_note_pull(struct db *d, int64_t now_unix, int64_t offset_ms, int64_t pushed_no)
{
	return run_write(d, SQL_SITE_SET_PULL, now_unix, offset_ms, pushed_no, 3);
}

int site_note_incarnation(struct db *d, int64_t incarnation, const char *mark)
{
	return run_named(d, SQL_SITE_SET_INCARNATION, incarnation, mark);
}

int site_feed_again(struct db *d)
{
	return run_write(d, SQL_SITE_SET_FEED, 0, 0, 0, 1);
}

int site_note_started(struct db *d, const char *started)
{
	static const enum sql_statement which[] = {SQL_SITE_FORGET_COUNTS, SQL_SITE_SET_STARTED};
	int result = 0;

	if (db_begin_write(d) != 0)
		return -1;
	for (size_t i = 0; i < sizeof which / sizeof which[0] && result == 0; i++) {
		sqlite3_stmt *st = db_statement(d, which[i]);

		if (st != NULL)
			db_bind_text(st, 1, started);
		result = st == NULL ? -1 : db_run(d, st);
	}
	if (result == 0)
		result = db_run(d, db_statement(d, SQL_SITE_FORGET_TOLD));
	return db_end(d, result);
}

/* ---- changes ---- */

struct site_edit *site_edit_begin(struct db *d, const struct site_change *c, bool is_snapshot)
{
	struct site_edit *e = calloc(1, sizeof *e);
	struct rules_edit_options o;

	if (e == NULL)
		return NULL;
	e->db = d;
	e->no = c->no;
	e->now_unix = c->time_unix;
	snprintf(e->mark, sizeof e->mark, "%s", c->mark);
	snprintf(e->author, sizeof e->author, "%s", c->author);
	snprintf(e->what, sizeof e->what, "%s", c->what);
	o = (struct rules_edit_options){.author = e->author,
					.now_unix = c->time_unix,
					.what = e->what,
					.is_bulk = is_snapshot,
					.replaces = is_snapshot,
					.undoes = c->undoes,
					.site_no = c->no,
					.site_mark = e->mark};
	e->edit = rules_edit_begin(d, &o);
	if (e->edit == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

int site_edit_row(struct site_edit *e, const struct site_rule *r)
{
	struct rule rule;
	char err[400] = "";
	bool is_read = false;

	if (r->id < (r->is_removal ? 0 : 1) || r->id > RULE_ID_MAX || r->created_at_unix < 0 ||
	    r->created_at_unix > CLOCK_MAX_UNIX)
		snprintf(err, sizeof err, "number %lld, time %lld", (long long)r->id,
			 (long long)r->created_at_unix);
	else
		is_read = rule_parse(r->text, e->db->settings->recipient_delimiter, e->now_unix,
				     &rule, err, sizeof err) == 0;
	if (!is_read) {
		db_fail(e->db, DB_BROKEN,
			"rule %lld of the centre cannot be read (%s); is this version too old?",
			(long long)r->id, err);
		return SITE_UNREADABLE;
	}
	if (r->is_removal)
		return rules_edit_remove(e->edit, &rule);
	rule.id = r->id;
	rule.created_at_unix = r->created_at_unix;
	snprintf(rule.author, sizeof rule.author, "%s", r->author);
	return rules_edit_put(e->edit, &rule);
}

/* It changed nothing here: how far this host is, all the same. */
static int note_rules(struct db *d, int64_t no, const char *mark)
{
	return run_named(d, SQL_SITE_SET_RULES, no, mark);
}

int site_edit_commit(struct site_edit *e)
{
	struct rules_result result = {.no = 0};
	int failed = rules_edit_commit(e->edit, &result);

	if (failed == 0 && result.no == 0)
		failed = note_rules(e->db, e->no, e->mark);
	free(e);
	return failed;
}

void site_edit_abort(struct site_edit *e)
{
	rules_edit_abort(e->edit);
	free(e);
}

static struct change change_of(const struct site_change *c)
{
	return (struct change){.time_unix = c->time_unix,
			       .author = c->author,
			       .what = c->what,
			       .owner = c->owner,
			       .undoes = c->undoes,
			       .site_no = c->no,
			       .site_mark = c->mark};
}

int site_apply_pause(struct db *d, const struct site_change *c)
{
	struct change change = change_of(c);

	return pause_apply(d, c->paused_until_unix, &change);
}

int site_set_pause(struct db *d, int64_t until_unix)
{
	sqlite3_stmt *st;
	int result = -1;

	if (db_begin_write(d) != 0)
		return -1;
	st = db_statement(d, SQL_SITE_SET_PAUSE);
	if (st != NULL) {
		db_bind_int_or_null(st, 1, until_unix);
		result = db_run(d, st);
	}
	return db_end(d, result);
}

static int forget_form(struct db *d, const char *sender_key, const char *recipient_key,
		       int64_t time_unix)
{
	static const enum sql_statement which[] = {SQL_SITE_FORGET_PAIR, SQL_PAIR_DELETE_EMPTY,
						   SQL_SITE_FORGET_KNOWN_PAIR,
						   SQL_SITE_UNTOLD_PAIR};

	for (size_t i = 0; i < sizeof which / sizeof which[0]; i++) {
		sqlite3_stmt *st = db_statement(d, which[i]);

		if (st == NULL)
			return -1;
		db_bind_text(st, 1, sender_key);
		db_bind_text(st, 2, recipient_key);
		if (i == 0)
			db_bind_int(st, 3, time_unix);
		if (db_run(d, st) != 0)
			return -1;
	}
	return 0;
}

int site_apply_forget(struct db *d, const struct site_change *c, size_t n,
		      const char *const sender_key[], const char *const recipient_key[])
{
	struct change change = change_of(c);
	int result = 0;

	if (db_begin_write(d) != 0)
		return -1;
	for (size_t i = 0; i < n && result == 0; i++)
		result = forget_form(d, sender_key[i], recipient_key[i], c->time_unix);
	if (result == 0)
		result = change_single(
			d, &change, &(struct change_row){.before = c->before, .after = c->after});
	return db_end(d, result);
}

/* ---- here alone ---- */

int site_here_pause(struct db *d, int64_t until_unix)
{
	sqlite3_stmt *st;
	int result = -1;

	if (db_begin_write(d) != 0)
		return -1;
	d->is_relied_on = true;
	st = db_statement(d, SQL_SITE_SET_HERE_PAUSE);
	if (st != NULL) {
		db_bind_int_or_null(st, 1, until_unix);
		result = db_run(d, st);
	}
	return db_end(d, result);
}

int site_here_exempt(struct db *d, const struct pattern *recipient, const char *author,
		     int64_t now_unix, int64_t expires_unix)
{
	sqlite3_stmt *st;
	int result = -1;

	if (db_begin_write(d) != 0)
		return -1;
	d->is_relied_on = true;
	st = db_statement(d, SQL_SITE_HERE_EXPIRE);
	if (st != NULL) {
		db_bind_int(st, 1, now_unix);
		result = db_run(d, st);
	}
	st = result == 0 ? db_statement(d, SQL_SITE_HERE_PUT) : NULL;
	result = -1;
	if (st != NULL) {
		db_bind_text(st, 1, recipient->text);
		db_bind_text(st, 2, author);
		db_bind_int(st, 3, now_unix);
		db_bind_int(st, 4, expires_unix);
		result = db_run(d, st);
	}
	return db_end(d, result);
}

int site_here_list(struct db *d, int64_t now_unix,
		   int (*tell)(void *context, const char *recipient, const char *author,
			       int64_t expires_unix),
		   void *context)
{
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_SITE_HERE_LIST);
	if (st != NULL) {
		db_bind_int(st, 1, now_unix);
		while ((got = db_step(d, st)) == 1)
			if (tell(context, (const char *)sqlite3_column_text(st, 0),
				 (const char *)sqlite3_column_text(st, 1),
				 sqlite3_column_int64(st, 3)) != 0) {
				got = 0;
				break;
			}
	}
	return db_end(d, got < 0 ? -1 : 0);
}

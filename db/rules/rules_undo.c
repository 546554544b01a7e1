/* SPDX-License-Identifier: ISC
 *
 * rules_undo.c: takes a change back: every rule that it touched becomes what it was, under its old
 * number and with its hits. Only when each still is as that change left it: what was changed since
 * is somebody's later wish.
 */
#include "db/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "db/engine/column.h"
#include "db/rules/keys_internal.h"
#include "db/rules/rules_internal.h"

#define PAGE_ROWS 100
#define WALK_MAX 1000 /* changes looked back at for one to be taken back */

struct head {
	int64_t key, no, n_rows, undoes;
	char what[32];
};

/* 1, 0, -1 */
static int read_head(struct db *d, enum sql_statement which, int64_t no, struct head *out)
{
	sqlite3_stmt *st = db_statement(d, which);
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, no);
	got = db_step(d, st);
	if (got == 1) {
		out->key = sqlite3_column_int64(st, 0);
		out->no = sqlite3_column_int64(st, 1);
		db_column_text(st, 4, out->what, sizeof out->what);
		out->undoes = sqlite3_column_int64(st, 6);
		out->n_rows = sqlite3_column_int64(st, 7);
		sqlite3_reset(st);
	}
	return got;
}

static bool is_among(const int64_t *numbers, size_t n, int64_t number)
{
	for (size_t i = 0; i < n; i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/* The newest that is no undo and was not taken back. An undo that was taken back itself counts for
 * nothing. */
static int find_newest(struct db *d, struct head *out)
{
	int64_t taken_back[WALK_MAX];
	size_t n = 0;
	int got;

	out->no = INT64_MAX;
	for (int i = 0; i < WALK_MAX; i++) {
		got = read_head(d, SQL_CHANGE_BEFORE, out->no, out);
		if (got != 1)
			return got;
		if (is_among(taken_back, n, out->no))
			continue;
		if (strcmp(out->what, "undo") != 0)
			return 1;
		taken_back[n++] = out->undoes;
	}
	return 0;
}

static int find_change(struct db *d, int64_t no, struct head *out)
{
	int got;

	if (db_begin_read(d) != 0)
		return -1;
	got = no != 0 ? read_head(d, SQL_CHANGE_OF_NO, no, out) : find_newest(d, out);
	return db_end(d, got < 0 ? -1 : 0) == 0 ? got : -1;
}

struct row {
	int64_t id, rule_id;
	bool is_of_rule; /* else of a pause */
	char before[RULE_TEXT_MAX], after[RULE_TEXT_MAX], now[RULE_TEXT_MAX];
	char author[AUTHOR_MAX + 1];
	int64_t created_unix, hits, last_hit_unix;
	struct rule key, rule; /* rule: what is to be again, when before is not empty */
};

static void read_row(sqlite3_stmt *st, struct row *r)
{
	r->id = sqlite3_column_int64(st, 0);
	r->is_of_rule = sqlite3_column_type(st, 1) != SQLITE_NULL;
	db_column_text(st, 2, r->before, sizeof r->before);
	db_column_text(st, 3, r->after, sizeof r->after);
	r->rule_id = sqlite3_column_int64(st, 4);
	db_column_text(st, 5, r->author, sizeof r->author);
	r->created_unix = sqlite3_column_int64(st, 6);
	r->hits = sqlite3_column_int64(st, 7);
	r->last_hit_unix = sqlite3_column_int64(st, 8);
}

/* 0, 1 with err. */
static int parse_row(const struct db *d, struct row *r, int64_t now_unix, char *err,
		     size_t err_size)
{
	const char *delimiters = d->settings->recipient_delimiter;
	char why[300];

	if (rule_parse(r->before[0] != '\0' ? r->before : r->after, delimiters, now_unix, &r->key,
		       why, sizeof why) != 0) {
		snprintf(err, err_size, "its rule cannot be read any more: %s", why);
		return 1;
	}
	r->rule = r->key;
	r->rule.id = r->rule_id;
	snprintf(r->rule.author, sizeof r->rule.author, "%s", r->author);
	r->rule.created_at_unix = r->created_unix;
	r->rule.hits = r->hits;
	r->rule.last_hit_at_unix = r->last_hit_unix;
	return 0;
}

static int read_now(struct db *d, struct row *r)
{
	struct db_state state;
	struct rule now;
	int found;

	if (db_read_state(d, &state) != 0)
		return -1;
	found = rules_find(d, &r->key, state.live_generation, state.live_generation, &now);
	r->now[0] = '\0';
	if (found == 1)
		rule_format(&now, r->now, sizeof r->now);
	return found < 0 ? -1 : 0;
}

/* Rows of a change, from the last to the first. Returns how many, -1, or -2 with err. */
static int read_page(struct db *d, int64_t key, int64_t before_id, int64_t now_unix,
		     struct row *page, char *err, size_t err_size)
{
	sqlite3_stmt *st;
	int got = -1, n = 0, result = -1;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_CHANGE_ROWS_PAGE_BACK);
	if (st != NULL) {
		db_bind_int(st, 1, key);
		db_bind_int(st, 2, before_id);
		db_bind_int(st, 3, PAGE_ROWS);
		while ((got = db_step(d, st)) == 1)
			read_row(st, &page[n++]);
		result = got < 0 ? -1 : 0;
	}
	for (int i = 0; i < n && result == 0; i++) {
		if (!page[i].is_of_rule)
			continue;
		result = parse_row(d, &page[i], now_unix, err, err_size);
		if (result == 0)
			result = read_now(d, &page[i]);
	}
	if (db_end(d, result < 0 ? -1 : 0) != 0)
		return -1;
	return result == 1 ? -2 : n;
}

/* 0, 1 with err, -1. */
static int take_back_row(struct rules_edit *e, const struct row *r, char *err, size_t err_size)
{
	if (!r->is_of_rule) {
		snprintf(err, err_size, "it is about somebody who was forgotten since");
		return 1;
	}
	if (strcmp(r->now, r->after) != 0) {
		snprintf(err, err_size,
			 "since then %s has become%s%.300s; take back what was changed later "
			 "first, or "
			 "change the rule itself",
			 r->key.recipient.text, r->now[0] != '\0' ? ": " : " no rule", r->now);
		return 1;
	}
	return r->before[0] != '\0' ? rules_edit_put(e, &r->rule) : rules_edit_remove(e, &r->key);
}

static int take_back_rules(struct db *d, const struct head *head,
			   const struct rules_edit_options *given, struct rules_undone *out,
			   char *err, size_t err_size)
{
	struct rules_edit_options o = *given;
	struct row *page = calloc(PAGE_ROWS, sizeof *page);
	struct rules_edit *e;
	int64_t last_id = INT64_MAX;
	int n = PAGE_ROWS, result = 0;

	o.what = "undo";
	o.undoes = head->no;
	e = page != NULL ? rules_edit_begin(d, &o) : NULL;
	if (e == NULL) {
		free(page);
		return -1;
	}
	while (n == PAGE_ROWS && result == 0) {
		n = read_page(d, head->key, last_id, o.now_unix, page, err, err_size);
		result = n == -2 ? 1 : n < 0 ? -1 : 0;
		for (int i = 0; i < n && result == 0; i++)
			result = take_back_row(e, &page[i], err, err_size);
		if (n > 0)
			last_id = page[n - 1].id;
	}
	free(page);
	if (result == 0)
		return rules_edit_commit(e, &out->result);
	rules_edit_abort(e);
	return result;
}

/* A pause, its end, or the undo of one: a change of one row, with times. */
static int take_back_pause(struct db *d, const struct head *head,
			   const struct rules_edit_options *o, struct rules_undone *out, char *err,
			   size_t err_size)
{
	struct row *row = calloc(PAGE_ROWS, sizeof *row);
	char now[CLOCK_TEXT_MAX] = "", why[200];
	int64_t until = 0, was = 0;
	int result = row == NULL
			     ? -1
			     : read_page(d, head->key, INT64_MAX, o->now_unix, row, err, err_size);

	if (result == 1)
		result = db_paused_until(d, o->now_unix, &until) != 0 ? -1 : 1;
	if (result == 1 && row[0].before[0] != '\0' &&
	    clock_parse_when(row[0].before, 0, true, &was, why, sizeof why) != 0)
		result = 0;
	if (result == 1 && until != 0)
		clock_format(until, now);
	if (result == 1 && strcmp(now, row[0].after) != 0) {
		snprintf(err, err_size, "since then it is %s%s",
			 now[0] != '\0' ? "paused until " : "not paused", now);
		result = 0;
	}
	if (result == 0 && err[0] == '\0')
		snprintf(err, err_size, "its time cannot be read any more");
	free(row);
	if (result != 1)
		return result < 0 ? -1 : 1;
	if (was <= o->now_unix)
		was = 0;
	out->paused_until_unix = was;
	if (o->is_dry_run)
		return 0;
	return db_pause_as(d, was, o->now_unix, o->author, head->no, &out->result.no);
}

enum { OF_NEITHER, OF_RULES, OF_KEYS };

/* What its first row is about; -1: the database failed. */
static int find_kind(struct db *d, const struct head *head)
{
	sqlite3_stmt *st;
	int got = -1, kind = OF_NEITHER;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_CHANGE_ROWS_PAGE);
	if (st != NULL) {
		db_bind_int(st, 1, head->key);
		db_bind_int(st, 2, 0);
		db_bind_int(st, 3, 1);
		got = db_step(d, st);
		if (got == 1 && sqlite3_column_type(st, 1) != SQLITE_NULL) {
			const char *text = column_text(st, column_text(st, 2)[0] != '\0' ? 2 : 3);

			kind = strncmp(text, "key ", 4) == 0 || strncmp(text, "group ", 6) == 0
				       ? OF_KEYS
				       : OF_RULES;
		}
		sqlite3_reset(st);
	}
	return db_end(d, got < 0 ? -1 : 0) == 0 ? kind : -1;
}

static int take_back_keys(struct db *d, const struct head *head, const struct rules_edit_options *o,
			  struct rules_undone *out, char *err, size_t err_size)
{
	const struct keys_change c = {
		.author = o->author, .now_unix = o->now_unix, .is_dry_run = o->is_dry_run};
	struct keys_result result;
	const int got = keys_undo(d, head->key, head->no, &c, &result, err, err_size);

	for (int i = 0; got == 0 && i < RULE_OUTCOME_COUNT; i++)
		out->result.n[i] = result.n[i];
	if (got == 0)
		out->result.no = result.no;
	return got;
}

int rules_undo(struct db *d, int64_t no, const struct rules_edit_options *o,
	       struct rules_undone *out, char *err, size_t err_size)
{
	struct head head = {0};
	const int found = find_change(d, no, &head);
	int kind;

	memset(out, 0, sizeof *out);
	err[0] = '\0';
	if (found <= 0) {
		snprintf(err, err_size,
			 no != 0 ? "there is no such change" : "there is no change to take back");
		return found < 0 ? -1 : 1;
	}
	out->no = head.no;
	memcpy(out->what, head.what, sizeof out->what);
	if (strncmp(head.what, "forget-", 7) == 0) {
		snprintf(err, err_size, "what was forgotten is gone (%s)", head.what);
		return 1;
	}
	kind = find_kind(d, &head);
	if (kind < 0)
		return -1;
	if (kind == OF_KEYS)
		return take_back_keys(d, &head, o, out, err, err_size);
	if (kind == OF_NEITHER &&
	    (strcmp(head.what, "rules") == 0 || strcmp(head.what, "import") == 0 ||
	     strcmp(head.what, "keys") == 0)) {
		snprintf(err, err_size, "it is about somebody who was forgotten since");
		return 1;
	}
	return kind == OF_RULES ? take_back_rules(d, &head, o, out, err, err_size)
				: take_back_pause(d, &head, o, out, err, err_size);
}

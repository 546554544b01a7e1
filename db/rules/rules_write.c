/* SPDX-License-Identifier: ISC
 *
 * rules_write.c: the rows of a rule: found, replaced, removed, and each time recorded in the
 * change.
 */
#include "db/rules/rules_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/rules/rule_row.h"

static int bind_key(struct db *d, sqlite3_stmt **st, enum sql_statement which, const struct rule *r,
		    char client[CLIENT_STORED_MAX])
{
	*st = db_statement(d, which);
	if (*st == NULL)
		return -1;
	db_bind_text(*st, 1, r->recipient.text);
	db_bind_text(*st, 2, r->has_sender ? r->sender.text : "");
	db_bind_text(*st, 3, client_stored(r, client));
	return 0;
}

int rules_find_staged(struct db *d, const struct rule *r, int64_t generation,
		      int64_t live_generation, struct rule *found, bool *is_staged)
{
	char client[CLIENT_STORED_MAX];
	sqlite3_stmt *st;
	int got;

	*is_staged = false;
	if (bind_key(d, &st, SQL_RULE_OF_KEY, r, client) != 0)
		return -1;
	db_bind_int(st, 4, generation);
	db_bind_int(st, 5, live_generation);
	got = db_step(d, st);
	if (got == 1) {
		rule_from_row(d, st, found);
		*is_staged = sqlite3_column_int64(st, 14) > live_generation;
	}
	sqlite3_reset(st);
	return got;
}

int rules_find(struct db *d, const struct rule *r, int64_t generation, int64_t live_generation,
	       struct rule *found)
{
	bool is_staged;

	return rules_find_staged(d, r, generation, live_generation, found, &is_staged);
}

static int delete_key(struct db *d, const struct rule *r, int64_t generation)
{
	char client[CLIENT_STORED_MAX];
	sqlite3_stmt *st;

	if (bind_key(d, &st, SQL_RULE_DELETE_KEY, r, client) != 0)
		return -1;
	db_bind_int(st, 4, generation);
	return db_run(d, st);
}

/* Ends when the generation becomes live: what an import replaces or removes. */
static int end_key(struct db *d, const struct rule *r, int64_t live_generation, int64_t generation)
{
	char client[CLIENT_STORED_MAX];
	sqlite3_stmt *st;

	if (bind_key(d, &st, SQL_RULE_END, r, client) != 0)
		return -1;
	db_bind_int(st, 4, live_generation);
	db_bind_int_or_null(st, 5, generation);
	return db_run(d, st);
}

int rules_revive_key(struct db *d, const struct rule *key, int64_t live_generation)
{
	return end_key(d, key, live_generation, 0);
}

/* A snapshot's rule has a number that another one has here. 0 or -1. */
static int move_aside(struct db *d, struct change *c, int64_t id)
{
	sqlite3_stmt *st = db_statement(d, SQL_SITE_MOVE_RULE);
	int64_t(*more)[2];

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, id);
	if (db_run(d, st) != 0)
		return -1;
	if (sqlite3_changes(d->handle) == 0)
		return 0;
	if ((c->n_moved & (c->n_moved - 1)) == 0) {
		more = realloc(c->moved, (c->n_moved == 0 ? 1 : 2 * c->n_moved) * sizeof *more);
		if (more == NULL)
			return db_fail(d, DB_BROKEN, "out of memory");
		c->moved = more;
	}
	c->moved[c->n_moved][0] = id;
	return db_one(d, SQL_RULE_LAST_ID, &c->moved[c->n_moved++][1]);
}

static int insert_rule(struct db *d, struct change *c, struct rule *r, int64_t generation)
{
	char client[CLIENT_STORED_MAX];
	sqlite3_stmt *st;

	if (r->id != 0 && c->is_snapshot) {
		if (move_aside(d, c, r->id) != 0)
			return -1;
	} else if (r->id != 0) { /* comes back under its number, which what is to be cleaned up may
				    still have */
		st = db_statement(d, SQL_RULE_DELETE);
		if (st == NULL)
			return -1;
		db_bind_int(st, 1, r->id);
		if (db_run(d, st) != 0)
			return -1;
	}
	st = db_statement(d, SQL_RULE_INSERT);
	if (st == NULL)
		return -1;
	rule_bind(st, generation, r, client_stored(r, client));
	if (db_run(d, st) != 0)
		return -1;
	r->id = sqlite3_last_insert_rowid(d->handle);
	return 0;
}

static int record(struct db *d, struct change *c, const struct rule *before,
		  const struct rule *after)
{
	char before_text[RULE_TEXT_MAX] = "", after_text[RULE_TEXT_MAX] = "";
	struct change_row row = {.recipient = before != NULL ? before->recipient.text
							     : after->recipient.text,
				 .before = before_text,
				 .after = after_text};

	if (before != NULL) {
		rule_format(before, before_text, sizeof before_text);
		row.rule_id = before->id;
		row.rule_author = before->author;
		row.rule_created_unix = before->created_at_unix;
		row.rule_hits = before->hits;
		row.rule_last_hit_unix = before->last_hit_at_unix;
	}
	if (after != NULL)
		rule_format(after, after_text, sizeof after_text);
	return change_add(d, c, &row);
}

static bool is_same_as_expected(const struct rules_difference *x, int found, const struct rule *now)
{
	if (x->outcome == RULE_ADDED)
		return found == 0;
	return found == 1 && now->id == x->before.id;
}

int rules_write(struct db *d, int64_t live_generation, int64_t generation, struct change *c,
		struct rules_difference *x, bool must_be_same)
{
	const bool removes = x->outcome == RULE_REMOVED;
	struct rule key = removes ? x->before : x->after, now;
	int found;

	found = rules_find(d, &key, live_generation, live_generation, &now);
	if (found < 0)
		return -1;
	if (must_be_same && !is_same_as_expected(x, found, &now))
		return db_fail(d, DB_BUSY, "the rules were changed meanwhile; try again");
	if (found == 1)
		x->before = now;
	if (found == 0 && removes) {
		x->outcome = RULE_ABSENT;
		return 0;
	}
	if (found == 1 && !removes && rule_says_the_same(&now, &x->after) &&
	    (c->site_no == 0 || now.id == x->after.id)) {
		x->outcome = RULE_UNCHANGED;
		x->after = now;
		return 0;
	}
	if (found == 1 &&
	    (generation == live_generation ? delete_key(d, &key, generation)
					   : end_key(d, &key, live_generation, generation)) != 0)
		return -1;
	if (!removes) {
		x->outcome = found == 1 ? RULE_CHANGED : RULE_ADDED;
		if (insert_rule(d, c, &x->after, generation) != 0)
			return -1;
	}
	return record(d, c, found == 1 ? &x->before : NULL, removes ? NULL : &x->after);
}

/* SPDX-License-Identifier: ISC
 *
 * keys_group.c: who is behind a recipient that stands for several (keys.h).
 */
#include "db/rules/keys_internal.h"

#include <stdio.h>
#include <string.h>

#include "db/engine/column.h"

/* "group team@example.org = a@..., b@... (all)", cut where it is long. */
int keys_group_text(struct db *d, const char *pattern, char out[KEYS_TEXT_MAX])
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_GROUP_PAGE);
	bool wants_all = false;
	size_t used = 0;
	int got;

	out[0] = '\0';
	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	db_bind_text(st, 2, "");
	db_bind_int(st, 3, INT64_MAX);
	while ((got = db_step(d, st)) == 1) {
		if (strcmp(column_text(st, 0), pattern) != 0) {
			sqlite3_reset(st);
			break;
		}
		if (used == 0)
			used = (size_t)snprintf(out, KEYS_TEXT_MAX, "group %s =", pattern);
		if (used + 340 < KEYS_TEXT_MAX)
			used += (size_t)snprintf(out + used, KEYS_TEXT_MAX - used, " %s",
						 column_text(st, 1));
		wants_all = sqlite3_column_int(st, 2) != 0;
	}
	if (wants_all && used > 0)
		snprintf(out + used, KEYS_TEXT_MAX - used, " (all)");
	return got < 0 ? -1 : 0;
}

static int delete_group(struct db *d, const char *pattern)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_GROUP_DELETE);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	return db_run(d, st);
}

static int put_members(struct db *d, const char *pattern, const char *const *members, size_t n,
		       bool wants_all)
{
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = db_statement(d, SQL_KEY_GROUP_PUT);

		if (st == NULL)
			return -1;
		db_bind_text(st, 1, pattern);
		db_bind_text(st, 2, members[i]);
		db_bind_int(st, 3, wants_all);
		if (db_run(d, st) != 0)
			return -1;
	}
	return 0;
}

int keys_edit_group(struct keys_edit *e, const char *pattern, const char *const *members, size_t n,
		    bool wants_all)
{
	char before[KEYS_TEXT_MAX], after[KEYS_TEXT_MAX] = "";

	if (keys_group_text(e->d, pattern, before) != 0)
		return -1;
	if (e->c->is_dry_run || (before[0] == '\0' && n == 0))
		return 0;
	if (delete_group(e->d, pattern) != 0 || put_members(e->d, pattern, members, n, wants_all) != 0 ||
	    keys_group_text(e->d, pattern, after) != 0)
		return -1;
	if (strcmp(before, after) == 0) {
		e->out->n[RULE_UNCHANGED]++;
		return 0;
	}
	e->out->n[before[0] == '\0'  ? RULE_ADDED
		  : after[0] == '\0' ? RULE_REMOVED
				     : RULE_CHANGED]++;
	return keys_edit_note(e, pattern, before, after);
}

int keys_group(struct db *d, const struct keys_change *c, const char *pattern,
	       const char *const *members, size_t n_members, bool wants_all, struct keys_result *out)
{
	struct keys_edit e;

	if (keys_edit_begin(&e, d, c, out) != 0)
		return -1;
	return keys_edit_finish(&e, keys_edit_group(&e, pattern, members, n_members, wants_all));
}

int keys_groups(struct db *d, const char *pattern,
		int (*tell_one)(void *context, const char *pattern, const char *member, bool wants_all),
		void *context)
{
	char last[ADDRESS_MAX + 1] = "", member[ADDRESS_MAX + 1] = "";
	int got, result = 0;

	if (pattern != NULL)
		snprintf(last, sizeof last, "%s", pattern);
	do {
		sqlite3_stmt *st;
		bool wants_all = false;

		got = -1;
		if (db_begin_read(d) != 0)
			return -1;
		st = db_statement(d, SQL_KEY_GROUP_PAGE);
		if (st != NULL) {
			db_bind_text(st, 1, last);
			db_bind_text(st, 2, member);
			db_bind_int(st, 3, 1);
			got = db_step(d, st);
		}
		if (got == 1) {
			db_column_text(st, 0, last, sizeof last);
			db_column_text(st, 1, member, sizeof member);
			wants_all = sqlite3_column_int(st, 2) != 0;
			sqlite3_reset(st);
		}
		if (db_end(d, got < 0 ? -1 : 0) != 0)
			return -1;
		if (got == 1 && (pattern == NULL || strcmp(last, pattern) == 0))
			result = tell_one(context, last, member, wants_all);
		else
			got = 0;
	} while (got == 1 && result == 0);
	return result;
}

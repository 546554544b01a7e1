/* SPDX-License-Identifier: ISC
 *
 * keys_group.c: who is behind a recipient that stands for several (keys.h).
 */
#include "db/rules/keys_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"

char *keys_group_text(struct db *d, const char *pattern)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_GROUP_PAGE);
	bool wants_all = false, is_any = false;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int got = -1;

	if (st != NULL && out != NULL) {
		db_bind_text(st, 1, pattern);
		db_bind_text(st, 2, "");
		db_bind_int(st, 3, INT64_MAX);
		while ((got = db_step(d, st)) == 1) {
			if (strcmp(column_text(st, 0), pattern) != 0) {
				sqlite3_reset(st);
				break;
			}
			if (!is_any)
				fprintf(out, "group %s =", pattern);
			is_any = true;
			fprintf(out, " %s", column_text(st, 1));
			wants_all = sqlite3_column_int(st, 2) != 0;
		}
		if (wants_all)
			fputs(" (all)", out);
	}
	if (out == NULL || fclose(out) != 0) {
		db_fail(d, DB_BROKEN, "out of memory");
		got = -1;
	}
	if (got < 0) {
		free(text);
		text = NULL;
	}
	return text;
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

/* The next member of a text; a quoted local part may hold blanks. NULL: there is none. Writes to
 * text. */
static char *next_member(char **text)
{
	char *from = *text + strspn(*text, " "), *to = from;
	bool is_quoted = false;

	for (; *to != '\0' && (is_quoted || *to != ' '); to++) {
		if (is_quoted && *to == '\\' && to[1] != '\0')
			to++;
		else if (*to == '"')
			is_quoted = !is_quoted;
	}
	*text = *to != '\0' ? to + 1 : to;
	*to = '\0';
	return *from != '\0' ? from : NULL;
}

int keys_group_put_text(struct db *d, const char *pattern, const char *text)
{
	static const char all[] = " (all)";
	const size_t head = strlen("group ") + strlen(pattern) + strlen(" =");
	size_t len = strlen(text);
	char *members, *rest, *member;
	bool wants_all;
	int result = delete_group(d, pattern);

	if (result != 0 || len <= head)
		return result;
	rest = members = strdup(text + head);
	if (members == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	len -= head;
	wants_all = len > strlen(all) && strcmp(members + len - strlen(all), all) == 0;
	if (wants_all)
		members[len - strlen(all)] = '\0';
	while (result == 0 && (member = next_member(&rest)) != NULL) {
		const char *one = member;

		result = put_members(d, pattern, &one, 1, wants_all);
	}
	free(members);
	return result;
}

static int replace_group(struct keys_edit *e, const char *pattern, const char *const *members,
			 size_t n, bool wants_all, const char *before)
{
	char *after;
	int result = 0;

	if (delete_group(e->d, pattern) != 0 ||
	    put_members(e->d, pattern, members, n, wants_all) != 0 ||
	    (after = keys_group_text(e->d, pattern)) == NULL)
		return -1;
	if (strcmp(before, after) == 0) {
		e->out->n[RULE_UNCHANGED]++;
	} else {
		e->out->n[before[0] == '\0'  ? RULE_ADDED
			  : after[0] == '\0' ? RULE_REMOVED
					     : RULE_CHANGED]++;
		result = keys_edit_note(e, pattern, before, after);
	}
	free(after);
	return result;
}

int keys_edit_group(struct keys_edit *e, const char *pattern, const char *const *members, size_t n,
		    bool wants_all)
{
	char *before = keys_group_text(e->d, pattern);
	int result = before == NULL ? -1 : 0;

	if (result == 0 && !e->c->is_dry_run && (before[0] != '\0' || n > 0))
		result = replace_group(e, pattern, members, n, wants_all, before);
	free(before);
	return result;
}

int keys_group(struct db *d, const struct keys_change *c, const char *pattern,
	       const char *const *members, size_t n_members, bool wants_all,
	       struct keys_result *out)
{
	struct keys_edit e;

	if (keys_edit_begin(&e, d, c, out) != 0)
		return -1;
	return keys_edit_finish(&e, keys_edit_group(&e, pattern, members, n_members, wants_all));
}

int keys_groups(struct db *d, const char *pattern,
		int (*tell_one)(void *context, const char *pattern, const char *member,
				bool wants_all),
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

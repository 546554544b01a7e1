/* SPDX-License-Identifier: ISC
 *
 * check.c: `pgpgate db check`: the engine's own checks, and what our tables must hold.
 */
#include "db/engine/internal.h"

#include <stdio.h>
#include <string.h>

struct complaints {
	void (*tell)(void *context, const char *complaint);
	void *context;
	int n;
};

static void complain(struct complaints *c, const char *complaint)
{
	c->n++;
	c->tell(c->context, complaint);
}

/* The engine puts several into one text, below a heading. Each is told as a line of its own. */
static void complain_each(struct complaints *c, const char *text)
{
	while (*text != '\0') {
		const size_t len = strcspn(text, "\n");
		char line[400];

		snprintf(line, sizeof line, "%.*s",
			 (int)(len < sizeof line - 1 ? len : sizeof line - 1), text);
		if (len > 0 && strncmp(line, "*** in database", 15) != 0 && strcmp(line, "ok") != 0)
			complain(c, line);
		text += len + (text[len] == '\n');
	}
}

static int check_integrity(struct db *d, struct complaints *c)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHECK_INTEGRITY);
	int got;

	if (st == NULL)
		return -1;
	while ((got = db_step(d, st)) == 1) {
		const char *text = (const char *)sqlite3_column_text(st, 0);

		if (text != NULL)
			complain_each(c, text);
	}
	return got;
}

static int check_foreign_keys(struct db *d, struct complaints *c)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHECK_FOREIGN_KEYS);
	char text[200];
	int got;

	if (st == NULL)
		return -1;
	while ((got = db_step(d, st)) == 1) {
		snprintf(text, sizeof text, "a row of %.60s names a row of %.60s that is not there",
			 (const char *)sqlite3_column_text(st, 0),
			 (const char *)sqlite3_column_text(st, 2));
		complain(c, text);
	}
	return got;
}

static int check_invariants(struct db *d, struct complaints *c)
{
	static const struct {
		enum sql_statement which;
		int64_t expected;
		const char *complaint;
	} checks[] = {
		{SQL_CHECK_STATE, 1, "the table state should have one row"},
		{SQL_CHECK_VERDICTS_WITHOUT_RECIPIENTS, 0, "there are verdicts without recipients"},
		{SQL_CHECK_PAIRS, 0, "there are pairs whose counts and times disagree"},
	};
	int64_t found;

	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		if (db_one(d, checks[i].which, &found) != 0)
			return -1;
		if (found != checks[i].expected)
			complain(c, checks[i].complaint);
	}
	return 0;
}

int db_check(struct db *d, void (*tell)(void *context, const char *complaint), void *context)
{
	struct complaints c = {.tell = tell, .context = context};
	int result = 0;

	/* Each in its own snapshot, so that the WAL can be written back in between. */
	if (db_ready(d) != 0 || check_integrity(d, &c) != 0 || check_foreign_keys(d, &c) != 0)
		result = -1;
	if (result == 0 && c.n == 0)
		result = check_invariants(d, &c);
	return result == 0 ? c.n : -1;
}

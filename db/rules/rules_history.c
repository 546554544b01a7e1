/* SPDX-License-Identifier: ISC
 *
 * rules_history.c: changes, told by number. Each page is a short read transaction of its own.
 */
#include "db/rules.h"

#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/engine/sealed.h"
#include "db/rules/rules_internal.h"

#define PAGE_ROWS 100

struct place {
	int64_t no, key; /* of the change that is being told; key 0: the next one is to be found */
	int64_t row_id;
	struct rule_change head; /* what all rows of it share */
};

/* From a column on: time, author, what, owner, undoes. */
static void read_head(sqlite3_stmt *st, int column, struct rule_change *c)
{
	c->time_unix = sqlite3_column_int64(st, column);
	db_column_text(st, column + 1, c->author, sizeof c->author);
	db_column_text(st, column + 2, c->what, sizeof c->what);
	db_column_text(st, column + 3, c->owner, sizeof c->owner);
	c->undoes = sqlite3_column_int64(st, column + 4);
}

static void read_sides(struct db *d, sqlite3_stmt *st, struct rule_change *c)
{
	db_column_text(st, 2, c->before, sizeof c->before);
	db_column_text(st, 3, c->after, sizeof c->after);
	sealed_line_open(&d->hashed, c->before);
	sealed_line_open(&d->hashed, c->after);
	/* What a command did is seen by its rows; an import is told as one. */
	if (strcmp(c->what, "rules") == 0)
		strcpy(c->what, c->before[0] == '\0'  ? "add"
				: c->after[0] == '\0' ? "forget"
						      : "replace");
}

/* The change after p->no: 1, 0 there is none, -1. */
static int find_next(struct db *d, struct place *p)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHANGE_NEXT);
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, p->no);
	got = db_step(d, st);
	if (got == 1) {
		memset(&p->head, 0, sizeof p->head);
		p->key = sqlite3_column_int64(st, 0);
		p->no = p->head.no = sqlite3_column_int64(st, 1);
		p->row_id = 0;
		read_head(st, 2, &p->head);
		sqlite3_reset(st);
	}
	return got;
}

static int read_rows(struct db *d, struct place *p, struct rule_change *page, int n_max)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHANGE_ROWS_PAGE);
	int got, n = 0;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, p->key);
	db_bind_int(st, 2, p->row_id);
	db_bind_int(st, 3, n_max);
	while ((got = db_step(d, st)) == 1) {
		p->row_id = sqlite3_column_int64(st, 0);
		page[n] = p->head;
		read_sides(d, st, &page[n++]);
	}
	return got == 0 ? n : -1;
}

/* Returns how many; less than PAGE_ROWS at the end. */
static int read_changes(struct db *d, struct place *p, struct rule_change *page)
{
	int n = 0, got;

	while (n < PAGE_ROWS) {
		if (p->key == 0 && (got = find_next(d, p)) != 1)
			return got < 0 ? -1 : n;
		got = read_rows(d, p, page + n, PAGE_ROWS - n);
		if (got < 0)
			return -1;
		if (n + got < PAGE_ROWS)
			p->key = 0;
		n += got;
	}
	return n;
}

static int read_changes_of_recipient(struct db *d, const char *recipient, struct place *p,
				     struct rule_change *page)
{
	sqlite3_stmt *st = db_statement(d, SQL_CHANGE_ROWS_OF_RECIPIENT);
	int got, n = 0;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, recipient);
	db_bind_int(st, 2, p->row_id);
	db_bind_int(st, 3, PAGE_ROWS);
	while ((got = db_step(d, st)) == 1) {
		p->row_id = sqlite3_column_int64(st, 0);
		memset(&page[n], 0, sizeof page[n]);
		page[n].no = sqlite3_column_int64(st, 9);
		read_head(st, 10, &page[n]);
		read_sides(d, st, &page[n++]);
	}
	return got == 0 ? n : -1;
}

static int read_page(struct db *d, const struct pattern *recipient, struct place *p,
		     struct rule_change *page)
{
	int n;

	if (db_begin_read(d) != 0)
		return -1;
	n = recipient != NULL ? read_changes_of_recipient(d, recipient->text, p, page)
			      : read_changes(d, p, page);
	return db_end(d, n < 0 ? -1 : 0) == 0 ? n : -1;
}

int rules_history(struct db *d, const struct pattern *recipient,
		  int (*tell)(void *context, const struct rule_change *c), void *context)
{
	struct rule_change *page = calloc(PAGE_ROWS, sizeof *page);
	struct place p = {.no = 0};
	int n, result = 0;

	if (page == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	do {
		n = read_page(d, recipient, &p, page);
		if (n < 0)
			result = -1;
		for (int i = 0; i < n && result == 0; i++)
			if (page[i].no != 0) /* else staged */
				result = tell(context, &page[i]);
	} while (result == 0 && n == PAGE_ROWS);
	free(page);
	return result;
}

/* SPDX-License-Identifier: ISC
 *
 * keys_undo.c: takes a change of keys back: each key and group that it touched becomes what it was,
 * and only when each still is as that change left it. Certificates are still there when nothing was
 * changed since (sweep() in keys.c).
 */
#include "db/rules/keys_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"

#define PAGE_ROWS 50

struct row {
	int64_t id;
	char pattern[ADDRESS_MAX + 1];
	char *before, *after; /* "": there was none */
};

static void free_rows(struct row *page, int n)
{
	for (int i = 0; i < n; i++) {
		free(page[i].before);
		free(page[i].after);
	}
	free(page);
}

/* From the last to the first. Returns how many, or -1. */
static int read_rows(struct db *d, int64_t change_key, int64_t before_id,
		     struct row page[PAGE_ROWS])
{
	sqlite3_stmt *st = db_statement(d, SQL_CHANGE_ROWS_PAGE_BACK);
	bool has_memory = true;
	int n = 0, got = -1;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, change_key);
	db_bind_int(st, 2, before_id);
	db_bind_int(st, 3, PAGE_ROWS);
	while ((got = db_step(d, st)) == 1) {
		struct row *r = &page[n++];

		r->id = sqlite3_column_int64(st, 0);
		db_column_text(st, 1, r->pattern, sizeof r->pattern);
		r->before = strdup(column_text(st, 2));
		r->after = strdup(column_text(st, 3));
		has_memory = has_memory && r->before != NULL && r->after != NULL;
		if (has_memory) {
			sealed_line_open(&d->hashed, r->before);
			sealed_line_open(&d->hashed, r->after);
		}
	}
	if (!has_memory)
		return db_fail(d, DB_BROKEN, "out of memory");
	return got < 0 ? -1 : n;
}

static int changed_since(const struct row *r, char *err, size_t err_size)
{
	snprintf(err, err_size,
		 "since then keys of %s were changed; take that back first, or import them again",
		 r->pattern);
	return 1;
}

static void count(struct keys_edit *e, const struct row *r)
{
	e->out->n[r->after[0] == '\0'	 ? RULE_ADDED
		  : r->before[0] == '\0' ? RULE_REMOVED
					 : RULE_CHANGED]++;
}

/* 0, 1 with err, -1. */
static int take_back_key(struct keys_edit *e, const struct row *r, char *err, size_t err_size)
{
	struct recipient_key key, now;
	char text[KEYS_TEXT_MAX] = "";
	int found;

	if (keys_row_parse(r->before[0] != '\0' ? r->before : r->after, r->pattern, &key) != 0) {
		snprintf(err, err_size, "its key cannot be read any more");
		return 1;
	}
	found = keys_row_find(e->d, r->pattern, key.fingerprint, &now);
	if (found < 0)
		return -1;
	if (found == 1)
		keys_row_text(&now, text);
	if (strcmp(text, r->after) != 0)
		return changed_since(r, err, err_size);
	count(e, r);
	if (e->c->is_dry_run)
		return 0;
	snprintf(key.author, sizeof key.author, "%s", e->c->author);
	key.created_at_unix = e->c->now_unix;
	if ((r->before[0] != '\0' ? keys_row_put(e->d, &key) : keys_row_delete(e->d, &key)) != 0)
		return -1;
	return keys_edit_note(e, r->pattern, r->after, r->before);
}

static int take_back_group(struct keys_edit *e, const struct row *r, char *err, size_t err_size)
{
	char *now = keys_group_text(e->d, r->pattern);
	const bool is_same = now != NULL && strcmp(now, r->after) == 0;
	const int result = now == NULL ? -1 : is_same ? 0 : changed_since(r, err, err_size);

	free(now);
	if (result != 0)
		return result;
	count(e, r);
	if (e->c->is_dry_run)
		return 0;
	return keys_group_put_text(e->d, r->pattern, r->before) != 0
		       ? -1
		       : keys_edit_note(e, r->pattern, r->after, r->before);
}

static int take_back(struct keys_edit *e, const struct row *r, char *err, size_t err_size)
{
	const char *text = r->after[0] != '\0' ? r->after : r->before;

	if (r->pattern[0] == '\0' || text[0] == '\0') {
		snprintf(err, err_size, "it is about somebody who was forgotten since");
		return 1;
	}
	return (strncmp(text, "group ", 6) == 0 ? take_back_group : take_back_key)(e, r, err,
										   err_size);
}

int keys_undo(struct db *d, int64_t change_key, int64_t no, const struct keys_change *c,
	      struct keys_result *out, char *err, size_t err_size)
{
	struct keys_edit e;
	int64_t last_id = INT64_MAX;
	int n = PAGE_ROWS, result;

	if (keys_edit_begin(&e, d, c, out) != 0)
		return -1;
	e.change.what = "undo";
	e.change.undoes = no;
	for (result = 0; n == PAGE_ROWS && result == 0;) {
		struct row *page = calloc(PAGE_ROWS, sizeof *page);

		n = page == NULL ? db_fail(d, DB_BROKEN, "out of memory")
				 : read_rows(d, change_key, last_id, page);
		result = n < 0 ? -1 : 0;
		for (int i = 0; i < n && result == 0; i++)
			result = take_back(&e, &page[i], err, err_size);
		if (n > 0)
			last_id = page[n - 1].id;
		if (page != NULL)
			free_rows(page, PAGE_ROWS);
	}
	if (result == 1) {
		keys_edit_finish(&e, -1);
		return 1;
	}
	return keys_edit_finish(&e, result);
}

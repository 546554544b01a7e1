/* SPDX-License-Identifier: ISC */
#include "db/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/rules/rule_row.h"
#include "db/rules/rules_internal.h"

#define PAGE_RULES 200 /* rows read under one snapshot: about a millisecond */

/* ---- listing ---- */

/* Is the key that was read the one that is stored? Another would not lead to the next page, but
 * back to this one. */
static bool has_its_key(sqlite3_stmt *st, const struct rule *r)
{
	char client[CLIENT_STORED_MAX];

	return strcmp(column_text(st, 2), r->sender.text) == 0 &&
	       strcmp(column_text(st, 3), client_stored(r, client)) == 0 &&
	       (size_t)sqlite3_column_bytes(st, 2) == strlen(r->sender.text);
}

/* The next page of a recipient's rules, after the key in *last. Returns how many, or -1. */
static int page_of_recipient(struct db *d, const char *recipient, int64_t generation,
			     const struct rule *last, struct rule *out, int n_max)
{
	char client[CLIENT_STORED_MAX];
	sqlite3_stmt *st = db_statement(d, SQL_RULE_PAGE_OF_RECIPIENT);
	int got, n = 0;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, recipient);
	/* Nothing sorts before the empty sender with the empty client: NULL would match nothing. */
	db_bind_text(st, 2, last != NULL && last->has_sender ? last->sender.text : "");
	db_bind_text(st, 3, last != NULL ? client_stored(last, client) : "");
	db_bind_int(st, 4, generation);
	db_bind_int(st, 5, n_max);
	while ((got = db_step(d, st)) == 1) {
		rule_from_row(d, st, &out[n]);
		if (!has_its_key(st, &out[n])) {
			sqlite3_reset(st);
			return db_fail(d, DB_BROKEN, "rule %lld is damaged; restore a backup",
				       (long long)out[n].id);
		}
		n++;
	}
	return got == 0 ? n : -1;
}

static int read_page(struct db *d, const struct rules_filter *f, const struct rule *last,
		     struct rule *page)
{
	struct db_state state;
	sqlite3_stmt *st;
	int got = -1, n = 0;

	if (db_begin_read(d) != 0)
		return -1;
	if (db_read_state(d, &state) == 0 && (st = db_statement(d, SQL_RULE_PAGE)) != NULL) {
		db_bind_int(st, 1, last != NULL ? last->id : 0);
		db_bind_int(st, 2, state.live_generation);
		db_bind_int(st, 3, PAGE_RULES);
		if (f->only_expired)
			db_bind_int(st, 4, f->now_unix);
		while ((got = db_step(d, st)) == 1)
			rule_from_row(d, st, &page[n++]);
	}
	return db_end(d, got) == 0 ? n : -1;
}

/* A recipient's rules come by key; the first page has the one that is not narrowed too. */
static int read_page_of_recipient(struct db *d, const struct rules_filter *f,
				  const struct rule *last, struct rule *page)
{
	struct rule key = {.recipient = *f->recipient};
	struct db_state state;
	int first = 0, n = -1;

	if (db_begin_read(d) != 0)
		return -1;
	if (db_read_state(d, &state) == 0) {
		if (last == NULL)
			first = rules_find(d, &key, state.live_generation, state.live_generation,
					   page);
		if (first >= 0)
			n = page_of_recipient(d, f->recipient->text, state.live_generation, last,
					      page + first, PAGE_RULES - 1);
	}
	return db_end(d, n < 0 ? -1 : 0) == 0 ? first + n : -1;
}

static bool is_wanted(const struct rules_filter *f, const struct rule *r)
{
	if (f->only_unused && r->hits > 0)
		return false;
	if (f->owner != NULL && strcmp(f->owner, r->owner) != 0)
		return false;
	return !f->only_expired || (r->expires_at_unix != 0 && r->expires_at_unix <= f->now_unix);
}

static int by_id(const void *a, const void *b)
{
	const int64_t x = ((const struct rule *)a)->id, y = ((const struct rule *)b)->id;

	return (x > y) - (x < y);
}

int rules_list(struct db *d, const struct rules_filter *f,
	       int (*tell)(void *context, const struct rule *r), void *context)
{
	struct rule *page = calloc(PAGE_RULES, sizeof *page);
	struct rule last;
	bool has_last = false;
	int n, result = 0;

	if (page == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	do {
		n = f->recipient != NULL
			    ? read_page_of_recipient(d, f, has_last ? &last : NULL, page)
			    : read_page(d, f, has_last ? &last : NULL, page);
		if (n < 0)
			result = -1;
		if (n > 0) {
			last = page[n - 1];
			has_last = true;
			qsort(page, (size_t)n, sizeof *page, by_id);
		}
		for (int i = 0; i < n && result == 0; i++)
			if (is_wanted(f, &page[i]))
				result = tell(context, &page[i]);
	} while (result == 0 && n >= PAGE_RULES - 1);
	free(page);
	return result;
}

int rules_of_id(struct db *d, int64_t id, struct rule *out)
{
	struct db_state state;
	sqlite3_stmt *st;
	int found = -1;

	if (db_begin_read(d) != 0)
		return -1;
	if (db_read_state(d, &state) == 0 && (st = db_statement(d, SQL_RULE_OF_ID)) != NULL) {
		db_bind_int(st, 1, id);
		db_bind_int(st, 2, state.live_generation);
		found = db_step(d, st);
		if (found == 1) {
			rule_from_row(d, st, out);
			sqlite3_reset(st);
		}
	}
	return db_end(d, found < 0 ? -1 : 0) == 0 ? found : -1;
}

void rule_key(const struct rule *r, struct rule_key *out)
{
	_Static_assert(sizeof out->client >= CLIENT_STORED_MAX, "room for a client");
	out->recipient = r->recipient.text;
	out->sender = r->has_sender ? r->sender.text : "";
	client_stored(r, out->client);
}

int rules_numbers(struct db *d, int64_t *last_no, int64_t *next_rule)
{
	int result = -1;

	if (db_begin_read(d) != 0)
		return -1;
	if (db_one(d, SQL_CHANGE_LAST_NO, last_no) == 0)
		result = db_one(d, SQL_RULE_NEXT_ID, next_rule);
	return db_end(d, result);
}

/* SPDX-License-Identifier: ISC */
#include "db/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "db/engine/column.h"
#include "db/rules/rule_row.h"

#define PAGE_RULES 200 /* rows read under one snapshot: about a millisecond */
#define FORGET_BATCH_MS \
	20 /* how long a transaction that removes many rules may hold the write lock */

/* ---- adding ---- */

/* The live rule with r's key: 1 found, 0 none, -1. */
static int find_same_key(struct db *d, const struct rule *r, int64_t generation, struct rule *found)
{
	char client[CLIENT_STORED_MAX];
	sqlite3_stmt *st = db_statement(d, SQL_RULE_OF_KEY);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, r->recipient.text);
	db_bind_text(st, 2, r->has_sender ? r->sender.text : "");
	db_bind_text(st, 3, client_stored(r, client));
	db_bind_int(st, 4, generation);
	got = db_step(d, st);
	if (got == 1)
		rule_from_row(d, st, found);
	sqlite3_reset(st);
	return got;
}

static int delete_key(struct db *d, const struct rule *r, int64_t generation)
{
	char client[CLIENT_STORED_MAX];
	sqlite3_stmt *st = db_statement(d, SQL_RULE_DELETE_KEY);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, r->recipient.text);
	db_bind_text(st, 2, r->has_sender ? r->sender.text : "");
	db_bind_text(st, 3, client_stored(r, client));
	db_bind_int(st, 4, generation);
	return db_run(d, st);
}

static int insert_rule(struct db *d, struct rule *r, int64_t generation)
{
	char client[CLIENT_STORED_MAX];
	sqlite3_stmt *st = db_statement(d, SQL_RULE_INSERT);

	if (st == NULL)
		return -1;
	rule_bind(st, generation, r, client_stored(r, client));
	if (db_run(d, st) != 0)
		return -1;
	r->id = sqlite3_last_insert_rowid(d->handle);
	return 0;
}

static int add_in_transaction(struct db *d, struct rule *r, bool *was_replaced, struct rule *replaced)
{
	char before[RULE_TEXT_MAX] = "", after[RULE_TEXT_MAX];
	struct db_state state;
	int found;

	if (db_read_state(d, &state) != 0)
		return -1;
	found = find_same_key(d, r, state.live_generation, replaced);
	if (found < 0 || (found == 1 && delete_key(d, r, state.live_generation) != 0))
		return -1;
	*was_replaced = found == 1;
	if (found == 1)
		rule_format(replaced, before, sizeof before);
	if (insert_rule(d, r, state.live_generation) != 0)
		return -1;
	return db_audit(d, state.live_generation, r->created_at_unix, r->author,
			found == 1 ? "replace" : "add", r->recipient.text, before,
			rule_format(r, after, sizeof after));
}

int rules_add(struct db *d, struct rule *r, int64_t now_unix, bool *was_replaced, struct rule *replaced)
{
	struct rule unwanted;
	bool unwanted_flag;

	r->created_at_unix = now_unix;
	r->hits = 0;
	r->last_hit_at_unix = 0;
	if (db_begin_write(d) != 0)
		return -1;
	return db_end(d, add_in_transaction(d, r, was_replaced != NULL ? was_replaced : &unwanted_flag,
					    replaced != NULL ? replaced : &unwanted));
}

/* ---- removing ---- */

static int forget_one(struct db *d, const struct rule *r, int64_t generation, int64_t now_unix,
		      const char *author)
{
	char before[RULE_TEXT_MAX];

	if (delete_key(d, r, generation) != 0)
		return -1;
	return db_audit(d, generation, now_unix, author, "forget", r->recipient.text,
			rule_format(r, before, sizeof before), NULL);
}

int rules_forget_id(struct db *d, int64_t id, int64_t now_unix, const char *author)
{
	struct db_state state;
	struct rule r;
	sqlite3_stmt *st;
	int found = -1;

	if (db_begin_write(d) != 0)
		return -1;
	if (db_read_state(d, &state) == 0 && (st = db_statement(d, SQL_RULE_OF_ID)) != NULL) {
		db_bind_int(st, 1, id);
		db_bind_int(st, 2, state.live_generation);
		found = db_step(d, st);
		if (found == 1) {
			rule_from_row(d, st, &r);
			sqlite3_reset(st);
			if (forget_one(d, &r, state.live_generation, now_unix, author) != 0)
				found = -1;
		}
	}
	return db_end(d, found < 0 ? -1 : 0) == 0 ? found : -1;
}

/* Is the key that was read the one that is stored? Another would not lead to the next page, but back to this one. */
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

/* Removes rules of a recipient until none is left or the time is up. Returns how many, or -1. */
static int forget_batch(struct db *d, const char *recipient, int64_t now_unix, const char *author,
			bool *is_done)
{
	const int64_t until_ms = clock_monotonic_ms() + FORGET_BATCH_MS;
	struct rule *page = calloc(PAGE_RULES, sizeof *page);
	struct rule key = {0};
	struct db_state state;
	int n = 0, removed = 0, result = -1;

	snprintf(key.recipient.text, sizeof key.recipient.text, "%s", recipient);
	if (page == NULL || db_read_state(d, &state) != 0)
		goto out;
	/* The one that is not narrowed is not in the page: pages come after a key, and it is the first. */
	result = find_same_key(d, &key, state.live_generation, &page[0]);
	if (result >= 0)
		n = page_of_recipient(d, recipient, state.live_generation, NULL, page + result,
				      PAGE_RULES - 1);
	if (result < 0 || n < 0) {
		result = -1;
		goto out;
	}
	n += result;
	result = 0;
	while (result == 0 && removed < n && clock_monotonic_ms() < until_ms)
		result = forget_one(d, &page[removed++], state.live_generation, now_unix, author);
	*is_done = removed == n && n < PAGE_RULES - 1;
out:
	free(page);
	return result == 0 ? removed : -1;
}

static int forget_all(struct db *d, const char *recipient, int64_t now_unix, const char *author)
{
	bool is_done = false;
	int total = 0;

	while (!is_done) {
		int n;

		if (db_begin_write(d) != 0)
			return -1;
		n = forget_batch(d, recipient, now_unix, author, &is_done);
		if (db_end(d, n < 0 ? -1 : 0) != 0)
			return -1;
		total += n;
	}
	return total;
}

int rules_forget(struct db *d, const struct rule *key, bool all, int64_t now_unix, const char *author)
{
	struct db_state state;
	struct rule r;
	int found = -1;

	if (all)
		return forget_all(d, key->recipient.text, now_unix, author);
	if (db_begin_write(d) != 0)
		return -1;
	if (db_read_state(d, &state) == 0) {
		found = find_same_key(d, key, state.live_generation, &r);
		if (found == 1 && forget_one(d, &r, state.live_generation, now_unix, author) != 0)
			found = -1;
	}
	return db_end(d, found < 0 ? -1 : 0) == 0 ? found : -1;
}

/* ---- listing ---- */

static int read_page(struct db *d, const struct rule *last, struct rule *page)
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
			first = find_same_key(d, &key, state.live_generation, page);
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
		n = f->recipient != NULL ? read_page_of_recipient(d, f, has_last ? &last : NULL, page)
					 : read_page(d, has_last ? &last : NULL, page);
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

/* ---- audit ---- */

static int read_changes(struct db *d, const struct pattern *recipient, int64_t after_id,
			struct rule_change *page, int64_t *ids)
{
	struct db_state state;
	sqlite3_stmt *st;
	int got = -1, n = 0;

	if (db_begin_read(d) != 0)
		return -1;
	if (db_read_state(d, &state) == 0 &&
	    (st = db_statement(d, recipient != NULL ? SQL_AUDIT_PAGE_OF_RECIPIENT : SQL_AUDIT_PAGE)) !=
		    NULL) {
		db_bind_int(st, 1, after_id);
		db_bind_int(st, 2, state.live_generation);
		db_bind_int(st, 3, PAGE_RULES);
		if (recipient != NULL)
			db_bind_text(st, 4, recipient->text);
		for (; (got = db_step(d, st)) == 1; n++) {
			ids[n] = sqlite3_column_int64(st, 0);
			page[n].time_unix = sqlite3_column_int64(st, 1);
			db_column_text(st, 2, page[n].author, sizeof page[n].author);
			db_column_text(st, 3, page[n].what, sizeof page[n].what);
			db_column_text(st, 4, page[n].before, sizeof page[n].before);
			db_column_text(st, 5, page[n].after, sizeof page[n].after);
		}
	}
	return db_end(d, got) == 0 ? n : -1;
}

int rules_history(struct db *d, const struct pattern *recipient,
		  int (*tell)(void *context, const struct rule_change *c), void *context)
{
	struct rule_change *page = calloc(PAGE_RULES, sizeof *page);
	int64_t ids[PAGE_RULES] = {0};
	int64_t last = 0;
	int n, result = 0;

	if (page == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	do {
		n = read_changes(d, recipient, last, page, ids);
		if (n < 0)
			result = -1;
		if (n > 0)
			last = ids[n - 1];
		for (int i = 0; i < n && result == 0; i++)
			result = tell(context, &page[i]);
	} while (result == 0 && n == PAGE_RULES);
	free(page);
	return result;
}

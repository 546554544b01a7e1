/* SPDX-License-Identifier: ISC
 *
 * apply.c: each change in the transaction that notes it; a snapshot in such an order that one that
 * was interrupted is taken again.
 */
#include "sync/apply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/person.h"
#include "db/verdicts.h"

#define PAGE_ROWS "2000" /* rules that travel at once */
#define KEY_ROWS "200"	 /* certificates are longer */
#define SETTLE_MS 2000
#define SNAPSHOT_AGAIN_MS 10000

/* A row that cannot be read, or that is missing: all rules are to be taken anew. */
#define DAMAGED (-2)

/* Items of keys, copied. */
struct items {
	char **text;
	size_t n, room;
};

static int items_add(struct items *i, const char *text)
{
	if (i->n == i->room) {
		const size_t room = i->room == 0 ? 256 : 2 * i->room;
		char **more = realloc(i->text, room * sizeof *more);

		if (more == NULL)
			return -1;
		i->text = more;
		i->room = room;
	}
	i->text[i->n] = strdup(text);
	return i->text[i->n] != NULL ? (i->n++, 0) : -1;
}

static void items_free(struct items *i)
{
	for (size_t n = 0; n < i->n; n++)
		free(i->text[n]);
	free(i->text);
}

/* ---- rows of rules ---- */

/* [position, text, is_removal, rule_id, author, created_at]; without a rule's number an item of
 * keys. */
static int apply_row(struct host *h, struct site_edit *e, struct items *items, const json_t *row)
{
	const struct site_rule r = {
		.text = json_string_value(json_array_get(row, 1)),
		.is_removal = json_is_true(json_array_get(row, 2)),
		.id = json_integer_value(json_array_get(row, 3)),
		.author = json_string_value(json_array_get(row, 4)),
		.created_at_unix = json_integer_value(json_array_get(row, 5)),
	};
	int result;

	if (r.text == NULL || r.author == NULL || strlen(r.text) > ANSWER_TEXT_MAX) {
		host_fail(h, "the centre: a rule that cannot be read");
		return DAMAGED;
	}
	if (items != NULL && r.id == 0 && !r.is_removal)
		return items_add(items, r.text) == 0 ? 0 : host_fail(h, "out of memory");
	result = site_edit_row(e, &r);
	if (result == 0)
		return 0;
	host_fail_db(h);
	return result == SITE_UNREADABLE ? DAMAGED : -1;
}

/* The rows of a change or a snapshot (no 0), page by page. *n_rows counts them. */
static int apply_rows(struct host *h, struct site_edit *e, struct items *items, const char *sql,
		      int64_t no, int64_t *n_rows)
{
	char number_text[24], after[24] = "0";
	const char *parameters[2] = {after, NULL};
	size_t n;

	snprintf(number_text, sizeof number_text, "%" PRId64, no);
	if (no != 0) {
		parameters[0] = number_text;
		parameters[1] = after;
	}
	do {
		json_t *page = host_ask(h, sql, no == 0 ? 1 : 2, parameters);
		int result = page != NULL ? 0 : -1;
		int64_t last = -1;

		n = json_array_size(page);
		for (size_t i = 0; i < n && result == 0; i++) {
			const json_t *row = json_array_get(page, i);
			const int64_t position = json_integer_value(json_array_get(row, 0));

			/* Each page leads on from the one before, or this would not end. */
			if (position <= last || position <= strtoll(after, NULL, 10)) {
				host_fail(h, "the centre: rows without an order");
				result = DAMAGED;
			} else {
				result = apply_row(h, e, items, row);
			}
			last = position;
		}
		if (n > 0)
			snprintf(after, sizeof after, "%" PRId64, last);
		*n_rows += (int64_t)n;
		json_decref(page);
		if (result != 0)
			return result;
	} while (n > 0);
	return 0;
}

static int apply_edit(struct host *h, const struct site_change *c, int64_t n_expected)
{
	struct site_edit *e = site_edit_begin(h->db, c, false);
	struct items items = {0};
	int64_t n_rows = 0;
	int result;

	if (e == NULL)
		return host_fail_db(h);
	result = apply_rows(h, e, &items, "SELECT pgpgate.change_rows($1, $2, " PAGE_ROWS ")",
			    c->no, &n_rows);
	if (result == 0 && n_rows != n_expected) {
		host_fail(h, "the centre: change %" PRId64 " has lost rows", c->no);
		result = DAMAGED;
	}
	if (result == 0 && items.n == 0) {
		result = site_edit_commit(e) == 0 ? 0 : host_fail_db(h);
	} else {
		site_edit_abort(e);
		if (result == 0 &&
		    site_apply_keys(h->db, c, items.n, (const char *const *)items.text) != 0)
			result = host_fail_db(h);
	}
	items_free(&items);
	return result;
}

/* ---- changes ---- */

static int apply_forget(struct host *h, const struct site_change *c, const json_t *keys)
{
	const char *sender[2], *recipient[2];
	size_t n = json_array_size(keys);

	if (n > 2)
		n = 2;
	for (size_t i = 0; i < n; i++) {
		sender[i] = json_string_value(json_array_get(json_array_get(keys, i), 0));
		recipient[i] = json_string_value(json_array_get(json_array_get(keys, i), 1));
		if (sender[i] == NULL || recipient[i] == NULL) {
			host_fail(h, "the centre: a change that cannot be read");
			return DAMAGED;
		}
	}
	return site_apply_forget(h->db, c, n, sender, recipient) == 0 ? 0 : host_fail_db(h);
}

/* Everything that is kept here about a person. What waits in the journal first: it would come
 * later. */
static int remove_person(struct host *h, const char *address)
{
	struct person_counts counts;

	verdicts_settle(h->db, SETTLE_MS);
	return person_remove(h->db, address, &counts) == 0 ? 0 : host_fail_db(h);
}

static int apply_change(struct host *h, const json_t *o)
{
	const json_t *detail = json_object_get(o, "detail");
	const char *person = json_string_value(json_object_get(detail, "person"));
	const struct site_change c = {
		.no = answer_number(o, "no"),
		.time_unix = answer_number(o, "time"),
		.undoes = answer_number(o, "undoes"),
		.mark = answer_text(o, "mark"),
		.author = answer_text(o, "author"),
		.what = answer_text(o, "what"),
		.owner = answer_text(o, "owner"),
		.before = answer_text(detail, "before"),
		.after = answer_text(detail, "after"),
		.is_pause = json_is_true(json_object_get(detail, "is_pause")),
		.paused_until_unix = answer_number(detail, "paused_until"),
	};

	if (c.is_pause)
		return site_apply_pause(h->db, &c) == 0 ? 0 : host_fail_db(h);
	if (strcmp(c.what, "forget-person") == 0) {
		if (person != NULL && remove_person(h, person) != 0)
			return -1;
		return site_apply_forget(h->db, &c, 0, NULL, NULL) == 0 ? 0 : host_fail_db(h);
	}
	if (strcmp(c.what, "forget-history") == 0)
		return apply_forget(h, &c, json_object_get(detail, "keys"));
	return apply_edit(h, &c, answer_number(o, "n_rows"));
}

/* ---- snapshots ---- */

/* Does an item come after one whose n texts these are? As for rows of rules: pages that do not lead
 * on would never end. The centre orders by octets, as UTF-8 does. */
static bool leads_on(const json_t *item, size_t n, const char *const *after)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(item, i));
		const int order = text != NULL ? strcmp(text, after[i]) : -1;

		if (order != 0)
			return order > 0;
	}
	return false;
}

/* What is longer could not be asked after: the same page would come for ever. */
static bool has_room(const json_t *text, size_t size)
{
	return json_is_string(text) && json_string_length(text) < size;
}

/* Tombstones: what was forgotten while this host was away. */
static int take_forgotten(struct host *h)
{
	char a[1300] = "", b[1300] = "";
	const char *const parameters[] = {a, b};
	size_t n;

	do {
		char *text = host_ask_text(
			h, "SELECT pgpgate.snapshot_forgotten($1, $2, " PAGE_ROWS ")", 2,
			parameters);
		json_error_t e;
		json_t *page = text != NULL ? json_loads(text, 0, &e) : NULL;
		const json_t *last;
		int result = 0;

		n = json_array_size(page);
		last = n > 0 ? json_array_get(page, n - 1) : NULL;
		if (text == NULL)
			return -1;
		if (n > 0 && site_forget_pairs(h->db, text) != 0)
			result = host_fail_db(h);
		if (n > 0 && (!has_room(json_array_get(last, 0), sizeof a) ||
			      !has_room(json_array_get(last, 1), sizeof b)))
			result = host_fail(h, "the centre: a forgotten pair that cannot be read");
		else if (n > 0 && !leads_on(last, 2, parameters))
			result = host_fail(h, "the centre: rows without an order");
		if (n > 0 && result == 0) {
			snprintf(a, sizeof a, "%s", json_string_value(json_array_get(last, 0)));
			snprintf(b, sizeof b, "%s", json_string_value(json_array_get(last, 1)));
		}
		free(text);
		json_decref(page);
		if (result != 0)
			return -1;
	} while (n > 0);
	return 0;
}

static int take_people(struct host *h)
{
	json_t *people = host_ask(h, "SELECT pgpgate.snapshot_people()", 0, NULL);
	int result = people != NULL ? 0 : -1;

	for (size_t i = 0; i < json_array_size(people) && result == 0; i++)
		if (json_is_string(json_array_get(people, i)))
			result = remove_person(h, json_string_value(json_array_get(people, i)));
	json_decref(people);
	return result;
}

static int take_keys(struct host *h)
{
	char kind[40] = "", a[1300] = "", b[1300] = "";
	const char *const parameters[] = {kind, a, b};
	struct items items = {0};
	int result = 0;
	size_t n;

	do {
		json_t *page = host_ask(h, "SELECT pgpgate.snapshot_keys($1, $2, $3, " KEY_ROWS ")",
					3, parameters);

		if (page == NULL)
			result = -1;
		n = json_array_size(page);
		for (size_t i = 0; i < n && result == 0; i++) {
			const json_t *item = json_array_get(page, i);
			const char *at[3];
			char *text = json_dumps(item, JSON_COMPACT);

			for (size_t k = 0; k < 3; k++)
				at[k] = json_string_value(json_array_get(item, k));
			if (text == NULL || !has_room(json_array_get(item, 0), sizeof kind) ||
			    !has_room(json_array_get(item, 1), sizeof a) ||
			    !has_room(json_array_get(item, 2), sizeof b) ||
			    items_add(&items, text) != 0) {
				result = host_fail(h, "the centre: a key that cannot be read");
			} else if (!leads_on(item, 3, parameters)) {
				result = host_fail(h, "the centre: rows without an order");
			} else {
				snprintf(kind, sizeof kind, "%s", at[0]);
				snprintf(a, sizeof a, "%s", at[1]);
				snprintf(b, sizeof b, "%s", at[2]);
			}
			free(text);
		}
		json_decref(page);
	} while (n > 0 && result == 0);
	if (result == 0 &&
	    site_apply_keys(h->db, NULL, items.n, (const char *const *)items.text) != 0)
		result = host_fail_db(h);
	items_free(&items);
	return result;
}

static int drop_unlike(struct host *h)
{
	char *heads = host_ask_text(h, "SELECT pgpgate.change_heads(10000)", 0, NULL);
	const int result = heads == NULL			 ? -1
			   : site_drop_unlike(h->db, heads) == 0 ? 0
								 : host_fail_db(h);

	free(heads);
	return result;
}

static int take_rules(struct host *h, const struct site_change *c)
{
	struct site_edit *e = site_edit_begin(h->db, c, true);
	int64_t n_rows = 0;

	if (e == NULL)
		return host_fail_db(h);
	if (apply_rows(h, e, NULL, "SELECT pgpgate.snapshot_rows($1, " PAGE_ROWS ")", 0, &n_rows) ==
	    0)
		return site_edit_commit(e) == 0 ? 0 : host_fail_db(h);
	site_edit_abort(e);
	return -1;
}

/* All rules at once: this host is new, or the centre is not what it was. That it is done is noted
 * with the rules, so they come last. */
static int take_snapshot(struct host *h)
{
	json_t *head;
	int result = -1;

	log_info("takes all rules of the centre anew");
	if (pg_call(h->centre, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL, NULL) !=
	    0)
		return host_fail_pg(h);
	head = host_ask(h, "SELECT pgpgate.snapshot_head()", 0, NULL);
	if (head != NULL) {
		const struct site_change c = {.no = answer_number(head, "no"),
					      .mark = answer_text(head, "mark"),
					      .time_unix = clock_now_unix(),
					      .author = "pgpgate-sync",
					      .what = "snapshot"};

		result = site_set_pause(h->db, answer_number(head, "paused")) == 0
				 ? 0
				 : host_fail_db(h);
		if (result == 0 && h->version >= 2)
			result = take_forgotten(h) != 0 || take_people(h) != 0 ||
						 take_keys(h) != 0 || drop_unlike(h) != 0
					 ? -1
					 : 0;
		if (result == 0)
			result = take_rules(h, &c);
		json_decref(head);
	}
	if (pg_is_open(h->centre))
		pg_call(h->centre, "ROLLBACK", 0, NULL, NULL);
	return result;
}

/* One that fails would fail each second. */
static int try_snapshot(struct host *h)
{
	const int64_t now_ms = clock_monotonic_ms();

	if (now_ms < h->snapshot_at_ms)
		return host_fail(h, "%s", h->snapshot_error);
	h->snapshot_at_ms = 0;
	if (take_snapshot(h) == 0) {
		h->needs_feed = true;
		return 0;
	}
	if (pg_is_open(h->centre)) {
		h->snapshot_at_ms = now_ms + SNAPSHOT_AGAIN_MS;
		memcpy(h->snapshot_error, h->error, sizeof h->snapshot_error);
	}
	return -1;
}

/* ---- an answer ---- */

int apply_rules(struct host *h, const struct answer *answer)
{
	const int64_t asked_no = h->state.rules_no;
	bool needs_snapshot = answer->needs_snapshot;

	/* Against what was applied meanwhile by another process. */
	if (host_read(h) != 1)
		return host_fail(h, "this host belongs to no site any more");
	if (needs_snapshot && h->state.rules_no != asked_no)
		return 0;
	for (size_t i = 0; i < json_array_size(answer->changes) && !needs_snapshot; i++) {
		const json_t *o = json_array_get(answer->changes, i);
		int result;

		if (answer_number(o, "no") <= h->state.rules_no)
			continue;
		result = apply_change(h, o);
		if (result == DAMAGED)
			log_warning("%s: change %" PRId64, h->error, answer_number(o, "no"));
		else if (result != 0)
			return -1;
		needs_snapshot = result == DAMAGED;
	}
	return needs_snapshot ? try_snapshot(h) : 0;
}

int apply_feed(struct host *h, const struct answer *answer)
{
	const bool is_new = strcmp(answer->started, h->state.started) != 0;

	if (h->needs_feed) {
		h->needs_feed = false;
		return site_feed_again(h->db) == 0 ? 0 : host_fail_db(h);
	}
	if (is_new && site_note_started(h->db, answer->started) != 0)
		return host_fail_db(h);
	if (is_new) {
		h->has_told_all = false;
		memset(&h->walk, 0, sizeof h->walk);
	}
	if (answer->feed_no == h->state.feed_no && answer->n_feed == 0)
		return 0;
	return site_apply_feed(h->db, answer->feed, answer->feed_no, clock_now_unix()) == 0
		       ? 0
		       : host_fail_db(h);
}

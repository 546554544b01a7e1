/* SPDX-License-Identifier: ISC */
#include "sync/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "sync/answer.h"
#include "sync/apply_rows.h"

#define KEY_ROWS "200" /* certificates are longer */
#define SNAPSHOT_AGAIN_MS 10000

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
		if (page == NULL)
			result = host_fail(h, "the centre: an answer that is none");
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

static int take_people(struct host *h, size_t *n)
{
	json_t *people = host_ask(h, "SELECT pgpgate.snapshot_people()", 0, NULL);
	int result = people != NULL ? 0 : -1;

	for (size_t i = 0; i < json_array_size(people) && result == 0; i++)
		if (json_is_string(json_array_get(people, i)))
			result = apply_person_removal(h,
						      json_string_value(json_array_get(people, i)));
	*n = json_array_size(people);
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

/* Changes after ours by which people were forgotten, more than the centre still knows. */
static void look_for_forgotten(const struct host *h, const char *heads, size_t n_people)
{
	json_error_t e;
	json_t *changes = json_loads(heads, 0, &e);
	int64_t last_no = 0;
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *change = json_array_get(changes, i);
		const char *what = json_string_value(json_array_get(change, 3));
		const int64_t no = json_integer_value(json_array_get(change, 0));

		if (what == NULL || strcmp(what, "forget-person") != 0 || no <= h->state.rules_no)
			continue;
		n++;
		last_no = no > last_no ? no : last_no;
	}
	json_decref(changes);
	if (n > n_people && h->state.rules_no > 0)
		apply_warn_forgotten(last_no);
}

static int drop_unlike(struct host *h, size_t n_people)
{
	char *heads = host_ask_text(h, "SELECT pgpgate.change_heads(10000)", 0, NULL);
	const int result = heads == NULL			 ? -1
			   : site_drop_unlike(h->db, heads) == 0 ? 0
								 : host_fail_db(h);

	if (result == 0)
		look_for_forgotten(h, heads, n_people);
	free(heads);
	return result;
}

static int take_rules(struct host *h, const struct site_change *c)
{
	struct site_edit *e = site_edit_begin(h->db, c, true);
	int64_t n_rows = 0;

	if (e == NULL)
		return host_fail_db(h);
	if (apply_rows(h, e, NULL, "SELECT pgpgate.snapshot_rows($1, " PAGE_ROWS ")", 0, INT64_MAX,
		       &n_rows) == 0)
		return site_edit_commit(e) == 0 ? 0 : host_fail_db(h);
	site_edit_abort(e);
	return -1;
}

/* All rules at once: this host is new, or the centre is not what it was. That it is done is noted
 * with the rules, so they come last. */
static int take_snapshot(struct host *h)
{
	json_t *head;
	size_t n_people = 0;
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
			result = take_forgotten(h) != 0 || take_people(h, &n_people) != 0 ||
						 take_keys(h) != 0 || drop_unlike(h, n_people) != 0
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
int snapshot_take(struct host *h)
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

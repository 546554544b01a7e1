/* SPDX-License-Identifier: ISC
 *
 * apply.c: each change in the transaction that notes it.
 */
#include "sync/apply.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "sync/apply_rows.h"
#include "sync/snapshot.h"

/* ---- changes ---- */

static int apply_edit(struct host *h, const struct site_change *c, int64_t n_expected)
{
	struct site_edit *e = site_edit_begin(h->db, c, false);
	struct items items = {0};
	int64_t n_rows = 0;
	int result;

	if (e == NULL)
		return host_fail_db(h);
	result = apply_rows(h, e, &items, "SELECT pgpgate.change_rows($1, $2, " PAGE_ROWS ")",
			    c->no, n_expected, &n_rows);
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
		if (person != NULL && apply_person_removal(h, person) != 0)
			return -1;
		if (person == NULL)
			apply_warn_forgotten(c.no);
		return site_apply_forget(h->db, &c, 0, NULL, NULL) == 0 ? 0 : host_fail_db(h);
	}
	if (strcmp(c.what, "forget-history") == 0)
		return apply_forget(h, &c, json_object_get(detail, "keys"));
	return apply_edit(h, &c, answer_number(o, "n_rows"));
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
	return needs_snapshot ? snapshot_take(h) : 0;
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

/* SPDX-License-Identifier: ISC
 *
 * rules_edit.c: edits of rules (rules.h). What is put is compared with what is there in read
 * transactions, some rules each; what differs is gathered. A few differences are one write
 * transaction at the commit. When there are more, they go to rules_stage.c in batches.
 */
#include "db/rules/rules_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/companions.h"
#include "db/rules/rule_row.h"

const char *rule_outcome_name(enum rule_outcome o)
{
	static const char *const names[] = {"added",   "changed", "unchanged",
					    "removed", "kept",	  "absent"};

	return names[o];
}

/* ---- beginning ---- */

static int read_last_rule(struct rules_edit *e)
{
	if (db_begin_read(e->d) != 0)
		return -1;
	return db_end(e->d, db_one(e->d, SQL_RULE_LAST_ID, &e->last_rule));
}

struct rules_edit *rules_edit_begin(struct db *d, const struct rules_edit_options *o)
{
	struct rules_edit *e = calloc(1, sizeof *e);

	if (e == NULL) {
		db_fail(d, DB_BROKEN, "out of memory");
		return NULL;
	}
	e->d = d;
	e->o = *o;
	e->stage.lock_fd = -1;
	snprintf(e->author, sizeof e->author, "%s", o->author);
	snprintf(e->owner, sizeof e->owner, "%s", o->owner != NULL ? o->owner : "");
	e->change = (struct change){.time_unix = o->now_unix,
				    .author = e->author,
				    .what = o->what != NULL ? o->what : "rules",
				    .owner = e->owner,
				    .undoes = o->undoes,
				    .site_no = o->site_no,
				    .site_mark = o->site_mark,
				    .is_snapshot = o->site_no != 0 && o->replaces};
	if ((o->is_bulk && !o->is_dry_run &&
	     rules_stage_lock(&e->stage, d, o->progress, o->context) != 0) ||
	    (o->replaces && read_last_rule(e) != 0)) {
		rules_edit_abort(e);
		return NULL;
	}
	return e;
}

static void free_edit(struct rules_edit *e)
{
	free(e->change.moved);
	free(e->seen);
	free(e);
}

void rules_edit_abort(struct rules_edit *e)
{
	if (e->stage.lock_fd >= 0)
		rules_stage_end(&e->stage, false);
	free_edit(e);
}

/* ---- comparing ---- */

/* FNV-1a over the key: most comparisons end at the hash. */
static uint32_t hash_key(const struct rule *r)
{
	char client[CLIENT_STORED_MAX];
	const char *const parts[] = {r->recipient.text, r->has_sender ? r->sender.text : "",
				     client_stored(r, client)};
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < 3; i++) {
		for (const char *p = parts[i]; *p != '\0'; p++)
			hash = (hash ^ (unsigned char)*p) * 16777619u;
		hash = (hash ^ 0xffu) * 16777619u;
	}
	return hash;
}

static bool has_same_key(const struct rule *a, const struct rule *b)
{
	char client_a[CLIENT_STORED_MAX], client_b[CLIENT_STORED_MAX];

	return strcmp(a->recipient.text, b->recipient.text) == 0 &&
	       a->has_sender == b->has_sender &&
	       (!a->has_sender || strcmp(a->sender.text, b->sender.text) == 0) &&
	       strcmp(client_stored(a, client_a), client_stored(b, client_b)) == 0;
}

static const struct rule *key_of(const struct rules_difference *x)
{
	return x->outcome == RULE_REMOVED ? &x->before : &x->after;
}

/* A key that comes again: what was settled for it does not count. Returns whether something is
 * staged for it. */
static bool drop_earlier(struct rules_edit *e, const struct rule *r, uint32_t hash)
{
	for (size_t i = 0; i < e->n_differences; i++) {
		struct rules_difference *x = &e->differences[i];
		bool was_staged;

		if (e->hashes[i] != hash || !has_same_key(key_of(x), r))
			continue;
		was_staged = x->replaces_staged;
		e->result.n[x->outcome]--;
		memmove(x, x + 1, (e->n_differences - i - 1) * sizeof *x);
		memmove(&e->hashes[i], &e->hashes[i + 1],
			(e->n_differences - i - 1) * sizeof e->hashes[0]);
		e->n_differences--;
		return was_staged;
	}
	return false;
}

static int note_seen(struct rules_edit *e, int64_t id)
{
	if ((size_t)e->n_seen == e->seen_room) {
		const size_t room = e->seen_room == 0 ? 4096 : e->seen_room * 2;
		int64_t *more = realloc(e->seen, room * sizeof more[0]);

		if (more == NULL)
			return db_fail(e->d, DB_BROKEN, "out of memory");
		e->seen = more;
		e->seen_room = room;
	}
	e->seen[e->n_seen++] = id;
	return 0;
}

static void settle(struct rules_edit *e, enum rule_outcome o, const struct rule *before,
		   const struct rule *after)
{
	e->result.n[o]++;
	if (e->o.tell != NULL)
		e->o.tell(e->o.context, o, before, after);
}

static void add_difference(struct rules_edit *e, enum rule_outcome o, const struct rule *before,
			   const struct rule *after, uint32_t hash, bool replaces_staged)
{
	struct rules_difference *x = &e->differences[e->n_differences];

	e->hashes[e->n_differences++] = hash;
	memset(x, 0, sizeof *x);
	x->outcome = o;
	x->replaces_staged = replaces_staged;
	if (before != NULL)
		x->before = *before;
	if (after != NULL)
		x->after = *after;
	e->result.n[o]++;
}

/* What was staged for a key that now comes with what is there anyway. */
static int unstage(struct rules_edit *e, const struct rule *r)
{
	/* Not within a read transaction: the caller has ended it. */
	if (db_begin_write(e->d) != 0)
		return -1;
	return db_end(e->d, rules_stage_drop(&e->stage, r));
}

/* Looks a rule up among what is live, and, for an import that stages, among what it has staged. */
static int look_up(struct rules_edit *e, const struct rule *r, struct rule *before, bool *is_staged)
{
	struct db_state state;
	int found;

	if (db_read_state(e->d, &state) != 0)
		return -1;
	*is_staged = false;
	found = e->is_staged ? rules_find_staged(e->d, r, e->stage.generation,
						 state.live_generation, before, is_staged)
			     : 0;
	if (!e->is_staged || (found == 1 && *is_staged))
		found = rules_find(e->d, r, state.live_generation, state.live_generation, before);
	return found;
}

/* Within a read transaction. *must_unstage: the caller has to. */
static int decide(struct rules_edit *e, const struct pending *p, bool *must_unstage)
{
	const uint32_t hash = hash_key(&p->rule);
	bool is_staged = drop_earlier(e, &p->rule, hash), is_in_table = false;
	struct rule before, after = p->rule;
	const int found = look_up(e, &p->rule, &before, &is_in_table);

	if (found < 0)
		return -1;
	if (is_in_table)
		e->result.n[found == 1 ? RULE_CHANGED : RULE_ADDED]--;
	is_staged = is_staged || is_in_table;
	*must_unstage = is_staged;
	if (found == 1 && e->o.replaces && !p->is_removal && note_seen(e, before.id) != 0)
		return -1;
	if (e->o.owner != NULL && found == 1 && strcmp(before.owner, e->owner) != 0) {
		settle(e, RULE_KEPT, &before, &p->rule);
	} else if (p->is_removal) {
		if (found == 0)
			settle(e, RULE_ABSENT, &p->rule, NULL);
		else
			add_difference(e, RULE_REMOVED, &before, NULL, hash, is_staged);
	} else if (found == 1 && rule_says_the_same(&before, &after) &&
		   (e->o.site_no == 0 || before.id == after.id)) {
		settle(e, RULE_UNCHANGED, &before, &before);
	} else {
		add_difference(e, found == 1 ? RULE_CHANGED : RULE_ADDED,
			       found == 1 ? &before : NULL, &after, hash, is_staged);
		*must_unstage = false; /* when the difference is staged */
	}
	return 0;
}

/* ---- gathering ---- */

/* Differences of a dry run are only told. */
static void tell_differences(struct rules_edit *e)
{
	for (size_t i = 0; i < e->n_differences && e->o.tell != NULL; i++) {
		const struct rules_difference *x = &e->differences[i];

		e->o.tell(e->o.context, x->outcome, x->outcome != RULE_ADDED ? &x->before : NULL,
			  x->outcome != RULE_REMOVED ? &x->after : NULL);
	}
}

/* Out of the way with the differences: there are too many to keep. */
static int spill(struct rules_edit *e)
{
	if (e->o.is_dry_run) {
		tell_differences(e);
		e->n_differences = 0;
		return 0;
	}
	if (e->stage.lock_fd < 0 &&
	    rules_stage_lock(&e->stage, e->d, e->o.progress, e->o.context) != 0)
		return -1;
	if (!e->is_staged && rules_stage_begin(&e->stage, &e->change) != 0)
		return -1;
	e->is_staged = true;
	if (rules_stage_write(&e->stage, e->differences, e->n_differences) != 0)
		return -1;
	e->n_differences = 0;
	return 0;
}

static int flush(struct rules_edit *e)
{
	struct rule again[PENDING_MAX];
	size_t n_again = 0;
	int result = 0;

	if (e->n_pending == 0)
		return 0;
	if (db_begin_read(e->d) != 0)
		return -1;
	for (size_t i = 0; i < e->n_pending && result == 0; i++) {
		bool must_unstage = false;

		result = decide(e, &e->pending[i], &must_unstage);
		if (must_unstage)
			again[n_again++] = e->pending[i].rule;
	}
	if (db_end(e->d, result) != 0)
		return -1;
	e->n_pending = 0;
	for (size_t i = 0; i < n_again; i++)
		if (unstage(e, &again[i]) != 0)
			return -1;
	return e->n_differences > EDIT_ROWS_MAX || (e->is_staged && e->n_differences > 0) ? spill(e)
											  : 0;
}

static int take(struct rules_edit *e, const struct rule *r, bool is_removal)
{
	struct pending *p = &e->pending[e->n_pending++];

	p->rule = *r;
	p->is_removal = is_removal;
	if (p->rule.id == 0 || is_removal) {
		snprintf(p->rule.author, sizeof p->rule.author, "%s", e->author);
		p->rule.created_at_unix = e->o.now_unix;
		p->rule.hits = 0;
		p->rule.last_hit_at_unix = 0;
	}
	if (e->o.owner != NULL)
		memcpy(p->rule.owner, e->owner, sizeof p->rule.owner);
	return e->n_pending == PENDING_MAX ? flush(e) : 0;
}

int rules_edit_put(struct rules_edit *e, const struct rule *r)
{
	return take(e, r, false);
}

int rules_edit_remove(struct rules_edit *e, const struct rule *key)
{
	return take(e, key, true);
}

/* ---- removing what was not put ---- */

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

struct sweep {
	struct rules_edit *edit;
	int failed;
};

static int sweep_one(void *context, const struct rule *r)
{
	struct sweep *x = context;
	struct rules_edit *e = x->edit;

	if (r->id > e->last_rule && !e->change.is_snapshot)
		return 1;
	if (e->n_seen > 0 &&
	    bsearch(&r->id, e->seen, (size_t)e->n_seen, sizeof e->seen[0], by_value) != NULL)
		return 0;
	x->failed = take(e, r, true);
	return x->failed != 0 ? 2 : 0;
}

/* Rules that were put, and have another number since the snapshot needed theirs. */
static int see_moved(struct rules_edit *e)
{
	const int64_t n = e->n_seen;

	for (size_t i = 0; i < e->change.n_moved; i++) {
		const int64_t *move = e->change.moved[i];

		if (bsearch(&move[0], e->seen, (size_t)n, sizeof e->seen[0], by_value) != NULL &&
		    note_seen(e, move[1]) != 0)
			return -1;
	}
	if (e->n_seen > n)
		qsort(e->seen, (size_t)e->n_seen, sizeof e->seen[0], by_value);
	return 0;
}

static int sweep(struct rules_edit *e)
{
	const struct rules_filter f = {.owner = e->o.owner != NULL ? e->owner : NULL};
	struct sweep x = {.edit = e};

	if (e->n_seen > 0)
		qsort(e->seen, (size_t)e->n_seen, sizeof e->seen[0], by_value);
	if (see_moved(e) != 0)
		return -1;
	if (rules_list(e->d, &f, sweep_one, &x) == -1 || x.failed != 0)
		return -1;
	return flush(e);
}

/* ---- committing ---- */

static int write_all(struct rules_edit *e)
{
	struct db_state state;

	if (db_read_state(e->d, &state) != 0 || change_open(e->d, &e->change) != 0)
		return -1;
	for (size_t i = 0; i < e->n_differences; i++) {
		struct rules_difference *x = &e->differences[i];

		e->result.n[x->outcome]--;
		if (rules_write(e->d, state.live_generation, state.live_generation, &e->change, x,
				e->o.undoes != 0) != 0)
			return -1;
		e->result.n[x->outcome]++;
	}
	if (e->change.n_rows > 0)
		return change_close(e->d, &e->change);
	/* Somebody was faster with the same. */
	return 1;
}

/* ---- at home ---- */

static int write_in_one(struct rules_edit *e)
{
	int result;

	if (e->d->remote != NULL) {
		if (rules_send_differences(e) != 0)
			return -1;
		tell_differences(e);
		return 0;
	}
	if (db_begin_write(e->d) != 0)
		return -1;
	result = write_all(e);
	if (result == 1) {
		e->change.no = 0;
		db_end(e->d, -1);
		return 0;
	}
	if (db_end(e->d, result) != 0)
		return -1;
	tell_differences(e);
	return 0;
}

int rules_edit_commit(struct rules_edit *e, struct rules_result *out)
{
	int result = flush(e);

	if (result == 0 && e->o.replaces)
		result = sweep(e);
	if (result == 0 && e->is_staged && e->n_differences > 0)
		result = spill(e);
	if (result == 0 && e->o.is_dry_run)
		tell_differences(e);
	else if (result == 0 && e->is_staged)
		result = e->d->remote != NULL ? rules_send_staged(e)
					      : rules_stage_switch_on(&e->stage);
	else if (result == 0 && e->n_differences > 0)
		result = write_in_one(e);
	/* It may be only in the log that it is so already. */
	if (result == 0 && !e->o.is_dry_run && e->d->remote == NULL && e->change.no == 0)
		result = companions_prove(e->d);
	if (e->stage.lock_fd >= 0)
		rules_stage_end(&e->stage, result == 0 && e->d->remote == NULL);
	if (result == 0) {
		*out = e->result;
		out->no = e->change.no;
	}
	free_edit(e);
	return result;
}

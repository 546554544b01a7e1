/* SPDX-License-Identifier: ISC
 *
 * keys.c: changes of keys (keys.h): each in one write transaction, with its rows of history.
 */
#include "db/rules/keys_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int keys_edit_note(struct keys_edit *e, const char *pattern, const char *before, const char *after)
{
	char *kept[2];
	int result = -1;

	if (e->c->is_dry_run)
		return 0;
	if (!e->is_open && change_open(e->d, &e->change) != 0)
		return -1;
	e->is_open = true;
	if (keys_hand_over_note(e, pattern, before, after) != 0)
		return -1;
	kept[0] = sealed_line(&e->d->hashed, before);
	kept[1] = sealed_line(&e->d->hashed, after);
	if (kept[0] == NULL || kept[1] == NULL)
		db_fail(e->d, DB_BROKEN, "out of memory");
	else
		result = change_add(e->d, &e->change,
				    &(struct change_row){.recipient = pattern,
							 .before = kept[0],
							 .after = kept[1]});
	free(kept[0]);
	free(kept[1]);
	return result;
}

static int note_outcome(struct keys_edit *e, enum rule_outcome o, const struct recipient_key *k)
{
	e->out->n[o]++;
	if (e->c->tell == NULL)
		return 0;
	if (e->n_outcomes == e->outcomes_room) {
		const size_t room = e->outcomes_room == 0 ? 16 : 2 * e->outcomes_room;
		struct keys_outcome *more = realloc(e->outcomes, room * sizeof more[0]);

		if (more == NULL)
			return db_fail(e->d, DB_BROKEN, "out of memory");
		e->outcomes = more;
		e->outcomes_room = room;
	}
	e->outcomes[e->n_outcomes++] = (struct keys_outcome){.outcome = o, .key = *k};
	return 0;
}

/* result: what became of the change as a whole. */
static int tell_outcomes(struct keys_edit *e, int result)
{
	for (size_t i = 0; i < e->n_outcomes && result == 0; i++)
		e->c->tell(e->c->context, e->outcomes[i].outcome, &e->outcomes[i].key);
	free(e->outcomes);
	e->outcomes = NULL;
	return result;
}

/* Of a key, either of them may be NULL: makes it so, counts, and puts it on record. */
static int settle(struct keys_edit *e, const struct recipient_key *before,
		  const struct recipient_key *after)
{
	const struct recipient_key *k = after != NULL ? after : before;
	char was[KEYS_TEXT_MAX] = "", is[KEYS_TEXT_MAX] = "";

	if (before != NULL)
		keys_row_text(before, was);
	if (after != NULL)
		keys_row_text(after, is);
	if (strcmp(was, is) == 0)
		return note_outcome(e, RULE_UNCHANGED, k);
	if (!e->c->is_dry_run &&
	    (after != NULL ? keys_row_put(e->d, after) : keys_row_delete(e->d, before)) != 0)
		return -1;
	if (note_outcome(e,
			 before == NULL	 ? RULE_ADDED
			 : after == NULL ? RULE_REMOVED
					 : RULE_CHANGED,
			 k) != 0)
		return -1;
	return keys_edit_note(e, k->pattern, was, is);
}

/* Certificates of which no key is left go: at the beginning of the next change, so that the last
 * one can be taken back whole. */
static int sweep(struct keys_edit *e)
{
	sqlite3_stmt *st = db_statement(e->d, SQL_CERTIFICATE_SWEEP);

	return e->c->is_dry_run ? 0 : st == NULL ? -1 : db_run(e->d, st);
}

int keys_edit_begin(struct keys_edit *e, struct db *d, const struct keys_change *c,
		    struct keys_result *out)
{
	memset(out, 0, sizeof *out);
	*e = (struct keys_edit){
		.d = d,
		.c = c,
		.out = out,
		.change = {.time_unix = c->now_unix, .author = c->author, .what = "keys"}};
	if (c->is_dry_run)
		return db_begin_read(d);
	if (db_begin_write(d) != 0)
		return -1;
	return sealed_settle(d) == 0 ? 0 : db_end(d, -1);
}

int keys_edit_finish(struct keys_edit *e, int result)
{
	if (e->d->remote != NULL && !e->c->is_dry_run)
		return tell_outcomes(e, keys_hand_over(e, result));
	if (result == 0 && e->is_open)
		result = change_close(e->d, &e->change);
	if (db_end(e->d, result) != 0)
		return tell_outcomes(e, -1);
	e->out->no = e->change.no;
	return tell_outcomes(e, 0);
}

static int put_one(struct keys_edit *e, const struct recipient_key *k)
{
	struct recipient_key before, after = *k;
	const int found = keys_row_find(e->d, k->pattern, k->fingerprint, &before);

	if (found < 0)
		return -1;
	snprintf(after.author, sizeof after.author, "%s", e->c->author);
	after.created_at_unix = e->c->now_unix;
	return settle(e, found == 1 ? &before : NULL, &after);
}

static int compare_keys(const void *a, const void *b)
{
	const struct recipient_key *left = a, *right = b;
	const int order = strcmp(left->pattern, right->pattern);

	return order != 0 ? order : strcmp(left->fingerprint, right->fingerprint);
}

/* What becomes of a key that the change does not name. 0 or -1. */
typedef int other_key(struct keys_edit *e, const struct recipient_key *k, void *context);

static int each_key(struct keys_edit *e, other_key *other, void *context)
{
	struct recipient_key *rows = calloc(KEYS_PAGE_ROWS, sizeof *rows);
	struct keys_place at = {.pattern = ""};
	int n, result = 0;

	if (rows == NULL)
		return db_fail(e->d, DB_BROKEN, "out of memory");
	do {
		n = keys_row_page(e->d, &at, rows);
		for (int i = 0; i < n && result == 0; i++)
			result = other(e, &rows[i], context);
	} while (n == KEYS_PAGE_ROWS && result == 0);
	free(rows);
	return n < 0 ? -1 : result;
}

static int compare_patterns(const void *a, const void *b)
{
	const struct recipient_key *left = a, *right = b;

	return strcmp(left->pattern, right->pattern);
}

/* context: the keys of the change, sorted. */
static int retire(struct keys_edit *e, const struct recipient_key *k, void *context)
{
	const struct recipient_key *sorted = context;
	struct recipient_key after = *k;

	if (bsearch(k, sorted, e->c->n_keys, sizeof *k, compare_keys) != NULL)
		return 0;
	if (e->c->replaces_all)
		return settle(e, k, NULL);
	if (k->state != KEY_ACTIVE || (k->until_unix != 0 && k->until_unix <= e->c->now_unix) ||
	    bsearch(k, sorted, e->c->n_keys, sizeof *k, compare_patterns) == NULL)
		return 0;
	after.state = KEY_SUPERSEDED;
	after.until_unix = e->c->now_unix;
	return settle(e, k, &after);
}

static int retire_others(struct keys_edit *e)
{
	struct recipient_key *sorted;
	int result;

	if (!e->c->replaces_all && !e->c->supersedes)
		return 0;
	sorted = calloc(e->c->n_keys + 1, sizeof *sorted);
	if (sorted == NULL)
		return db_fail(e->d, DB_BROKEN, "out of memory");
	if (e->c->n_keys > 0)
		memcpy(sorted, e->c->keys, e->c->n_keys * sizeof *sorted);
	qsort(sorted, e->c->n_keys, sizeof *sorted, compare_keys);
	result = each_key(e, retire, sorted);
	free(sorted);
	return result;
}

static int put_certificate(struct db *d, const struct key_certificate *c)
{
	sqlite3_stmt *st = db_statement(d, SQL_CERTIFICATE_PUT);
	char fingerprint[SEALED_TEXT_MAX];
	unsigned char *packets;
	size_t len = 0;

	if (st == NULL)
		return -1;
	packets = sealed_packets(&d->hashed, c->packets, c->len, &len);
	if (packets == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	db_bind_text(st, 1, sealed_form(&d->hashed, c->fingerprint, fingerprint));
	sqlite3_bind_blob64(st, 2, packets, len, free);
	return db_run(d, st);
}

int keys_put(struct db *d, const struct keys_change *c, struct keys_result *out)
{
	struct keys_edit e;
	int result = keys_edit_begin(&e, d, c, out);

	if (result != 0)
		return -1;
	result = sweep(&e);
	for (size_t i = 0; i < c->n_keys && result == 0; i++)
		result = put_one(&e, &c->keys[i]);
	if (result == 0)
		result = retire_others(&e);
	for (size_t i = 0; i < c->n_certificates && result == 0 && !c->is_dry_run; i++)
		result = put_certificate(d, &c->certificates[i]) != 0
				 ? -1
				 : keys_hand_over_certificate(&e, c->certificates[i].fingerprint);
	return keys_edit_finish(&e, result);
}

struct forgetting {
	const char *pattern, *fingerprint;
};

static int forget_if(struct keys_edit *e, const struct recipient_key *k, void *context)
{
	const struct forgetting *f = context;

	if (strcmp(k->pattern, f->pattern) != 0)
		return 0;
	if (f->fingerprint != NULL && strcmp(k->fingerprint, f->fingerprint) != 0 &&
	    strcmp(k->primary_fingerprint, f->fingerprint) != 0)
		return 0;
	return settle(e, k, NULL);
}

int keys_forget(struct db *d, const struct keys_change *c, const char *pattern,
		const char *fingerprint, struct keys_result *out)
{
	struct forgetting f = {pattern, fingerprint};
	struct keys_edit e;
	int result = keys_edit_begin(&e, d, c, out);

	if (result != 0)
		return -1;
	result = sweep(&e);
	if (result == 0)
		result = each_key(&e, forget_if, &f);
	if (result == 0 && fingerprint == NULL)
		result = keys_edit_group(&e, pattern, NULL, 0, false);
	return keys_edit_finish(&e, result);
}

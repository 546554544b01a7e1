/* SPDX-License-Identifier: ISC
 *
 * keys.c: changes of keys (keys.h): each in one write transaction, with its rows of history.
 */
#include "db/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "db/engine/change.h"
#include "db/engine/column.h"
#include "db/engine/internal.h"

#define PAGE_ROWS 200
#define TEXT_MAX 1024

static const char *const state_names[KEY_STATE_COUNT] = {
	[KEY_ACTIVE] = "active",
	[KEY_EXPIRED] = "expired",
	[KEY_SUPERSEDED] = "superseded",
	[KEY_COMPROMISED] = "compromised",
};

const char *key_state_name(enum key_state s)
{
	return state_names[s];
}

int key_state_from_name(const char *name, enum key_state *out)
{
	for (int i = 0; i < KEY_STATE_COUNT; i++)
		if (strcmp(name, state_names[i]) == 0) {
			*out = (enum key_state)i;
			return 0;
		}
	return -1;
}

bool key_is_spare(const struct recipient_key *k)
{
	return strcmp(k->source, KEY_SOURCE_SPARE) == 0;
}

int key_id_of(const char *fingerprint, uint64_t *out)
{
	const size_t len = strlen(fingerprint);
	char digits[17];

	if ((len != 40 && len != 64) || strspn(fingerprint, "0123456789ABCDEF") != len)
		return -1;
	memcpy(digits, len == 40 ? fingerprint + 24 : fingerprint, 16);
	digits[16] = '\0';
	*out = strtoull(digits, NULL, 16);
	return 0;
}

/* ---- rows ---- */

/* Columns from `first` on: primary_fingerprint, key_id, from, until, state, source, note, author, created_at. */
static void fill_key(sqlite3_stmt *st, int first, struct recipient_key *k)
{
	db_column_text(st, first, k->primary_fingerprint, sizeof k->primary_fingerprint);
	k->key_id = (uint64_t)sqlite3_column_int64(st, first + 1);
	k->from_unix = sqlite3_column_int64(st, first + 2);
	k->until_unix = sqlite3_column_int64(st, first + 3);
	k->state = KEY_COMPROMISED; /* what is none of the words lets nothing through */
	key_state_from_name(column_text(st, first + 4), &k->state);
	db_column_text(st, first + 5, k->source, sizeof k->source);
	db_column_text(st, first + 6, k->note, sizeof k->note);
	db_column_text(st, first + 7, k->author, sizeof k->author);
	k->created_at_unix = sqlite3_column_int64(st, first + 8);
}

/* 1, 0, -1. */
static int find_key(struct db *d, const char *pattern, const char *fingerprint, struct recipient_key *out)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_FIND);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	db_bind_text(st, 2, fingerprint);
	got = db_step(d, st);
	if (got == 1) {
		memset(out, 0, sizeof *out);
		snprintf(out->pattern, sizeof out->pattern, "%s", pattern);
		snprintf(out->fingerprint, sizeof out->fingerprint, "%s", fingerprint);
		fill_key(st, 0, out);
	}
	sqlite3_reset(st);
	return got;
}

static int put_key(struct db *d, const struct recipient_key *k)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_PUT);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, k->pattern);
	db_bind_int(st, 2, (int64_t)k->key_id);
	db_bind_text(st, 3, k->fingerprint);
	db_bind_text(st, 4, k->primary_fingerprint);
	db_bind_int_or_null(st, 5, k->from_unix);
	db_bind_int_or_null(st, 6, k->until_unix);
	db_bind_text(st, 7, key_state_name(k->state));
	db_bind_text(st, 8, k->source);
	db_bind_text_or_null(st, 9, k->note);
	db_bind_text(st, 10, k->author);
	db_bind_int(st, 11, k->created_at_unix);
	return db_run(d, st);
}

static int delete_key(struct db *d, const struct recipient_key *k)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_DELETE);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, k->pattern);
	db_bind_text(st, 2, k->fingerprint);
	return db_run(d, st);
}

/* "key alice@example.org FINGERPRINT state=active from=... until=... certificate=FINGERPRINT". Returns out. */
static char *key_text(const struct recipient_key *k, char out[TEXT_MAX])
{
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	snprintf(out, TEXT_MAX, "key %s %s state=%s%s%s%s%s%s%s", k->pattern, k->fingerprint,
		 key_state_name(k->state), k->from_unix != 0 ? " from=" : "",
		 k->from_unix != 0 ? clock_format(k->from_unix, from) : "",
		 k->until_unix != 0 ? " until=" : "",
		 k->until_unix != 0 ? clock_format(k->until_unix, until) : "",
		 k->primary_fingerprint[0] != '\0' ? " certificate=" : "", k->primary_fingerprint);
	return out;
}

/* ---- one change ---- */

struct editing {
	struct db *d;
	const struct keys_change *c;
	struct change change;
	bool is_open;
	struct keys_result *out;
};

static int note_row(struct editing *e, const char *pattern, const char *before, const char *after)
{
	const struct change_row row = {.recipient = pattern, .before = before, .after = after};

	if (e->c->is_dry_run)
		return 0;
	if (!e->is_open && change_open(e->d, &e->change) != 0)
		return -1;
	e->is_open = true;
	return change_add(e->d, &e->change, &row);
}

static void tell(struct editing *e, enum rule_outcome o, const struct recipient_key *k)
{
	e->out->n[o]++;
	if (e->c->tell != NULL)
		e->c->tell(e->c->context, o, k);
}

/* before or after may be NULL. */
static int settle(struct editing *e, const struct recipient_key *before, const struct recipient_key *after)
{
	const struct recipient_key *k = after != NULL ? after : before;
	char was[TEXT_MAX] = "", is[TEXT_MAX] = "";

	if (before != NULL)
		key_text(before, was);
	if (after != NULL)
		key_text(after, is);
	if (strcmp(was, is) == 0 && strcmp(before->note, after->note) == 0) {
		tell(e, RULE_UNCHANGED, k);
		return 0;
	}
	if (!e->c->is_dry_run && (after != NULL ? put_key(e->d, after) : delete_key(e->d, before)) != 0)
		return -1;
	tell(e, before == NULL ? RULE_ADDED : after == NULL ? RULE_REMOVED : RULE_CHANGED, k);
	return note_row(e, k->pattern, was, is);
}

static int put_one(struct editing *e, const struct recipient_key *k)
{
	struct recipient_key before, after = *k;
	const int found = find_key(e->d, k->pattern, k->fingerprint, &before);

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

/* A page of keys within the caller's transaction. Returns how many, or -1. */
static int read_page(struct db *d, const char *pattern, const char *fingerprint,
		     struct recipient_key rows[PAGE_ROWS])
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_PAGE);
	int n = 0, got = -1;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	db_bind_text(st, 2, fingerprint);
	db_bind_int(st, 3, PAGE_ROWS);
	while ((got = db_step(d, st)) == 1) {
		struct recipient_key *k = &rows[n++];

		memset(k, 0, sizeof *k);
		db_column_text(st, 0, k->pattern, sizeof k->pattern);
		db_column_text(st, 1, k->fingerprint, sizeof k->fingerprint);
		fill_key(st, 2, k);
	}
	return got < 0 ? -1 : n;
}

/* What becomes of a key that the change does not name. 0 or -1. */
typedef int other_key(struct editing *e, const struct recipient_key *k, void *context);

static int each_key(struct editing *e, other_key *other, void *context)
{
	struct recipient_key *rows = calloc(PAGE_ROWS, sizeof *rows);
	char pattern[ADDRESS_MAX + 1] = "", fingerprint[FINGERPRINT_MAX] = "";
	int n, result = 0;

	if (rows == NULL)
		return db_fail(e->d, DB_BROKEN, "out of memory");
	do {
		n = read_page(e->d, pattern, fingerprint, rows);
		for (int i = 0; i < n && result == 0; i++)
			result = other(e, &rows[i], context);
		if (n > 0) {
			memcpy(pattern, rows[n - 1].pattern, sizeof pattern);
			memcpy(fingerprint, rows[n - 1].fingerprint, sizeof fingerprint);
		}
	} while (n == PAGE_ROWS && result == 0);
	free(rows);
	return n < 0 ? -1 : result;
}

static int compare_patterns(const void *a, const void *b)
{
	const struct recipient_key *left = a, *right = b;

	return strcmp(left->pattern, right->pattern);
}

/* context: the keys of the change, sorted. */
static int retire(struct editing *e, const struct recipient_key *k, void *context)
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

static int retire_others(struct editing *e)
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

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, c->fingerprint);
	sqlite3_bind_blob64(st, 2, c->packets, c->len, SQLITE_STATIC);
	return db_run(d, st);
}

static int sweep(struct editing *e)
{
	sqlite3_stmt *st = db_statement(e->d, SQL_CERTIFICATE_SWEEP);

	return e->c->is_dry_run ? 0 : st == NULL ? -1 : db_run(e->d, st);
}

static int begin(struct editing *e, struct db *d, const struct keys_change *c, struct keys_result *out)
{
	memset(out, 0, sizeof *out);
	*e = (struct editing){.d = d,
			      .c = c,
			      .out = out,
			      .change = {.time_unix = c->now_unix, .author = c->author, .what = "keys"}};
	return c->is_dry_run ? db_begin_read(d) : db_begin_write(d);
}

static int finish(struct editing *e, int result)
{
	if (result == 0 && e->is_open)
		result = change_close(e->d, &e->change);
	if (db_end(e->d, result) != 0)
		return -1;
	e->out->no = e->change.no;
	return 0;
}

int keys_put(struct db *d, const struct keys_change *c, struct keys_result *out)
{
	struct editing e;
	int result = begin(&e, d, c, out);

	if (result != 0)
		return -1;
	for (size_t i = 0; i < c->n_keys && result == 0; i++)
		result = put_one(&e, &c->keys[i]);
	if (result == 0)
		result = retire_others(&e);
	for (size_t i = 0; i < c->n_certificates && result == 0 && !c->is_dry_run; i++)
		result = put_certificate(d, &c->certificates[i]);
	if (result == 0)
		result = sweep(&e);
	return finish(&e, result);
}

/* ---- forgetting ---- */

struct forgetting {
	const char *pattern, *fingerprint;
};

static int forget_if(struct editing *e, const struct recipient_key *k, void *context)
{
	const struct forgetting *f = context;

	if (strcmp(k->pattern, f->pattern) != 0)
		return 0;
	if (f->fingerprint != NULL && strcmp(k->fingerprint, f->fingerprint) != 0 &&
	    strcmp(k->primary_fingerprint, f->fingerprint) != 0)
		return 0;
	return settle(e, k, NULL);
}

/* "group team@example.org = a@..., b@... (all)", cut where it is long. */
static int group_text(struct db *d, const char *pattern, char out[TEXT_MAX])
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_GROUP_PAGE);
	bool wants_all = false;
	size_t used = 0;
	int got;

	out[0] = '\0';
	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	db_bind_text(st, 2, "");
	db_bind_int(st, 3, INT64_MAX);
	while ((got = db_step(d, st)) == 1) {
		if (strcmp(column_text(st, 0), pattern) != 0) {
			sqlite3_reset(st);
			break;
		}
		if (used == 0)
			used = (size_t)snprintf(out, TEXT_MAX, "group %s =", pattern);
		if (used + 340 < TEXT_MAX)
			used += (size_t)snprintf(out + used, TEXT_MAX - used, " %s", column_text(st, 1));
		wants_all = sqlite3_column_int(st, 2) != 0;
	}
	if (wants_all && used > 0)
		snprintf(out + used, TEXT_MAX - used, " (all)");
	return got < 0 ? -1 : 0;
}

static int delete_group(struct db *d, const char *pattern)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_GROUP_DELETE);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	return db_run(d, st);
}

static int put_members(struct db *d, const char *pattern, const char *const *members, size_t n,
		       bool wants_all)
{
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt *st = db_statement(d, SQL_KEY_GROUP_PUT);

		if (st == NULL)
			return -1;
		db_bind_text(st, 1, pattern);
		db_bind_text(st, 2, members[i]);
		db_bind_int(st, 3, wants_all);
		if (db_run(d, st) != 0)
			return -1;
	}
	return 0;
}

static int change_group(struct editing *e, const char *pattern, const char *const *members,
			size_t n, bool wants_all)
{
	char before[TEXT_MAX], after[TEXT_MAX] = "";

	if (group_text(e->d, pattern, before) != 0)
		return -1;
	if (e->c->is_dry_run || (before[0] == '\0' && n == 0))
		return 0;
	if (delete_group(e->d, pattern) != 0 || put_members(e->d, pattern, members, n, wants_all) != 0 ||
	    group_text(e->d, pattern, after) != 0)
		return -1;
	if (strcmp(before, after) == 0) {
		e->out->n[RULE_UNCHANGED]++;
		return 0;
	}
	e->out->n[before[0] == '\0'  ? RULE_ADDED
		  : after[0] == '\0' ? RULE_REMOVED
				     : RULE_CHANGED]++;
	return note_row(e, pattern, before, after);
}

int keys_forget(struct db *d, const struct keys_change *c, const char *pattern,
		const char *fingerprint, struct keys_result *out)
{
	struct forgetting f = {pattern, fingerprint};
	struct editing e;
	int result = begin(&e, d, c, out);

	if (result != 0)
		return -1;
	result = each_key(&e, forget_if, &f);
	if (result == 0 && fingerprint == NULL)
		result = change_group(&e, pattern, NULL, 0, false);
	if (result == 0)
		result = sweep(&e);
	return finish(&e, result);
}

int keys_group(struct db *d, const struct keys_change *c, const char *pattern,
	       const char *const *members, size_t n_members, bool wants_all, struct keys_result *out)
{
	struct editing e;

	if (begin(&e, d, c, out) != 0)
		return -1;
	return finish(&e, change_group(&e, pattern, members, n_members, wants_all));
}

/* ---- reading ---- */

int keys_list(struct db *d, const char *pattern, int64_t until_unix,
	      int (*tell_one)(void *context, const struct recipient_key *k), void *context)
{
	struct recipient_key *rows = calloc(PAGE_ROWS, sizeof *rows);
	char last_pattern[ADDRESS_MAX + 1] = "", fingerprint[FINGERPRINT_MAX] = "";
	int n = 0, result = 0;

	if (rows == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	if (pattern != NULL)
		snprintf(last_pattern, sizeof last_pattern, "%s", pattern);
	do {
		n = db_begin_read(d) != 0 ? -1 : read_page(d, last_pattern, fingerprint, rows);
		if (n < 0 || db_end(d, 0) != 0) {
			free(rows);
			return -1;
		}
		for (int i = 0; i < n && result == 0; i++) {
			const struct recipient_key *k = &rows[i];

			if (pattern != NULL && strcmp(k->pattern, pattern) != 0)
				n = 0;
			else if (until_unix == 0 || (k->until_unix != 0 && k->until_unix < until_unix))
				result = tell_one(context, k);
		}
		if (n > 0) {
			memcpy(last_pattern, rows[n - 1].pattern, sizeof last_pattern);
			memcpy(fingerprint, rows[n - 1].fingerprint, sizeof fingerprint);
		}
	} while (n == PAGE_ROWS && result == 0);
	free(rows);
	return result;
}

int keys_groups(struct db *d, const char *pattern,
		int (*tell_one)(void *context, const char *pattern, const char *member, bool wants_all),
		void *context)
{
	char last[ADDRESS_MAX + 1] = "", member[ADDRESS_MAX + 1] = "";
	int got, result = 0;

	if (pattern != NULL)
		snprintf(last, sizeof last, "%s", pattern);
	do {
		sqlite3_stmt *st;
		bool wants_all = false;

		got = -1;
		if (db_begin_read(d) != 0)
			return -1;
		st = db_statement(d, SQL_KEY_GROUP_PAGE);
		if (st != NULL) {
			db_bind_text(st, 1, last);
			db_bind_text(st, 2, member);
			db_bind_int(st, 3, 1);
			got = db_step(d, st);
		}
		if (got == 1) {
			db_column_text(st, 0, last, sizeof last);
			db_column_text(st, 1, member, sizeof member);
			wants_all = sqlite3_column_int(st, 2) != 0;
			sqlite3_reset(st);
		}
		if (db_end(d, got < 0 ? -1 : 0) != 0)
			return -1;
		if (got == 1 && (pattern == NULL || strcmp(last, pattern) == 0))
			result = tell_one(context, last, member, wants_all);
		else
			got = 0;
	} while (got == 1 && result == 0);
	return result;
}

int keys_certificate(struct db *d, const char *fingerprint, unsigned char **packets, size_t *len)
{
	sqlite3_stmt *st;
	int got = -1;

	*packets = NULL;
	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_CERTIFICATE_FIND);
	if (st != NULL) {
		db_bind_text(st, 1, fingerprint);
		got = db_step(d, st);
	}
	if (got == 1) {
		*len = (size_t)sqlite3_column_bytes(st, 0);
		*packets = malloc(*len + 1);
		if (*packets != NULL && *len > 0)
			memcpy(*packets, sqlite3_column_blob(st, 0), *len);
		sqlite3_reset(st);
		if (*packets == NULL)
			got = db_fail(d, DB_BROKEN, "out of memory");
	}
	if (db_end(d, got < 0 ? -1 : 0) != 0) {
		free(*packets);
		*packets = NULL;
		return -1;
	}
	return got;
}

int keys_missing(struct db *d, int most, void (*tell_one)(void *context, const char *pattern),
		 void *context)
{
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_KEY_MISSING);
	if (st != NULL) {
		db_bind_text(st, 1, "");
		db_bind_int(st, 2, most);
		while ((got = db_step(d, st)) == 1)
			tell_one(context, column_text(st, 0));
	}
	return db_end(d, got);
}

int keys_demanded(struct db *d, const char *pattern)
{
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_KEY_DEMANDED);
	if (st != NULL) {
		db_bind_text(st, 1, pattern);
		got = db_step(d, st);
		sqlite3_reset(st);
	}
	return db_end(d, got < 0 ? -1 : 0) == 0 ? got : -1;
}

int64_t keys_ending(struct db *d, int64_t from_unix, int64_t until_unix)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_ENDING);
	int64_t n = -1;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, from_unix);
	db_bind_int(st, 2, until_unix);
	if (db_step(d, st) == 1)
		n = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return n;
}

/* SPDX-License-Identifier: ISC
 *
 * keys_row.c: one key as a row of the database and as a line of the history.
 */
#include "db/rules/keys_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "db/engine/column.h"
#include "db/engine/sealed.h"

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

/* Columns from `first` on: primary_fingerprint, key_id, from, until, state, source, note, author,
 * created_at. fingerprint: as it is kept (db/engine/sealed.h). 0 or -1. */
static int fill(struct db *d, sqlite3_stmt *st, int first, const char *fingerprint,
		struct recipient_key *k)
{
	if (sealed_open(&d->hashed, fingerprint, k->fingerprint) != 0 ||
	    sealed_open(&d->hashed, column_text(st, first), k->primary_fingerprint) != 0)
		return sealed_fail(d);
	k->key_id = (uint64_t)sqlite3_column_int64(st, first + 1);
	if (sealed_is(fingerprint))
		key_id_of(k->fingerprint, &k->key_id);
	k->from_unix = sqlite3_column_int64(st, first + 2);
	k->until_unix = sqlite3_column_int64(st, first + 3);
	k->state = KEY_COMPROMISED; /* what is none of the words lets nothing through */
	key_state_from_name(column_text(st, first + 4), &k->state);
	db_column_text(st, first + 5, k->source, sizeof k->source);
	db_column_text(st, first + 6, k->note, sizeof k->note);
	db_column_text(st, first + 7, k->author, sizeof k->author);
	k->created_at_unix = sqlite3_column_int64(st, first + 8);
	return 0;
}

static int find_kept(struct db *d, const char *pattern, const char *kept, struct recipient_key *out)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_FIND);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	db_bind_text(st, 2, kept);
	got = db_step(d, st);
	if (got == 1) {
		memset(out, 0, sizeof *out);
		snprintf(out->pattern, sizeof out->pattern, "%s", pattern);
		if (fill(d, st, 0, kept, out) != 0)
			got = -1;
	}
	sqlite3_reset(st);
	return got;
}

/* 1, 0, -1. Where nothing may be written (a dry run) rows may be in the form of other settings. */
int keys_row_find(struct db *d, const char *pattern, const char *fingerprint,
		  struct recipient_key *out)
{
	struct hashed other = d->hashed;
	char kept[SEALED_TEXT_MAX];
	int got = find_kept(d, pattern, sealed_form(&d->hashed, fingerprint, kept), out);

	other.is_on = !other.is_on && other.has_key;
	if (got == 0)
		got = find_kept(d, pattern, sealed_form(&other, fingerprint, kept), out);
	explicit_bzero(&other, sizeof other);
	return got;
}

int keys_row_put(struct db *d, const struct recipient_key *k)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_PUT);
	char fingerprint[SEALED_TEXT_MAX], primary[SEALED_TEXT_MAX];
	const struct hashed *h = &d->hashed;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, k->pattern);
	db_bind_int(st, 2, (int64_t)(h->is_on ? hashed_key_id(h, k->key_id) : k->key_id));
	db_bind_text(st, 3, sealed_form(h, k->fingerprint, fingerprint));
	db_bind_text(st, 4, sealed_form(h, k->primary_fingerprint, primary));
	db_bind_int_or_null(st, 5, k->from_unix);
	db_bind_int_or_null(st, 6, k->until_unix);
	db_bind_text(st, 7, key_state_name(k->state));
	db_bind_text(st, 8, k->source);
	db_bind_text_or_null(st, 9, k->note);
	db_bind_text(st, 10, k->author);
	db_bind_int(st, 11, k->created_at_unix);
	return db_run(d, st);
}

int keys_row_delete(struct db *d, const struct recipient_key *k)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_DELETE);
	char fingerprint[SEALED_TEXT_MAX];

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, k->pattern);
	db_bind_text(st, 2, sealed_form(&d->hashed, k->fingerprint, fingerprint));
	return db_run(d, st);
}

char *keys_row_text(const struct recipient_key *k, char out[KEYS_TEXT_MAX])
{
	char from[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	snprintf(out, KEYS_TEXT_MAX, "key %s %s state=%s source=%s%s%s%s%s%s%s%s%s", k->pattern,
		 k->fingerprint, key_state_name(k->state), k->source,
		 k->from_unix != 0 ? " from=" : "",
		 k->from_unix != 0 ? clock_format(k->from_unix, from) : "",
		 k->until_unix != 0 ? " until=" : "",
		 k->until_unix != 0 ? clock_format(k->until_unix, until) : "",
		 k->primary_fingerprint[0] != '\0' ? " certificate=" : "", k->primary_fingerprint,
		 k->note[0] != '\0' ? " note=" : "", k->note);
	return out;
}

/* The value of a word "NAME=", or false when text begins with another; *text is behind it then. */
static bool take_word(const char **text, const char *name, char *out, size_t out_size)
{
	const size_t len = strlen(name);
	size_t value;

	if (strncmp(*text, name, len) != 0)
		return false;
	value = strcspn(*text + len, " ");
	snprintf(out, out_size, "%.*s", (int)value, *text + len);
	*text += len + value;
	return true;
}

static int take_time(const char **text, const char *name, int64_t *out)
{
	char word[80], why[200];

	return take_word(text, name, word, sizeof word) &&
			       clock_parse_when(word, 0, false, out, why, sizeof why) != 0
		       ? -1
		       : 0;
}

int keys_row_parse(const char *text, const char *pattern, struct recipient_key *out)
{
	const size_t pattern_len = strlen(pattern);
	char state[20];

	memset(out, 0, sizeof *out);
	if (strncmp(text, "key ", 4) != 0 || strncmp(text + 4, pattern, pattern_len) != 0)
		return -1;
	text += 4 + pattern_len;
	snprintf(out->pattern, sizeof out->pattern, "%s", pattern);
	if (!take_word(&text, " ", out->fingerprint, sizeof out->fingerprint) ||
	    key_id_of(out->fingerprint, &out->key_id) != 0 ||
	    !take_word(&text, " state=", state, sizeof state) ||
	    key_state_from_name(state, &out->state) != 0 ||
	    !take_word(&text, " source=", out->source, sizeof out->source) ||
	    take_time(&text, " from=", &out->from_unix) != 0 ||
	    take_time(&text, " until=", &out->until_unix) != 0)
		return -1;
	take_word(&text, " certificate=", out->primary_fingerprint,
		  sizeof out->primary_fingerprint);
	if (strncmp(text, " note=", 6) == 0)
		snprintf(out->note, sizeof out->note, "%s", text + 6);
	return 0;
}

int keys_row_page(struct db *d, struct keys_place *from, struct recipient_key rows[KEYS_PAGE_ROWS])
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_PAGE);
	struct keys_place last = *from;
	int n = 0, got = -1;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, from->pattern);
	db_bind_text(st, 2, from->kept);
	db_bind_int(st, 3, KEYS_PAGE_ROWS);
	while ((got = db_step(d, st)) == 1) {
		struct recipient_key *k = &rows[n++];

		memset(k, 0, sizeof *k);
		db_column_text(st, 0, k->pattern, sizeof k->pattern);
		memcpy(last.pattern, k->pattern, sizeof last.pattern);
		db_column_text(st, 1, last.kept, sizeof last.kept);
		if (fill(d, st, 2, last.kept, k) != 0) {
			sqlite3_reset(st);
			return -1;
		}
	}
	*from = last;
	return got < 0 ? -1 : n;
}

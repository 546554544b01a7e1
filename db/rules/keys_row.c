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

/* Columns from `first` on: primary_fingerprint, key_id, from, until, state, source, note, author,
 * created_at. */
static void fill(sqlite3_stmt *st, int first, struct recipient_key *k)
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
int keys_row_find(struct db *d, const char *pattern, const char *fingerprint,
		  struct recipient_key *out)
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
		fill(st, 0, out);
	}
	sqlite3_reset(st);
	return got;
}

int keys_row_put(struct db *d, const struct recipient_key *k)
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

int keys_row_delete(struct db *d, const struct recipient_key *k)
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_DELETE);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, k->pattern);
	db_bind_text(st, 2, k->fingerprint);
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

/* A page of keys within the caller's transaction. Returns how many, or -1. */
int keys_row_page(struct db *d, const char *pattern, const char *fingerprint,
		  struct recipient_key rows[KEYS_PAGE_ROWS])
{
	sqlite3_stmt *st = db_statement(d, SQL_KEY_PAGE);
	int n = 0, got = -1;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	db_bind_text(st, 2, fingerprint);
	db_bind_int(st, 3, KEYS_PAGE_ROWS);
	while ((got = db_step(d, st)) == 1) {
		struct recipient_key *k = &rows[n++];

		memset(k, 0, sizeof *k);
		db_column_text(st, 0, k->pattern, sizeof k->pattern);
		db_column_text(st, 1, k->fingerprint, sizeof k->fingerprint);
		fill(st, 2, k);
	}
	return got < 0 ? -1 : n;
}

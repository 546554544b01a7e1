/* SPDX-License-Identifier: ISC
 *
 * sealed_sql.c: the functions of SQL of sealed.h, and what turns all rows at once.
 */
#include "db/engine/sealed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a key is replaced: what it was. One thread a connection, and functions are called in its
 * transaction. */
static const struct hashed *opens_with(const struct db *d, int n)
{
	return n == 0 ? &d->hashed : d->hashed_before;
}

/* What a text stands for: 0, or -1. */
static int plain_text(const struct db *d, const char *text, char out[FINGERPRINT_MAX])
{
	for (int i = 0; i < 2; i++)
		if (opens_with(d, i) != NULL && sealed_open(opens_with(d, i), text, out) == 0)
			return 0;
	return -1;
}

/* NULL: none of the keys opens it; or is_short_of_memory, and nobody can say. */
static unsigned char *plain_packets(const struct db *d, sqlite3_value *value, size_t *len,
				    bool *is_short_of_memory)
{
	const size_t value_len = (size_t)sqlite3_value_bytes(value);
	unsigned char *out = NULL;

	*is_short_of_memory = false;
	for (int i = 0; i < 2 && out == NULL && !*is_short_of_memory; i++)
		if (opens_with(d, i) != NULL) {
			out = sealed_packets_open(opens_with(d, i), sqlite3_value_blob(value),
						  value_len, len);
			*is_short_of_memory = out == NULL && errno == ENOMEM;
		}
	return out;
}

static void answer_packets(sqlite3_context *c, const struct db *d, sqlite3_value *value,
			   bool is_form)
{
	bool is_short_of_memory;
	size_t len = 0;
	unsigned char *packets = plain_packets(d, value, &len, &is_short_of_memory);

	/* Where a key is replaced NULL means that nobody can read the row any more: it goes. */
	if (is_short_of_memory)
		sqlite3_result_error_nomem(c);
	if (packets != NULL && is_form) {
		unsigned char *form = sealed_packets(&d->hashed, packets, len, &len);

		free(packets);
		packets = form;
		if (form == NULL)
			sqlite3_result_error_nomem(c);
	}
	if (packets != NULL)
		sqlite3_result_blob64(c, packets, len, free);
}

static void answer(sqlite3_context *c, sqlite3_value *value, bool is_form)
{
	const struct db *d = sqlite3_user_data(c);
	char plain[FINGERPRINT_MAX], form[SEALED_TEXT_MAX];
	const char *text;

	if (sqlite3_value_type(value) == SQLITE_BLOB) {
		answer_packets(c, d, value, is_form);
		return;
	}
	if (sqlite3_value_type(value) == SQLITE_NULL)
		return;
	text = (const char *)sqlite3_value_text(value);
	if (text == NULL)
		sqlite3_result_error_nomem(c);
	else if (plain_text(d, text, plain) == 0)
		sqlite3_result_text(c, is_form ? sealed_form(&d->hashed, plain, form) : plain, -1,
				    SQLITE_TRANSIENT);
}

static void key_plain(sqlite3_context *c, int n, sqlite3_value **values)
{
	(void)n;
	answer(c, values[0], false);
}

static void key_form(sqlite3_context *c, int n, sqlite3_value **values)
{
	(void)n;
	answer(c, values[0], true);
}

static void answer_id(sqlite3_context *c, sqlite3_value *value, bool is_form)
{
	const struct db *d = sqlite3_user_data(c);
	const bool is_null = sqlite3_value_type(value) == SQLITE_NULL;
	const char *text = (const char *)sqlite3_value_text(value);
	char plain[FINGERPRINT_MAX];
	uint64_t id = 0;

	if (text == NULL && !is_null)
		sqlite3_result_error_nomem(c);
	if (text == NULL || plain_text(d, text, plain) != 0 || key_id_of(plain, &id) != 0)
		return;
	sqlite3_result_int64(
		c,
		(sqlite3_int64)(is_form && d->hashed.is_on ? hashed_key_id(&d->hashed, id) : id));
}

static void key_id_plain(sqlite3_context *c, int n, sqlite3_value **values)
{
	(void)n;
	answer_id(c, values[0], false);
}

static void key_id_form(sqlite3_context *c, int n, sqlite3_value **values)
{
	(void)n;
	answer_id(c, values[0], true);
}

static void key_text_form(sqlite3_context *c, int n, sqlite3_value **values)
{
	const struct db *d = sqlite3_user_data(c);
	const bool is_null = sqlite3_value_type(values[0]) == SQLITE_NULL;
	const char *text = (const char *)sqlite3_value_text(values[0]);
	char *line, *form;

	(void)n;
	if (text == NULL) {
		if (!is_null)
			sqlite3_result_error_nomem(c);
		return;
	}
	line = strdup(text);
	for (int i = 0; i < 2 && line != NULL; i++)
		if (opens_with(d, i) != NULL)
			sealed_line_open(opens_with(d, i), line);
	form = line != NULL ? sealed_line(&d->hashed, line) : NULL;
	free(line);
	if (form == NULL)
		sqlite3_result_error_nomem(c);
	else
		sqlite3_result_text(c, form, -1, free);
}

int sealed_register(struct db *d)
{
	static const struct {
		const char *name;
		void (*call)(sqlite3_context *c, int n, sqlite3_value **values);
	} functions[] = {
		{"key_form", key_form},		  {"key_id_form", key_id_form},
		{"key_id_plain", key_id_plain},	  {"key_plain", key_plain},
		{"key_text_form", key_text_form},
	};

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		if (sqlite3_create_function_v2(d->handle, functions[i].name, 1,
					       SQLITE_UTF8 | SQLITE_DIRECTONLY, d,
					       functions[i].call, NULL, NULL, NULL) != SQLITE_OK)
			return db_fail_engine(d, "opening");
	return 0;
}

/* ---- all rows ---- */

int sealed_fail(struct db *d)
{
	return db_fail(d, DB_ABSENT,
		       "keys of recipients are kept under the key of hashed addresses "
		       "(%.150s.key), which is not here; restore it, or give them up with "
		       "\"pgpgate db init --new-key\"",
		       d->path);
}

static int run_all(struct db *d, const enum sql_statement *which, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (db_run(d, db_statement(d, which[i])) != 0)
			return -1;
	return 0;
}

static const enum sql_statement turning[] = {SQL_SEALED_TURN_KEYS, SQL_SEALED_TURN_CERTIFICATES,
					     SQL_SEALED_TURN_HISTORY};

int sealed_settle(struct db *d)
{
	sqlite3_stmt *st = db_statement(d, SQL_SEALED_OTHERWISE);
	int64_t n_unread = 0;
	int got;

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, d->hashed.is_on);
	got = db_step(d, st);
	if (got == 1)
		got = sqlite3_column_int(st, 0);
	sqlite3_reset(st);
	if (got != 1)
		return got;
	if (db_one(d, SQL_SEALED_UNREAD, &n_unread) != 0)
		return -1;
	if (n_unread > 0)
		return sealed_fail(d);
	return run_all(d, turning, sizeof turning / sizeof turning[0]);
}

int sealed_settle_anew(struct db *d, const struct hashed *was)
{
	int result;

	d->hashed_before = was;
	result = db_run(d, db_statement(d, SQL_SEALED_DROP_KEYS));
	if (result == 0) {
		d->n_keys_dropped = sqlite3_changes(d->handle);
		result = db_run(d, db_statement(d, SQL_SEALED_DROP_CERTIFICATES));
	}
	if (result == 0)
		result = run_all(d, turning, sizeof turning / sizeof turning[0]);
	d->hashed_before = NULL;
	return result;
}

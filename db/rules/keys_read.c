/* SPDX-License-Identifier: ISC
 *
 * keys_read.c: what is known of keys (keys.h).
 */
#include "db/rules/keys_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"

int keys_list(struct db *d, const char *pattern, int64_t until_unix,
	      int (*tell_one)(void *context, const struct recipient_key *k), void *context)
{
	struct recipient_key *rows = calloc(KEYS_PAGE_ROWS, sizeof *rows);
	char last_pattern[ADDRESS_MAX + 1] = "", fingerprint[FINGERPRINT_MAX] = "";
	int n = 0, result = 0;

	if (rows == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	if (pattern != NULL)
		snprintf(last_pattern, sizeof last_pattern, "%s", pattern);
	do {
		n = db_begin_read(d) != 0 ? -1 : keys_row_page(d, last_pattern, fingerprint, rows);
		if (n < 0 || db_end(d, 0) != 0) {
			free(rows);
			return -1;
		}
		for (int i = 0; i < n && result == 0; i++) {
			const struct recipient_key *k = &rows[i];

			if (pattern != NULL && strcmp(k->pattern, pattern) != 0)
				n = 0;
			else if (until_unix == 0 ||
				 (k->until_unix != 0 && k->until_unix < until_unix))
				result = tell_one(context, k);
		}
		if (n > 0) {
			memcpy(last_pattern, rows[n - 1].pattern, sizeof last_pattern);
			memcpy(fingerprint, rows[n - 1].fingerprint, sizeof fingerprint);
		}
	} while (n == KEYS_PAGE_ROWS && result == 0);
	free(rows);
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

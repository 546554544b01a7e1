/* SPDX-License-Identifier: ISC
 *
 * keys_read.c: what is known of keys (keys.h).
 */
#include "db/rules/keys_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"

int keys_list(struct db *d, const char *pattern, int64_t until_unix,
	      int (*tell_one)(void *context, const struct recipient_key *k), void *context)
{
	struct recipient_key *rows = calloc(KEYS_PAGE_ROWS, sizeof *rows);
	struct keys_place at = {.pattern = ""};
	int n = 0, result = 0;

	if (rows == NULL)
		return db_fail(d, DB_BROKEN, "out of memory");
	if (pattern != NULL)
		snprintf(at.pattern, sizeof at.pattern, "%s", pattern);
	do {
		n = db_begin_read(d) != 0 ? -1 : keys_row_page(d, &at, rows);
		if (db_end(d, n < 0 ? -1 : 0) != 0) {
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
	} while (n == KEYS_PAGE_ROWS && result == 0);
	free(rows);
	return result;
}

static int find_certificate(struct db *d, const struct hashed *form, const char *fingerprint,
			    unsigned char **packets, size_t *len)
{
	sqlite3_stmt *st = db_statement(d, SQL_CERTIFICATE_FIND);
	char kept[SEALED_TEXT_MAX];
	int got = -1;

	if (st != NULL) {
		db_bind_text(st, 1, sealed_form(form, fingerprint, kept));
		got = db_step(d, st);
	}
	if (got == 1) {
		*packets = sealed_packets_open(form, sqlite3_column_blob(st, 0),
					       (size_t)sqlite3_column_bytes(st, 0), len);
		if (*packets == NULL)
			got = errno == ENOMEM ? db_fail(d, DB_BROKEN, "out of memory")
					      : sealed_fail(d);
		sqlite3_reset(st);
	}
	return got;
}

int keys_certificate(struct db *d, const char *fingerprint, unsigned char **packets, size_t *len)
{
	struct hashed other;
	int got;

	*packets = NULL;
	if (db_begin_read(d) != 0)
		return -1;
	got = find_certificate(d, &d->hashed, fingerprint, packets, len);
	other = d->hashed; /* the form of other settings, until somebody changes keys */
	other.is_on = !other.is_on && other.has_key;
	if (got == 0)
		got = find_certificate(d, &other, fingerprint, packets, len);
	explicit_bzero(&other, sizeof other);
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

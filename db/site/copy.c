/* SPDX-License-Identifier: ISC
 *
 * copy.c: what of the site is no rule: keys of recipients, and what a snapshot brings beside its
 * rules (site.h).
 */
#include "db/site.h"

#include <stdlib.h>
#include <string.h>

#include "db/engine/change.h"
#include "db/engine/column.h"
#include "db/engine/internal.h"
#include "db/engine/sealed.h"

static int run_with(struct db *d, enum sql_statement which, const char *text)
{
	sqlite3_stmt *st = db_statement(d, which);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, text);
	return db_run(d, st);
}

/* ---- keys ---- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int put_certificate(struct db *d, const char *fingerprint, const char *hex)
{
	const size_t n = strlen(hex) / 2;
	unsigned char *packets = malloc(n + 1);
	sqlite3_stmt *st = db_statement(d, SQL_SITE_CERTIFICATE_PUT);
	int result = -1;

	for (size_t i = 0; i < n && packets != NULL; i++) {
		const int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0) {
			free(packets);
			return db_fail(d, DB_BROKEN, "certificate %s of the centre cannot be read",
				       fingerprint);
		}
		packets[i] = (unsigned char)(high << 4 | low);
	}
	if (packets != NULL && st != NULL) {
		db_bind_text(st, 1, fingerprint);
		sqlite3_bind_blob64(st, 2, packets, n, SQLITE_STATIC);
		result = db_run(d, st);
	}
	free(packets);
	return result;
}

static int add_note(struct db *d, struct change *change, sqlite3_stmt *st)
{
	char *before = sealed_line(&d->hashed, column_text(st, 3));
	char *after = sealed_line(&d->hashed, column_text(st, 4));
	int result = -1;

	if (before == NULL || after == NULL)
		db_fail(d, DB_BROKEN, "out of memory");
	else
		result = change_add(d, change,
				    &(struct change_row){.recipient = column_text(st, 2),
							 .before = before,
							 .after = after});
	free(before);
	free(after);
	return result;
}

/* One item, as `rules --history` tells it where it says so. */
static int apply_item(struct db *d, struct change *change, const char *item)
{
	sqlite3_stmt *st = db_statement(d, SQL_SITE_ITEM);
	const char *kind;
	bool is_kept;
	int result = -1;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, item);
	if (db_step(d, st) != 1)
		return -1;
	kind = column_text(st, 0);
	is_kept = sqlite3_column_int(st, 1) != 0;
	if (strcmp(kind, "note") == 0)
		result = change == NULL ? 0 : add_note(d, change, st);
	else if (strcmp(kind, "key") == 0)
		result = run_with(d, is_kept ? SQL_SITE_KEY_PUT : SQL_SITE_KEY_DELETE, item);
	else if (strcmp(kind, "group") == 0)
		result = run_with(d, SQL_SITE_GROUP_DELETE, item) != 0 ? -1
			 : is_kept ? run_with(d, SQL_SITE_GROUP_PUT, item)
				   : 0;
	else if (strcmp(kind, "certificate") == 0)
		result = put_certificate(d, column_text(st, 2), column_text(st, 5));
	else
		db_fail(d, DB_BROKEN,
			"the centre keeps a '%.40s', which this version does not know", kind);
	sqlite3_reset(st);
	return result;
}

static int clear(struct db *d)
{
	static const enum sql_statement which[] = {SQL_SITE_KEYS_CLEAR, SQL_SITE_GROUPS_CLEAR,
						   SQL_SITE_CERTIFICATES_CLEAR};

	for (size_t i = 0; i < sizeof which / sizeof which[0]; i++)
		if (db_run(d, db_statement(d, which[i])) != 0)
			return -1;
	return 0;
}

int site_apply_keys(struct db *d, const struct site_change *c, size_t n, const char *const items[])
{
	struct change change = {0};
	int result = 0;

	if (db_begin_write(d) != 0)
		return -1;
	if (c != NULL && sealed_settle(d) != 0)
		return db_end(d, -1);
	if (c != NULL) {
		change = (struct change){.time_unix = c->time_unix,
					 .author = c->author,
					 .what = c->what,
					 .undoes = c->undoes,
					 .site_no = c->no,
					 .site_mark = c->mark};
		result = change_open(d, &change);
		/* As keys_edit_sweep(): a change that is taken back finds its certificates. */
		if (result == 0 && c->undoes == 0)
			result = db_run(d, db_statement(d, SQL_CERTIFICATE_SWEEP));
	} else {
		result = clear(d);
	}
	for (size_t i = 0; i < n && result == 0; i++)
		result = apply_item(d, c != NULL ? &change : NULL, items[i]);
	if (result == 0 && c != NULL)
		result = change_close(d, &change);
	return db_end(d, result);
}

int site_keys_list(struct db *d, int (*tell)(void *context, const char *item), void *context)
{
	sqlite3_stmt *st;
	int64_t has_sealed = 0;
	int got = -1;

	if (db_begin_read(d) != 0)
		return -1;
	if (db_one(d, SQL_SITE_KEYS_SEALED, &has_sealed) != 0)
		return db_end(d, -1);
	if (has_sealed != 0)
		return db_end(d, sealed_fail(d));
	st = db_statement(d, SQL_SITE_KEYS_ALL);
	while (st != NULL && (got = db_step(d, st)) == 1)
		if (tell(context, column_text(st, 0)) != 0) {
			got = -1;
			break;
		}
	return db_end(d, got < 0 ? -1 : 0);
}

/* ---- what was before ---- */

int site_forget_pairs(struct db *d, const char *rows)
{
	static const enum sql_statement which[] = {
		SQL_SITE_FORGET_PAIRS, SQL_SITE_DELETE_EMPTY_PAIRS, SQL_SITE_FORGET_KNOWN_PAIRS,
		SQL_SITE_UNTOLD_PAIRS};
	int result = 0;

	if (db_begin_write(d) != 0)
		return -1;
	for (size_t i = 0; i < sizeof which / sizeof which[0] && result == 0; i++)
		result = run_with(d, which[i], rows);
	return db_end(d, result);
}

int site_drop_unlike(struct db *d, const char *heads)
{
	int result;

	if (db_begin_write(d) != 0)
		return -1;
	result = run_with(d, SQL_SITE_DROP_CHANGE_ROWS_LOOSE, heads);
	if (result == 0)
		result = run_with(d, SQL_SITE_DROP_CHANGES_UNLIKE, heads);
	return db_end(d, result);
}

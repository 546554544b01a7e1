/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/engine/key.h"

int ids_add(struct db *d, struct ids *ids, int64_t id)
{
	if (id > ids->last_id)
		return 0;
	if (ids->n == ids->room) {
		const size_t room = ids->room == 0 ? IDS_PAGE : ids->room * 2;
		int64_t *more = realloc(ids->id, room * sizeof more[0]);

		if (more == NULL)
			return db_fail(d, DB_BROKEN, "out of memory");
		ids->id = more;
		ids->room = room;
	}
	ids->id[ids->n++] = id;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

void ids_sort(struct ids *ids)
{
	size_t kept = 0;

	if (ids->n == 0)
		return;
	qsort(ids->id, ids->n, sizeof ids->id[0], by_value);
	for (size_t i = 1; i < ids->n; i++)
		if (ids->id[i] != ids->id[kept])
			ids->id[++kept] = ids->id[i];
	ids->n = kept + 1;
}

/* ---- ids by an index ---- */

/* One page of (id, key) behind (*from, *after_id). Returns how many, or -1; moves both. */
static int page_of_index(struct db *d, enum sql_statement which, char from[KEY_MAX], const char *to,
			 int64_t *after_id, struct ids *ids)
{
	sqlite3_stmt *st;
	char last[KEY_MAX];
	int got = -1, n = 0;

	if (db_begin_read(d) != 0)
		return -1;
	memcpy(last, from, KEY_MAX);
	st = db_statement(d, which);
	if (st != NULL) {
		db_bind_text(st, 1, from);
		db_bind_text(st, 2, to);
		db_bind_int(st, 3, *after_id);
		db_bind_int(st, 4, IDS_PAGE);
		while ((got = db_step(d, st)) == 1) {
			*after_id = sqlite3_column_int64(st, 0);
			db_column_text(st, 1, last, sizeof last);
			n++;
			/* One that is cut would not lead to the next page, but back to this one. */
			if ((size_t)sqlite3_column_bytes(st, 1) != strlen(last))
				got = db_fail(d, DB_BROKEN,
					      "an address in the record is damaged; "
					      "restore a backup");
			if (got != 1 || ids_add(d, ids, *after_id) != 0) {
				got = -1;
				break;
			}
		}
	}
	got = db_end(d, got);
	memcpy(from, last, KEY_MAX);
	return got == 0 ? n : -1;
}

int ids_by_index(struct db *d, enum sql_statement which, const char *key, const char *to,
		 int64_t after_id, struct ids *ids)
{
	char from[KEY_MAX];
	int n;

	snprintf(from, sizeof from, "%s", key);
	do
		n = page_of_index(d, which, from, to, &after_id, ids);
	while (n == IDS_PAGE);
	return n < 0 ? -1 : 0;
}

/* What is asked for as a hash already ("h:...", copied from the log) is found as it is. */
int ids_by_address(struct db *d, enum sql_statement one, enum sql_statement range,
		   const char *pattern, int64_t after_id, struct ids *ids)
{
	const char *domain = pattern[0] == '@' ? pattern + 1 : pattern;
	char from[KEY_MAX], to[KEY_MAX], hash[HASHED_ADDRESS_MAX], hashed_pattern[KEY_MAX];

	key_range(pattern, from, to);
	if (ids_by_index(d, to[0] != '\0' ? range : one, from, to[0] != '\0' ? to : NULL,
			 to[0] != '\0' ? 0 : after_id, ids) != 0)
		return -1;
	/* A hash of a domain says nothing of the domains below it. */
	if (!d->hashed.has_key || pattern[0] == '.' || strncmp(pattern, "h:", 2) == 0)
		return 0;
	if (to[0] == '\0')
		hashed_address(&d->hashed, pattern, hashed_pattern);
	else
		snprintf(hashed_pattern, sizeof hashed_pattern, "%s",
			 hashed_text(&d->hashed, HASHED_DOMAIN, domain, hash));
	key_range(hashed_pattern, from, to);
	return ids_by_index(d, to[0] != '\0' ? range : one, from, to[0] != '\0' ? to : NULL,
			    to[0] != '\0' ? 0 : after_id, ids);
}

/* SPDX-License-Identifier: ISC
 *
 * keys_hand_over.c: a change of keys at a site (keys_internal.h). All that it reads it reads while
 * the change is made: the centre is spoken to when the transaction is over, since mail must not
 * wait for a network.
 */
#include "db/rules/keys_internal.h"

#include <stdlib.h>
#include <string.h>

#include "db/engine/column.h"

static bool is_handed_over(const struct keys_edit *e)
{
	return e->d->remote != NULL && !e->c->is_dry_run;
}

static int keep(struct keys_edit *e, sqlite3_stmt *st)
{
	struct keys_items *i = &e->items;

	if (i->n == i->room) {
		const size_t room = i->room == 0 ? 64 : 2 * i->room;
		char **more = realloc(i->text, room * sizeof *more);

		if (more == NULL)
			return db_fail(e->d, DB_BROKEN, "out of memory");
		i->text = more;
		i->room = room;
	}
	i->text[i->n] = strdup(column_text(st, 0));
	sqlite3_reset(st);
	return i->text[i->n] != NULL ? (i->n++, 0) : db_fail(e->d, DB_BROKEN, "out of memory");
}

/* The item that a statement about n texts makes. 1, 0: it makes none, -1. */
static int keep_of(struct keys_edit *e, enum sql_statement which, int n, const char *const *texts)
{
	sqlite3_stmt *st = db_statement(e->d, which);
	int got;

	if (st == NULL)
		return -1;
	for (int i = 0; i < n; i++)
		db_bind_text(st, i + 1, texts[i]);
	got = db_step(e->d, st);
	return got == 1 ? (keep(e, st) == 0 ? 1 : -1) : got;
}

/* The row, or that it is gone. */
static int keep_row(struct keys_edit *e, const char *kind, enum sql_statement which, const char *a,
		    const char *b)
{
	const char *const row[] = {a, b}, *const gone[] = {kind, a, b};
	const int got = keep_of(e, which, b[0] != '\0' ? 2 : 1, row);

	if (got == 0)
		return keep_of(e, SQL_SITE_ITEM_GONE, 3, gone) == 1 ? 0 : -1;
	return got == 1 ? 0 : -1;
}

int keys_hand_over_certificate(struct keys_edit *e, const char *fingerprint)
{
	if (!is_handed_over(e) || e->items.n == 0)
		return 0;
	return keep_of(e, SQL_SITE_CERTIFICATE_OF, 1, &fingerprint) < 0 ? -1 : 0;
}

int keys_hand_over_note(struct keys_edit *e, const char *pattern, const char *before,
			const char *after)
{
	const char *const note[] = {pattern, before, after},
			  *text = after[0] != '\0' ? after : before;
	struct recipient_key key;

	if (!is_handed_over(e))
		return 0;
	if (keep_of(e, SQL_SITE_NOTE_OF, 3, note) != 1)
		return -1;
	if (strncmp(text, "group ", 6) == 0)
		return keep_row(e, "group", SQL_SITE_GROUP_OF, pattern, "");
	if (keys_row_parse(text, pattern, &key) != 0)
		return db_fail(e->d, DB_BROKEN, "a key cannot be read again");
	if (keep_row(e, "key", SQL_SITE_KEY_OF, pattern, key.fingerprint) != 0)
		return -1;
	/* One that comes back brings its certificate, as long as that is here. */
	return key.primary_fingerprint[0] != '\0' && after[0] != '\0'
		       ? keys_hand_over_certificate(e, key.primary_fingerprint)
		       : 0;
}

int keys_hand_over(struct keys_edit *e, int result)
{
	const struct db_remote_change c = {.time_unix = e->change.time_unix,
					   .author = e->change.author,
					   .what = e->change.what,
					   .undoes = e->change.undoes};

	db_end(e->d, -1);
	for (size_t i = 0; i < e->items.n; i++) {
		const struct db_remote_row row = {.text = e->items.text[i],
						  .recipient = "",
						  .sender = "",
						  .client = "",
						  .author = e->change.author,
						  .created_at_unix = e->change.time_unix};

		if (result == 0)
			result = change_send_row(e->d, &row);
		free(e->items.text[i]);
	}
	if (result == 0 && e->items.n > 0)
		result = change_send(e->d, &c, &e->out->no);
	free(e->items.text);
	e->items = (struct keys_items){.n = 0};
	return result;
}

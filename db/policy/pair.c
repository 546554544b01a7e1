/* SPDX-License-Identifier: ISC
 *
 * pair.c: the record of a pair of correspondents, for people (pair.h).
 */
#include "db/pair.h"

#include <stdio.h>

#include "db/engine/change.h"
#include "db/engine/internal.h"
#include "db/engine/key.h"
#include "db/policy/policy_internal.h"

int pair_get(struct db *d, const char *sender, const char *recipient, struct pair_record *out)
{
	int found;

	if (db_begin_read(d) != 0)
		return -1;
	found = policy_read_pair(d, sender, recipient, out);
	return db_end(d, found < 0 ? -1 : 0) == 0 ? found : -1;
}

/* Removes the pair under one form of its addresses. 1, 0, -1. */
static int delete_form(struct db *d, const struct hashed *form, const char *sender,
		       const char *recipient)
{
	char sender_key[KEY_MAX], recipient_key[KEY_MAX];
	sqlite3_stmt *st = db_statement(d, SQL_PAIR_DELETE);

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, key_stored(form, sender, sender_key));
	db_bind_text(st, 2, key_stored(form, recipient, recipient_key));
	if (db_run(d, st) != 0)
		return -1;
	return sqlite3_changes(d->handle) > 0;
}

/* At a site the centre makes it so, on all hosts (db/site/). 1 or -1. */
static int send_forget(struct db *d, const char *sender, const char *recipient, int64_t now_unix,
		       const char *author)
{
	struct hashed plain = d->hashed, hashed = d->hashed;
	char keys[4][KEY_MAX], what[2 * KEY_MAX + 8], hashes[2][HASHED_ADDRESS_MAX];
	struct db_remote_change c = {
		.time_unix = now_unix, .author = author, .what = "forget-history", .before = what};
	int64_t no;

	plain.is_on = false;
	hashed.is_on = true;
	snprintf(what, sizeof what, "%.500s -> %.500s",
		 hashed_shown(&d->hashed, HASHED_ADDRESS, sender, hashes[0]),
		 hashed_shown(&d->hashed, HASHED_ADDRESS, recipient, hashes[1]));
	c.sender_key[0] = key_stored(&plain, sender, keys[0]);
	c.recipient_key[0] = key_stored(&plain, recipient, keys[1]);
	if (d->hashed.has_key) {
		c.sender_key[1] = key_stored(&hashed, sender, keys[2]);
		c.recipient_key[1] = key_stored(&hashed, recipient, keys[3]);
	}
	return change_send(d, &c, &no) == 0 ? 1 : -1;
}

static int forget(struct db *d, const char *sender, const char *recipient, int64_t now_unix,
		  const char *author)
{
	struct hashed forms[2] = {d->hashed, d->hashed};
	char what[2 * KEY_MAX + 8], hashes[2][HASHED_ADDRESS_MAX];
	int found = 0;

	forms[0].is_on = false;
	forms[1].is_on = true;
	if (d->remote != NULL) {
		struct pair_record pair;

		found = policy_read_pair(d, sender, recipient, &pair);
		return found == 1 ? send_forget(d, sender, recipient, now_unix, author) : found;
	}
	for (size_t i = 0; i < (d->hashed.has_key ? 2u : 1u); i++) {
		const int got = delete_form(d, &forms[i], sender, recipient);

		if (got < 0)
			return -1;
		found |= got;
	}
	if (found == 0)
		return 0;
	/* The audit trail must not show what the record hides. */
	snprintf(what, sizeof what, "%.500s -> %.500s",
		 hashed_shown(&d->hashed, HASHED_ADDRESS, sender, hashes[0]),
		 hashed_shown(&d->hashed, HASHED_ADDRESS, recipient, hashes[1]));
	if (change_single(d,
			  &(struct change){.time_unix = now_unix,
					   .author = author,
					   .what = "forget-history"},
			  &(struct change_row){.before = what}) != 0)
		return -1;
	return 1;
}

int pair_forget(struct db *d, const char *sender, const char *recipient, int64_t now_unix,
		const char *author)
{
	int found;

	if ((d->remote != NULL ? db_begin_read(d) : db_begin_write(d)) != 0)
		return -1;
	found = forget(d, sender, recipient, now_unix, author);
	return db_end(d, found < 0 ? -1 : 0) == 0 ? found : -1;
}

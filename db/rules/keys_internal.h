/* SPDX-License-Identifier: ISC
 *
 * keys_internal.h: what the files of keys share. Private to db/rules/keys*.c.
 *
 * Unless it says otherwise each returns 0, or -1 with the reason in the connection, and wants a
 * transaction.
 */
#ifndef PGPGATE_DB_RULES_KEYS_INTERNAL_H
#define PGPGATE_DB_RULES_KEYS_INTERNAL_H

#include "db/engine/change.h"
#include "db/engine/internal.h"
#include "db/engine/sealed.h"
#include "db/keys.h"

#define KEYS_PAGE_ROWS 200
#define KEYS_TEXT_MAX 1600

/* keys_row.c. The row of a pattern's key: 1 found, 0 there is none, -1. */
int keys_row_find(struct db *d, const char *pattern, const char *fingerprint,
		  struct recipient_key *out);
int keys_row_put(struct db *d, const struct recipient_key *k);
int keys_row_delete(struct db *d, const struct recipient_key *k);
/* Where a page ended: a pattern, and a fingerprint as it is kept. */
struct keys_place {
	char pattern[ADDRESS_MAX + 1];
	char kept[SEALED_TEXT_MAX];
};
/* Those after *from, which moves to the last of them. Returns how many, or -1. */
int keys_row_page(struct db *d, struct keys_place *from, struct recipient_key rows[KEYS_PAGE_ROWS]);
/* As the history keeps it: "key alice@example.org FINGERPRINT state=active source=import from=...
 * until=... certificate=FINGERPRINT note=...", the note up to the end. Returns out. */
char *keys_row_text(const struct recipient_key *k, char out[KEYS_TEXT_MAX]);
/* Reads such a text of that pattern; author and time of it are not in there. 0, or -1: it is none.
 */
int keys_row_parse(const char *text, const char *pattern, struct recipient_key *out);

/* keys_hand_over.c. At a site a change is made here, read as items (db/site.h), undone, and handed
 * over to the centre. */
struct keys_items {
	char **text;
	size_t n, room;
};
struct keys_edit;
/* What became of the row that a text of the history is about, as items. Nothing where there is no
 * centre. */
int keys_hand_over_note(struct keys_edit *e, const char *pattern, const char *before,
			const char *after);
int keys_hand_over_certificate(struct keys_edit *e, const char *fingerprint);
/* Ends the transaction, whose result so far was that. */
int keys_hand_over(struct keys_edit *e, int result);

/* What became of a key: told when the change is in force, and not when it came to nothing. */
struct keys_outcome {
	enum rule_outcome outcome;
	struct recipient_key key;
};

/* One change while it is made: keys.c. */
struct keys_edit {
	struct db *d;
	const struct keys_change *c;
	struct change change;
	bool is_open;
	struct keys_result *out;
	struct keys_outcome *outcomes;
	size_t n_outcomes, outcomes_room;
	struct keys_items items; /* at a site */
};

int keys_edit_begin(struct keys_edit *e, struct db *d, const struct keys_change *c,
		    struct keys_result *out);
int keys_edit_note(struct keys_edit *e, const char *pattern, const char *before, const char *after);
/* Ends the transaction; all of it is undone when result is -1. */
int keys_edit_finish(struct keys_edit *e, int result);

/* keys_group.c. "group team@example.org = a@... b@... (all)", or "" where there is none;
 * malloc()ed, NULL on failure. */
char *keys_group_text(struct db *d, const char *pattern);
/* Makes it what such a text says. */
int keys_group_put_text(struct db *d, const char *pattern, const char *text);
/* Without members the group ends. */
int keys_edit_group(struct keys_edit *e, const char *pattern, const char *const *members, size_t n,
		    bool wants_all);

/* keys_undo.c. Takes back the change with that key in the table; no is its number. In a transaction
 * of its own. 0; 1 it cannot be, and err says why; -1. */
int keys_undo(struct db *d, int64_t change_key, int64_t no, const struct keys_change *c,
	      struct keys_result *out, char *err, size_t err_size);

#endif

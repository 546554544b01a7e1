/* SPDX-License-Identifier: ISC
 *
 * own_key.c: is a message encrypted to a key of its recipient (policy.h)? Keys of every pattern
 * that matches the recipient count, and so do those of who is behind a group. One statement a
 * pattern, each a descent of the primary key and the rows found there: what it costs does not
 * depend on how many keys there are.
 */
#include "db/policy/policy_internal.h"

#include <stdio.h>
#include <string.h>

#include "db/engine/column.h"
#include "db/engine/key.h"
#include "db/engine/sealed.h"

/* From what says least for the message to what says most. */
enum rank { RANK_OTHER, RANK_REVOKED, RANK_EXPIRED, RANK_HIDDEN, RANK_UNKNOWN, RANK_GOOD };

/* Who has keys: the recipient, or one of those behind a group. */
struct holder {
	bool has_keys;
	unsigned char rank[KEY_IDS_MAX]; /* by message: the best of its session keys that names a
					    key of theirs */
};

struct look_up {
	const struct settings *settings;
	const struct judgement *judgement;
	int64_t now_unix;
	const struct hashed *hashed;
	struct holder self, member;
	char member_name[KEY_MAX];
	bool has_member, wants_all, has_group;
	enum rank group; /* of the members so far */
	struct own_key *out;
	bool has_hashed_ids; /* of a message that is here, for keys whose ids are kept as hashes */
	uint64_t hashed_ids[KEY_IDS_MAX];
	bool is_unread;	 /* a key is sealed under a key that is not here */
	bool has_newest; /* the key to tell a sender of */
	int64_t newest_unix;
	char newest[SEALED_TEXT_MAX];
};

static size_t n_listed(const struct judgement *j)
{
	return j->n_messages < KEY_IDS_MAX ? j->n_messages : KEY_IDS_MAX;
}

static enum rank rank_of_key(const struct look_up *l, const char *state, int64_t until_unix)
{
	if (strcmp(state, "compromised") == 0)
		return RANK_REVOKED;
	if (until_unix == 0 || l->now_unix < until_unix ||
	    l->now_unix - until_unix < l->settings->key_grace_s)
		return RANK_GOOD;
	return strcmp(state, "superseded") == 0 ? RANK_REVOKED : RANK_EXPIRED;
}

/* The ids of the message in the form of that of a key, which is or is no hash; *id, too. */
static const uint64_t *ids_like(struct look_up *l, bool is_hashed, uint64_t *id)
{
	const struct judgement *j = l->judgement;

	if (j->has_hashed_key_ids && !is_hashed)
		*id = hashed_key_id(l->hashed, *id);
	if (j->has_hashed_key_ids || !is_hashed)
		return j->key_ids;
	for (size_t i = 0; i < j->n_key_ids && !l->has_hashed_ids; i++)
		l->hashed_ids[i] = hashed_key_id(l->hashed, j->key_ids[i]);
	l->has_hashed_ids = true;
	return l->hashed_ids;
}

static void add_key(struct look_up *l, struct holder *h, bool is_hashed, uint64_t id,
		    enum rank rank)
{
	const struct judgement *j = l->judgement;
	const uint64_t *ids = ids_like(l, is_hashed, &id);

	h->has_keys = true;
	for (size_t i = 0; i < j->n_key_ids; i++)
		if (ids[i] == id && id != 0 && h->rank[j->key_message[i]] < rank)
			h->rank[j->key_message[i]] = (unsigned char)rank;
}

/* The message that says least. */
static enum rank rank_of_holder(const struct look_up *l, const struct holder *h)
{
	const struct judgement *j = l->judgement;
	unsigned char rank[KEY_IDS_MAX];
	enum rank least = RANK_GOOD;

	if (!h->has_keys)
		return RANK_UNKNOWN;
	memcpy(rank, h->rank, sizeof rank);
	for (size_t i = 0; i < j->n_key_ids; i++)
		if (j->key_ids[i] == 0 && rank[j->key_message[i]] < RANK_HIDDEN)
			rank[j->key_message[i]] = RANK_HIDDEN;
	for (size_t m = 0; m < n_listed(j); m++)
		if (rank[m] < least)
			least = (enum rank)rank[m];
	return least;
}

static void end_member(struct look_up *l)
{
	enum rank rank;

	if (!l->has_member)
		return;
	rank = rank_of_holder(l, &l->member);
	if (!l->has_group || (l->wants_all ? rank < l->group : rank > l->group))
		l->group = rank;
	l->has_group = true;
	l->has_member = false;
}

/* The key to tell a sender of: one to encrypt to, the newest. */
static void note_usable(struct look_up *l, sqlite3_stmt *st, int64_t until_unix)
{
	const int64_t from_unix = sqlite3_column_int64(st, 5);

	if (strcmp(column_text(st, 3), "active") != 0 || sqlite3_column_int(st, 7) != 0 ||
	    (until_unix != 0 && l->now_unix >= until_unix) ||
	    (l->has_newest && from_unix < l->newest_unix))
		return;
	l->has_newest = true;
	l->newest_unix = from_unix;
	db_column_text(st, 6, l->newest, sizeof l->newest);
}

/* Columns: member ('' the recipient's own), wants_all, key_id (NULL: the member has none), state,
 * until, from, fingerprint, is it a spare one. */
static void take_row(struct look_up *l, sqlite3_stmt *st)
{
	const char *name = column_text(st, 0);
	const int64_t until_unix = sqlite3_column_int64(st, 4);
	const bool has_key = sqlite3_column_type(st, 2) != SQLITE_NULL;
	const bool is_sealed = sealed_is(column_text(st, 6));
	struct holder *h = &l->self;

	if (name[0] != '\0') {
		if (!l->has_member || strcmp(name, l->member_name) != 0) {
			end_member(l);
			memset(&l->member, 0, sizeof l->member);
			snprintf(l->member_name, sizeof l->member_name, "%s", name);
			l->wants_all = sqlite3_column_int(st, 1) != 0;
			l->has_member = true;
		}
		h = &l->member;
	}
	/* What was sealed under a key that is not here cannot be judged. */
	l->is_unread = l->is_unread || (has_key && is_sealed && !l->hashed->has_key);
	if (!has_key || l->is_unread)
		return;
	add_key(l, h, is_sealed, (uint64_t)sqlite3_column_int64(st, 2),
		rank_of_key(l, column_text(st, 3), until_unix));
	note_usable(l, st, until_unix);
}

static int look_up_pattern(struct db *d, struct look_up *l, const char *pattern)
{
	sqlite3_stmt *st = db_statement(d, SQL_POLICY_KEYS);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, pattern);
	while ((got = db_step(d, st)) == 1)
		take_row(l, st);
	end_member(l);
	return got;
}

static enum own_key_state state_of(enum rank rank)
{
	static const enum own_key_state states[] = {
		[RANK_OTHER] = OWN_KEY_OTHER,	  [RANK_REVOKED] = OWN_KEY_REVOKED,
		[RANK_EXPIRED] = OWN_KEY_EXPIRED, [RANK_HIDDEN] = OWN_KEY_HIDDEN,
		[RANK_UNKNOWN] = OWN_KEY_UNKNOWN, [RANK_GOOD] = OWN_KEY_GOOD,
	};

	return states[rank];
}

static void conclude(struct look_up *l)
{
	enum rank rank = rank_of_holder(l, &l->self);

	if (l->has_newest && sealed_open(l->hashed, l->newest, l->out->fingerprint) == 0)
		key_id_of(l->out->fingerprint, &l->out->key_id);
	if (l->has_group && (!l->self.has_keys || l->group > rank))
		rank = l->group;
	l->out->is_cut = rank < RANK_HIDDEN && judgement_has_more_keys(l->judgement);
	l->out->state = l->out->is_cut ? OWN_KEY_UNKNOWN : state_of(rank);
}

int policy_own_key(struct db *d, const struct settings *s, const struct address *recipient,
		   const struct judgement *j, int64_t now_unix, struct own_key *out)
{
	struct look_up l = {.settings = s,
			    .judgement = j,
			    .now_unix = now_unix,
			    .hashed = &d->hashed,
			    .out = out};
	struct candidates candidates;
	int result = 0;

	memset(out, 0, sizeof *out);
	address_candidates(recipient, s->recipient_delimiter, &candidates);
	if (db_begin_read(d) != 0)
		return -1;
	for (size_t i = 0; i < candidates.n && result == 0; i++)
		result = look_up_pattern(d, &l, candidates.text[i]);
	if (result == 0 && l.is_unread)
		result = sealed_fail(d);
	if (db_end(d, result) != 0)
		return -1;
	conclude(&l);
	return 0;
}

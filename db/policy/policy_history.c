/* SPDX-License-Identifier: ISC
 *
 * policy_history.c: what earlier verdicts say about a message: the ratchet and the reply window.
 * Mixed recipients are in split.c.
 */
#include "db/policy/policy_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "db/engine/key.h"

/* ---- pairs ---- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int add_pair(struct db *d, const char *sender_key, const char *recipient_key,
		    struct pair_record *sum)
{
	sqlite3_stmt *st = db_statement(d, SQL_POLICY_PAIR);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, sender_key);
	db_bind_text(st, 2, recipient_key);
	got = db_step(d, st);
	if (got == 1) {
		sum->first_encrypted_unix = earlier(sum->first_encrypted_unix,
						    sqlite3_column_int64(st, 0));
		sum->last_encrypted_unix = later(sum->last_encrypted_unix,
						 sqlite3_column_int64(st, 1));
		sum->n_encrypted += sqlite3_column_int64(st, 2);
		sum->first_cleartext_unix = earlier(sum->first_cleartext_unix,
						    sqlite3_column_int64(st, 3));
		sum->last_cleartext_unix = later(sum->last_cleartext_unix,
						 sqlite3_column_int64(st, 4));
		sum->n_cleartext += sqlite3_column_int64(st, 5);
	}
	sqlite3_reset(st);
	return got;
}

int policy_read_pair(struct db *d, const char *sender, const char *recipient,
		     struct pair_record *out)
{
	/* Whoever switched log_addresses keeps what the ratchet knew: both forms are asked. */
	struct hashed forms[2] = {d->hashed, d->hashed};
	char sender_key[KEY_MAX], recipient_key[KEY_MAX];
	bool is_found = false;

	memset(out, 0, sizeof *out);
	forms[0].is_on = false;
	forms[1].is_on = true;
	for (size_t i = 0; i < (d->hashed.has_key ? 2u : 1u); i++) {
		int got = add_pair(d, key_stored(&forms[i], sender, sender_key),
				   key_stored(&forms[i], recipient, recipient_key), out);

		if (got < 0)
			return -1;
		is_found = is_found || got == 1;
	}
	return is_found ? 1 : 0;
}

/* ---- ratchet ---- */

/* Has this address sent the recipient encrypted mail, recently enough? 1, 0, -1. */
static int is_locked_by(struct db *d, const struct settings *s, const struct policy_query *q,
			const struct address *sender, int64_t *since_unix)
{
	struct pair_record pair;
	int got;

	if (sender->kind != ADDRESS_MAILBOX)
		return 0;
	got = policy_read_pair(d, sender->text, q->recipient->text, &pair);
	if (got != 1)
		return got;
	*since_unix = pair.last_encrypted_unix;
	return pair.last_encrypted_unix != 0 &&
	       (s->pair_retention_s == 0 ||
		pair.last_encrypted_unix >= q->now_unix - s->pair_retention_s);
}

/* The ratchet is locked, whoever of those that it names the mail is from. */
static void lock(struct policy_answer *a, const char *who, int64_t since_unix)
{
	char when[CLOCK_TEXT_MAX];

	a->demand = REQUIREMENT_ENCRYPTED;
	a->source = SOURCE_HISTORY;
	snprintf(a->why, sizeof a->why,
		 "ratchet: %s sent this recipient encrypted mail, last on %s", who,
		 clock_format(since_unix, when));
}

static int resolve_ratchet(struct db *d, const struct settings *s, const struct policy_query *q,
			   struct policy_answer *a)
{
	const struct from_header *from = q->header_from;
	int64_t since_unix = 0;
	int locked;

	a->demand = REQUIREMENT_OBSERVE;
	locked = is_locked_by(d, s, q, q->sender, &since_unix);
	if (locked == 1)
		lock(a, "this sender", since_unix);
	for (size_t i = 0; locked == 0 && from != NULL && i < from->n; i++) {
		locked = is_locked_by(d, s, q, &from->address[i], &since_unix);
		if (locked == 1)
			lock(a, from->n == 1 ? "the address in From:" : "an address in From:",
			     since_unix);
	}
	if (locked == 0 && from != NULL && from->has_more) {
		a->demand = REQUIREMENT_ENCRYPTED;
		a->source = SOURCE_HISTORY;
		snprintf(a->why, sizeof a->why, "ratchet: From: names more than %d addresses",
			 FROM_MAX);
	}
	return locked < 0 ? -1 : 0;
}

/* ---- reply window ---- */

bool policy_is_within(int64_t then_unix, int64_t now_unix, int64_t lasts_s)
{
	return then_unix > now_unix - lasts_s && then_unix < now_unix + lasts_s;
}

static int last_outgoing(struct db *d, const char *ours, const char *domain, int64_t *out_unix)
{
	struct hashed forms[2] = {d->hashed, d->hashed};
	char key[KEY_MAX], hash[HASHED_ADDRESS_MAX];

	forms[0].is_on = false;
	forms[1].is_on = true;
	*out_unix = 0;
	for (size_t i = 0; i < (d->hashed.has_key ? 2u : 1u); i++) {
		sqlite3_stmt *st = db_statement(d, SQL_POLICY_OUTGOING);
		int got;

		if (st == NULL)
			return -1;
		db_bind_text(st, 1, key_stored(&forms[i], ours, key));
		db_bind_text(st, 2, hashed_shown(&forms[i], HASHED_DOMAIN, domain, hash));
		got = db_step(d, st);
		if (got < 0)
			return -1;
		if (got == 1)
			*out_unix = later(*out_unix, sqlite3_column_int64(st, 0));
		sqlite3_reset(st);
	}
	return 0;
}

static int apply_reply_window(struct db *d, const struct settings *s, const struct policy_query *q,
			      struct policy_answer *a)
{
	char when[CLOCK_TEXT_MAX];
	int64_t sent_unix;

	if (s->reply_window_s == 0 || a->demand == REQUIREMENT_READABLE ||
	    policy_strength(a->demand) <= policy_strength(REQUIREMENT_OBSERVE))
		return 0;
	/* Both addresses must be what they seem: this lowers the demand. */
	if (q->sender->kind != ADDRESS_MAILBOX || !address_is_trustworthy(q->sender) ||
	    !address_is_trustworthy(q->recipient) || address_domain(q->sender)[0] == '\0')
		return 0;
	if (last_outgoing(d, q->recipient->text, key_registrable(address_domain(q->sender)),
			  &sent_unix) != 0)
		return -1;
	if (sent_unix == 0 || !policy_is_within(sent_unix, q->now_unix, s->reply_window_s))
		return 0;
	a->demand = REQUIREMENT_OBSERVE;
	a->source = SOURCE_HISTORY;
	snprintf(a->why, sizeof a->why,
		 "reply_window: this recipient wrote to that domain unencrypted, last on %s",
		 clock_format(sent_unix, when));
	return 0;
}

int policy_ask_history(struct db *d, const struct settings *s, const struct policy_query *q,
		       struct policy_answer *a)
{
	if (a->requirement == REQUIREMENT_RATCHET && resolve_ratchet(d, s, q, a) != 0)
		return -1;
	return apply_reply_window(d, s, q, a);
}

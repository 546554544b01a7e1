/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_write.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "db/engine/key.h"
#include "db/policy/split.h"
#include "db/record/bounce.h"
#include "db/record/hidden_reply.h"
#include "db/record/key_ids.h"

#define SECONDS_A_DAY 86400
#define CLOCKS_DIFFER_S 3600 /* between hosts of a site: less */

/* ---- from record to what is stored: in the thread that submits ---- */

static const char *keep_reply(struct arena *a, const struct hashed *h,
			      const struct verdict_record *r)
{
	char hidden[HIDDEN_REPLY_MAX];

	return arena_keep(a, h->is_on && r->reply != NULL ? hidden_reply(h, r, hidden) : r->reply);
}

static const char *keep_key(struct arena *a, const struct hashed *h, const char *address)
{
	char key[KEY_MAX];

	if (address == NULL || address[0] == '\0')
		return "";
	return arena_keep(a, key_stored(h, address, key));
}

static const char *keep_shown(struct arena *a, const struct hashed *h, enum hashed_kind kind,
			      const char *text)
{
	char hash[HASHED_ADDRESS_MAX];

	return arena_keep(a, hashed_shown(h, kind, text != NULL ? text : "", hash));
}

static bool is_cleartext(enum verdict v)
{
	return v == VERDICT_CLEARTEXT || v == VERDICT_SIGNED || v == VERDICT_PARTIAL ||
	       v == VERDICT_INVALID;
}

static bool is_delivered(enum action a)
{
	return a == ACTION_ACCEPT || a == ACTION_TAG;
}

static bool is_mailbox(const char *address)
{
	return address != NULL && address[0] != '\0' && strcmp(address, "<>") != 0;
}

static void fill_recipient(struct stored_verdict *v, const struct hashed *h,
			   bool opens_reply_window, const struct verdict_recipient *from,
			   struct stored_recipient *to)
{
	const char *at = strrchr(from->address, '@');

	to->key = keep_key(&v->arena, h, from->address);
	to->is_trustworthy = from->is_trustworthy;
	to->requirement = from->requirement;
	to->demand = from->demand;
	to->source = from->source;
	to->rule_id = from->rule_id;
	to->passes = from->passes;
	to->outgoing_domain = "";
	if (opens_reply_window && from->is_trustworthy && at != NULL)
		to->outgoing_domain = keep_shown(&v->arena, h, HASHED_DOMAIN,
						 key_registrable(at + 1));
}

int stored_verdict_fill(struct stored_verdict *v, const struct hashed *h, const struct settings *s,
			const struct verdict_record *r)
{
	struct arena *a = &v->arena;
	char split[KEY_MAX], key_ids[KEY_IDS_TEXT_MAX];
	bool opens_reply_window;

	memset(v, 0, sizeof *v);
	v->record = *r;
	v->judgement = *r->judgement;
	v->record.judgement = &v->judgement;
	v->record.queue_id = arena_keep(a, r->queue_id);
	v->record.host = arena_keep(a, r->host);
	v->record.client = keep_shown(a, h, HASHED_CLIENT, r->client);
	v->record.authenticated = keep_shown(a, h, HASHED_LOGIN, r->authenticated);
	v->record.message_id = keep_shown(a, h, HASHED_MESSAGE_ID, r->message_id);
	v->record.sender = keep_key(a, h, r->sender);
	v->record.client_name = "";
	/* Only these are looked up by it (verdict_split.c); the client's domain costs more than all
	 * else here. */
	v->split_sender_key = "";
	if (r->is_vain || r->has_split_digest)
		v->split_sender_key = arena_keep(
			a, split_key(h, r->sender, r->client, r->client_name, split));
	v->record.header_from = keep_key(a, h, r->header_from);
	v->record.reply = keep_reply(a, h, r);
	v->key_ids = arena_keep(a, key_ids_format(r->judgement, h, key_ids));
	v->record.recipients = NULL;
	v->counts_for_pairs = is_delivered(r->action);
	v->opens_bounce_window = bounce_opens_window(s, r);
	opens_reply_window = v->counts_for_pairs && r->is_local && s->reply_window_s > 0 &&
			     is_cleartext(r->judgement->verdict) && r->is_sender_trustworthy &&
			     is_mailbox(r->sender);
	v->recipients = arena_take(a, (r->n_recipients + 1) * sizeof v->recipients[0]);
	if (v->recipients == NULL)
		return -1;
	for (size_t i = 0; i < r->n_recipients; i++)
		fill_recipient(v, h, opens_reply_window, &r->recipients[i], &v->recipients[i]);
	return a->n_failed == 0 ? 0 : -1;
}

/* ---- in the writer ---- */

static int insert_verdict(struct db *d, const struct stored_verdict *v)
{
	const struct verdict_record *r = &v->record;
	const struct judgement *j = r->judgement;
	sqlite3_stmt *st = db_statement(d, SQL_VERDICT_INSERT);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, r->time_unix);
	db_bind_text(st, 2, r->queue_id);
	db_bind_text(st, 3, r->host);
	db_bind_text(st, 4, r->client);
	db_bind_text(st, 5, r->authenticated);
	db_bind_text(st, 6, r->sender);
	db_bind_text_or_null(st, 7, r->header_from);
	db_bind_int(st, 8, r->is_local);
	db_bind_text(st, 9, r->message_id);
	if (r->declared_size_bytes != SIZE_NOT_DECLARED)
		db_bind_int(st, 10, r->declared_size_bytes);
	db_bind_int(st, 11, r->size_bytes);
	db_bind_text(st, 12, verdict_name(j->verdict));
	db_bind_text(st, 13, form_name(j->form));
	db_bind_text(st, 14, j->reason);
	db_bind_text(st, 15, j->detail);
	db_bind_int(st, 16, j->cleartext_bytes);
	db_bind_int(st, 17, j->returns_readable);
	db_bind_text(st, 18, action_name(r->action));
	db_bind_text(st, 19, action_name(r->would));
	db_bind_text(st, 20, r->reply);
	db_bind_text_or_null(st, 21, v->key_ids);
	return db_run(d, st);
}

static int insert_recipient(struct db *d, int64_t verdict_id, size_t position,
			    const struct stored_recipient *r)
{
	sqlite3_stmt *st = db_statement(d, SQL_VERDICT_RECIPIENT_INSERT);

	if (st == NULL)
		return -1;
	db_bind_int(st, 1, verdict_id);
	db_bind_int(st, 2, (int64_t)position);
	db_bind_text(st, 3, r->key);
	db_bind_int(st, 4, r->is_trustworthy);
	db_bind_text(st, 5, requirement_name(r->requirement));
	db_bind_text(st, 6, requirement_name(r->demand));
	db_bind_text(st, 7, policy_source_name(r->source));
	db_bind_int_or_null(st, 8, r->rule_id);
	db_bind_int(st, 9, r->passes);
	return db_run(d, st);
}

bool stored_verdict_pair_statement(enum verdict v, enum sql_statement *count,
				   enum sql_statement *retract)
{
	*count = v == VERDICT_ENCRYPTED ? SQL_PAIR_ENCRYPTED : SQL_PAIR_CLEARTEXT;
	*retract = v == VERDICT_ENCRYPTED ? SQL_PAIR_ENCRYPTED_RETRACT : SQL_PAIR_CLEARTEXT_RETRACT;
	/* Reports, handshakes and S/MIME say nothing about whether this pair uses OpenPGP. */
	return v == VERDICT_ENCRYPTED || is_cleartext(v);
}

/* *last_unix: of the last message before this one. */
static int read_pair(struct db *d, const char *sender_key, const char *recipient_key,
		     enum verdict v, int64_t *last_unix)
{
	sqlite3_stmt *st = db_statement(d, SQL_POLICY_PAIR);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, sender_key);
	db_bind_text(st, 2, recipient_key);
	got = db_step(d, st);
	*last_unix = got == 1 ? sqlite3_column_int64(st, v == VERDICT_ENCRYPTED ? 1 : 4) : 0;
	sqlite3_reset(st);
	return got < 0 ? -1 : 0;
}

static int count_pair(struct db *d, const char *sender_key, const char *recipient_key,
		      const struct verdict_record *m, int64_t *last_unix)
{
	enum sql_statement count, retract;
	sqlite3_stmt *st;

	if (!stored_verdict_pair_statement(m->judgement->verdict, &count, &retract))
		return 0;
	if (read_pair(d, sender_key, recipient_key, m->judgement->verdict, last_unix) != 0)
		return -1;
	st = db_statement(d, count);
	if (st == NULL)
		return -1;
	db_bind_text(st, 1, sender_key);
	db_bind_text(st, 2, recipient_key);
	db_bind_int(st, 3, m->time_unix);
	return db_run(d, st);
}

int64_t stored_verdict_latest(const struct verdict_record *r)
{
	const int64_t now_unix = clock_now_unix();

	return (now_unix > r->time_unix ? now_unix : r->time_unix) + CLOCKS_DIFFER_S;
}

static int open_reply_window(struct db *d, const struct verdict_record *r,
			     struct stored_recipient *to)
{
	sqlite3_stmt *st = db_statement(d, SQL_POLICY_OUTGOING);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, r->sender);
	db_bind_text(st, 2, to->outgoing_domain);
	got = db_step(d, st);
	to->outgoing_last_unix = got == 1 ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_reset(st);
	if (got < 0 || (st = db_statement(d, SQL_OUTGOING_CLEARTEXT)) == NULL)
		return -1;
	db_bind_text(st, 1, r->sender);
	db_bind_text(st, 2, to->outgoing_domain);
	db_bind_int(st, 3, r->time_unix);
	db_bind_int(st, 4, stored_verdict_latest(r));
	return db_run(d, st);
}

bool stored_verdict_counts(const struct stored_verdict *v, const struct stored_recipient *r,
			   size_t which)
{
	const struct verdict_record *m = &v->record;

	if (!v->counts_for_pairs || !r->is_trustworthy)
		return false;
	if (which == 0)
		return m->is_sender_trustworthy && is_mailbox(m->sender);
	return is_mailbox(m->header_from) && strcmp(m->header_from, m->sender) != 0;
}

static int write_pairs(struct db *d, const struct stored_verdict *v, struct stored_recipient *r)
{
	const struct verdict_record *m = &v->record;
	const char *const senders[] = {m->sender, m->header_from};

	for (size_t i = 0; i < 2; i++)
		if (stored_verdict_counts(v, r, i) &&
		    count_pair(d, senders[i], r->key, m, &r->pair_last_unix[i]) != 0)
			return -1;
	return r->outgoing_domain[0] != '\0' ? open_reply_window(d, m, r) : 0;
}

int daily_sums_write(struct db *d, struct daily_sums *daily)
{
	for (size_t i = 0; i < daily->n; i++) {
		sqlite3_stmt *st = db_statement(d, SQL_DAILY_ADD);

		if (st == NULL)
			return -1;
		db_bind_int(st, 1, daily->entry[i].day);
		db_bind_text(st, 2, verdict_name(daily->entry[i].verdict));
		db_bind_text(st, 3, action_name(daily->entry[i].action));
		db_bind_text(st, 4, action_name(daily->entry[i].would));
		db_bind_int(st, 5, daily->entry[i].n_messages);
		db_bind_int(st, 6, daily->entry[i].n_recipients);
		db_bind_int(st, 7, daily->entry[i].size_bytes);
		if (db_run(d, st) != 0)
			return -1;
	}
	daily->n = 0;
	return 0;
}

int daily_sums_add(struct db *d, struct daily_sums *daily, const struct verdict_record *m, int sign)
{
	const int64_t day = m->time_unix / SECONDS_A_DAY;
	size_t i = 0;

	while (i < daily->n &&
	       (daily->entry[i].day != day || daily->entry[i].verdict != m->judgement->verdict ||
		daily->entry[i].action != m->action || daily->entry[i].would != m->would))
		i++;
	if (i == DAILY_SUMS_MAX) {
		if (daily_sums_write(d, daily) != 0)
			return -1;
		i = 0;
	}
	if (i == daily->n) {
		memset(&daily->entry[i], 0, sizeof daily->entry[i]);
		daily->entry[i].day = day;
		daily->entry[i].verdict = m->judgement->verdict;
		daily->entry[i].action = m->action;
		daily->entry[i].would = m->would;
		daily->n++;
	}
	daily->entry[i].n_messages += sign;
	daily->entry[i].n_recipients += sign * (int64_t)m->n_recipients;
	daily->entry[i].size_bytes += sign * m->size_bytes;
	return 0;
}

int stored_verdict_write(struct db *d, struct stored_verdict *v, struct daily_sums *daily)
{
	const struct verdict_record *m = &v->record;

	if (m->is_vain)
		return stored_verdict_split(d, v);
	if (insert_verdict(d, v) != 0)
		return -1;
	v->id = sqlite3_last_insert_rowid(d->handle);
	for (size_t i = 0; i < m->n_recipients; i++) {
		struct stored_recipient *r = &v->recipients[i];

		if (insert_recipient(d, v->id, i, r) != 0 || write_pairs(d, v, r) != 0)
			return -1;
	}
	if (bounce_write(d, v) != 0)
		return -1;
	return daily_sums_add(d, daily, m, 1) == 0 ? stored_verdict_split(d, v) : -1;
}

/* SPDX-License-Identifier: ISC
 *
 * ending.c: the end of a message: judgement, decision, answer handed over, record, log line, in
 * this order.
 */
#include "filter/transaction_state.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/log_limit.h"
#include "filter/log_line.h"
#include "scan/judge.h"

#define SPLIT_ATTEMPTS_MAX 2 /* pgpgate-rules(7), MIXED RECIPIENTS, 4 */

/* Held from the question whether a bounce is one too many until it is on record, and counts: else
 * as many would pass as clients end at the same time. */
static pthread_mutex_t bounce_lock = PTHREAD_MUTEX_INITIALIZER;

/* What the end of a message works with. */
struct ending {
	struct judgement judgement;
	struct outcome_recipient *asked;
	struct verdict_recipient *stored;
	struct own_key *own_keys; /* by recipient; NULL: nobody demands own-key */
	unsigned char digest[DIGEST_SIZE];
	bool has_digest;
	unsigned char together[DIGEST_SIZE]; /* with the recipients */
	bool counts_attempt;
	bool has_bounce_lock;
	char reply[OUTCOME_LINES_MAX * OUTCOME_LINE_MAX];
};

static void judge_mail(struct mail *m, struct judgement *out)
{
	struct scan_facts facts;
	const struct judge_envelope envelope = {
		.is_null_sender = m->sender.kind == ADDRESS_NULL,
		.is_to_self = m->is_local && m->sender.kind == ADDRESS_MAILBOX &&
			      m->recipients.n == 1 &&
			      strcmp(m->sender.text, m->recipients.list[0].address) == 0,
	};

	scan_finish(m->scan, &facts);
	judge(&facts, &m->settings->accept, &envelope, out);
}

/* From: is known now, and whom it names locks a ratchet as the envelope sender does. */
static int ask_ratchets_again(struct transaction *t)
{
	struct mail *m = &t->mail;

	if (m->header_from.n == 0)
		return 0;
	for (size_t i = 0; i < m->recipients.n; i++) {
		struct recipient *r = &m->recipients.list[i];
		struct address address;
		struct policy_answer answer;

		if (r->requirement != REQUIREMENT_RATCHET || r->demand == REQUIREMENT_ENCRYPTED)
			continue;
		recipients_address(r, &address);
		if (ask_policy(t, &address, &m->header_from, &answer) != 0)
			return -1;
		recipients_update(r, &answer);
	}
	return 0;
}

/* Nothing but its being expected lets this message pass: is that still so? Others may have come
 * since RCPT. */
static int ask_bounce_again(struct transaction *t, struct ending *e)
{
	struct mail *m = &t->mail;
	struct recipient *r = &m->recipients.list[0];
	struct timespec until;
	struct address address;
	struct policy_answer answer;

	if (m->recipients.n != 1 || !r->expects_bounce ||
	    (r->demand != REQUIREMENT_OWN_KEY &&
	     outcome_meets(&e->judgement, (enum requirement)r->demand, &m->settings->accept)))
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += VERDICT_LOG_WAIT_MS / 1000;
	if (pthread_mutex_clocklock(&bounce_lock, CLOCK_MONOTONIC, &until) != 0) {
		ask_failed(t, "other bounces wait for it");
		return -1;
	}
	e->has_bounce_lock = true;
	recipients_address(r, &address);
	if (ask_policy(t, &address, m->header_from.n > 0 ? &m->header_from : NULL, &answer) != 0)
		return -1;
	recipients_update(r, &answer);
	return 0;
}

/* Asks about the keys of those recipients for whom they count. 0 or -1. */
static int ask_keys(struct transaction *t, struct ending *e)
{
	struct mail *m = &t->mail;

	for (size_t i = 0; i < m->recipients.n; i++) {
		const struct recipient *r = &m->recipients.list[i];
		struct address address;

		if (r->demand != REQUIREMENT_OWN_KEY && !outcome_shows_fingerprints(m->settings))
			continue;
		if (e->own_keys == NULL)
			e->own_keys = calloc(m->recipients.n, sizeof *e->own_keys);
		if (e->own_keys == NULL) {
			log_error("out of memory: a message gets 451");
			return -1;
		}
		recipients_address(r, &address);
		if (ask_own_key(t, &address, &e->judgement, &e->own_keys[i]) != 0)
			return -1;
		e->asked[i].own_key = &e->own_keys[i];
	}
	return 0;
}

/* Whoever came first, the others would be more than can be deferred (policy.h). */
static bool are_too_many(const struct outcome_recipient *asked, size_t n)
{
	size_t n_passed = 0;

	for (size_t i = 0; i < n; i++)
		n_passed += asked[i].passes ? 1 : 0;
	return n_passed > SPLIT_DEFER_MAX && n - n_passed > SPLIT_DEFER_MAX;
}

static struct log_limit overdue;

/* Fills out and e->asked. 0, or -1: the database failed. */
static int decide(struct transaction *t, const char *queue_id, struct ending *e,
		  struct outcome *out)
{
	struct mail *m = &t->mail;
	struct outcome_input in = {
		.settings = m->settings,
		.judgement = &e->judgement,
		.recipients = e->asked,
		.n_recipients = m->recipients.n,
		.is_paused = m->is_paused,
		.is_stale = m->is_stale,
		/* internal_mail_filter_classes = bounce */
		.is_own_bounce = t->is_submitted_locally && m->sender.kind == ADDRESS_NULL,
		.may_split = e->has_digest,
		.is_one_line = t->is_submitted_locally,
		.queue_id = queue_id,
		.expects_bounce = m->recipients.n == 1 && m->recipients.list[0].expects_bounce,
	};
	bool knows_keys;
	unsigned n_left_out;
	int n_attempts;

	for (size_t i = 0; i < m->recipients.n; i++) {
		const struct recipient *r = &m->recipients.list[i];

		e->asked[i].address = r->address;
		e->asked[i].demand = (enum requirement)r->demand;
		e->asked[i].help_url = r->help_url;
	}
	knows_keys = ask_keys(t, e) == 0;
	outcome_decide(&in, out); /* without keys as `encrypted`, for on_database_error = accept */
	if (!knows_keys)
		return -1;
	if (m->is_overdue && out->action == ACTION_REFUSE &&
	    log_limit_allows(&overdue, clock_monotonic_ms(), &n_left_out))
		log_warning("the centre was not heard for longer than stale_refusal: refusing from "
			    "what is known here");
	if (out->would != ACTION_SPLIT) {
		outcome_note_keys(&in, out, &e->judgement);
		return 0;
	}
	if (digest_together(e->digest, &m->recipients, e->together) != 0 ||
	    ask_attempts(t, e->together, &n_attempts) != 0)
		return -1;
	/* A client that is known again is never counted: with slow retries each of its rounds
	 * would. */
	e->counts_attempt = !m->has_split_evidence || m->declared_size_bytes <= 0;
	if (m->is_split_vain || are_too_many(e->asked, m->recipients.n) ||
	    (e->counts_attempt && n_attempts >= SPLIT_ATTEMPTS_MAX)) {
		in.may_split = false;
		outcome_decide(&in, out);
	}
	outcome_note_keys(&in, out, &e->judgement);
	return 0;
}

static void fill_record(struct transaction *t, const char *queue_id, struct ending *e,
			const struct outcome *out, struct verdict_record *record)
{
	const struct mail *m = &t->mail;
	const struct address *from = from_header_single(&m->header_from);

	for (size_t i = 0; i < m->recipients.n; i++) {
		const struct recipient *r = &m->recipients.list[i];
		struct verdict_recipient *v = &e->stored[i];

		v->address = r->address;
		v->is_trustworthy = recipients_is_trustworthy(r);
		v->requirement = (enum requirement)r->requirement;
		v->demand = (enum requirement)r->demand;
		v->source = (enum policy_source)r->source;
		v->rule_id = r->rule_id;
		v->passes = e->asked[i].passes;
	}
	*record = (struct verdict_record){
		.time_unix = t->context->now_unix(),
		.queue_id = queue_id,
		.host = m->host,
		.client = t->client_text,
		.client_name = t->client_name,
		.authenticated = m->authenticated,
		.sender = m->sender.text,
		.is_sender_trustworthy = address_is_trustworthy(&m->sender),
		.header_from = from != NULL ? from->text : "",
		.is_local = m->is_local,
		.message_id = m->message_id,
		.declared_size_bytes = m->declared_size_bytes,
		.size_bytes = e->judgement.size_bytes,
		.judgement = &e->judgement,
		.action = out->action,
		.would = out->would,
		.reply = outcome_reply_text(out, e->reply, sizeof e->reply),
		.stands_unrecorded = m->settings->accept_on_database_error,
		.recipients = e->stored,
		.n_recipients = m->recipients.n,
		.has_split_digest = out->action == ACTION_SPLIT ||
				    (e->has_digest && m->has_split_evidence),
		.counts_attempt = out->action == ACTION_SPLIT && e->counts_attempt,
	};
	if (record->has_split_digest)
		memcpy(record->split_digest, e->digest, sizeof record->split_digest);
	if (record->counts_attempt)
		memcpy(record->attempt_digest, e->together, sizeof record->attempt_digest);
}

/* Puts the answer on record, or changes it to one that needs none. */
static void commit(struct transaction *t, struct verdict_record *record, struct outcome *out)
{
	char err[DB_ERROR_MAX];

	if (verdict_log_submit(t->context->log, record, err) == 0) {
		/* Not said after a mere look-up: a full disk can be read, and would be complained
		 * of twice a message. Nor for a message whose look-ups were before the trouble: the
		 * journal takes it. */
		if (log_limit_clear(t->context->database_trouble, t->mail.began_ms))
			log_info("the database answers again");
		return;
	}
	ask_failed(t, err);
	/* With `accept` the answer stands as the rules gave it: a refusal is right without a
	 * record. */
	if (t->mail.settings->accept_on_database_error)
		return;
	outcome_tempfail(out);
	record->action = record->would = ACTION_TEMPFAIL;
}

static void log_verdict(const struct transaction *t, const struct verdict_record *record)
{
	char line[LOG_LINE_MAX];

	log_info("%s", log_line_format(record, t->context->hashed, line, sizeof line));
}

/* In every mode that adds the field, those that came in are deleted. */
static const char *header_to_add(struct transaction *t, const struct judgement *j,
				 const struct outcome *out, unsigned *n_forged)
{
	const struct mail *m = &t->mail;
	bool is_marked = out->action == ACTION_TAG || out->action == ACTION_QUARANTINE;

	if (!m->settings->add_header && m->settings->on_refusal == ON_REFUSAL_REFUSE)
		return NULL;
	if (out->action != ACTION_ACCEPT && !is_marked)
		return NULL;
	*n_forged = m->n_forged;
	if (!m->settings->add_header && !is_marked)
		return NULL;
	snprintf(t->header_value, sizeof t->header_value, "verdict=%s; form=%s%s%s",
		 verdict_name(j->verdict), form_name(j->form), is_marked ? "; reason=" : "",
		 is_marked ? j->reason : "");
	return t->header_value;
}

static void end_with(struct transaction *t, struct ending *e, const char *queue_id,
		     transaction_hand_over *hand_over, void *context, struct outcome *out)
{
	struct mail *m = &t->mail;
	struct verdict_record record;
	const char *header_value;
	unsigned n_forged = 0;
	bool is_decided;

	judge_mail(m, &e->judgement);
	e->has_digest = m->digest.is_on;
	if (e->has_digest)
		digest_finish(&m->digest, e->digest);

	is_decided = ask_ratchets_again(t) == 0;
	is_decided = ask_bounce_again(t, e) == 0 && is_decided;
	is_decided = decide(t, queue_id, e, out) == 0 && is_decided;
	outcome_note_bounce(out, &e->judgement);
	is_decided = is_decided && !m->is_database_broken;
	fill_record(t, queue_id, e, out, &record);
	header_value = header_to_add(t, &e->judgement, out, &n_forged);
	/* Before it is on record: what is there was answered. */
	if ((is_decided || m->settings->accept_on_database_error) &&
	    hand_over(context, out, header_value, n_forged) == 0) {
		commit(t, &record, out);
	} else {
		outcome_tempfail(out);
		record.action = record.would = ACTION_TEMPFAIL;
	}
	if (e->has_bounce_lock)
		pthread_mutex_unlock(&bounce_lock);
	log_verdict(t, &record);
}

void transaction_end(struct transaction *t, const char *queue_id, transaction_hand_over *hand_over,
		     void *context, struct outcome *out)
{
	const int64_t began_us = clock_monotonic_us();
	struct mail *m = &t->mail;
	struct ending *e = NULL;

	if (!m->is_open || m->recipients.n == 0) {
		/* Nothing began, or nobody is left: an MTA that lost count, or no memory before. */
		outcome_tempfail(out);
		transaction_reset(t);
		return;
	}
	transaction_begin_content(m);
	e = malloc(sizeof *e);
	if (e != NULL) {
		memset(e, 0, offsetof(struct ending, reply));
		e->asked = calloc(m->recipients.n + 1, sizeof *e->asked);
		e->stored = calloc(m->recipients.n + 1, sizeof *e->stored);
	}
	if (e == NULL || e->asked == NULL || e->stored == NULL || m->is_out_of_memory) {
		log_error("out of memory: a message gets 451");
		outcome_tempfail(out);
	} else {
		end_with(t, e, queue_id, hand_over, context, out);
	}
	if (e != NULL) {
		free(e->asked);
		free(e->stored);
		free(e->own_keys);
		free(e);
	}
	transaction_reset(t);
	verdict_log_took(t->context->log, clock_monotonic_us() - began_us);
}

void ending_note_vain(struct transaction *t)
{
	static const struct judgement nothing = {.size_bytes = 0};
	const struct verdict_record record = {
		.time_unix = t->context->now_unix(),
		.client = t->client_text,
		.client_name = t->client_name,
		.sender = t->mail.sender.text,
		.declared_size_bytes = t->mail.declared_size_bytes,
		.judgement = &nothing,
		.action = ACTION_TEMPFAIL,
		.would = ACTION_TEMPFAIL,
		.is_vain = true,
	};
	char err[DB_ERROR_MAX];

	if (verdict_log_submit(t->context->log, &record, err) != 0)
		ask_failed(t, err);
}

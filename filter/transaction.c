/* SPDX-License-Identifier: ISC */
#include "filter/transaction_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/log.h"

struct transaction *transaction_new(const struct filter_context *context)
{
	struct transaction *t = calloc(1, sizeof *t);

	if (t != NULL)
		t->context = context;
	return t;
}

void transaction_free(struct transaction *t)
{
	if (t == NULL)
		return;
	transaction_forget(t);
	free(t);
}

/* Where some of a split message's recipients were deferred, here or by the policy server, and it
 * ended before its content: the client could not go on, for Postfix hung up after too many errors
 * (at the first one under stress), or would not. Then deferring leads nowhere; policy_decide() is
 * to know. Not where it was us who failed: the client came to nothing with a 451 of ours, and three
 * of them would refuse the message. */
static void note_vain(struct transaction *t)
{
	const struct mail *m = &t->mail;

	if (m->is_open && m->scan == NULL && m->has_split_evidence && !m->was_hindered &&
	    !m->is_out_of_memory)
		ending_note_vain(t);
}

void transaction_hinder(struct transaction *t)
{
	t->mail.was_hindered = t->mail.is_open;
}

void transaction_reset(struct transaction *t)
{
	note_vain(t);
	transaction_forget(t);
}

void transaction_forget(struct transaction *t)
{
	struct mail *m = &t->mail;

	if (!m->is_open) /* as it was left */
		return;
	recipients_reset(&m->recipients);
	scan_free(m->scan);
	settings_unref(m->settings);
	memset(m, 0, sizeof *m);
}

void transaction_client(struct transaction *t, const char *address, bool is_submitted_locally)
{
	char err[256];

	t->is_submitted_locally = is_submitted_locally;
	t->client_text[0] = '\0';
	t->has_client = address != NULL && !is_submitted_locally &&
			netaddr_parse(address, &t->client, err, sizeof err) == 0;
	if (t->has_client)
		netaddr_format(&t->client, t->client_text);
}

void transaction_client_name(struct transaction *t, const char *name)
{
	snprintf(t->client_name, sizeof t->client_name, "%s", name);
}

static void canonical(const char *raw, struct address *out)
{
	/* {mail_addr} of the null sender is empty. */
	if (raw[0] == '\0')
		raw = "<>";
	address_canonical(raw, strlen(raw), out);
}

void transaction_mail(struct transaction *t, const char *sender, const char *authenticated,
		      int64_t declared_size_bytes, const char *host)
{
	struct mail *m = &t->mail;

	transaction_reset(t);
	m->is_open = true;
	m->began_ms = clock_monotonic_ms();
	m->settings = t->context->settings(t->context->settings_owner);
	m->declared_size_bytes = declared_size_bytes;
	canonical(sender, &m->sender);
	settings_complete_address(m->settings, host, &m->sender);
	if (authenticated != NULL)
		log_escape(m->authenticated, sizeof m->authenticated, authenticated,
			   strlen(authenticated));
	if (host != NULL)
		log_escape(m->host, sizeof m->host, host, strlen(host));
	m->is_local = t->is_submitted_locally || m->authenticated[0] != '\0' ||
		      (t->has_client && settings_is_local_client(m->settings, &t->client));
}

static void too_many_recipients(struct outcome *out)
{
	/* RFC 5321 section 4.5.3.1.10 */
	memset(out, 0, sizeof *out);
	out->action = out->would = ACTION_TEMPFAIL;
	snprintf(out->code, sizeof out->code, "452");
	snprintf(out->enhanced, sizeof out->enhanced, "4.5.3");
	snprintf(out->line[0], sizeof out->line[0], "Too many recipients");
	out->n_lines = 1;
}

enum transaction_reply transaction_recipient(struct transaction *t, const char *recipient,
					     struct outcome *out)
{
	struct mail *m = &t->mail;
	const struct policy_split split_before = m->split;
	struct address address;
	struct policy_answer answer;

	if (!m->is_open) {
		outcome_tempfail(out);
		return TRANSACTION_TEMPFAIL;
	}
	if (m->recipients.n >= (t->is_submitted_locally ? RECIPIENTS_LOCAL_MAX : RECIPIENTS_MAX)) {
		too_many_recipients(out);
		return TRANSACTION_DEFER;
	}
	address_canonical(recipient, strlen(recipient), &address);
	settings_complete_address(m->settings, m->host, &address);
	if (ask_policy(t, &address, NULL, &answer) != 0) {
		m->was_hindered = true;
		if (!m->settings->accept_on_database_error && !t->is_submitted_locally) {
			outcome_tempfail(out);
			return TRANSACTION_TEMPFAIL;
		}
		/* A look-up that failed says nothing of the message: what earlier
		 * recipients told of a pause stays. */
		m->is_database_broken = !m->settings->accept_on_database_error;
		ask_nobody(&answer);
	} else {
		m->is_paused = answer.is_paused;
		m->is_stale = answer.is_stale;
		m->is_overdue = answer.is_overdue;
	}
	m->has_split_evidence = m->has_split_evidence || answer.n_split > 0;
	m->is_split_vain = m->is_split_vain || answer.is_split_vain;
	if (!t->is_submitted_locally && policy_split_defers(&m->split, &answer)) {
		outcome_defer_class(out);
		return TRANSACTION_DEFER;
	}
	if (recipients_add(&m->recipients, &address, &answer) != 0) {
		m->was_hindered = true;
		if (t->is_submitted_locally) {
			m->is_out_of_memory = true;
			return TRANSACTION_CONTINUE;
		}
		/* One that is not in the message does not set its class either. */
		m->split = split_before;
		outcome_tempfail(out);
		return TRANSACTION_TEMPFAIL;
	}
	return TRANSACTION_CONTINUE;
}

void transaction_begin_content(struct mail *m)
{
	if (m->scan != NULL || m->is_out_of_memory)
		return;
	m->scan = scan_new();
	if (m->scan == NULL) {
		m->is_out_of_memory = true;
		return;
	}
	if (m->settings->mixed_recipients == MIXED_SPLIT && !m->is_local &&
	    (m->has_split_evidence || recipients_may_differ(&m->recipients)))
		digest_begin(&m->digest);
}

static bool is_field(const char *name, size_t name_len, const char *wanted)
{
	return strlen(wanted) == name_len && strncasecmp(name, wanted, name_len) == 0;
}

static void keep_message_id(struct mail *m, const char *value, size_t value_len)
{
	while (value_len > 0 && strchr(" \t\r\n", value[0]) != NULL) {
		value++;
		value_len--;
	}
	while (value_len > 0 && strchr(" \t\r\n", value[value_len - 1]) != NULL)
		value_len--;
	log_escape(m->message_id, sizeof m->message_id, value, value_len);
}

void transaction_header(struct transaction *t, const char *name, const char *value)
{
	struct mail *m = &t->mail;
	size_t name_len = strlen(name);
	size_t value_len = strlen(value);

	if (!m->is_open)
		return;
	transaction_begin_content(m);
	if (m->is_out_of_memory)
		return;
	scan_header(m->scan, (const unsigned char *)name, name_len, (const unsigned char *)value,
		    value_len);

	/* White space before the colon is presented with the name, and some readers pass over it
	 * (RFC 5322 section 4.5.8). */
	while (name_len > 0 && (name[name_len - 1] == ' ' || name[name_len - 1] == '\t'))
		name_len--;
	digest_header(&m->digest, name, name_len, value, value_len);
	if (is_field(name, name_len, TRANSACTION_HEADER)) {
		m->n_forged++;
	} else if (is_field(name, name_len, "From")) {
		from_header_add(&m->header_from, value, value_len);
	} else if (is_field(name, name_len, "Message-ID") && m->message_id[0] == '\0') {
		keep_message_id(m, value, value_len);
	}
}

void transaction_end_of_header(struct transaction *t)
{
	struct mail *m = &t->mail;

	if (!m->is_open)
		return;
	transaction_begin_content(m);
	if (!m->is_out_of_memory)
		scan_end_of_header(m->scan);
}

void transaction_body(struct transaction *t, const unsigned char *bytes, size_t len)
{
	struct mail *m = &t->mail;

	if (!m->is_open)
		return;
	transaction_begin_content(m);
	if (m->is_out_of_memory)
		return;
	digest_body(&m->digest, bytes, len);
	scan_body(m->scan, bytes, len);
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate explain: what applies to a recipient, from where, which rules lost and why; with a
 * message, its verdict and the very reply it would get. Or what happened to a message that was
 * answered; or the rules of a domain.
 *
 * It asks the function that the filter and the policy server ask, so it cannot disagree with them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/bounce_text.h"
#include "cli/explain_domain.h"
#include "cli/explain_found.h"
#include "cli/explain_show.h"
#include "cli/mail_files.h"
#include "cli/mail_judge.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/site_rows.h"
#include "common/clock.h"
#include "common/log.h"

struct explain_options {
	const char *sender, *client, *authenticated, *message, *queue_id;
	bool is_site, is_local;
};

struct reading {
	struct mail_judge *judge;
	int64_t n_messages, n_failed;
};

static void begin(void *context, const char *name, int64_t number)
{
	struct reading *r = context;

	(void)name;
	(void)number;
	if (r->n_messages++ == 0)
		mail_judge_begin(r->judge);
}

static void bytes(void *context, const unsigned char *chunk, size_t len)
{
	struct reading *r = context;

	if (r->n_messages == 1) /* of an mbox only the first */
		mail_judge_feed(r->judge, chunk, len);
}

static void end(void *context)
{
	(void)context;
}

static void failed(void *context, const char *name, const char *why)
{
	struct reading *r = context;
	char escaped[OUTPUT_TEXT_MAX / 2];

	r->n_failed++;
	cli_error("%s: %s", log_escape(escaped, sizeof(escaped), name, strlen(name)), why);
}

/* 0, or an exit code. */
static int read_message(struct mail_opener *opener, const struct settings *s,
			const struct explain_options *o, struct explanation *x)
{
	struct reading r = {.judge = mail_judge_new(NULL, NULL)};
	struct mail_sink sink = {begin, bytes, end, failed, &r};
	struct judge_envelope envelope = {
		.is_null_sender = x->sender.kind == ADDRESS_NULL,
		.is_to_self = strcmp(x->sender.text, x->recipient.text) == 0,
	};

	if (r.judge == NULL) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	mail_files_read(opener, &sink);
	if (r.n_failed == 0 && r.n_messages != 1) {
		cli_error("%s holds %lld messages; one is wanted", o->message,
			  (long long)r.n_messages);
		r.n_failed = 1;
	}
	if (r.n_failed == 0) {
		mail_judge_finish(r.judge, &s->accept, &envelope, &x->judgement);
		x->header_from = *mail_judge_header_from(r.judge);
		x->has_message = true;
	}
	mail_judge_free(r.judge);
	return r.n_failed > 0 ? EX_NOINPUT : 0;
}

/* What read_message() found, from a process that took a stranger's mail apart: nothing of it is
 * believed. */
struct told {
	struct judgement judgement;
	struct from_header header_from;
};

static bool is_sane(struct told *t)
{
	bool is = (unsigned)t->judgement.verdict < VERDICT_COUNT &&
		  (unsigned)t->judgement.form < FORM_COUNT &&
		  memchr(t->judgement.reason, '\0', REASON_MAX) != NULL &&
		  memchr(t->judgement.detail, '\0', DETAIL_MAX) != NULL &&
		  t->judgement.n_key_ids <= KEY_IDS_MAX && t->header_from.n <= FROM_MAX;

	for (size_t i = 0; is && i < t->judgement.n_key_ids; i++)
		is = t->judgement.key_message[i] < KEY_IDS_MAX;
	for (size_t i = 0; is && i < t->header_from.n; i++) {
		struct address *a = &t->header_from.address[i];
		char text[sizeof(a->text)];

		memcpy(text, a->text, sizeof(text));
		address_canonical(text, strnlen(text, sizeof(text)), a);
	}
	return is;
}

/* Where root has no other user to become, and needs the database that is its own. Likewise. */
static int read_message_as_nobody(struct mail_opener *opener, const struct settings *s,
				  const struct explain_options *o, struct explanation *x)
{
	struct told *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			      -1, 0);
	const pid_t pid = t != MAP_FAILED ? fork() : -1;
	int status = 0, code = EX_OSERR;

	if (pid == 0) {
		open_leave_root();
		code = read_message(opener, s, o, x);
		t->judgement = x->judgement;
		t->header_from = x->header_from;
		_exit(code);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0)
		cli_error("cannot start a process: %s", strerror(errno));
	else if (!WIFEXITED(status) || (WEXITSTATUS(status) == 0 && !is_sane(t)))
		cli_error("%s: the process that read it ended", o->message);
	else
		code = WEXITSTATUS(status);
	if (code == 0) {
		x->judgement = t->judgement;
		x->header_from = t->header_from;
		x->has_message = true;
	}
	if (t != MAP_FAILED)
		munmap(t, sizeof(*t));
	return code;
}

/* Opened as whoever was asked, read as somebody else. Likewise. */
static int take_message(struct settings *s, const struct explain_options *o, struct explanation *x)
{
	char *operand[] = {(char *)(uintptr_t)o->message};
	struct mail_opener *opener = open_mail(operand, 1);
	int code;

	open_become_user(s);
	code = geteuid() == 0 ? read_message_as_nobody(opener, s, o, x)
			      : read_message(opener, s, o, x);
	mail_opener_free(opener);
	return code;
}

/* What the filter would answer to this message for this one recipient. */
static int decide(struct db *d, const struct settings *s, struct explanation *x)
{
	struct own_key own_key;
	struct outcome_recipient recipient = {
		.address = x->recipient.text,
		.demand = x->answer.demand,
		.help_url = x->answer.help_url,
		.own_key = &own_key,
	};
	struct outcome_input in = {
		.settings = s,
		.judgement = &x->judgement,
		.recipients = &recipient,
		.n_recipients = 1,
		.is_paused = x->answer.is_paused,
		.is_stale = x->answer.is_stale,
		.expects_bounce = x->answer.expects_bounce,
	};

	if (policy_own_key(d, s, &x->recipient, &x->judgement, x->now_unix, &own_key) != 0)
		return -1;
	outcome_decide(&in, &x->outcome);
	outcome_note_keys(&in, &x->outcome, &x->judgement);
	outcome_note_bounce(&x->outcome, &x->judgement);
	x->passes = recipient.passes;
	return 0;
}

/* Which key a sender is to take, of whoever must have mail to their own. 0 or -1. */
static int find_key(struct db *d, const struct settings *s, struct explanation *x)
{
	const struct judgement nothing = {.n_messages = 0};

	return x->answer.demand != REQUIREMENT_OWN_KEY
		       ? 0
		       : policy_own_key(d, s, &x->recipient, &nothing, x->now_unix, &x->key);
}

static void read_addresses(const struct cli *cli, const char *recipient,
			   const struct explain_options *o, struct explanation *x)
{
	char err[256];

	address_canonical(recipient, strlen(recipient), &x->recipient);
	if (x->recipient.kind == ADDRESS_NULL)
		cli_misuse(cli, "a recipient is wanted, not the null sender");
	if (o->sender != NULL)
		address_canonical(o->sender, strlen(o->sender), &x->sender);
	else
		address_canonical("nobody@sender.invalid", 21, &x->sender);
	x->has_sender = o->sender != NULL;
	if (o->client != NULL && netaddr_parse(o->client, &x->client, err, sizeof(err)) != 0)
		cli_misuse(cli, "--client: %s", err);
	if (o->client != NULL && x->client.prefix_bits != 128)
		cli_misuse(cli, "--client: one address is wanted, not a network");
}

static int explain_recipient(struct cli *cli, struct settings *s, const char *recipient,
			     const struct explain_options *o)
{
	struct explanation x = {.now_unix = clock_now_unix()};
	struct policy_query q = {
		.recipient = &x.recipient,
		.sender = &x.sender,
		.client = o->client != NULL ? &x.client : NULL,
		.is_authenticated = o->authenticated != NULL,
		.is_submitted_locally = o->is_local,
		.declared_size_bytes = SIZE_NOT_DECLARED,
		.now_unix = x.now_unix,
	};
	struct db *d;
	int code;

	read_addresses(cli, recipient, o, &x);
	if (o->message != NULL) {
		code = take_message(s, o, &x);
		if (code != 0)
			return code;
		q.header_from = &x.header_from;
	}
	d = open_database(s, DB_READ);
	if (o->client != NULL || s->are_postfix_domains_protected)
		open_ask_postfix(s);
	if (policy_explain(d, s, &q, &x.answer, explanation_add, &x) != 0 ||
	    (x.has_sender &&
	     (x.has_history = pair_get(d, x.sender.text, x.recipient.text, &x.history)) < 0) ||
	    find_key(d, s, &x) != 0 || (x.has_message && decide(d, s, &x) != 0)) {
		code = open_failed(d);
	} else {
		code = 0;
		if (cli->json)
			output_json(explanation_json(&x, s));
		else
			explanation_print(&x, s);
	}
	db_close(d);
	explanation_clear(&x);
	return code;
}

/* What people have in hand: an address, a domain, a queue id, a Message-ID, the text of a bounce.
 */
static int explain_operand(struct cli *cli, struct settings *s, const char *text,
			   const struct explain_options *o)
{
	const bool has_options = o->sender != NULL || o->client != NULL ||
				 o->authenticated != NULL || o->message != NULL || o->is_local;
	int code = 1;

	if (has_options)
		return explain_recipient(cli, s, text, o);
	if (strcmp(text, "-") == 0)
		return explain_bounce(cli, s);
	if (strchr(text, '@') == NULL && text[0] != '<')
		return bounce_is_queue_id(text) ? explain_queue_id(cli, s, text, false)
						: explain_domain(cli, s, text);
	if (text[0] == '<')
		code = explain_message_id(cli, s, text, true);
	return code == 1 ? explain_recipient(cli, s, text, o) : code;
}

int cmd_explain(struct cli *cli, int argc, char **argv)
{
	struct explain_options o = {0};
	const struct option_spec specs[] = {
		{"sender", 0, "ADDRESS", OPTION_TEXT, &o.sender,
		 "envelope sender; <> is the null sender"},
		{"client", 0, "IP", OPTION_TEXT, &o.client, "address of the client"},
		{"authenticated", 0, "USER", OPTION_TEXT, &o.authenticated,
		 "the client has logged in"},
		{"local", 0, NULL, OPTION_FLAG, &o.is_local, "submitted here, with sendmail(1)"},
		{"message", 0, "FILE", OPTION_TEXT, &o.message,
		 "the message, or - for standard input"},
		SITE_ROWS_OPTION(&o.is_site),
		{"queue-id", 0, "ID", OPTION_TEXT, &o.queue_id,
		 "what happened to that message, and why"},
	};
	char **operands;
	int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs), NULL, &operands);
	struct settings *s;
	int code;

	if (o.queue_id != NULL && (n > 0 || o.sender != NULL || o.client != NULL ||
				   o.authenticated != NULL || o.message != NULL || o.is_local))
		cli_misuse(cli, "--queue-id goes without a recipient and other options");
	if (o.queue_id == NULL && n != 1)
		cli_misuse(cli, n == 0 ? "what? An address, a domain, a queue id, a Message-ID, or "
					 "- for the text of a bounce"
				       : "one at a time");
	if (o.is_site && o.queue_id == NULL)
		cli_misuse(cli, "--site goes with --queue-id");
	s = open_settings(cli);
	if (o.message == NULL)
		open_become_user(s); /* standard input holds what a stranger wrote, too */
	if (o.queue_id != NULL)
		code = explain_queue_id(cli, s, o.queue_id, o.is_site);
	else
		code = explain_operand(cli, s, operands[0], &o);
	settings_unref(s);
	return code;
}

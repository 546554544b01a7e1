/* SPDX-License-Identifier: ISC */
#include "filter/milter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "common/socket.h"
#include "filter/envelope.h"
#include "filter/listen.h"
#include "filter/milter_answer.h"
#include "filter/running.h"
#include "filter/session.h"
#include "filter/stand_in.h"

#define NAME "pgpgate-filter" /* in libmilter's own log lines */

/* libmilter has one filter a process and hands our callbacks no pointer of ours before the first
 * one. */
static struct {
	const struct filter_context *context;
	atomic_bool expects_macros; /* as last negotiated: an MTA that uses its connection again
				       does not ask */
	struct log_limit no_session, lost_macros;
} process;

/* libmilter ends a session, in the thread that calls us about it, when it has no memory for the
 * next packet. */
static bool is_short_of_memory(void)
{
	return errno == ENOMEM;
}

/* Only what is read below: each macro costs the MTA a look-up a message. 0, or -1: no memory. */
static int ask_for_macros(SMFICTX *ctx)
{
	static const struct {
		int stage;
		const char *names;
	} lists[] = {
		{SMFIM_CONNECT, "j v _"},
		{SMFIM_ENVFROM, "i {auth_authen} {mail_addr}"},
		{SMFIM_ENVRCPT, "{rcpt_addr}"},
		{SMFIM_EOM, "i"},
	};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		if (smfi_setsymlist(ctx, lists[i].stage, (char *)lists[i].names) != MI_SUCCESS)
			return -1;
	}
	return 0;
}

static sfsistat negotiate(SMFICTX *ctx, unsigned long actions, unsigned long *our_actions)
{
	struct session *s = session_new(process.context);

	smfi_setpriv(ctx, s);
	if (s == NULL)
		return SMFIS_REJECT;
	*our_actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE;
	if (actions & SMFIF_SETSYMLIST) {
		if (ask_for_macros(ctx) != 0)
			return SMFIS_REJECT;
		*our_actions |= SMFIF_SETSYMLIST;
		s->expects_macros = true;
	}
	return SMFIS_CONTINUE;
}

/* SMFIS_REJECT: libmilter hangs up, and the MTA does what it does without us. */
static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
			     unsigned long unused0, unsigned long unused1,
			     unsigned long *our_actions, unsigned long *our_steps,
			     unsigned long *our_unused0, unsigned long *our_unused1)
{
	sfsistat status;

	(void)unused0;
	(void)unused1;
	if (!running_begin())
		return SMFIS_REJECT;
	session_free(smfi_getpriv(ctx));
	status = negotiate(ctx, actions, our_actions);
	running_end();
	*our_steps = SMFIP_NR_CONN | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;
	*our_steps |= steps & (SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC);
	*our_unused0 = 0;
	*our_unused1 = 0;
	return status;
}

/* The session that the negotiation made, or where an MTA uses its connection again a new one. NULL:
 * no memory. */
static struct session *session_begin(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	if (s != NULL && !s->is_begun)
		atomic_store(&process.expects_macros, s->expects_macros);
	if (s != NULL && s->is_begun) {
		session_free(s);
		s = NULL;
	}
	if (s == NULL) {
		s = session_new(process.context);
		if (s != NULL)
			s->expects_macros = atomic_load(&process.expects_macros);
	}
	if (s != NULL)
		s->is_begun = true;
	smfi_setpriv(ctx, s);
	return s;
}

static const char *symbol(SMFICTX *ctx, const char *name)
{
	/* The prototype lacks a const that the function deserves. */
	return smfi_getsymval(ctx, (char *)name);
}

/* Postfix gives the name only where it leads back to the address; Sendmail always, and says so
 * elsewhere. */
static const char *client_name(SMFICTX *ctx, const char *hostname)
{
	const char *validated = symbol(ctx, "_");

	if (hostname == NULL || (validated != NULL && strstr(validated, "(may be forged)") != NULL))
		return "";
	return hostname;
}

static sfsistat on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *address)
{
	struct session *s;
	const char *host, *version;

	if (!running_begin())
		return SMFIS_NOREPLY;
	/* Without a session every MAIL gets 451. */
	s = session_begin(ctx);
	if (s != NULL) {
		session_client(s, (const struct sockaddr *)address);
		host = symbol(ctx, "j");
		version = symbol(ctx, "v");
		s->is_lame = s->expects_macros && host == NULL && version == NULL;
		s->is_sendmail = envelope_is_sendmail(version);
		snprintf(s->host, sizeof s->host, "%s", host != NULL ? host : "");
		transaction_client_name(s->transaction, client_name(ctx, hostname));
	}
	running_end();
	return SMFIS_NOREPLY;
}

static sfsistat macros_are_lost(SMFICTX *ctx, const char *command)
{
	milter_complain(&process.lost_macros,
			"%s gets 451: the macros negotiated for it did not come; memory is short",
			command);
	return milter_tempfail(ctx);
}

static sfsistat begin_mail(SMFICTX *ctx, struct session *s, char **args)
{
	const char *queue_id = symbol(ctx, "i");
	const char *macro = symbol(ctx, "{mail_addr}");
	bool is_submitted_locally;

	memset(&s->recipient, 0, sizeof s->recipient);
	/* What is left of the message before ends here, whatever is said of this one. */
	transaction_reset(s->transaction);
	if (envelope_is_lost(&s->sender, macro, args[0], s->is_sendmail, s->expects_macros) ||
	    s->is_lame)
		return macros_are_lost(ctx, "MAIL");
	/* Postfix's cleanup server plays the client for sendmail(1): from port 0, and with a queue
	 * id before there is a recipient, which smtpd has not. Sendmail's "-bs" is spoken to
	 * through a pipe; all of its other clients have an address, while Postfix may not know one
	 * (XCLIENT). */
	is_submitted_locally = (s->has_port_zero && queue_id != NULL && queue_id[0] != '\0') ||
			       (s->is_sendmail && s->has_no_network);
	transaction_client(s->transaction, s->client[0] != '\0' ? s->client : NULL,
			   is_submitted_locally);
	transaction_mail(s->transaction, envelope_address(macro, args[0], s->is_sendmail),
			 symbol(ctx, "{auth_authen}"), envelope_declared_size(args + 1), s->host);
	return SMFIS_CONTINUE;
}

static sfsistat on_mail(SMFICTX *ctx, char **args)
{
	struct session *s;
	sfsistat status;

	if (!running_begin())
		return SMFIS_TEMPFAIL;
	s = smfi_getpriv(ctx);
	if (s != NULL && s->is_begun) {
		status = begin_mail(ctx, s, args);
	} else {
		milter_complain(
			&process.no_session,
			"MAIL gets 451: memory was short, or the MTA did not say who connects");
		status = milter_tempfail(ctx);
	}
	running_end();
	return status;
}

static sfsistat take_recipient(SMFICTX *ctx, struct session *s, char **args)
{
	const char *macro = symbol(ctx, "{rcpt_addr}");
	struct outcome out;

	if (envelope_is_lost(&s->recipient, macro, args[0], s->is_sendmail, s->expects_macros)) {
		transaction_hinder(s->transaction);
		return macros_are_lost(ctx, "RCPT");
	}
	if (transaction_recipient(s->transaction, envelope_address(macro, args[0], s->is_sendmail),
				  &out) == TRANSACTION_CONTINUE)
		return SMFIS_CONTINUE;
	return milter_reply(ctx, &out);
}

static sfsistat on_recipient(SMFICTX *ctx, char **args)
{
	struct session *s;
	sfsistat status = SMFIS_TEMPFAIL;

	if (!running_begin())
		return SMFIS_TEMPFAIL;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		status = take_recipient(ctx, s, args);
	running_end();
	return status;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *s;

	if (!running_begin())
		return SMFIS_NOREPLY;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		transaction_header(s->transaction, name, value);
	running_end();
	return SMFIS_NOREPLY;
}

static sfsistat on_end_of_header(SMFICTX *ctx)
{
	struct session *s;

	if (!running_begin())
		return SMFIS_NOREPLY;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		transaction_end_of_header(s->transaction);
	running_end();
	return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
	struct session *s;

	if (!running_begin())
		return SMFIS_NOREPLY;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		transaction_body(s->transaction, bytes, len);
	running_end();
	return SMFIS_NOREPLY;
}

static sfsistat end_of_message(SMFICTX *ctx, struct session *s)
{
	const char *queue_id = symbol(ctx, "i");
	struct outcome out;

	/* On record without its queue id it would not be found. */
	if (queue_id == NULL && s->expects_macros) {
		transaction_forget(s->transaction);
		return macros_are_lost(ctx, "a message");
	}
	transaction_end(s->transaction, queue_id, milter_hand_over, ctx, &out);
	/* Ours is the only answer that was not handed over. SMFIS_CONTINUE and not SMFIS_ACCEPT:
	 * other filters of Sendmail are to see the message as well. */
	return out.action == ACTION_TEMPFAIL ? milter_reply(ctx, &out) : milter_status(&out);
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
	struct session *s;
	sfsistat status = SMFIS_TEMPFAIL;

	if (!running_begin())
		return SMFIS_TEMPFAIL;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		status = end_of_message(ctx, s);
	running_end();
	return status;
}

static sfsistat on_abort(SMFICTX *ctx)
{
	const bool is_short = is_short_of_memory();
	struct session *s;

	if (!running_begin())
		return SMFIS_CONTINUE;
	s = smfi_getpriv(ctx);
	/* libmilter calls it itself when it stops, and when it gives up. */
	if (s != NULL && (is_short || stand_in_has_ended()))
		transaction_forget(s->transaction);
	else if (s != NULL)
		transaction_reset(s->transaction);
	running_end();
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	if (!running_begin())
		return SMFIS_CONTINUE;
	session_free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, NULL);
	running_end();
	return SMFIS_CONTINUE;
}

int milter_listen(const char *socket, mode_t mask, const struct filter_context *context, char *err,
		  size_t err_size)
{
	struct smfiDesc description = {
		.xxfi_name = NAME,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_recipient,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_header,
		.xxfi_body = on_body,
		.xxfi_eom = on_end_of_message,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};
	char text[512];
	mode_t old;
	int result;

	process.context = context;
	listen_warn_of_strangers(socket);
	if (listen_try(socket, mask, err, err_size) != 0)
		return -1;
	if (listen_for_libmilter(socket, text, sizeof text) != 0) {
		snprintf(err, err_size, "%s: too long", socket);
		return -1;
	}
	old = umask(mask);
	result = smfi_register(description) == MI_SUCCESS && smfi_setconn(text) == MI_SUCCESS &&
				 smfi_opensocket(false) == MI_SUCCESS
			 ? 0
			 : -1;
	umask(old);
	if (result != 0)
		snprintf(err, err_size,
			 "%s: libmilter cannot listen there; it says why in the mail log", socket);
	return result;
}

int milter_run(void)
{
	return smfi_main() == MI_SUCCESS ? 0 : -1;
}

void milter_stop(void)
{
	smfi_stop();
}

void milter_unlisten(const char *socket)
{
	struct socket_address address;
	char err[256];

	if (socket_parse(socket, &address, err, sizeof err) == 0 && address.is_unix)
		unlink(address.path);
}

/* SPDX-License-Identifier: ISC */
#include "filter/milter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/log_limit.h"
#include "common/netaddr.h"
#include "common/socket.h"
#include "db/policy.h"
#include "filter/envelope.h"
#include "filter/stand_in.h"

#define NAME "pgpgate-filter"		      /* in libmilter's own log lines */
#define REPLY_LINE_MAX (OUTCOME_LINE_MAX * 2) /* every % doubled; cut to what libmilter takes */
#define LIBMILTER_LINE_MAX 980
#define DRAIN_STEP_MS 10

/* One SMTP connection. */
struct session {
	struct transaction *transaction;
	char client[NETADDR_TEXT_MAX]; /* "" : unknown */
	bool has_port_zero;
	bool has_no_network; /* no address of the Internet: a pipe, a UNIX-domain socket */
	bool is_sendmail;
	bool expects_macros; /* the MTA was asked for ours, and can send them */
	bool is_begun;	     /* CONNECT has come */
	bool is_lame;	     /* those of CONNECT were lost: every MAIL gets 451 */
	struct envelope_memory sender, recipient; /* of the session, of the message */
	char host[256];
};

/* libmilter has one filter a process and hands our callbacks no pointer of ours before the first
 * one. */
static struct {
	const struct filter_context *context;
	atomic_uint n_running; /* callbacks under way */
	atomic_bool is_stopping;
	atomic_bool expects_macros; /* as last negotiated: an MTA that uses its connection again
				       does not ask */
	struct log_limit no_session, lost_macros, no_reply;
} process;

__attribute__((format(printf, 2, 3))) static void complain(struct log_limit *l, const char *format,
							   ...)
{
	char text[200];
	va_list arguments;
	unsigned n = 0;

	if (!log_limit_allows(l, clock_monotonic_ms(), &n))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	log_error("%s (%u more times)", text, n);
}

static void callback_end(void)
{
	atomic_fetch_sub(&process.n_running, 1);
	errno = 0; /* for is_short_of_memory() */
}

/* libmilter ends a session, in the thread that calls us about it, when it has no memory for the
 * next packet. */
static bool is_short_of_memory(void)
{
	return errno == ENOMEM;
}

/* smfi_main() returns while callbacks still run, and workers may begin new ones after that. Counted
 * first and asked afterwards, so that milter_drain() either sees the callback or is seen by it. */
static bool callback_begin(void)
{
	atomic_fetch_add(&process.n_running, 1);
	if (!atomic_load(&process.is_stopping))
		return true;
	callback_end();
	return false;
}

bool milter_drain(int timeout_ms)
{
	static const struct timespec pause = {.tv_nsec = DRAIN_STEP_MS * 1000000L};
	const int64_t until_ms = clock_monotonic_ms() + timeout_ms;

	bool is_idle;

	atomic_store(&process.is_stopping, true);
	while (!(is_idle = atomic_load(&process.n_running) == 0) && clock_monotonic_ms() < until_ms)
		nanosleep(&pause, NULL);
	return is_idle;
}

static void session_free(struct session *s)
{
	if (s == NULL)
		return;
	transaction_free(s->transaction);
	free(s);
}

static struct session *session_new(void)
{
	struct session *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->transaction = transaction_new(process.context);
	if (s->transaction == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

/* Where the client comes from, as the MTA says. Unknown stays "". */
static void session_client(struct session *s, const struct sockaddr *address)
{
	s->has_no_network = address == NULL || address->sa_family == AF_UNIX;
	if (address == NULL)
		return;
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		if (in->sin_addr.s_addr != htonl(INADDR_ANY)) /* stand_in.h */
			inet_ntop(AF_INET, &in->sin_addr, s->client, sizeof s->client);
		s->has_port_zero = in->sin_port == 0;
	} else if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;

		if (!IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
			inet_ntop(AF_INET6, &in6->sin6_addr, s->client, sizeof s->client);
		s->has_port_zero = in6->sin6_port == 0;
	}
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
	struct session *s = session_new();

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
	if (!callback_begin())
		return SMFIS_REJECT;
	session_free(smfi_getpriv(ctx));
	status = negotiate(ctx, actions, our_actions);
	callback_end();
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
		s = session_new();
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

	if (!callback_begin())
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
	callback_end();
	return SMFIS_NOREPLY;
}

/* RFC 1870 section 3: SIZE= among the parameters of MAIL. "0" is what clients say that do not know,
 * and what the policy server is told when there is none. */
static int64_t declared_size(char **args)
{
	for (; *args != NULL; args++) {
		const char *digits = *args + 5;
		int64_t size = 0;

		if (strncasecmp(*args, "SIZE=", 5) != 0)
			continue;
		for (; *digits >= '0' && *digits <= '9' && size < INT64_MAX / 10 - 1; digits++)
			size = size * 10 + (*digits - '0');
		return *digits == '\0' && size > 0 ? size : SIZE_NOT_DECLARED;
	}
	return SIZE_NOT_DECLARED;
}

/* 0, or -1: libmilter has no memory for it. */
static int set_reply(SMFICTX *ctx, const struct outcome *o)
{
	char(*text)[REPLY_LINE_MAX] = calloc(OUTCOME_LINES_MAX, sizeof *text);
	char *line[OUTCOME_LINES_MAX] = {NULL};
	int result = -1;

	for (size_t i = 0; text != NULL && i < o->n_lines; i++) {
		size_t n = 0;

		for (const char *p = o->line[i]; *p != '\0' && n + 2 < LIBMILTER_LINE_MAX; p++) {
			if (*p == '%')
				text[i][n++] = '%';
			text[i][n++] = *p;
		}
		line[i] = text[i];
	}
	if (text != NULL &&
	    smfi_setmlreply(ctx, (char *)o->code, (char *)o->enhanced, line[0], line[1], line[2],
			    line[3], line[4], line[5], line[6], line[7], line[8], line[9], line[10],
			    line[11], line[12], line[13], line[14], line[15], line[16], line[17],
			    line[18], line[19], line[20], line[21], line[22], line[23],
			    NULL) == MI_SUCCESS)
		result = 0;
	else
		complain(&process.no_reply, "libmilter did not take the reply %s %s: 451", o->code,
			 o->enhanced);
	free(text);
	return result;
}

/* The class of the code decides the status, since libmilter drops a reply of another class. */
static sfsistat status_of(const struct outcome *o)
{
	return o->code[0] == '5'   ? SMFIS_REJECT
	       : o->code[0] == '4' ? SMFIS_TEMPFAIL
				   : SMFIS_CONTINUE;
}

/* Gives the reply. A refusal that cannot say why is none: memory is short, and that is our own
 * fault. */
static sfsistat reply_with(SMFICTX *ctx, const struct outcome *o)
{
	return set_reply(ctx, o) == 0 ? status_of(o) : SMFIS_TEMPFAIL;
}

_Static_assert(OUTCOME_LINES_MAX == 24, "reply_with() names each line");

static sfsistat tempfail(SMFICTX *ctx)
{
	struct outcome out;

	outcome_tempfail(&out);
	return reply_with(ctx, &out);
}

static sfsistat macros_are_lost(SMFICTX *ctx, const char *command)
{
	complain(&process.lost_macros,
		 "%s gets 451: the macros negotiated for it did not come; memory is short",
		 command);
	return tempfail(ctx);
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
			 symbol(ctx, "{auth_authen}"), declared_size(args + 1), s->host);
	return SMFIS_CONTINUE;
}

static sfsistat on_mail(SMFICTX *ctx, char **args)
{
	struct session *s;
	sfsistat status;

	if (!callback_begin())
		return SMFIS_TEMPFAIL;
	s = smfi_getpriv(ctx);
	if (s != NULL && s->is_begun) {
		status = begin_mail(ctx, s, args);
	} else {
		complain(&process.no_session,
			 "MAIL gets 451: memory was short, or the MTA did not say who connects");
		status = tempfail(ctx);
	}
	callback_end();
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
	return reply_with(ctx, &out);
}

static sfsistat on_recipient(SMFICTX *ctx, char **args)
{
	struct session *s;
	sfsistat status = SMFIS_TEMPFAIL;

	if (!callback_begin())
		return SMFIS_TEMPFAIL;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		status = take_recipient(ctx, s, args);
	callback_end();
	return status;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *s;

	if (!callback_begin())
		return SMFIS_NOREPLY;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		transaction_header(s->transaction, name, value);
	callback_end();
	return SMFIS_NOREPLY;
}

static sfsistat on_end_of_header(SMFICTX *ctx)
{
	struct session *s;

	if (!callback_begin())
		return SMFIS_NOREPLY;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		transaction_end_of_header(s->transaction);
	callback_end();
	return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
	struct session *s;

	if (!callback_begin())
		return SMFIS_NOREPLY;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		transaction_body(s->transaction, bytes, len);
	callback_end();
	return SMFIS_NOREPLY;
}

/* Deletes forged fields, last first, because the MTA renumbers; then adds ours. 0 or -1. */
static int change_headers(SMFICTX *ctx, const char *value, unsigned n_forged)
{
	char with_space[256];

	for (unsigned i = n_forged; i > 0; i--) {
		if (smfi_chgheader(ctx, TRANSACTION_HEADER, (int)i, NULL) != MI_SUCCESS)
			return -1;
	}
	if (value == NULL)
		return 0;
	/* With LEADSPC the MTA adds no space of its own. */
	snprintf(with_space, sizeof with_space, " %s", value);
	return smfi_addheader(ctx, TRANSACTION_HEADER, with_space) == MI_SUCCESS ? 0 : -1;
}

/* A header change or a quarantine is void where the answer is no 250 in the end. */
static int hand_over(void *context, const struct outcome *out, const char *header_value,
		     unsigned n_forged)
{
	SMFICTX *ctx = context;

	if (status_of(out) != SMFIS_CONTINUE)
		return set_reply(ctx, out);
	if (change_headers(ctx, header_value, n_forged) == 0 &&
	    (out->action != ACTION_QUARANTINE ||
	     smfi_quarantine(ctx, (char *)(out->n_lines > 0 ? out->line[0] : TRANSACTION_HEADER)) ==
		     MI_SUCCESS))
		return 0;
	complain(&process.no_reply,
		 "libmilter did not take a header change or the quarantine: 451");
	return -1;
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
	transaction_end(s->transaction, queue_id, hand_over, ctx, &out);
	/* Ours is the only answer that was not handed over. SMFIS_CONTINUE and not SMFIS_ACCEPT:
	 * other filters of Sendmail are to see the message as well. */
	return out.action == ACTION_TEMPFAIL ? reply_with(ctx, &out) : status_of(&out);
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
	struct session *s;
	sfsistat status = SMFIS_TEMPFAIL;

	if (!callback_begin())
		return SMFIS_TEMPFAIL;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		status = end_of_message(ctx, s);
	callback_end();
	return status;
}

static sfsistat on_abort(SMFICTX *ctx)
{
	const bool is_short = is_short_of_memory();
	struct session *s;

	if (!callback_begin())
		return SMFIS_CONTINUE;
	s = smfi_getpriv(ctx);
	/* libmilter calls it itself when it stops, and when it gives up. */
	if (s != NULL && (is_short || stand_in_has_ended()))
		transaction_forget(s->transaction);
	else if (s != NULL)
		transaction_reset(s->transaction);
	callback_end();
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
	if (!callback_begin())
		return SMFIS_CONTINUE;
	session_free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, NULL);
	callback_end();
	return SMFIS_CONTINUE;
}

/* Finds out with our own functions whether libmilter will be able to listen: it logs to syslog
 * only, and says little. Stale sockets are gone afterwards. */
static int try_listening(const char *socket, mode_t mask, char *err, size_t err_size)
{
	struct socket_address address;
	int fd;

	if (socket_parse(socket, &address, err, err_size) != 0)
		return -1;
	fd = socket_listen(&address, mask, err, err_size);
	if (fd < 0)
		return -1;
	close(fd);
	if (address.is_unix)
		unlink(address.path);
	return 0;
}

/* libmilter takes "inet:port" for every interface; we mean this host only. */
static int libmilter_socket(const char *socket, char *out, size_t out_size)
{
	const char *host = "";
	int n;

	if (strchr(socket, '@') == NULL && strncmp(socket, "inet:", 5) == 0)
		host = "@127.0.0.1";
	else if (strchr(socket, '@') == NULL && strncmp(socket, "inet6:", 6) == 0)
		host = "@::1";
	n = snprintf(out, out_size, "%s%s", socket, host);
	return n >= 0 && (size_t)n < out_size ? 0 : -1;
}

/* libmilter believes whoever connects, and can be made to fall by a packet (pgpgate-filter(8),
 * CAVEATS). */
static void warn_of_strangers(const char *socket)
{
	struct socket_address address;
	char err[256];

	if (socket_parse(socket, &address, err, sizeof err) == 0 && !socket_is_private(&address))
		log_warning("filter_socket: %s can be reached from other machines, and whoever "
			    "connects is "
			    "taken for the MTA; let only the MTA in",
			    address.text);
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
	warn_of_strangers(socket);
	if (try_listening(socket, mask, err, err_size) != 0)
		return -1;
	if (libmilter_socket(socket, text, sizeof text) != 0) {
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

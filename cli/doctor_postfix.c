/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/doctor.h"
#include "common/run.h"
#include "common/socket.h"

#define PATIENCE_MS 10000 /* for a program of Postfix */

static const char topic[] = "postfix";

/* A program of Postfix with an option and up to two more words, NULL for none. Returns its exit status or -1. */
static int run_postfix(struct doctor *x, const char *program, const char *option, const char *word,
		       const char *word2, char *out, size_t out_size)
{
	const char *argv[7];
	size_t n = 0;

	argv[n++] = program;
	if (x->postfix.config_directory != NULL) {
		argv[n++] = "-c";
		argv[n++] = x->postfix.config_directory;
	}
	argv[n++] = option;
	argv[n++] = word;
	argv[n++] = word2;
	argv[n] = NULL;
	return run_output(argv, NULL, out, out_size, PATIENCE_MS);
}

bool doctor_parameter(struct doctor *x, const char *name, char *out, size_t out_size)
{
	size_t len;

	if (run_postfix(x, "postconf", "-xh", name, NULL, out, out_size) != 0)
		return false;
	len = strlen(out);
	while (len > 0 && (out[len - 1] == '\n' || out[len - 1] == ' '))
		out[--len] = '\0';
	return true;
}

bool doctor_lookup(struct doctor *x, bool is_alias, const char *maps, const char *key, char *out,
		   size_t out_size)
{
	char map[512];

	while (*(maps += strspn(maps, ", \t\n")) != '\0') {
		const size_t len = strcspn(maps, ", \t\n");

		snprintf(map, sizeof(map), "%.*s", (int)len, maps);
		maps += len;
		if (strchr(map, ':') != NULL &&
		    run_postfix(x, is_alias ? "postalias" : "postmap", "-q", key, map, out,
				out_size) == 0 &&
		    out[0] != '\0')
			return true;
	}
	return false;
}

/* How main.cf writes our socket: "unix:pgpgate/filter.sock" below the queue directory works with and without
 * chroot; "inet:host:port", an IPv6 address in brackets. Returns out. */
static char *as_postfix_writes(const struct doctor *x, const char *text, char *out, size_t out_size)
{
	const size_t queue_len = strlen(x->postfix.queue_directory);
	struct socket_address a;
	char err[200];

	snprintf(out, out_size, "%s", text);
	if (socket_parse(text, &a, err, sizeof(err)) != 0)
		return out;
	if (a.is_unix && strncmp(a.path, x->postfix.queue_directory, queue_len) == 0 &&
	    a.path[queue_len] == '/')
		snprintf(out, out_size, "unix:%s", a.path + queue_len + 1);
	else if (a.is_unix)
		snprintf(out, out_size, "unix:%s", a.path);
	else {
		const char *port = strchr(text, ':') + 1;
		const size_t port_len = strcspn(port, "@");
		const char *host = port[port_len] == '@'	     ? port + port_len + 1
				   : strncmp(text, "inet6:", 6) == 0 ? "::1"
								     : "127.0.0.1";
		const bool is_bare_ipv6 = strchr(host, ':') != NULL && host[0] != '[';

		snprintf(out, out_size, "inet:%s%s%s:%.*s", is_bare_ipv6 ? "[" : "", host,
			 is_bare_ipv6 ? "]" : "", (int)port_len, port);
	}
	return out;
}

/* The commands that change this Postfix: postconf with what the format says, and a reload. Returns out. */
__attribute__((format(printf, 4, 5))) static const char *by_postconf(const struct doctor *x,
								     char *out, size_t out_size,
								     const char *format, ...)
{
	const char *directory = x->postfix.config_directory;
	const char *option = directory != NULL ? " -c " : "";
	char change[DOCTOR_TEXT_MAX + 400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(change, sizeof(change), format, arguments);
	va_end(arguments);
	if (directory == NULL)
		directory = "";
	snprintf(out, out_size, "postconf%s%s %s; postfix%s%s reload", option, directory, change,
		 option, directory);
	return out;
}

/* Does a value of main.cf name this socket, as a whole word, in any way that reaches it? */
static bool names_socket(const struct doctor *x, const char *value, const char *socket_text)
{
	char wanted[300], absolute[300];
	struct socket_address a;
	char err[200];
	const char *const forms[] = {wanted, absolute, socket_text};

	as_postfix_writes(x, socket_text, wanted, sizeof(wanted));
	absolute[0] = '\0';
	if (socket_parse(socket_text, &a, err, sizeof(err)) == 0 && a.is_unix)
		snprintf(absolute, sizeof(absolute), "unix:%s", a.path);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const size_t len = strlen(forms[i]);

		for (const char *p = value; len > 0 && (p = strstr(p, forms[i])) != NULL; p += len)
			if (p[len] == '\0' || strchr(" ,\t\n}", p[len]) != NULL)
				return true;
	}
	return false;
}

/* Is there another milter behind ours? Milters are sockets, also within braces. */
static bool names_another_after(const char *value, const char *ours)
{
	static const char *const kinds[] = {"unix:", "local:", "inet:", "inet6:"};
	const char *rest = strstr(value, ours);

	if (rest == NULL)
		return false;
	rest += strlen(ours);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strstr(rest, kinds[i]) != NULL)
			return true;
	return false;
}

static void examine_milters(struct doctor *x)
{
	char ours[300], mend[DOCTOR_TEXT_MAX + 700], value[DOCTOR_TEXT_MAX];
	const char *socket_text = x->settings->filter_socket;

	as_postfix_writes(x, socket_text, ours, sizeof(ours));
	if (!names_socket(x, x->postfix.smtpd_milters, socket_text)) {
		by_postconf(x, mend, sizeof(mend), "-e 'smtpd_milters = %s%s%s'",
			    x->postfix.smtpd_milters,
			    x->postfix.smtpd_milters[0] != '\0' ? ", " : "", ours);
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "smtpd_milters does not name our filter: mail is not judged");
	} else {
		doctor_tell(x, DOCTOR_OK, topic, NULL, "smtpd_milters names our filter");
		if (names_another_after(x->postfix.smtpd_milters, ours))
			doctor_tell(x, DOCTOR_PROBLEM, topic,
				    "in smtpd_milters write our filter last; then: postfix reload",
				    "smtpd_milters names another milter after our filter, which is "
				    "not told "
				    "whom and what that one refuses: mail is split and ratchets "
				    "are locked "
				    "for nothing");
	}
	snprintf(mend, sizeof(mend), "unix:%s/", x->postfix.queue_directory);
	if (x->postfix.is_chrooted && strstr(x->postfix.smtpd_milters, mend) != NULL) {
		snprintf(mend, sizeof(mend), "in smtpd_milters write %s", ours);
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    mend, "smtpd_milters has an absolute path, and smtpd is chrooted: it cannot reach the socket");
	}
	if (doctor_parameter(x, "non_smtpd_milters", value, sizeof(value)) &&
	    !names_socket(x, value, socket_text)) {
		by_postconf(x, mend, sizeof(mend), "-e 'non_smtpd_milters = %s%s%s'", ours,
			    value[0] != '\0' ? ", " : "", value);
		doctor_tell(x, DOCTOR_NOTE, topic, mend,
			    "mail from sendmail(1) is not judged (non_smtpd_milters)");
	}
	if (doctor_parameter(x, "milter_default_action", value, sizeof(value)) &&
	    strcmp(value, "tempfail") != 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    by_postconf(x, mend, sizeof(mend), "-e 'milter_default_action = tempfail'"),
			    strcmp(value, "accept") == 0
				    ? "milter_default_action = %s: while the filter is down, "
				      "cleartext passes"
				    : "milter_default_action = %s: while the filter is down, mail "
				      "is refused for good, or held",
			    value);
	if (strstr(x->postfix.smtpd_milters, "default_action") != NULL &&
	    strstr(x->postfix.smtpd_milters, "default_action=tempfail") == NULL)
		doctor_tell(x, DOCTOR_PROBLEM, topic, "write default_action=tempfail, or leave it out",
			    "smtpd_milters sets a default_action other than tempfail");
	if (doctor_parameter(x, "smtpd_milter_maps", value, sizeof(value)) && value[0] != '\0')
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    by_postconf(x, mend, sizeof(mend), "-X smtpd_milter_maps"),
			    "smtpd_milter_maps = %s: clients listed there bypass smtpd_milters, "
			    "unless their "
			    "entry names our filter",
			    value);
}

static void examine_smuggling(struct doctor *x)
{
	char value[DOCTOR_TEXT_MAX], mend[DOCTOR_TEXT_MAX];

	if (!doctor_parameter(x, "smtpd_forbid_bare_newline", value, sizeof(value)) || value[0] == '\0')
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    "upgrade to Postfix 3.7.9, 3.8.4 or later", "this Postfix has no smtpd_forbid_bare_newline: messages can be smuggled past every check");
	else if (strcmp(value, "no") == 0)
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    by_postconf(x, mend, sizeof(mend), "-e 'smtpd_forbid_bare_newline = yes'"),
			    "smtpd_forbid_bare_newline is off: messages can be smuggled past every "
			    "check "
			    "(CVE-2023-51764)");
	else
		doctor_tell(x, DOCTOR_OK, topic, NULL, "smtpd_forbid_bare_newline = %s", value);
}

static void examine_policy(struct doctor *x)
{
	static const char *const stages[] = {"smtpd_recipient_restrictions",
					     "smtpd_relay_restrictions"};
	static const char *const wrong[] = {"smtpd_client_restrictions", "smtpd_helo_restrictions",
					    "smtpd_sender_restrictions", "smtpd_data_restrictions",
					    "smtpd_end_of_data_restrictions"};
	char value[DOCTOR_TEXT_MAX], ours[300];
	bool is_used = false;

	as_postfix_writes(x, x->settings->policy_socket, ours, sizeof(ours));
	for (size_t i = 0; i < 2; i++)
		is_used |= doctor_parameter(x, stages[i], value, sizeof(value)) &&
			   names_socket(x, value, x->settings->policy_socket);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (doctor_parameter(x, wrong[i], value, sizeof(value)) &&
		    names_socket(x, value, x->settings->policy_socket))
			doctor_tell(x, DOCTOR_PROBLEM, topic, "move it to smtpd_recipient_restrictions",
				    "%s asks our policy server, which answers at RCPT only", wrong[i]);
	x->postfix.uses_policy = is_used;
	if (is_used)
		doctor_tell(x, DOCTOR_OK, topic, NULL, "the policy server is asked at RCPT");
	else
		doctor_tell(x, DOCTOR_NOTE, topic,
			    NULL, "the policy server is not asked (check_policy_service %s): the filter alone is safe",
			    ours);
}

/* The words of a master.cf line, as postconf -M prints it. */
struct service {
	char name[200], type[20], private[8], unpriv[8], chroot[8], wakeup[12], limit[12], command[64];
};

static bool is_smtpd(const char *line, struct service *s)
{
	return sscanf(line, "%199s %19s %7s %7s %7s %11s %11s %63s", s->name, s->type, s->private,
		      s->unpriv, s->chroot, s->wakeup, s->limit, s->command) == 8 &&
	       strcmp(s->command, "smtpd") == 0;
}

/* The value of -o NAME=VALUE of a service. False when it has none. */
static bool override_of(const struct doctor *x, const struct service *s, const char *name,
			char *out, size_t out_size)
{
	char prefix[300];
	const char *found;

	snprintf(prefix, sizeof(prefix), "%s/%s/%s =", s->name, s->type, name);
	found = strstr(x->postfix.overrides, prefix);
	if (found == NULL || (found != x->postfix.overrides && found[-1] != '\n'))
		return false;
	found += strlen(prefix);
	found += strspn(found, " ");
	snprintf(out, out_size, "%.*s", (int)strcspn(found, "\n"), found);
	return true;
}

static void examine_service(struct doctor *x, const struct service *s)
{
	char value[DOCTOR_TEXT_MAX], mend[1000];

	by_postconf(x, mend, sizeof(mend), "-PX %s/%s/smtpd_milters", s->name, s->type);
	if (override_of(x, s, "smtpd_milters", value, sizeof(value)) &&
	    !names_socket(x, value, x->settings->filter_socket))
		doctor_tell(x, DOCTOR_PROBLEM, topic, mend,
			    "the service %s/%s goes without our filter (-o smtpd_milters=%s)",
			    s->name, s->type, value);
	if (override_of(x, s, "smtpd_proxy_filter", value, sizeof(value)) && value[0] != '\0')
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    "use content_filter, or put the milter behind the proxy", "the service %s/%s has smtpd_proxy_filter: milters get no header and body there",
			    s->name, s->type);
	if (override_of(x, s, "receive_override_options", value, sizeof(value)) &&
	    strstr(value, "no_milters") != NULL)
		doctor_tell(x, DOCTOR_NOTE, topic, NULL,
			    "the service %s/%s has no_milters: right for mail that comes back from "
			    "a content filter, "
			    "wrong for mail from outside",
			    s->name, s->type);
}

static void examine_master(struct doctor *x)
{
	char value[DOCTOR_TEXT_MAX];
	long n_smtpd = 0, process_limit = 100;

	if (doctor_parameter(x, "default_process_limit", value, sizeof(value)))
		process_limit = strtol(value, NULL, 10);
	if (doctor_parameter(x, "smtpd_proxy_filter", value, sizeof(value)) && value[0] != '\0')
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    "use content_filter, or put the milter behind the proxy",
			    "smtpd_proxy_filter = %s: milters get no header and body", value);
	for (const char *line = x->postfix.master; *line != '\0'; line += strspn(line, "\n")) {
		struct service s;

		if (is_smtpd(line, &s)) {
			examine_service(x, &s);
			x->postfix.is_chrooted |= s.chroot[0] == 'y';
			n_smtpd += s.limit[0] == '-' ? process_limit : strtol(s.limit, NULL, 10);
		}
		line += strcspn(line, "\n");
	}
	if (n_smtpd > (long)x->settings->max_connections) {
		char mend[100];

		snprintf(mend, sizeof(mend), "max_connections = %ld", n_smtpd + 100);
		doctor_tell(x, DOCTOR_PROBLEM, topic,
			    mend, "master.cf allows %ld smtpd processes, the policy server %u connections: the rest would get 451",
			    n_smtpd, x->settings->max_connections);
	}
}

void doctor_postfix(struct doctor *x)
{
	struct doctor_postfix *p = &x->postfix;

	p->is_there =
		doctor_parameter(x, "queue_directory", p->queue_directory, sizeof(p->queue_directory)) &&
		doctor_parameter(x, "mail_owner", p->mail_owner, sizeof(p->mail_owner)) &&
		doctor_parameter(x, "smtpd_milters", p->smtpd_milters, sizeof(p->smtpd_milters)) &&
		run_postfix(x, "postconf", "-M", NULL, NULL, p->master, sizeof(p->master)) == 0 &&
		run_postfix(x, "postconf", "-P", NULL, NULL, p->overrides, sizeof(p->overrides)) == 0;
	if (!p->is_there) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "postconf did not answer: is Postfix here?");
		return;
	}
	examine_master(x);
	examine_milters(x);
	examine_policy(x);
	examine_smuggling(x);
}

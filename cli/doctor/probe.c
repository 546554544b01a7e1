/* SPDX-License-Identifier: ISC
 *
 * probe.c: the real check: speaks SMTP to the smtpd that runs. Up to RCPT and RSET, whatever keeps
 * mail out is seen; with a cleartext message to an address that must refuse it, whatever lets it
 * in.
 *
 * Whoever asks from this machine is mostly one of ours, of whom less is demanded. So where smtpd
 * offers XCLIENT the client is made a stranger, and otherwise what is expected is what the policy
 * says of the address that we come from.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "common/clock.h"
#include "common/postfix.h"
#include "common/socket.h"
#include "db/policy.h"

#define PATIENCE_MS 30000 /* smtpd waits for milters and policy servers */
#define REPLY_MAX 4000

static const char topic[] = "probe";
static const char stranger[] = "192.0.2.1"; /* RFC 5737 */

struct conversation {
	int fd;
	char client[NETADDR_TEXT_MAX]; /* as smtpd sees it */
	char reply[REPLY_MAX];
	int code; /* 0: the connection broke */
};

/* Reads a reply, whole. */
static int hear(struct conversation *c)
{
	const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	size_t used = 0;

	c->code = 0;
	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = POLLIN};
		const int64_t left = until_ms - clock_monotonic_ms();
		const char *last;
		ssize_t n;

		if (left <= 0 || used + 1 >= sizeof(c->reply) || poll(&p, 1, (int)left) <= 0)
			break;
		n = recv(c->fd, c->reply + used, sizeof(c->reply) - 1 - used, 0);
		if (n <= 0)
			break;
		used += (size_t)n;
		c->reply[used] = '\0';
		if (c->reply[used - 1] != '\n')
			continue;
		c->reply[used - 1] = '\0';
		last = strrchr(c->reply, '\n');
		last = last != NULL ? last + 1 : c->reply;
		if (strlen(last) >= 3 && last[3] != '-') {
			c->code = (int)strtol(last, NULL, 10);
			if (c->reply[strlen(c->reply) - 1] == '\r')
				c->reply[strlen(c->reply) - 1] = '\0';
			return c->code;
		}
		c->reply[used - 1] = '\n';
	}
	snprintf(c->reply, sizeof(c->reply), "no answer");
	return 0;
}

static int say(struct conversation *c, const char *text)
{
	if (send(c->fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text)) {
		snprintf(c->reply, sizeof(c->reply), "the connection broke");
		c->code = 0;
		return 0;
	}
	return hear(c);
}

static int command(struct conversation *c, const char *word, const char *argument, const char *end)
{
	char line[1200];

	snprintf(line, sizeof(line), "%s%s%s\r\n", word, argument, end);
	return say(c, line);
}

/* The smtpd that clients speak to, as socket.h writes it. */
static bool find_smtpd(struct doctor *x, char *out, size_t out_size)
{
	for (const char *line = x->postfix.master; *line != '\0'; line += strspn(line, "\n")) {
		struct postfix_service s;
		const bool is_one = postfix_service(line, &s) && strcmp(s.type, "inet") == 0 &&
				    (strcmp(s.command, "smtpd") == 0 ||
				     strcmp(s.command, "postscreen") == 0);

		if (is_one) {
			char *colon = strrchr(s.name, ':');

			if (colon == NULL)
				snprintf(out, out_size, "inet:%s@127.0.0.1", s.name);
			else
				snprintf(out, out_size, "%s:%s@%.*s",
					 s.name[0] == '[' ? "inet6" : "inet", colon + 1,
					 (int)(colon - s.name), s.name);
			return true;
		}
		line += strcspn(line, "\n");
	}
	return false;
}

/* "host:port" of the command line, likewise. */
static void from_operand(const char *where, char *out, size_t out_size)
{
	const char *colon = strrchr(where, ':');

	if (colon == NULL)
		snprintf(out, out_size, "inet:smtp@%s", where);
	else
		snprintf(out, out_size, "%s:%s@%.*s", where[0] == '[' ? "inet6" : "inet", colon + 1,
			 (int)(colon - where), where);
}

/* Where we come from, as smtpd sees it. */
static void note_client(struct conversation *c)
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	char host[NETADDR_TEXT_MAX];

	snprintf(c->client, sizeof(c->client), "127.0.0.1");
	if (getsockname(c->fd, (struct sockaddr *)&own, &len) == 0 &&
	    socket_host(&own, len, host, sizeof(host)) == 0)
		snprintf(c->client, sizeof(c->client), "%s", host);
}

static bool greet(struct doctor *x, struct conversation *c, const char *host)
{
	if (hear(c) != 220 || command(c, "EHLO ", host, "") != 250) {
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL, "smtpd greets with \"%.300s\"",
			    c->reply);
		return false;
	}
	if (strstr(c->reply, "XCLIENT") != NULL &&
	    command(c, "XCLIENT ADDR=", stranger, "") == 220) {
		snprintf(c->client, sizeof(c->client), "%s", stranger);
		command(c, "EHLO ", host, "");
	}
	return c->code / 100 == 2;
}

/* What this message, in cleartext, is to meet. */
static int expectation(struct doctor *x, const char *recipient, const char *sender,
		       const char *client, struct policy_answer *answer)
{
	struct address to, from;
	struct netaddr address;
	char err[200];
	struct policy_query q = {
		.recipient = &to,
		.sender = &from,
		.declared_size_bytes = SIZE_NOT_DECLARED,
		.now_unix = clock_now_unix(),
	};

	address_canonical(recipient, strlen(recipient), &to);
	address_canonical(sender, strlen(sender), &from);
	if (netaddr_parse(client, &address, err, sizeof(err)) == 0)
		q.client = &address;
	return x->db != NULL ? policy_decide(x->db, x->settings, &q, answer) : -1;
}

static void judge_answer(struct doctor *x, const struct conversation *c, const char *recipient,
			 const struct policy_answer *answer)
{
	const bool is_refused = c->code / 100 == 5 &&
				strstr(c->reply, x->settings->refuse_enhanced) != NULL;

	if (is_refused)
		doctor_tell(x, DOCTOR_OK, topic, NULL, "cleartext to %s is refused: \"%.200s\"",
			    recipient, c->reply);
	else if (c->code == 250)
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
			    "cleartext to %s was taken, though it demands %s (%s): it lies in its "
			    "mailbox, and "
			    "`pgpgate log` tells whether the filter saw it",
			    recipient, requirement_name(answer->demand), answer->why);
	else
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL,
			    "cleartext to %s is answered \"%.300s\", which is no refusal of ours",
			    recipient, c->reply);
}

static void send_cleartext(struct doctor *x, struct conversation *c, const char *recipient,
			   const char *sender)
{
	struct policy_answer answer;
	char message[1500];

	if (expectation(x, recipient, sender, c->client, &answer) != 0) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL,
			    "what %s demands cannot be asked, so nothing was sent", recipient);
		return;
	}
	if (!x->settings->enforce || answer.is_paused || answer.demand == REQUIREMENT_EXEMPT ||
	    answer.demand == REQUIREMENT_OBSERVE || answer.demand == REQUIREMENT_READABLE) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL,
			    "%s need not refuse cleartext from %s (%s%s), so nothing was sent",
			    recipient, c->client,
			    !x->settings->enforce ? "enforce = no; "
			    : answer.is_paused	  ? "paused; "
						  : "",
			    answer.why);
		return;
	}
	if (command(c, "DATA", "", "") != 354) {
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL, "DATA is answered \"%.300s\"",
			    c->reply);
		return;
	}
	snprintf(message, sizeof(message),
		 "From: <%s>\r\nTo: <%s>\r\nSubject: Test of pgpgate\r\nMIME-Version: "
		 "1.0\r\nContent-Type: text/plain\r\n"
		 "Message-ID: <doctor.%lld.%ld@pgpgate.invalid>\r\n\r\n"
		 "This is a test of `pgpgate doctor`: a message that is not encrypted, and should "
		 "have been refused.\r\n.\r\n",
		 sender, recipient, (long long)clock_now_unix(), (long)getpid());
	say(c, message);
	judge_answer(x, c, recipient, &answer);
}

static void converse(struct doctor *x, struct conversation *c, const char *address, bool with_data)
{
	char host[300] = "localhost", sender[400];

	doctor_parameter(x, "myhostname", host, sizeof(host));
	snprintf(sender, sizeof(sender), "postmaster@%s", host);
	if (!greet(x, c, host))
		return;
	if (command(c, "MAIL FROM:<", sender, ">") != 250) {
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL, "MAIL FROM:<%s> is answered \"%.300s\"",
			    sender, c->reply);
	} else if (command(c, "RCPT TO:<", address, ">") != 250) {
		doctor_tell(x, DOCTOR_PROBLEM, topic, NULL, "RCPT TO:<%s> is answered \"%.300s\"",
			    address, c->reply);
	} else {
		doctor_tell(x, DOCTOR_OK, topic, NULL, "smtpd takes %s as recipient from %s",
			    address, c->client);
		if (with_data)
			send_cleartext(x, c, address, sender);
	}
	command(c, "RSET", "", "");
	command(c, "QUIT", "", "");
}

void doctor_probe(struct doctor *x, const char *address, bool with_data, const char *where)
{
	struct conversation c = {.fd = -1};
	char text[400] = "", err[300];
	struct socket_address a;

	if (where != NULL)
		from_operand(where, text, sizeof(text));
	else if (!find_smtpd(x, text, sizeof(text))) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "master.cf has no smtpd to speak to");
		return;
	}
	if (socket_parse(text, &a, err, sizeof(err)) == 0)
		c.fd = socket_connect(&a, PATIENCE_MS, err, sizeof(err));
	if (c.fd < 0) {
		doctor_tell(x, DOCTOR_PROBLEM, topic, "postfix start", "smtpd does not listen: %s",
			    err);
		return;
	}
	note_client(&c);
	converse(x, &c, address, with_data);
	close(c.fd);
}

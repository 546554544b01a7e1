/* SPDX-License-Identifier: ISC
 *
 * See milter_peer.h. Names of commands, replies and steps are those of libmilter/mfdef.h.
 */
#include "tests/bench/milter_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>

#include "tests/bench/bench_stats.h"

const char *const peer_event_name[EVENT_COUNT] = {"optneg", "connect", "helo", "mail", "rcpt",
						  "data",   "header",  "eoh",  "body", "eom"};
const char *const peer_reply_name[REPLY_COUNT] = {"continue", "accept",	   "reject",   "tempfail",
						  "discard",  "skip",	   "shutdown", "progress",
						  "change",   "quarantine"};

/* What each event is on the wire, which steps switch it or its answer off, whose macros it takes.
 */
static const struct {
	char command;
	int stage;
	uint32_t no_event, no_reply;
} event_table[EVENT_COUNT] = {
	[EVENT_OPTNEG] = {SMFIC_OPTNEG, -1, 0, 0},
	[EVENT_CONNECT] = {SMFIC_CONNECT, SMFIM_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN},
	[EVENT_HELO] = {SMFIC_HELO, SMFIM_HELO, SMFIP_NOHELO, SMFIP_NR_HELO},
	[EVENT_MAIL] = {SMFIC_MAIL, SMFIM_ENVFROM, SMFIP_NOMAIL, SMFIP_NR_MAIL},
	[EVENT_RCPT] = {SMFIC_RCPT, SMFIM_ENVRCPT, SMFIP_NORCPT, SMFIP_NR_RCPT},
	[EVENT_DATA] = {SMFIC_DATA, SMFIM_DATA, SMFIP_NODATA, SMFIP_NR_DATA},
	[EVENT_HEADER] = {SMFIC_HEADER, SMFIM_EOH, SMFIP_NOHDRS, SMFIP_NR_HDR},
	[EVENT_EOH] = {SMFIC_EOH, SMFIM_EOH, SMFIP_NOEOH, SMFIP_NR_EOH},
	[EVENT_BODY] = {SMFIC_BODY, SMFIM_EOM, SMFIP_NOBODY, SMFIP_NR_BODY},
	[EVENT_EOM] = {SMFIC_BODYEOB, SMFIM_EOM, 0, 0},
};

static const char *const default_macros[PEER_STAGES] = {
	[SMFIM_CONNECT] = "j {daemon_name} {daemon_addr} v _",
	[SMFIM_HELO] = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
	[SMFIM_ENVFROM] =
		"i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
	[SMFIM_ENVRCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
	[SMFIM_DATA] = "i",
	[SMFIM_EOM] = "i",
	[SMFIM_EOH] = "i",
};

static int fail(struct peer *p, const char *what)
{
	snprintf(p->error, sizeof(p->error), "%s: %s", what,
		 errno ? strerror(errno) : "unexpected answer");
	return -1;
}

static int write_all(struct peer *p, const unsigned char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(p->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail(p, "write");
		bytes += n;
		len -= (size_t)n;
		p->bytes_out += (uint64_t)n;
	}
	return 0;
}

static int flush(struct peer *p)
{
	size_t len = p->out_len;

	p->out_len = 0;
	return write_all(p, p->out, len);
}

static int put(struct peer *p, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	while (len > 0) {
		size_t room = p->write_bytes - p->out_len, n = len < room ? len : room;

		memcpy(p->out + p->out_len, b, n);
		p->out_len += n;
		b += n;
		len -= n;
		if (p->out_len == p->write_bytes && flush(p) != 0)
			return -1;
	}
	return 0;
}

static int put_packet_head(struct peer *p, char command, size_t len)
{
	unsigned char head[5];
	uint32_t n = htonl((uint32_t)(len + 1));

	memcpy(head, &n, 4);
	head[4] = (unsigned char)command;
	return put(p, head, 5);
}

static int read_all(struct peer *p, void *into, size_t len)
{
	unsigned char *b = into;

	while (len > 0) {
		ssize_t n = read(p->fd, b, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			return fail(p, "read");
		b += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Value of a macro now, NULL when it has none (then Postfix leaves it out). */
static const char *macro_value(const struct peer *p, const char *name, size_t len)
{
	const struct peer_envelope *e = p->envelope;
	const char *domain;
	const struct {
		const char *name, *value;
	} known[] = {
		{"j", "mx.bench.test"},
		{"{daemon_name}", "mx.bench.test"},
		{"{daemon_addr}", "127.0.0.1"},
		{"v", "Postfix 3.7.11"},
		{"_", "client.bench.test [192.0.2.17]"},
		{"{client_addr}", "192.0.2.17"},
		{"{client_name}", "client.bench.test"},
		{"{client_port}", "34804"},
		{"{client_ptr}", "client.bench.test"},
		{"i", e && p->has_queue_id ? e->queue_id : NULL},
		{"{mail_addr}", e ? e->sender : NULL},
		{"{mail_host}", e && (domain = strchr(e->sender, '@')) ? domain + 1 : NULL},
		{"{mail_mailer}", e ? "smtp" : NULL},
		{"{rcpt_addr}", p->recipient},
		{"{rcpt_host}",
		 p->recipient && (domain = strchr(p->recipient, '@')) ? domain + 1 : NULL},
		{"{rcpt_mailer}", p->recipient ? "relay" : NULL},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == len && memcmp(known[i].name, name, len) == 0)
			return known[i].value;
	return NULL;
}

static int put_macros(struct peer *p, enum peer_event event)
{
	unsigned char packet[2048];
	size_t len = 0;
	const char *name = p->macro_list[event_table[event].stage];

	packet[len++] = (unsigned char)event_table[event].command;
	for (name += strspn(name, " ,"); *name; name += strspn(name, " ,")) {
		size_t n = strcspn(name, " ,");
		const char *value = macro_value(p, name, n);

		if (value && len + n + strlen(value) + 2 < sizeof(packet)) {
			memcpy(packet + len, name, n);
			len += n;
			packet[len++] = '\0';
			memcpy(packet + len, value, strlen(value) + 1);
			len += strlen(value) + 1;
		}
		name += n;
	}
	return put_packet_head(p, SMFIC_MACRO, len) != 0 ? -1 : put(p, packet, len);
}

static enum peer_reply reply_kind(char code, const unsigned char *data, size_t len)
{
	switch (code) {
	case SMFIR_CONTINUE:
		return REPLY_CONTINUE;
	case SMFIR_ACCEPT:
		return REPLY_ACCEPT;
	case SMFIR_REJECT:
		return REPLY_REJECT;
	case SMFIR_TEMPFAIL:
		return REPLY_TEMPFAIL;
	case SMFIR_REPLYCODE:
		return len > 0 && data[0] == '4' ? REPLY_TEMPFAIL : REPLY_REJECT;
	case SMFIR_DISCARD:
		return REPLY_DISCARD;
	case SMFIR_SKIP:
		return REPLY_SKIP;
	case SMFIR_SHUTDOWN:
	case SMFIR_CONN_FAIL:
		return REPLY_SHUTDOWN;
	case SMFIR_PROGRESS:
		return REPLY_PROGRESS;
	case SMFIR_QUARANTINE:
		return REPLY_QUARANTINE;
	case SMFIR_ADDHEADER:
	case SMFIR_INSHEADER:
	case SMFIR_CHGHEADER:
	case SMFIR_CHGFROM:
	case SMFIR_ADDRCPT:
	case SMFIR_ADDRCPT_PAR:
	case SMFIR_DELRCPT:
	case SMFIR_REPLBODY:
		return REPLY_CHANGE;
	default:
		return REPLY_COUNT;
	}
}

/* Reads answers until one that ends the event. -1 when the connection failed or spoke nonsense. */
static int read_reply(struct peer *p, enum peer_event event)
{
	/* As Postfix: no packet over two chunks. */
	static _Thread_local unsigned char packet[2 * MILTER_CHUNK_SIZE];
	enum peer_reply kind;

	if (flush(p) != 0)
		return -1;
	do {
		uint32_t len;

		if (read_all(p, &len, 4) != 0)
			return -1;
		len = ntohl(len);
		errno = 0;
		if (len < 1 || len > sizeof(packet))
			return fail(p, "packet length");
		if (read_all(p, packet, len) != 0)
			return -1;
		kind = reply_kind((char)packet[0], packet + 1, len - 1);
		errno = 0;
		if (kind == REPLY_COUNT)
			return fail(p, peer_event_name[event]);
		p->count[event][kind]++;
	} while (kind == REPLY_PROGRESS || kind == REPLY_CHANGE || kind == REPLY_QUARANTINE);
	return (int)kind;
}

/* Sends one event with its macros. Returns the reply, REPLY_CONTINUE where none is due, or -1. */
static int event(struct peer *p, enum peer_event e, const void *data, size_t len)
{
	if (p->steps & event_table[e].no_event)
		return REPLY_CONTINUE;
	if (put_macros(p, e) != 0 || put_packet_head(p, event_table[e].command, len) != 0 ||
	    put(p, data, len) != 0)
		return -1;
	return (p->steps & event_table[e].no_reply) ? REPLY_CONTINUE : read_reply(p, e);
}

/* The lists of macros that the filter asks for: (stage, text NUL) in the answer to the negotiation.
 */
static int take_symbol_lists(struct peer *p, const unsigned char *data, size_t len)
{
	while (len > 4) {
		const unsigned char *end = memchr(data + 4, '\0', len - 4);
		uint32_t stage;

		memcpy(&stage, data, 4);
		stage = ntohl(stage);
		if (!end || stage >= PEER_STAGES)
			return -1;
		if (data[4] != '\0')
			snprintf(p->macro_list[stage], PEER_MACROS_MAX, "%s",
				 (const char *)data + 4);
		len -= (size_t)(end + 1 - data);
		data = end + 1;
	}
	return 0;
}

static int negotiate(struct peer *p)
{
	const uint32_t offer[3] = {htonl(6), htonl(0x1ff), htonl(SMFI_CURR_PROT)};
	unsigned char answer[4096];
	uint32_t len, word[3];

	for (int i = 0; i < PEER_STAGES; i++)
		snprintf(p->macro_list[i], PEER_MACROS_MAX, "%s", default_macros[i]);
	if (put_packet_head(p, SMFIC_OPTNEG, sizeof(offer)) != 0 ||
	    put(p, offer, sizeof(offer)) != 0 || flush(p) != 0 || read_all(p, &len, 4) != 0)
		return -1;
	len = ntohl(len);
	errno = 0;
	if (len < 13 || len > sizeof(answer))
		return fail(p, "negotiation: packet length");
	if (read_all(p, answer, len) != 0)
		return -1;
	memcpy(word, answer + 1, sizeof(word));
	p->actions = ntohl(word[1]);
	p->steps = ntohl(word[2]);
	errno = 0;
	if (answer[0] != SMFIC_OPTNEG || ntohl(word[0]) > 6 || (p->actions & ~0x1ffu) ||
	    (p->steps & ~0x1fffffu) || take_symbol_lists(p, answer + 13, len - 13) != 0)
		return fail(p, "negotiation");
	return 0;
}

int peer_open(struct peer *p, const char *socket_spec, int timeout_s, size_t write_bytes)
{
	static const char client[] =
		"client.bench.test\0004\207\364192.0.2.17"; /* name, family, port, address */
	static const char helo[] = "client.bench.test";

	p->envelope = NULL;
	p->recipient = NULL;
	p->has_queue_id = false;
	p->out_len = 0;
	p->write_bytes = write_bytes;
	p->out = malloc(write_bytes);
	p->fd = stats_connect(socket_spec, timeout_s);
	if (!p->out || p->fd < 0)
		return fail(p, "connect");
	if (negotiate(p) != 0)
		return -1;
	if (event(p, EVENT_CONNECT, client, sizeof(client)) != REPLY_CONTINUE ||
	    event(p, EVENT_HELO, helo, sizeof(helo)) != REPLY_CONTINUE)
		return p->error[0] ? -1 : fail(p, "CONNECT or HELO refused");
	return 0;
}

static int send_envelope(struct peer *p, const struct mail *m)
{
	const struct peer_envelope *e = p->envelope;
	char text[256];
	int n, reply, n_accepted = 0;

	n = snprintf(text, sizeof(text), "<%s>", e->sender) + 1;
	if (e->has_size)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "SIZE=%zu", m->size_bytes) + 1;
	reply = event(p, EVENT_MAIL, text, (size_t)n);
	if (reply != REPLY_CONTINUE)
		return reply;
	for (unsigned i = 0; i < e->n_recipients; i++) {
		p->recipient = e->recipient[i];
		n = snprintf(text, sizeof(text), "<%s>", p->recipient) + 1;
		reply = event(p, EVENT_RCPT, text, (size_t)n);
		p->recipient = NULL;
		if (reply == REPLY_CONTINUE) {
			n_accepted++;
			p->has_queue_id = true;
		} else if (reply != REPLY_REJECT && reply != REPLY_TEMPFAIL) {
			return reply;
		}
	}
	return n_accepted == 0 ? REPLY_REJECT : event(p, EVENT_DATA, "", 0);
}

static int send_fields(struct peer *p, const struct mail *m)
{
	char text[65536];
	int reply = REPLY_CONTINUE;

	for (size_t i = 0; i < m->n_fields && reply == REPLY_CONTINUE; i++) {
		const char *value = m->field[i].value;
		char from[160];
		size_t name_len = strlen(m->field[i].name) + 1, value_len;

		if (strcasecmp(m->field[i].name, "From") == 0) {
			snprintf(from, sizeof(from), " <%s>", p->envelope->sender);
			value = from;
		}
		if (!(p->steps & SMFIP_HDR_LEADSPC))
			value += strspn(value, " \t");
		value_len = strlen(value) + 1;
		if (name_len + value_len > sizeof(text))
			continue;
		memcpy(text, m->field[i].name, name_len);
		memcpy(text + name_len, value, value_len);
		reply = event(p, EVENT_HEADER, text, name_len + value_len);
	}
	return reply == REPLY_CONTINUE ? event(p, EVENT_EOH, "", 0) : reply;
}

static int send_body(struct peer *p, const struct mail *m)
{
	int reply = REPLY_CONTINUE;

	for (size_t at = 0; at < m->body_len && reply == REPLY_CONTINUE; at += MILTER_CHUNK_SIZE) {
		size_t left = m->body_len - at;

		reply = event(p, EVENT_BODY, m->body + at,
			      left < MILTER_CHUNK_SIZE ? left : MILTER_CHUNK_SIZE);
	}
	return reply == REPLY_SKIP ? REPLY_CONTINUE : reply;
}

static enum peer_end end_of(int reply, bool at_end)
{
	switch (reply) {
	case -1:
	case REPLY_SHUTDOWN:
		return END_BROKEN;
	case REPLY_CONTINUE:
	case REPLY_ACCEPT:
	case REPLY_DISCARD:
		return END_ACCEPTED;
	case REPLY_REJECT:
		return at_end ? END_REJECTED : END_EARLY;
	default:
		return at_end ? END_TEMPFAILED : END_EARLY;
	}
}

enum peer_end peer_message(struct peer *p, const struct peer_envelope *e, const struct mail *m,
			   peer_pause *pause, void *context, int64_t *eom_sent_ns)
{
	bool at_end = false;
	int reply;

	p->envelope = e;
	p->has_queue_id = false;
	reply = send_envelope(p, m);
	if (reply == REPLY_CONTINUE)
		reply = send_fields(p, m);
	if (reply == REPLY_CONTINUE)
		reply = send_body(p, m);
	if (pause) {
		/* A worker of libmilter waits for the rest of a packet that has begun. */
		if (reply == REPLY_CONTINUE && flush(p) != 0)
			reply = -1;
		pause(context);
	}
	*eom_sent_ns = stats_now_ns();
	if (reply == REPLY_CONTINUE) {
		at_end = true;
		reply = event(p, EVENT_EOM, "", 0);
	}
	p->envelope = NULL;
	p->has_queue_id = false;
	if (reply != -1 && put_packet_head(p, SMFIC_ABORT, 0) != 0)
		return END_BROKEN;
	return end_of(reply, at_end);
}

void peer_close(struct peer *p)
{
	if (p->fd >= 0) {
		if (!p->error[0] && put_packet_head(p, SMFIC_ABORT, 0) == 0 &&
		    put_packet_head(p, SMFIC_QUIT, 0) == 0)
			flush(p);
		close(p->fd);
	}
	p->fd = -1;
	free(p->out);
	p->out = NULL;
}

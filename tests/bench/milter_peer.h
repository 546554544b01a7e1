/* SPDX-License-Identifier: ISC
 *
 * milter_peer.h: the mail server's side of the milter protocol, as Postfix 3.7 speaks it on the
 * wire (recorded from a running 3.7.11): version 6, all actions (0x1ff) and all steps (0x1fffff)
 * offered; each event is preceded by its own macro packet; macro lists are Postfix's defaults
 * unless the filter asks for others (an empty list is ignored; header fields use the list of
 * end-of-header, body chunks that of end-of-message); body chunks of 65,535 bytes, an empty
 * end-of-body; ABORT after each message and again before QUIT; output gathered in units of
 * write_bytes (Postfix: 4,096) and flushed when an answer is due.
 *
 * The address in From: is replaced by the envelope sender's, as it mostly is in mail.
 *
 * Honours what was negotiated: NO*, NR_*, SKIP, LEADSPC, symbol lists. One thread a connection.
 */
#ifndef PGPGATE_BENCH_MILTER_PEER_H
#define PGPGATE_BENCH_MILTER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/bench_mail.h"

enum peer_event {
	EVENT_OPTNEG,
	EVENT_CONNECT,
	EVENT_HELO,
	EVENT_MAIL,
	EVENT_RCPT,
	EVENT_DATA,
	EVENT_HEADER,
	EVENT_EOH,
	EVENT_BODY,
	EVENT_EOM,
	EVENT_COUNT
};

enum peer_reply {
	REPLY_CONTINUE,
	REPLY_ACCEPT,
	REPLY_REJECT,	/* 'r' or a 5xx reply code */
	REPLY_TEMPFAIL, /* 't' or a 4xx reply code */
	REPLY_DISCARD,
	REPLY_SKIP,
	REPLY_SHUTDOWN,
	REPLY_PROGRESS,
	REPLY_CHANGE,	  /* a header, recipient or body change */
	REPLY_QUARANTINE, /* to the hold queue */
	REPLY_COUNT
};

extern const char *const peer_event_name[EVENT_COUNT];
extern const char *const peer_reply_name[REPLY_COUNT];

/* How one message ended. */
enum peer_end {
	END_ACCEPTED,
	END_REJECTED,	/* at end of message */
	END_TEMPFAILED, /* at end of message */
	END_EARLY,	/* refused at MAIL, at DATA, or for every recipient */
	END_BROKEN,	/* no answer: the connection failed; peer.error says how */
	END_COUNT
};

#define PEER_RECIPIENTS_MAX 100
#define PEER_STAGES 7 /* SMFIM_* */
#define PEER_MACROS_MAX 512

struct peer_envelope {
	char queue_id[24];
	char sender[128];
	unsigned n_recipients;
	char recipient[PEER_RECIPIENTS_MAX][128];
	bool has_size;
};

struct peer {
	int fd;
	uint32_t actions, steps; /* what was agreed on */
	char macro_list[PEER_STAGES][PEER_MACROS_MAX];
	const struct peer_envelope *envelope;
	const char *recipient; /* of the RCPT under way */
	bool has_queue_id;     /* Postfix has one from the second recipient on */
	size_t write_bytes, out_len;
	unsigned char *out;
	uint64_t bytes_out;
	uint64_t count[EVENT_COUNT][REPLY_COUNT];
	char error[160];
};

/* Called, if not NULL, when all of the body but the end is sent. */
typedef void peer_pause(void *context);

/* Connects, negotiates, says CONNECT and HELO. 0, or -1 with error. The counts in p are kept, so
 * zero p before its first use. */
int peer_open(struct peer *p, const char *socket_spec, int timeout_s, size_t write_bytes);
/* One message. *eom_sent_ns is set to the time the end of the body went out. */
enum peer_end peer_message(struct peer *p, const struct peer_envelope *e, const struct mail *m,
			   peer_pause *pause, void *context, int64_t *eom_sent_ns);
/* ABORT, QUIT (unless broken), closes, frees. */
void peer_close(struct peer *p);

#endif

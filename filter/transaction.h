/* SPDX-License-Identifier: ISC
 *
 * transaction.h: one message on its way through the filter: envelope, header, body, answer. It
 * knows nothing of libmilter: filter/milter.c feeds it, and so do the unit tests.
 *
 * A transaction lasts as long as its connection, one message after the other: all that belongs to
 * one message is in one struct (struct mail, transaction_state.h) that is reset whole between them;
 * the client stays. It is used by one thread at a time, not always the same one. Strings given are
 * copied.
 */
#ifndef PGPGATE_FILTER_TRANSACTION_H
#define PGPGATE_FILTER_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/log_limit.h"
#include "common/outcome.h"
#include "common/settings.h"
#include "db/db.h"
#include "db/hashed.h"
#include "db/verdict_log.h"

/* What the process shares; outlives every transaction. Its functions may be called from any thread.
 */
struct filter_context {
	struct db_pool *pool;
	struct verdict_log *log;
	struct settings *(*settings)(void *owner); /* a new reference to the settings in force */
	void *settings_owner;
	int64_t (*now_unix)(void);	    /* the clock: clock_now_unix(), or a test's */
	const struct hashed *hashed;	    /* how the log line shows addresses */
	struct log_limit *database_trouble; /* for the complaint that the database fails */
};

struct transaction;

/* One per SMTP connection; NULL when memory is short. */
struct transaction *transaction_new(const struct filter_context *context);
void transaction_free(struct transaction *t);

/* The client, before MAIL FROM, as often as it is learnt: address as text, or NULL where it is
 * unknown. is_submitted_locally: sendmail(1), whose recipients are never turned away at RCPT. */
void transaction_client(struct transaction *t, const char *address, bool is_submitted_locally);

/* Its name, likewise, where DNS says so both ways; "unknown", "[192.0.2.1]" or "": not known. */
void transaction_client_name(struct transaction *t, const char *name);

/* MAIL FROM: forgets everything of the message before. sender: as envelope_address() chooses it.
 * authenticated: login name or NULL. declared_size_bytes: of SIZE=, or
 * SIZE_NOT_DECLARED. host: our name, {j}, or NULL. */
void transaction_mail(struct transaction *t, const char *sender, const char *authenticated,
		      int64_t declared_size_bytes, const char *host);

enum transaction_reply {
	TRANSACTION_CONTINUE,
	TRANSACTION_DEFER,    /* 450 or 452 for this recipient, another time: *out is filled */
	TRANSACTION_TEMPFAIL, /* our own fault: *out is filled (outcome_tempfail) */
};
/* recipient: as envelope_address() chooses it. */
enum transaction_reply transaction_recipient(struct transaction *t, const char *recipient,
					     struct outcome *out);

void transaction_header(struct transaction *t, const char *name, const char *value);
void transaction_end_of_header(struct transaction *t);

void transaction_body(struct transaction *t, const unsigned char *bytes, size_t len);

#define TRANSACTION_HEADER "X-PGP-Gate"

/* What the MTA is to be told, before it goes on record: the reply, or the value of
 * TRANSACTION_HEADER to add (NULL: none) and how many such fields came in and must be deleted, last
 * first (0 in a mode that adds none). 0, or -1: it cannot be told, and the answer becomes our own
 * fault. What was handed over is void where 451 follows. */
typedef int transaction_hand_over(void *context, const struct outcome *out,
				  const char *header_value, unsigned n_forged);

/* End of message: judges, decides, hands the answer over, commits the verdict, logs the line, fills
 * *out. A message without recipients is our own fault: nobody can be asked. */
void transaction_end(struct transaction *t, const char *queue_id, transaction_hand_over *hand_over,
		     void *context, struct outcome *out);

/* A failure of ours that the transaction does not know of stood in the way of this message: should
 * it end before its content, that says nothing of the client. */
void transaction_hinder(struct transaction *t);

/* Forgets the message, keeps the client. _reset: RSET, abort, answered; where the client was told
 * to split it, it is put on record that nothing came of that. _forget: because of us, such as when
 * the daemon ends. */
void transaction_reset(struct transaction *t);
void transaction_forget(struct transaction *t);

#endif

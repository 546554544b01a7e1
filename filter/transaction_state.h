/* SPDX-License-Identifier: ISC
 *
 * transaction_state.h: what is inside a transaction. Private to transaction.c (envelope and
 * content), ask.c (questions to the database) and ending.c (the answer); everyone else has
 * transaction.h.
 */
#ifndef PGPGATE_FILTER_TRANSACTION_STATE_H
#define PGPGATE_FILTER_TRANSACTION_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"
#include "common/netaddr.h"
#include "common/settings.h"
#include "db/policy.h"
#include "filter/digest.h"
#include "filter/recipients.h"
#include "filter/transaction.h"
#include "scan/scan.h"

#define MESSAGE_ID_MAX 512 /* bytes with NUL, escaped */
#define NAME_MAX_BYTES 256 /* bytes with NUL: host and login names, escaped */
#define HEADER_VALUE_MAX 128

/* All that belongs to one message, reset whole by transaction_reset(). */
struct mail {
	bool is_open; /* between MAIL FROM and its end */
	struct settings *settings;
	struct address sender;
	char authenticated[NAME_MAX_BYTES];
	char host[NAME_MAX_BYTES];
	int64_t declared_size_bytes;
	int64_t began_ms; /* clock_monotonic_ms() */
	bool is_local;	  /* one of ours sent it */
	bool is_paused;
	bool is_stale, is_overdue; /* policy.h */
	bool is_out_of_memory;	   /* something could not be kept: the message must come again */
	bool is_database_broken; /* a recipient of sendmail(1) could not be asked about: likewise */
	struct recipients recipients;
	struct policy_split split;
	bool has_split_evidence; /* a recipient was in a message that was split */
	bool is_split_vain;	 /* and deferring led nowhere */
	bool was_hindered; /* by a failure of ours: what becomes of it says nothing of the client */
	struct scan *scan; /* NULL before the content begins, so that idle connections are cheap */
	struct digest digest;
	struct from_header header_from;
	char message_id[MESSAGE_ID_MAX];
	unsigned n_forged;
};

struct transaction {
	const struct filter_context *context;
	/* the connection */
	bool has_client;
	bool is_submitted_locally;
	struct netaddr client;
	char client_text[NETADDR_TEXT_MAX];
	char client_name[NAME_MAX_BYTES]; /* as DNS says both ways */
	/* the message */
	struct mail mail;
	/* lent to the caller until the next call */
	char header_value[HEADER_VALUE_MAX];
};

/* ask.c: each returns 0, or -1 after having logged (once in a while) that the database fails. */

/* What does policy say about one recipient? header_from: NULL while it is not known. */
int ask_policy(struct transaction *t, const struct address *recipient,
	       const struct from_header *header_from, struct policy_answer *answer);
/* Is the message encrypted to a key of this recipient? */
int ask_own_key(struct transaction *t, const struct address *recipient, const struct judgement *j,
		struct own_key *out);
/* What a recipient gets while the database fails and on_database_error is accept. */
void ask_nobody(struct policy_answer *answer);
/* How often did this message come together before? */
int ask_attempts(struct transaction *t, const unsigned char digest[DIGEST_SIZE], int *n);
/* Logs that the database fails. */
void ask_failed(struct transaction *t, const char *why);

/* ending.c: puts on record that this transaction, of a message that was split, came to nothing. */
void ending_note_vain(struct transaction *t);

/* transaction.c: gets what reading the content takes, once the envelope is complete. */
void transaction_begin_content(struct mail *m);

#endif

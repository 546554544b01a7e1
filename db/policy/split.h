/* SPDX-License-Identifier: ISC
 *
 * split.h: what is stored about messages with mixed recipients that were split (pgpgate-rules(7),
 * MIXED RECIPIENTS): evidence, one row for each message, recipient, sender with client, and
 * declared size, until the message gets its last answer for that recipient or a day has passed; how
 * often a transaction came to nothing because of it; and how often a message came together whose
 * client cannot be recognised. policy.h has what is asked; this is for the writer.
 *
 * All of these run within a write transaction of one connection. 0 or -1.
 */
#ifndef PGPGATE_DB_POLICY_SPLIT_H
#define PGPGATE_DB_POLICY_SPLIT_H

#include "common/address.h"
#include "db/engine/internal.h"
#include "db/engine/key.h"

#define SPLIT_EVIDENCE_S 86400	   /* pgpgate-rules(7), MIXED RECIPIENTS: it serves for a day */
#define ATTEMPT_INTERVAL_S 300	   /* attempts less than this apart count once */
#define ATTEMPT_RETENTION_S 604800 /* longer than a sending server keeps trying: usually 5 days */

/* The sender without what it may have changed when the message comes again: the tags of BATV
 * (prvs=, btv1==), hash and time of SRS. Canonical text in, out at most as long. */
const char *split_sender(const char *sender, char out[ADDRESS_MAX + 1]);

#define SPLIT_CLIENT_MAX 256

/* What evidence is kept under: sender and client, a blank between, as stored. Cut at KEY_MAX - 1.
 * Returns out. */
const char *split_key(const struct hashed *h, const char *sender, const char *client_address,
		      const char *client_name, char out[KEY_MAX]);

/* A message as evidence names it. */
struct split_message {
	const char *sender_key; /* of split_key() */
	int64_t declared_size_bytes;
	const unsigned char *digest; /* 32 octets, of the content */
	int64_t time_unix;
};

/* It was split: what it meant for one recipient. yields: see policy.h. */
int split_write(struct db *d, const struct split_message *m, const char *recipient_key, bool passed,
		bool yields);

/* What the same message left under another size, for Sendmail declares another one at its first
 * attempt: nothing would end that, and for a day other messages of that size would come in more
 * rounds. Before its first row. */
int split_forget_other_sizes(struct db *d, const struct split_message *m);

/* It got its last answer for one recipient; and then, once, for the message: deferring does lead
 * somewhere. */
int split_done(struct db *d, const struct split_message *m, const char *recipient_key);
int split_progress(struct db *d, const struct split_message *m);

/* A transaction of this sender and size came to nothing; the digest is not used. */
int split_vain(struct db *d, const struct split_message *m);

/* This digest (of content and recipients) came together. */
int split_attempt(struct db *d, const unsigned char digest[32], int64_t now_unix);

#endif

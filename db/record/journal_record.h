/* SPDX-License-Identifier: ISC
 *
 * journal_record.h: a verdict as it stands in the journal. Pure, any thread. For db/ only.
 *
 * The payload of a record of kind verdict, behind the kind, is in this order (journal_format.h has
 * the integers):
 *
 *     8 time, 8 declared size, 8 size, 8 cleartext octets; 1 each: verdict, form, action, would, as
 * in the enums of common/verdict.h, and 2 with flags texts: queue id, host, client, authenticated,
 * sender, the sender as evidence for mixed recipients names it, From:, Message-ID, reply, reason,
 * detail 32 octets each of the digests of content, of the attempt, where the flags say so 4 number
 * of recipients; for each 1 flags, 1 requirement, 1 demand, 1 source, 8 rule, texts: key, domain of
 * the reply window
 *
 * A text is 4 octets length without NUL, the text, a NUL. Addresses are keys, hashed where
 * log_addresses says so, as they are stored in the database: the journal shows nothing that the
 * database would not.
 *
 * What a later version adds comes at the end: octets that are left over are no error, so that an
 * older program can be installed again over a newer one's journal.
 */
#ifndef PGPGATE_DB_JOURNAL_RECORD_H
#define PGPGATE_DB_JOURNAL_RECORD_H

#include "db/record/verdict_write.h"

/* The payload, its kind included, allocated: the caller frees it. NULL when memory is short or the
 * record is longer than JOURNAL_PAYLOAD_MAX. */
unsigned char *journal_record_encode(const struct stored_verdict *v, size_t *len);

/* Fills v from a payload behind its kind. Strings point into in; recipients live in a. Hostile
 * input: every length, NUL and enum is looked at. 0, or -1: damaged, or memory is short
 * (a->n_failed). */
int journal_record_decode(const unsigned char *in, size_t len, struct arena *a,
			  struct stored_verdict *v);

#endif

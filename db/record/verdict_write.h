/* SPDX-License-Identifier: ISC
 *
 * verdict_write.h: one verdict as it is stored, and the statements that store it with all that
 * follows from it: pairs, reply window, evidence and attempts of mixed recipients. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_WRITE_H
#define PGPGATE_DB_VERDICT_WRITE_H

#include "db/engine/arena.h"
#include "db/engine/internal.h"
#include "db/verdict_log.h"

struct stored_recipient {
	const char *key;
	bool is_trustworthy;
	enum requirement requirement, demand;
	enum policy_source source;
	int64_t rule_id;
	bool passes;
	const char *outgoing_domain; /* registrable, as stored; "": opens no reply window */
	/* What was there before this verdict, so that it can be retracted: 0 for never. Of the
	 * envelope sender and of the address in From:. */
	int64_t pair_last_unix[2];
	int64_t outgoing_last_unix;
};

/* A deep copy of a record, addresses turned into keys. */
struct stored_verdict {
	struct verdict_record
		record; /* strings point into the arena; sender and header_from are keys */
	struct judgement judgement;
	const char *key_ids;	      /* key_ids.h */
	const char *split_sender_key; /* as evidence for mixed recipients names sender and client */
	bool counts_for_pairs;	      /* it was accepted */
	bool opens_bounce_window;     /* bounce.h */
	int64_t id;		      /* once it is written */
	struct stored_recipient *recipients;
	struct arena arena;
};

/* Fills v; the caller releases v->arena, also on failure. 0, or -1 when memory is short. */
int stored_verdict_fill(struct stored_verdict *v, const struct hashed *h, const struct settings *s,
			const struct verdict_record *r);

/* Sums of a group, so that a row of the table daily is written once. */
#define DAILY_SUMS_MAX 16
struct daily_sums {
	size_t n;
	struct {
		int64_t day;
		enum verdict verdict;
		enum action action, would;
		int64_t n_messages, n_recipients, size_bytes;
	} entry[DAILY_SUMS_MAX];
};

/* Within a write transaction; daily_sums_write() ends a group. 0 or -1. */
int stored_verdict_write(struct db *d, struct stored_verdict *v, struct daily_sums *daily);
/* What it leaves for mixed recipients. */
int stored_verdict_split(struct db *d, const struct stored_verdict *v);
int daily_sums_add(struct db *d, struct daily_sums *daily, const struct verdict_record *m,
		   int sign);
int daily_sums_write(struct db *d, struct daily_sums *daily);

/* Whether it counts for the pair of the envelope sender (0), of the address in From: (1), with this
 * recipient. */
bool stored_verdict_counts(const struct stored_verdict *v, const struct stored_recipient *r,
			   size_t which);
/* Which statement counts a pair for a verdict, and which takes it back; false: none does. */
bool stored_verdict_pair_statement(enum verdict v, enum sql_statement *count,
				   enum sql_statement *retract);

/* What stands on record as later than that was written by a clock that was ahead; the next message
 * takes its place. */
int64_t stored_verdict_latest(const struct verdict_record *r);

/* A verdict that was written, and its message answered with a temporary failure: the row says so,
 * and pairs, reply window and sums are as if it had not been accepted. What a message that was
 * split meant for its recipients stays: it tells what came. Within a write transaction that
 * daily_sums_write() ends; 0 or -1. (verdict_retract.c) */
int stored_verdict_retract(struct db *d, const struct stored_verdict *v, struct daily_sums *daily);

#endif

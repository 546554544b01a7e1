/* SPDX-License-Identifier: ISC
 *
 * verdict_write.h: one verdict as it is stored, and the statements that store it with all that follows from
 * it: pairs, reply window, evidence and attempts of mixed recipients, hits of rules. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_WRITE_H
#define PGPGATE_DB_VERDICT_WRITE_H

#include "db/arena.h"
#include "db/internal.h"
#include "db/verdict_log.h"

struct stored_recipient {
	const char *key;
	bool is_trustworthy;
	enum requirement requirement, demand;
	enum policy_source source;
	int64_t rule_id;
	bool passes;
	const char *outgoing_domain; /* registrable, as stored; "": opens no reply window */
};

/* A deep copy of a record, addresses turned into keys. */
struct stored_verdict {
	struct verdict_record record; /* strings point into the arena; sender and header_from are keys */
	struct judgement judgement;
	bool counts_for_pairs; /* accepted, from a sender that can have a record */
	struct stored_recipient *recipients;
	struct arena arena;
};

/* Fills v; the caller releases v->arena, also on failure. 0, or -1 when memory is short. */
int stored_verdict_fill(struct stored_verdict *v, const struct hashed *h, const struct settings *s,
			const struct verdict_record *r);

/* Hits of rules, gathered over a group so that a rule is written once. */
#define HITS_MAX 64
struct rule_hits {
	size_t n;
	struct {
		int64_t rule_id, n, last_unix;
	} entry[HITS_MAX];
};

/* Within a write transaction. 0 or -1. */
int stored_verdict_write(struct db *d, const struct stored_verdict *v, struct rule_hits *hits);
int rule_hits_write(struct db *d, struct rule_hits *hits);

#endif

/* SPDX-License-Identifier: ISC
 *
 * policy.h: the one function that answers "does the PGP requirement apply to this recipient, from
 * this sender?" from the rules, the settings and the record of earlier verdicts. Filter, policy
 * server and `pgpgate explain` call it, so that the three cannot disagree.
 *
 * One thread a connection. It reads only; it costs a few indexed look-ups whatever the number of
 * rules.
 */
#ifndef PGPGATE_DB_POLICY_H
#define PGPGATE_DB_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/netaddr.h"
#include "common/own_key.h"
#include "common/settings.h"
#include "common/verdict.h"
#include "db/db.h"
#include "db/rules.h"

#define SIZE_NOT_DECLARED (-1)

/* accept_bounces: servers give up after five days or so; and what is no open door. */
#define BOUNCE_WINDOW_S \
	(7 * 86400)	 /* for so long after one of ours wrote to the outside a bounce may come */
#define BOUNCES_A_DAY 10 /* so many to one address in a day, UTC */

struct policy_query {
	const struct address *recipient;
	const struct address *sender;	       /* envelope */
	const struct from_header *header_from; /* of the message, or NULL while it is not known */
	const struct netaddr *client;	       /* NULL: unknown, or none (sendmail(1)) */
	const char *client_name; /* as DNS says both ways; "" or NULL, "unknown", "[192.0.2.1]": not
				    known */
	bool is_authenticated;
	bool is_submitted_locally;   /* sendmail(1), non_smtpd_milters */
	int64_t declared_size_bytes; /* SIZE= at MAIL FROM, or SIZE_NOT_DECLARED */
	int64_t now_unix;
};

/* Mixed recipients: at most so many recipients of a transaction are deferred on purpose. Postfix
 * sleeps after ten errors of a client and hangs up after twenty (smtpd_soft_error_limit,
 * smtpd_hard_error_limit); half of the one leaves room for errors of the client's own. */
#define SPLIT_DEFER_MAX 8
#define SPLIT_MESSAGES_MAX \
	16 /* messages under way that are told apart for one sender, recipient and size */

/* What a message that was split, and is not answered yet, meant for a recipient (mixed recipients,
 * step 2). */
struct split_evidence {
	uint64_t message; /* of its digest */
	bool passed;
};

struct policy_answer {
	enum requirement requirement; /* as the rule or the default says */
	enum requirement
		demand; /* what must be met now: ratchet resolved to observe or encrypted */
	enum policy_source source;
	int64_t rule_id; /* 0: no rule */
	bool is_local;	 /* counted as one of ours */
	bool is_paused;
	bool is_stale; /* the centre of the site was not heard for longer than stale_after: nothing
			  is refused for good */
	bool is_overdue; /* ... and for longer than stale_refusal: what is known here counts again
			  */
	bool expects_bounce; /* from the null sender, to one of ours who wrote to the outside
				(accept_bounces) */
	size_t n_split;	     /* in split[]: one a message under way */
	struct split_evidence split[SPLIT_MESSAGES_MAX];
	bool split_yields;  /* the others are too many to be deferred for this one's sake; not if
			       that led nowhere */
	bool is_split_vain; /* deferring led to nothing: this message is to be answered at once */
	char help_url[HELP_URL_MAX + 1]; /* the rule's */
	char why[200]; /* one clause: "rule 12 (.example.org)", "default_requirement" ... */
};

/* 0, or -1: the database could not be asked (db_error()). */
int policy_decide(struct db *d, const struct settings *s, const struct policy_query *q,
		  struct policy_answer *a);

/* Has any address of ours written to the outside, so that it may expect a bounce (accept_bounces)?
 * 1, 0, -1. */
int policy_anybody_expects_bounces(struct db *d, int64_t now_unix);

/* The requirement own-key, once the message is known: is each OpenPGP message in it encrypted to a
 * key of this recipient? 0, or -1: the database could not be asked. */
int policy_own_key(struct db *d, const struct settings *s, const struct address *recipient,
		   const struct judgement *j, int64_t now_unix, struct own_key *out);

/* A rule that was considered and lost, for explain: told in the order of precedence, the winner too
 * (why_lost ""). */
int policy_explain(struct db *d, const struct settings *s, const struct policy_query *q,
		   struct policy_answer *a,
		   void (*tell)(void *context, const struct rule *r, const char *why_lost),
		   void *context);

/* Mixed recipients, step 3. One per transaction, zero-initialised; in the policy server one an
 * instance. policy_split_defers() says whether this recipient must come another time: because a
 * message that may be this one meant something else for a recipient that was accepted before, or
 * because those others are too many. It remembers what the accepted ones stand for. Asking again
 * for a recipient that was accepted changes nothing. */
#define SPLIT_SEEN_MAX 32 /* further messages of one sender and size are not told apart */
struct policy_split {
	size_t n;
	struct split_evidence seen[SPLIT_SEEN_MAX];
};
bool policy_split_defers(struct policy_split *t, const struct policy_answer *a);

/* Mixed recipients, step 4: how many attempts of this digest came before (those less than 5 minutes
 * apart counting once, the present one not counted). Reads only. -1 on failure. */
int policy_split_attempts(struct db *d, const unsigned char digest[32], int64_t now_unix);

#endif

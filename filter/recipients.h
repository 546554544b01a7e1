/* SPDX-License-Identifier: ISC
 *
 * recipients.h: the recipients of one message that we did not turn away, with what the policy said
 * about each. Compact, because a hostile client may name as many as Postfix lets it
 * (smtpd_recipient_limit, 1000) in each of many connections: about 100 bytes each.
 *
 * Part of one transaction; one thread at a time. Zero-initialised is empty.
 */
#ifndef PGPGATE_FILTER_RECIPIENTS_H
#define PGPGATE_FILTER_RECIPIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/verdict.h"
#include "db/policy.h"

/* Far above Postfix's own limit: only there so that memory has a bound. sendmail(1) has no such
 * limit in Postfix, and deferring its recipients would leave the mail in the queue for ever. */
#define RECIPIENTS_MAX 10000
#define RECIPIENTS_LOCAL_MAX 100000

struct recipient {
	char *address;	/* canonical text, owned */
	char *help_url; /* the rule's, owned, or NULL */
	int64_t rule_id;
	uint16_t local_len;
	unsigned char address_kind; /* enum address_kind */
	bool is_routed, has_added_domain;
	bool expects_bounce;
	unsigned char requirement; /* enum requirement */
	unsigned char demand;	   /* enum requirement */
	unsigned char source;	   /* enum policy_source */
};

struct recipients {
	struct recipient *list;
	size_t n;
	size_t allocated;
};

/* 0, or -1 when memory is short (nothing was added). */
int recipients_add(struct recipients *r, const struct address *address,
		   const struct policy_answer *answer);

/* A later answer about the same recipient. Keeps the older help URL if memory is short. */
void recipients_update(struct recipient *r, const struct policy_answer *answer);

/* The address as it was added. */
void recipients_address(const struct recipient *r, struct address *out);
bool recipients_is_trustworthy(const struct recipient *r);

/* Do any two demand differently, or might they once From: is known? Only such a message can be
 * mixed. */
bool recipients_may_differ(const struct recipients *r);

/* Frees all; empty again. */
void recipients_reset(struct recipients *r);

#endif

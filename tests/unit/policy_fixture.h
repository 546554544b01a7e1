/* SPDX-License-Identifier: ISC
 *
 * policy_fixture.h: asks the policy in one line. Every question also goes to policy_explain(),
 * which must give the same answer and name the same winner. Included once in a test program;
 * everything is static.
 */
#ifndef PGPGATE_TESTS_POLICY_FIXTURE_H
#define PGPGATE_TESTS_POLICY_FIXTURE_H

#include "tests/unit/db_fixture.h"

#include "db/engine/internal.h"
#include "db/policy.h"

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */

struct envelope {
	const char *recipient, *sender, *client; /* client NULL: none */
	bool is_authenticated, is_submitted_locally;
};

/* How the client is called. */
static const char *fixture_client_name;
/* Given to recipients that have none; NULL: nothing is. */
static const char *fixture_added_domain;

struct told {
	size_t n;
	int64_t winner;
	char why[32][200];
	int64_t id[32];
};

static inline void gather(void *context, const struct rule *r, const char *why_lost)
{
	struct told *t = context;

	assert_true(t->n < 32);
	t->id[t->n] = r->id;
	snprintf(t->why[t->n++], 200, "%s", why_lost);
	if (why_lost[0] == '\0') {
		assert_int_equal(t->winner, 0);
		t->winner = r->id;
	}
}

/* Decides and explains, which must agree. */
static inline struct policy_answer ask_at(struct db *d, struct settings *s,
					  const struct envelope *e, const char *header_from,
					  int64_t size, int64_t now, struct told *told)
{
	struct address recipient, sender;
	struct from_header from = {.n = 0};
	struct netaddr client;
	struct policy_answer a, explained;
	struct told here = {0};
	char err[200];
	struct policy_query q = {
		.recipient = &recipient,
		.sender = &sender,
		.client_name = fixture_client_name,
		.is_authenticated = e->is_authenticated,
		.is_submitted_locally = e->is_submitted_locally,
		.declared_size_bytes = size,
		.now_unix = now,
	};

	address_canonical(e->recipient, strlen(e->recipient), &recipient);
	if (fixture_added_domain != NULL)
		address_complete(&recipient, fixture_added_domain);
	address_canonical(e->sender, strlen(e->sender), &sender);
	if (header_from != NULL) {
		from_header_add(&from, header_from, strlen(header_from));
		q.header_from = &from;
	}
	if (e->client != NULL) {
		assert_int_equal(netaddr_parse(e->client, &client, err, sizeof err), 0);
		q.client = &client;
	}
	if (policy_decide(d, s, &q, &a) != 0)
		fail_msg("%s", db_error(d));
	assert_int_equal(policy_explain(d, s, &q, &explained, gather, &here), 0);
	assert_memory_equal(&a, &explained, sizeof a);
	if (a.source == SOURCE_RULE)
		assert_int_equal(here.winner, a.rule_id);
	if (told != NULL)
		*told = here;
	return a;
}

#define STRANGER "203.0.113.9"
#define EXEMPT REQUIREMENT_EXEMPT
#define OBSERVE REQUIREMENT_OBSERVE
#define SIGNED REQUIREMENT_SIGNED
#define ENCRYPTED REQUIREMENT_ENCRYPTED
#define RATCHET REQUIREMENT_RATCHET
#define TO(address)                                              \
	{                                                        \
		address, "s@sender.test", STRANGER, false, false \
	}
#define FROM(address)                                                     \
	{                                                                 \
		"alice@mail.example.org", address, STRANGER, false, false \
	}
#define BY(client)                                                              \
	{                                                                       \
		"alice@mail.example.org", "s@sender.test", client, false, false \
	}

#endif

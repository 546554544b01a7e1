/* SPDX-License-Identifier: ISC
 *
 * policy_rules.c: which rule holds. The walk goes through the recipient's patterns, most specific
 * first; within one through the sender's, "any sender" last; within one through the clients:
 * authenticated, then networks from the longest prefix, then any. The first rule whose schedule
 * lets it hold wins. Each step is one descent of the index rule_by_key, so the cost does not depend
 * on how many rules there are.
 *
 * "authenticated" wins over any network: it says who the client is, a network only where.
 */
#include "db/policy/policy_internal.h"

#include <stdio.h>
#include <string.h>

#include "db/rules/rule_row.h"

struct walk {
	struct db *d;
	int64_t generation;
	const struct policy_query *query;
	const struct policy_address *recipient, *sender;
	struct rule *winner;
	bool has_winner;
	struct rule found; /* the rule being looked at */
};

/* 1: the walk is over, 0: it goes on, -1. */
static int consider(struct walk *w)
{
	const struct rule *r = &w->found;
	bool relies_on_doubt;

	if (!rule_holds_at(r, w->query->now_unix))
		return 0;
	/* A rule that matches an address which could be somebody else's may raise the demand, never
	 * lower it: it counts only against what would hold without it, which the rest of the walk
	 * finds. */
	relies_on_doubt = !address_is_sure(w->recipient->address, r->recipient.kind) ||
			  (r->has_sender && !w->sender->is_trustworthy);
	if (!w->has_winner ||
	    policy_strength(r->requirement) > policy_strength(w->winner->requirement)) {
		*w->winner = *r;
		w->has_winner = true;
	}
	return relies_on_doubt ? 0 : 1;
}

/* By what the rules of one recipient pattern are narrowed. Most are by nothing: then one look-up
 * does, the one that finds this out. */
struct narrowing {
	bool by_sender, by_client;
	bool is_found; /* by nothing, and w->found is the rule */
};

/* 1 there are rules of that recipient pattern, and n is set; 0 none; -1. */
static int has_rules(struct walk *w, const char *recipient, struct narrowing *n)
{
	sqlite3_stmt *st = db_statement(w->d, SQL_POLICY_LAST_OF_RECIPIENT);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, recipient);
	got = db_step(w->d, st);
	if (got == 1) {
		n->by_sender = sqlite3_column_bytes(st, 2) > 0;
		n->by_client = n->by_sender || sqlite3_column_bytes(st, 3) > 0;
		n->is_found = !n->by_client && sqlite3_column_int64(st, 14) <= w->generation &&
			      (sqlite3_column_type(st, 15) == SQLITE_NULL ||
			       sqlite3_column_int64(st, 15) > w->generation);
		if (n->is_found)
			rule_from_row(w->d, st, &w->found);
		sqlite3_reset(st);
	}
	return got;
}

/* 1 there are rules of these patterns, 0 none, -1. */
static int has_sender(struct walk *w, const char *recipient, const char *sender)
{
	sqlite3_stmt *st = db_statement(w->d, SQL_POLICY_HAS_SENDER);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, recipient);
	db_bind_text(st, 2, sender);
	got = db_step(w->d, st);
	sqlite3_reset(st);
	return got;
}

/* Looks one rule up into w->found: 1, 0, -1. */
static int look_up(struct walk *w, enum sql_statement which, const char *recipient,
		   const char *sender, const char *client)
{
	sqlite3_stmt *st = db_statement(w->d, which);
	int got;

	if (st == NULL)
		return -1;
	db_bind_text(st, 1, recipient);
	db_bind_text(st, 2, sender);
	db_bind_text(st, 3, client);
	db_bind_int(st, 4, w->generation);
	got = db_step(w->d, st);
	if (got == 1)
		rule_from_row(w->d, st, &w->found);
	sqlite3_reset(st);
	return got;
}

static unsigned common_bits(const unsigned char a[16], const unsigned char b[16])
{
	for (unsigned bit = 0; bit < 128; bit++)
		if ((a[bit / 8] ^ b[bit / 8]) & (0x80u >> bit % 8))
			return bit;
	return 128;
}

static void mask(unsigned char octets[16], unsigned bits)
{
	for (unsigned bit = bits; bit < 128; bit++)
		octets[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
}

/* Networks around the client, longest prefix first. Texts sort as (first address, prefix), so the
 * last one at or before (client, 128) is either around the client, or beside it; what is around
 * both shares no more bits than those two do, and the search goes on from there. At most 128 steps,
 * in practice two. */
static int walk_networks(struct walk *w, const char *recipient, const char *sender)
{
	char client[CLIENT_STORED_MAX];
	struct netaddr around = *w->query->client;
	unsigned bits = 128;

	for (;;) {
		unsigned shared;
		int got;

		mask(around.octets, bits);
		got = look_up(w, SQL_POLICY_RULE_OF_NETWORK, recipient, sender,
			      client_stored_network(around.octets, bits, client));
		if (got != 1)
			return got;
		shared = common_bits(w->found.client.octets, w->query->client->octets);
		if (w->found.client.prefix_bits <= shared) {
			shared = w->found.client.prefix_bits;
			got = consider(w);
			if (got != 0)
				return got;
			if (shared == 0)
				return 0;
			shared--;
		}
		/* Strictly shorter each time: what was found sorts at or before `around`, and if it
		 * were around the client with `bits` bits it would have been the rule just
		 * considered. */
		bits = shared < bits ? shared : bits - 1;
	}
}

static int walk_clients(struct walk *w, const char *recipient, const char *sender,
			const struct narrowing *n)
{
	int got = 0;

	if (n->by_client && w->query->is_authenticated) {
		got = look_up(w, SQL_POLICY_RULE_OF_CLIENT, recipient, sender, "authenticated");
		if (got == 1)
			got = consider(w);
	}
	if (got == 0 && n->by_client && w->query->client != NULL)
		got = walk_networks(w, recipient, sender);
	if (got != 0)
		return got;
	got = look_up(w, SQL_POLICY_RULE_OF_CLIENT, recipient, sender, "");
	return got == 1 ? consider(w) : got;
}

static int walk_senders(struct walk *w, const char *recipient, const struct narrowing *n)
{
	const struct candidates *c = &w->sender->candidates;

	for (size_t i = 0; n->by_sender && i < c->n; i++) {
		int got = has_sender(w, recipient, c->text[i]);

		if (got == 1)
			got = walk_clients(w, recipient, c->text[i], n);
		if (got != 0)
			return got;
	}
	return walk_clients(w, recipient, "", n);
}

int policy_find_rule(struct db *d, int64_t generation, const struct policy_query *q,
		     const struct policy_address *recipient, const struct policy_address *sender,
		     enum requirement fallback, struct rule *winner)
{
	struct walk w = {.d = d,
			 .generation = generation,
			 .query = q,
			 .recipient = recipient,
			 .sender = sender,
			 .winner = winner};
	int got = 0;

	for (size_t i = 0; i < recipient->candidates.n && got == 0; i++) {
		struct narrowing n;

		got = has_rules(&w, recipient->candidates.text[i], &n);
		if (got == 1 && n.is_found)
			got = consider(&w);
		else if (got == 1)
			got = walk_senders(&w, recipient->candidates.text[i], &n);
	}
	if (got < 0)
		return -1;
	/* The walk went to its end: only doubtful rules held, and the default is what holds without
	 * them. */
	if (got == 0 && w.has_winner &&
	    policy_strength(winner->requirement) < policy_strength(fallback))
		return 0;
	return w.has_winner ? 1 : 0;
}

static bool sender_matches(const struct policy_address *sender, const struct rule *r)
{
	for (size_t i = 0; i < sender->candidates.n; i++)
		if (strcmp(sender->candidates.text[i], r->sender.text) == 0)
			return true;
	return false;
}

static bool client_matches(const struct policy_query *q, const struct rule *r)
{
	if (r->client_kind == RULE_CLIENT_AUTHENTICATED)
		return q->is_authenticated;
	if (r->client_kind == RULE_CLIENT_NETWORK)
		return q->client != NULL && netaddr_contains(&r->client, q->client);
	return true;
}

/* Both match; which of the three put the winner before r? */
static const char *less_specific(const struct rule *r, const struct rule *winner)
{
	if (strcmp(r->recipient.text, winner->recipient.text) != 0)
		return "recipient pattern";
	if (r->has_sender != winner->has_sender || strcmp(r->sender.text, winner->sender.text) != 0)
		return "sender pattern";
	return "client";
}

const char *policy_why_lost(const struct policy_query *q, const struct policy_address *sender,
			    const struct rule *r, const struct rule *winner, char *out,
			    size_t out_size)
{
	out[0] = '\0';
	if (winner != NULL && r->id == winner->id)
		return out;
	if (r->has_sender && !sender_matches(sender, r))
		snprintf(out, out_size, "the sender does not match");
	else if (!client_matches(q, r))
		snprintf(out, out_size, "the client does not match");
	else if (q->now_unix < r->starts_at_unix)
		snprintf(out, out_size, "it has not started yet");
	else if (!rule_holds_at(r, q->now_unix))
		snprintf(out, out_size, "it has expired");
	else if (!address_is_sure(q->recipient, r->recipient.kind) ||
		 (r->has_sender && !sender->is_trustworthy))
		snprintf(out, out_size,
			 "the address is doubtful, and the rule would lower the demand");
	else if (winner != NULL)
		snprintf(out, out_size, "rule %lld has a more specific %s", (long long)winner->id,
			 less_specific(r, winner));
	else
		snprintf(out, out_size, "it does not apply");
	return out;
}

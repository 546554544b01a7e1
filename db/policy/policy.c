/* SPDX-License-Identifier: ISC */
#include "db/engine/pause_time.h"
#include "common/copy.h"
#include "db/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/policy/policy_internal.h"
#include "db/rules/rule_row.h"

int policy_strength(enum requirement r)
{
	switch (r) {
	case REQUIREMENT_EXEMPT:
		return 0;
	case REQUIREMENT_OBSERVE:
		return 1;
	case REQUIREMENT_READABLE:
		return 2;
	case REQUIREMENT_RATCHET:
		return 3;
	case REQUIREMENT_SIGNED:
		return 4;
	case REQUIREMENT_ENCRYPTED:
		return 5;
	case REQUIREMENT_OWN_KEY:
		break;
	}
	return 6;
}

static void fill_address(const struct settings *s, const struct address *a,
			 struct policy_address *out)
{
	out->address = a;
	out->is_trustworthy = address_is_trustworthy(a);
	address_candidates(a, s->recipient_delimiter, &out->candidates);
}

static bool is_ours(const struct settings *s, const struct policy_query *q)
{
	return q->is_authenticated || q->is_submitted_locally ||
	       (q->client != NULL && settings_is_local_client(s, q->client));
}

/* What holds where no rule matches. A recipient that is not canonical, or carries old routing
 * syntax, could be anybody's: the milder default for our own does not apply to it. */
static void use_default(const struct settings *s, const struct policy_address *recipient,
			struct policy_answer *a)
{
	const bool is_milder = policy_strength(s->local_requirement) <
			       policy_strength(s->default_requirement);
	const bool use_local = a->is_local && (recipient->is_trustworthy || !is_milder);

	a->requirement = use_local ? s->local_requirement : s->default_requirement;
	a->source = SOURCE_DEFAULT;
	a->rule_id = 0;
	copy_text(a->why, sizeof a->why, use_local ? "local_requirement" : "default_requirement");
	if (policy_strength(a->requirement) > policy_strength(REQUIREMENT_OBSERVE) &&
	    !settings_is_protected(s, recipient->address)) {
		a->requirement = REQUIREMENT_OBSERVE;
		copy_text(a->why, sizeof a->why, "not in protected_domains");
	}
}

static bool is_exempt_by_configuration(const struct settings *s,
				       const struct policy_address *recipient,
				       struct policy_answer *a)
{
	for (size_t i = 0; i < s->n_exempt_recipients; i++) {
		const struct pattern *p = &s->exempt_recipients[i];

		if (!address_is_sure(recipient->address, p->kind) ||
		    !pattern_matches(p, recipient->address, s->recipient_delimiter))
			continue;
		a->requirement = REQUIREMENT_EXEMPT;
		a->source = SOURCE_EXEMPT_RECIPIENTS;
		snprintf(a->why, sizeof a->why, "exempt_recipients has %.160s", p->text);
		return true;
	}
	return false;
}

/* At least 20 octets; no NUL. Returns how many. */
static size_t put_id(char *out, int64_t id)
{
	char digits[20];
	size_t n = 0;

	for (uint64_t left = (uint64_t)id; left > 0 || n == 0; left /= 10)
		digits[sizeof digits - ++n] = (char)('0' + left % 10);
	memcpy(out, digits + sizeof digits - n, n);
	return n;
}

/* "rule 12 (.example.org from bob@example.net by 192.0.2.0/24)". Not by snprintf(), which is a
 * twentieth of a decision. */
static void tell_rule_in_force(const struct rule *r, const char *client, char *out)
{
	out += copy_text(out, sizeof "rule ", "rule ");
	out += put_id(out, r->id);
	out += copy_text(out, sizeof " (", " (");
	out += copy_text(out, 71, r->recipient.text);
	if (r->has_sender) {
		out += copy_text(out, sizeof " from ", " from ");
		out += copy_text(out, 41, r->sender.text);
	}
	if (client[0] != '\0') {
		out += copy_text(out, sizeof " by ", " by ");
		out += copy_text(out, 46, client);
	}
	copy_text(out, sizeof ")", ")");
}

_Static_assert(sizeof((struct policy_answer *)0)->why > 5 + 20 + 2 + 70 + 6 + 40 + 4 + 45 + 1,
	       "tell_rule_in_force() fits");

static void use_rule(const struct rule *r, struct policy_answer *a)
{
	char client[NETADDR_TEXT_MAX];

	a->requirement = r->requirement;
	a->source = SOURCE_RULE;
	a->rule_id = r->id;
	copy_text(a->help_url, sizeof a->help_url, r->help_url);
	rule_client_text(r, client);
	tell_rule_in_force(r, client, a->why);
}

/* Everything but what history says. 0 or -1; *has_winner and *winner for explain. */
static int find_requirement(struct db *d, const struct settings *s, const struct policy_query *q,
			    const struct db_state *state, struct policy_answer *a, bool *has_winner,
			    struct rule *winner)
{
	struct policy_address recipient, sender;
	int found;

	fill_address(s, q->recipient, &recipient);
	fill_address(s, q->sender, &sender);
	*has_winner = false;
	if (is_exempt_by_configuration(s, &recipient, a))
		return 0;
	use_default(s, &recipient, a);
	found = policy_find_rule(d, state->live_generation, q, &recipient, &sender, a->requirement,
				 winner);
	if (found < 0)
		return -1;
	*has_winner = found == 1;
	if (found == 1)
		use_rule(winner, a);
	return 0;
}

/* Postfix delivers mail for a domain with a sharp s as for that with "ss" (and a final sigma as
 * another): of the two the one that demands more holds. *q is about that one then. 0 or -1. */
static int ask_twin(struct db *d, const struct settings *s, struct policy_query *q,
		    struct address *twin, const struct db_state *state, struct policy_answer *a,
		    bool *has_winner, struct rule *winner)
{
	struct policy_query other = *q;
	struct policy_answer answer = *a;
	struct rule rule;
	bool has_rule;

	if (!address_twin(q->recipient, twin))
		return 0;
	other.recipient = twin;
	answer.source = SOURCE_DEFAULT;
	answer.rule_id = 0;
	answer.help_url[0] = '\0';
	if (find_requirement(d, s, &other, state, &answer, &has_rule, &rule) != 0)
		return -1;
	if (policy_strength(answer.requirement) <= policy_strength(a->requirement))
		return 0;
	*q = other;
	*a = answer;
	*has_winner = has_rule;
	if (has_rule)
		*winner = rule;
	return 0;
}

/* Evidence of an earlier split counts only where a split is what would happen now: those who are
 * told at once (step 5), and mail that is refused nothing, are not deferred either. */
static bool may_be_split(const struct settings *s, const struct policy_answer *a)
{
	return s->enforce && !a->is_paused && !a->is_local && s->mixed_recipients == MIXED_SPLIT &&
	       s->on_refusal != ON_REFUSAL_TAG;
}

static int ask_site(struct db *d, const struct settings *s, const struct policy_query *q,
		    const struct db_state *state, struct policy_answer *a)
{
	struct policy_address recipient;

	fill_address(s, q->recipient, &recipient);
	return policy_ask_site(d, s, q, state, &recipient, a);
}

/* What a decision is made of. */
struct decision {
	struct db_state state;
	struct policy_query asked; /* the query, about *twin where that demands more */
	struct address twin;
	bool has_winner;
	struct rule winner;
};

static int decide(struct db *d, const struct settings *s, const struct policy_query *q,
		  struct policy_answer *a, struct decision *x)
{
	struct db_state *state = &x->state;

	x->asked = *q;
	memset(a, 0, sizeof *a);
	a->is_local = is_ours(s, q);
	if (db_read_state(d, state) != 0)
		return -1;
	a->is_paused = pause_is_on(state->paused_until_unix, q->now_unix);
	if (find_requirement(d, s, q, state, a, &x->has_winner, &x->winner) != 0 ||
	    ask_twin(d, s, &x->asked, &x->twin, state, a, &x->has_winner, &x->winner) != 0)
		return -1;
	a->demand = a->requirement;
	if (policy_ask_history(d, s, &x->asked, a) != 0 ||
	    policy_ask_bounce(d, s, &x->asked, a) != 0 ||
	    (state->is_at_site && s->centre[0] != '\0' && ask_site(d, s, &x->asked, state, a) != 0))
		return -1;
	return may_be_split(s, a) ? policy_ask_split(d, q, a) : 0;
}

int policy_decide(struct db *d, const struct settings *s, const struct policy_query *q,
		  struct policy_answer *a)
{
	struct decision x;

	if (db_begin_read(d) != 0)
		return -1;
	return db_end(d, decide(d, s, q, a, &x));
}

/* ---- explain ---- */

#define TOLD_MAX 1000 /* rules of one pattern that are told; a person reads no more */

struct explanation {
	const struct settings *settings;
	const struct policy_query *query;
	const struct policy_address *sender;
	const struct rule *winner; /* or NULL */
	const char *overruled;	   /* why no rule of these holds, or NULL */
	void (*tell)(void *context, const struct rule *r, const char *why_lost);
	void *context;
	size_t n_told; /* of this pattern */
};

static int tell_rule(void *context, const struct rule *r)
{
	struct explanation *e = context;
	char why[160];

	if (e->overruled != NULL)
		copy_text(why, sizeof why, e->overruled);
	else
		policy_why_lost(e->query, e->sender, r, e->winner, why, sizeof why);
	e->tell(e->context, r, why);
	return ++e->n_told >= TOLD_MAX ? 1 : 0;
}

/* Tells the rules of every pattern that matches the recipient, the most specific pattern first. */
static int tell_rules(struct db *d, struct explanation *e, const struct policy_address *recipient)
{
	for (size_t i = 0; i < recipient->candidates.n; i++) {
		struct pattern pattern = {.kind = recipient->candidates.kind[i]};
		const struct rules_filter filter = {.recipient = &pattern};

		snprintf(pattern.text, sizeof pattern.text, "%s", recipient->candidates.text[i]);
		e->n_told = 0;
		if (rules_list(d, &filter, tell_rule, e) < 0)
			return -1;
	}
	return 0;
}

int policy_explain(struct db *d, const struct settings *s, const struct policy_query *q,
		   struct policy_answer *a,
		   void (*tell)(void *context, const struct rule *r, const char *why_lost),
		   void *context)
{
	struct policy_address recipient, sender;
	struct explanation e = {.settings = s, .tell = tell, .context = context};
	struct decision x;

	/* The same decision as for mail; the losers are looked at afterwards, against its winner.
	 */
	if (db_begin_read(d) != 0 || db_end(d, decide(d, s, q, a, &x)) != 0)
		return -1;
	fill_address(s, q->sender, &sender);
	e.query = &x.asked;
	e.sender = &sender;
	e.winner = x.has_winner ? &x.winner : NULL;
	if (a->source == SOURCE_EXEMPT_RECIPIENTS)
		e.overruled = "exempt_recipients comes before all rules";
	fill_address(s, x.asked.recipient, &recipient);
	if (tell_rules(d, &e, &recipient) != 0)
		return -1;
	if (x.asked.recipient == q->recipient)
		return 0;
	fill_address(s, q->recipient, &recipient);
	e.overruled = "more is demanded for the domain for which Postfix takes it";
	return tell_rules(d, &e, &recipient);
}

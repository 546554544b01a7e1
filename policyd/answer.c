/* SPDX-License-Identifier: ISC */
#include "policyd/answer.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/netaddr.h"
#include "common/outcome.h"
#include "db/policy.h"

static void action(char out[ANSWER_MAX], const char *text)
{
	snprintf(out, ANSWER_MAX, "action=%.*s\n\n", ANSWER_MAX - 10, text);
}

/* The null sender is empty here; all other addresses come unquoted. */
static void canonical_sender(const char *raw, struct address *out)
{
	if (raw[0] == '\0')
		address_canonical("<>", 2, out);
	else
		address_internal(raw, strlen(raw), out);
}

/* Postfix says 0 where the client declared nothing. */
static int64_t declared_size(const char *digits)
{
	int64_t size = 0;

	for (; *digits >= '0' && *digits <= '9' && size < INT64_MAX / 10 - 1; digits++)
		size = size * 10 + (*digits - '0');
	return *digits == '\0' && size > 0 ? size : SIZE_NOT_DECLARED;
}

static int decide(const struct answer_context *c, const struct request *r, int64_t now_unix,
		  struct policy_answer *answer)
{
	struct address sender;
	struct address recipient;
	struct netaddr client;
	char err[256];
	const int64_t began_us = clock_monotonic_us();
	int result;
	bool has_client = netaddr_parse(r->client_address, &client, err, sizeof err) == 0;
	struct policy_query query = {
		.recipient = &recipient,
		.sender = &sender,
		.client = has_client ? &client : NULL,
		.client_name = r->client_name,
		.is_authenticated = r->sasl_username[0] != '\0',
		.declared_size_bytes = declared_size(r->size),
		.now_unix = now_unix,
	};

	canonical_sender(r->sender, &sender);
	address_internal(r->recipient, strlen(r->recipient), &recipient);
	settings_complete_address(c->settings, NULL, &sender);
	settings_complete_address(c->settings, NULL, &recipient);
	memset(answer, 0, sizeof *answer);
	result = policy_decide(c->db, c->settings, &query, answer);
	histogram_add(&c->counts->decision, clock_monotonic_us() - began_us);
	return result;
}

/* Must this recipient come another time? */
static bool is_deferred(const struct answer_context *c, const struct request *r,
			const struct policy_answer *answer, int64_t now_s)
{
	/* One that yields is left to the filter: it has to see that a transaction was about a
	 * message that was split, should it come to nothing. */
	if (answer->n_split == 0 || answer->split_yields)
		return false;
	return policy_split_defers(instances_get(c->instances, r->instance, now_s), answer);
}

/* Does this access(5) result refuse, defer or lose mail by itself? */
static bool is_refusal(const char *text)
{
	static const char *const words[] = {"REJECT", "DEFER", "DEFER_IF_PERMIT", "DISCARD"};
	const size_t len = strcspn(text, " \t");

	if (len == 3 && (text[0] == '4' || text[0] == '5') && strspn(text, "0123456789") == 3)
		return true;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i]) == len && strncasecmp(text, words[i], len) == 0)
			return true;
	return false;
}

/* Does it refuse for good? */
static bool is_permanent(const char *text)
{
	const size_t len = strcspn(text, " \t");

	return (len == 3 && text[0] == '5') || (len == 6 && strncasecmp(text, "REJECT", 6) == 0) ||
	       (len == 7 && strncasecmp(text, "DISCARD", 7) == 0);
}

/* What policy_actions says; a refusal only while anything is refused (enforce, `pgpgate pause`). */
static const char *configured_action(const struct settings *s, const struct policy_answer *a)
{
	const char *text = s->policy_actions[a->requirement];

	if ((!s->enforce || a->is_paused) && is_refusal(text))
		return "DUNNO";
	/* Never a permanent answer from what may be old (pgpgate-site(7)). */
	return a->is_stale && is_permanent(text) ? "DEFER 4.7.1 Please try again later" : text;
}

int answer_request(const struct answer_context *c, const struct request *r, int64_t now_unix,
		   int64_t now_s, char out[ANSWER_MAX], char *err, size_t err_size)
{
	struct policy_answer answer;
	struct outcome deferral;
	char text[16 + OUTCOME_LINE_MAX];

	if (strcmp(r->protocol_state, "RCPT") != 0 || r->instance[0] == '\0') {
		action(out, "DUNNO");
		c->counts->n_not_asked++;
		return 0;
	}
	if (decide(c, r, now_unix, &answer) != 0) {
		c->counts->n_unanswered++;
		snprintf(err, err_size, "%s", db_error(c->db));
		if (!c->settings->accept_on_database_error)
			return -1;
		action(out, "DUNNO");
		return 0;
	}
	if (is_deferred(c, r, &answer, now_s)) {
		c->counts->n_deferred++;
		outcome_defer_class(&deferral);
		snprintf(text, sizeof text, "%s %s %s", deferral.code, deferral.enhanced,
			 deferral.n_lines > 0 ? deferral.line[0] : "");
		action(out, text);
		return 0;
	}
	c->counts->n_requirement[answer.requirement]++;
	action(out, configured_action(c->settings, &answer));
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * Rules see the address that was given at RCPT. Mail to an exempt alias reaches a protected mailbox unseen: such aliases of
 * the running Postfix are looked for, one look-up for each exempt address.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/doctor.h"
#include "common/clock.h"
#include "db/policy.h"
#include "db/rules.h"

#define ADDRESSES_MAX 200 /* each costs a process or two */

struct search {
	struct doctor *x;
	char virtual_maps[DOCTOR_TEXT_MAX], alias_maps[DOCTOR_TEXT_MAX], domain[256],
		destinations[DOCTOR_TEXT_MAX];
	bool is_from_settings; /* exempt_recipients: everyone has these, and wants them */
	int n_looked_at, n_found;
};

/* What a stranger's mail to this address must be. */
static enum requirement demand_for(struct doctor *x, const char *text, size_t len)
{
	struct address recipient, sender;
	struct policy_query q = {
		.recipient = &recipient,
		.sender = &sender,
		.declared_size_bytes = SIZE_NOT_DECLARED,
		.now_unix = clock_now_unix(),
	};
	struct policy_answer answer;

	address_canonical(text, len, &recipient);
	address_canonical("nobody@sender.invalid", 21, &sender);
	if (recipient.kind != ADDRESS_MAILBOX || policy_decide(x->db, x->settings, &q, &answer) != 0)
		return REQUIREMENT_EXEMPT;
	return answer.requirement;
}

static void examine_targets(struct search *s, const char *alias, const char *targets)
{
	while (*(targets += strspn(targets, ", \t\n")) != '\0') {
		const size_t len = strcspn(targets, ", \t\n");
		char target[ADDRESS_MAX + 300];
		enum requirement demand;

		snprintf(target, sizeof(target), "%.*s%s%s",
			 (int)(len < ADDRESS_MAX ? len : ADDRESS_MAX), targets,
			 memchr(targets, '@', len) == NULL ? "@" : "",
			 memchr(targets, '@', len) == NULL ? s->domain : "");
		targets += len;
		if (target[0] == '|' || target[0] == '/' || target[0] == ':' || target[0] == '"')
			continue;
		demand = demand_for(s->x, target, strlen(target));
		if (demand == REQUIREMENT_EXEMPT || demand == REQUIREMENT_OBSERVE)
			continue;
		s->n_found++;
		doctor_tell(
			s->x, s->is_from_settings ? DOCTOR_NOTE : DOCTOR_PROBLEM, "aliases",
			"give the exempt address a mailbox of its own, or no exemption",
			"%s is exempt and an alias of %s, which demands %s: cleartext reaches it",
			alias, target, requirement_name(demand));
	}
}

/* Is a domain one of the words of mydestination? example.org is not, where only mail.example.org is. */
static bool is_listed(const char *list, const char *domain)
{
	static const char separators[] = ", \t\r\n";
	const size_t wanted = strlen(domain);

	for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
		const size_t len = strcspn(list, separators);

		if (len == wanted && strncasecmp(list, domain, len) == 0)
			return true;
		list += len;
	}
	return false;
}

static void examine_address(struct search *s, const char *address)
{
	char result[DOCTOR_TEXT_MAX], local[ADDRESS_MAX + 1];
	const char *at = strrchr(address, '@');

	if (at == NULL || s->n_looked_at++ >= ADDRESSES_MAX)
		return;
	if (doctor_lookup(s->x, false, s->virtual_maps, address, result, sizeof(result)))
		examine_targets(s, address, result);
	snprintf(local, sizeof(local), "%.*s", (int)(at - address), address);
	if (is_listed(s->destinations, at + 1) &&
	    doctor_lookup(s->x, true, s->alias_maps, local, result, sizeof(result)))
		examine_targets(s, address, result);
}

static int examine_rule(void *context, const struct rule *r)
{
	if (r->requirement == REQUIREMENT_EXEMPT &&
	    (r->recipient.kind == PATTERN_MAILBOX || r->recipient.kind == PATTERN_DETAIL))
		examine_address(context, r->recipient.text);
	return 0;
}

void doctor_aliases(struct doctor *x)
{
	static struct search s;
	struct rules_filter all = {.now_unix = clock_now_unix()};
	char address[ADDRESS_MAX + 300];

	if (x->db == NULL || !x->postfix.is_there)
		return;
	memset(&s, 0, sizeof(s));
	s.x = x;
	doctor_parameter(x, "virtual_alias_maps", s.virtual_maps, sizeof(s.virtual_maps));
	doctor_parameter(x, "alias_maps", s.alias_maps, sizeof(s.alias_maps));
	doctor_parameter(x, "myorigin", s.domain, sizeof(s.domain));
	doctor_parameter(x, "mydestination", s.destinations, sizeof(s.destinations));
	for (size_t i = 0; i < x->settings->n_exempt_recipients; i++) {
		const struct pattern *p = &x->settings->exempt_recipients[i];

		s.is_from_settings = true;
		if (p->kind == PATTERN_USER) {
			snprintf(address, sizeof(address), "%s%s", p->text, s.domain);
			examine_address(&s, address);
		} else if (p->kind == PATTERN_MAILBOX) {
			examine_address(&s, p->text);
		}
	}
	s.is_from_settings = false;
	if (rules_list(x->db, &all, examine_rule, &s) == -1)
		doctor_tell(x, DOCTOR_PROBLEM, "aliases", NULL, "%s", db_error(x->db));
	else if (s.n_found == 0)
		doctor_tell(x, DOCTOR_OK, "aliases", NULL,
			    "no exempt address is an alias of a protected one%s",
			    s.n_looked_at > ADDRESSES_MAX ? " (looked at the first 200)" : "");
}

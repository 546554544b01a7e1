/* SPDX-License-Identifier: ISC
 *
 * aliases.c: rules see the address that was given at RCPT, so cleartext to an alias that demands
 * less than the mailbox behind it reaches that mailbox. Each map of Postfix is asked twice: for all
 * that it holds, if it can be listed, and in one batch for the addresses that rules and settings
 * let off, in all of Postfix's domains.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/postfix.h"
#include "common/run.h"
#include "db/policy.h"
#include "db/rules.h"

#define MAP_BYTES_MAX (16 << 20) /* of one answer */
#define PATIENCE_MS 10000	 /* for one map: what asks a server can hang */
#define TOLD_MAX 20		 /* findings; a person mends these first */

static const char topic[] = "aliases";

struct search {
	struct doctor *x;
	char domain[256], destinations[DOCTOR_TEXT_MAX]; /* myorigin, mydestination */
	char *keys, *names; /* what is asked: addresses; local names; a line each */
	int n_found;
};

/* What a stranger's mail to this address must be. */
static int demand_for(struct doctor *x, const char *text, size_t len, struct policy_answer *answer)
{
	struct address recipient, sender;
	struct policy_query q = {
		.recipient = &recipient,
		.sender = &sender,
		.declared_size_bytes = SIZE_NOT_DECLARED,
		.now_unix = clock_now_unix(),
	};

	address_canonical(text, len, &recipient);
	address_canonical("nobody@sender.invalid", 21, &sender);
	if (recipient.kind != ADDRESS_MAILBOX)
		return -1;
	return policy_decide(x->db, x->settings, &q, answer);
}

static bool lets_cleartext_in(const struct policy_answer *a)
{
	return a->demand == REQUIREMENT_EXEMPT || a->demand == REQUIREMENT_OBSERVE ||
	       a->demand == REQUIREMENT_READABLE;
}

static void examine_target(struct search *s, const char *alias,
			   const struct policy_answer *of_alias, const char *target)
{
	struct policy_answer answer;
	char mend[ADDRESS_MAX + 1200], quoted[ADDRESS_MAX + 400];

	if (demand_for(s->x, target, strlen(target), &answer) != 0 || lets_cleartext_in(&answer) ||
	    s->n_found >= TOLD_MAX)
		return;
	s->n_found++;
	doctor_by_pgpgate(s->x, mend, sizeof(mend), "%s %s",
			  answer.demand == REQUIREMENT_SIGNED ? "signed" : "require",
			  doctor_quote(quoted, sizeof(quoted), alias));
	if (of_alias->source == SOURCE_EXEMPT_RECIPIENTS)
		doctor_tell(s->x, DOCTOR_NOTE, topic, NULL,
			    "%s is exempt (%s) and an alias of %s, which demands %s: cleartext "
			    "reaches it; give it a mailbox "
			    "of its own",
			    alias, of_alias->why, target, requirement_name(answer.demand));
	else
		doctor_tell(s->x, DOCTOR_PROBLEM, topic, mend,
			    "%s takes cleartext (%s) and is an alias of %s, which demands %s: "
			    "cleartext reaches it",
			    alias, of_alias->why, target, requirement_name(answer.demand));
}

static void examine_alias(struct search *s, const char *alias, const char *targets)
{
	struct policy_answer of_alias;
	const char *word;
	size_t len;

	if (demand_for(s->x, alias, strlen(alias), &of_alias) != 0 || !lets_cleartext_in(&of_alias))
		return;
	while ((word = postfix_word(&targets, &len)) != NULL) {
		char target[ADDRESS_MAX + 300];
		const bool has_domain = memchr(word, '@', len) != NULL;

		if (strchr("|/:\"\\", word[0]) != NULL || len > ADDRESS_MAX)
			continue;
		snprintf(target, sizeof(target), "%.*s%s%s", (int)len, word, has_domain ? "" : "@",
			 has_domain ? "" : s->domain);
		if (strcmp(target, alias) != 0)
			examine_target(s, alias, &of_alias, target);
	}
}

/* A line of an answer: the key as it is in the map. Names of alias_maps are those of each domain in
 * mydestination. */
static void examine_entry(struct search *s, bool is_alias, const char *key, const char *targets)
{
	const char *list = s->destinations, *word;
	char address[ADDRESS_MAX + 300];
	size_t len;

	if (!is_alias && strchr(key, '@') != NULL && key[0] != '@') {
		examine_alias(s, key, targets);
		return;
	}
	if (strchr(key, '@') != NULL || (!is_alias && strchr(key, '.') != NULL) || strlen(key) > 64)
		return;
	while ((word = postfix_word(&list, &len)) != NULL) {
		if (len > 255 || word[0] == '/' || memchr(word, ':', len) != NULL)
			continue;
		snprintf(address, sizeof(address), "%s@%.*s", key, (int)len, word);
		examine_alias(s, address, targets);
	}
}

static void examine_lines(struct search *s, bool is_alias, char *text)
{
	for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
		char *tab = strchr(line, '\t');

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (tab == NULL || (next != NULL && tab >= next))
			continue;
		*tab = '\0';
		examine_entry(s, is_alias, line, tab + 1);
	}
}

/* -s where the map can be listed, which has everything; otherwise the batch. The map itself, not by
 * way of proxymap(8), whose socket is for Postfix alone. */
static void ask_map(struct search *s, bool is_alias, const char *map, char *out)
{
	const char *const program = is_alias ? "postalias" : "postmap",
			  *directory = s->x->postfix.config_directory,
			  *itself = strncmp(map, "proxy:", 6) == 0 ? map + 6 : map;
	const char *const with[] = {program, "-c", directory, "-q", "-", itself, NULL};
	const char *const without[] = {program, "-q", "-", itself, NULL};
	const char *const list[] = {"-s", postfix_listable(map)};
	int rc;

	if (list[1] != NULL &&
	    postfix_run(directory, program, list, 2, NULL, out, MAP_BYTES_MAX, PATIENCE_MS) == 0) {
		examine_lines(s, is_alias, out);
		return;
	}
	rc = run_output_all(directory != NULL && directory[0] != '\0' ? with : without,
			    is_alias ? s->names : s->keys, out, MAP_BYTES_MAX, PATIENCE_MS);
	if (rc < 0 || strstr(out, "fatal:") != NULL || strstr(out, "error:") != NULL)
		doctor_tell(s->x, DOCTOR_SKIPPED, topic, NULL, "%s could not be asked%s: %.200s",
			    map, rc < 0 ? " in time" : "",
			    strstr(out, "fatal:") != NULL ? strstr(out, "fatal:") : out);
	else
		examine_lines(s, is_alias, out);
}

static void ask_maps(struct search *s, bool is_alias, const char *parameter)
{
	char maps[DOCTOR_TEXT_MAX], map[DOCTOR_TEXT_MAX];
	char *out = output_memory(NULL, MAP_BYTES_MAX);
	const char *rest = maps, *word;
	size_t len;

	if (!doctor_parameter(s->x, parameter, maps, sizeof(maps))) {
		doctor_tell(s->x, DOCTOR_SKIPPED, topic, NULL, "%s cannot be had", parameter);
		free(out);
		return;
	}
	while ((word = postfix_word(&rest, &len)) != NULL) {
		snprintf(map, sizeof(map), "%.*s", (int)len, word);
		if (strchr(map, ':') != NULL && strncmp(map, "static:", 7) != 0)
			ask_map(s, is_alias, map, out);
	}
	free(out);
}

/* ---- what to ask for ---- */

struct keys {
	FILE *addresses, *names;
	const struct domain_set *domains;
};

static void add_key(struct keys *k, const struct pattern *p)
{
	if (p->kind == PATTERN_MAILBOX || p->kind == PATTERN_DETAIL) {
		fprintf(k->addresses, "%s\n", p->text);
		fprintf(k->names, "%.*s\n", (int)strcspn(p->text, "@"), p->text);
	} else if (p->kind == PATTERN_USER) {
		fprintf(k->names, "%.*s\n", (int)strcspn(p->text, "@"), p->text);
		for (size_t i = 0; i < k->domains->n; i++)
			fprintf(k->addresses, "%s%s\n", p->text, k->domains->names[i]);
	}
}

static int add_rule(void *context, const struct rule *r)
{
	if (r->requirement == REQUIREMENT_EXEMPT || r->requirement == REQUIREMENT_OBSERVE ||
	    r->requirement == REQUIREMENT_READABLE)
		add_key(context, &r->recipient);
	return 0;
}

/* False: no memory, or the database failed. */
static bool collect(struct search *s)
{
	static const struct pattern everywhere[] = {{PATTERN_USER, "postmaster@"},
						    {PATTERN_USER, "abuse@"}};
	const struct rules_filter all = {.now_unix = clock_now_unix()};
	size_t keys_len, names_len;
	struct keys k = {
		.addresses = open_memstream(&s->keys, &keys_len),
		.names = open_memstream(&s->names, &names_len),
		.domains = &s->x->settings->postfix->domains,
	};
	bool is_done = k.addresses != NULL && k.names != NULL;

	for (size_t i = 0; is_done && i < 2; i++)
		add_key(&k, &everywhere[i]);
	for (size_t i = 0; is_done && i < s->x->settings->n_exempt_recipients; i++)
		add_key(&k, &s->x->settings->exempt_recipients[i]);
	is_done = is_done && rules_list(s->x->db, &all, add_rule, &k) != -1;
	if (k.addresses != NULL)
		is_done &= fclose(k.addresses) == 0;
	if (k.names != NULL)
		is_done &= fclose(k.names) == 0;
	return is_done;
}

void doctor_aliases(struct doctor *x)
{
	struct search s = {.x = x};
	const int n_skipped = x->n_skipped;

	if (x->db == NULL || !x->postfix.is_there) {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL,
			    "aliases of protected mailboxes: this wants the database and Postfix");
		return;
	}
	doctor_parameter(x, "myorigin", s.domain, sizeof(s.domain));
	doctor_parameter(x, "mydestination", s.destinations, sizeof(s.destinations));
	if (collect(&s)) {
		ask_maps(&s, false, "virtual_alias_maps");
		ask_maps(&s, true, "alias_maps");
	} else {
		doctor_tell(x, DOCTOR_SKIPPED, topic, NULL, "which addresses are let off: %s",
			    db_error(x->db));
	}
	free(s.keys);
	free(s.names);
	if (s.n_found == 0 && x->n_skipped == n_skipped)
		doctor_tell(x, DOCTOR_OK, topic, NULL,
			    "no address that takes cleartext is an alias of a protected one");
}

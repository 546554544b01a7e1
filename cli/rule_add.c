/* SPDX-License-Identifier: ISC */
#include "cli/rule_add.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/open.h"
#include "cli/output.h"
#include "cli/rule_show.h"
#include "common/clock.h"

void rule_add_pattern(const struct cli *cli, const struct settings *s, const char *text,
		      bool is_sender, struct pattern *out)
{
	char err[512];

	if (pattern_parse(text, s->recipient_delimiter, is_sender, out, err, sizeof(err)) != 0)
		cli_misuse(cli, "%s", err);
}

void rule_add_narrow(const struct cli *cli, const struct settings *s, const char *sender,
		     const char *client, struct rule *r)
{
	char err[512];

	if (sender != NULL) {
		rule_add_pattern(cli, s, sender, true, &r->sender);
		r->has_sender = true;
	}
	if (client != NULL && rule_client_parse(client, r, err, sizeof(err)) != 0)
		cli_misuse(cli, "--client: %s", err);
}

static void fill(const struct cli *cli, const struct settings *s, const struct rule_add_options *o,
		 enum requirement requirement, struct rule *r)
{
	char err[400];

	memset(r, 0, sizeof(*r));
	r->requirement = requirement;
	rule_add_narrow(cli, s, o->sender, o->client, r);
	r->starts_at_unix = o->starts_unix;
	r->expires_at_unix = o->expires_unix;
	if (r->expires_at_unix != 0 && r->expires_at_unix <= r->starts_at_unix)
		cli_misuse(cli, "--expires is not after --starts");
	if (r->expires_at_unix != 0 && r->expires_at_unix <= clock_now_unix())
		cli_misuse(cli, "--expires is in the past");
	if (rule_set_text(r, o->note, o->help_url, err, sizeof(err)) != 0)
		cli_misuse(cli, "--%s", err); /* it begins with "note" or "help-url" */
	snprintf(r->author, sizeof(r->author), "%s", cli_author());
}

static void tell(const struct cli *cli, const struct rule *r, bool was_replaced, const struct rule *old)
{
	char phrase[OUTPUT_TEXT_MAX];
	json_t *o;

	if (cli->json) {
		o = rule_show_json(r);
		json_object_set_new(o, "replaced", was_replaced ? rule_show_json(old) : json_null());
		output_json(o);
		return;
	}
	printf("%s (rule %lld)\n", rule_show_phrase(r, phrase, sizeof(phrase)), (long long)r->id);
	if (was_replaced)
		printf("  replaces: %s (rule %lld)\n",
		       rule_show_phrase(old, phrase, sizeof(phrase)), (long long)old->id);
}

/* What an administrator who has just demanded something should know. */
static void tell_enforcement(const struct settings *s, enum requirement requirement)
{
	if (!s->enforce && requirement != REQUIREMENT_EXEMPT && requirement != REQUIREMENT_OBSERVE)
		cli_warning("enforce = no in the configuration: mail is judged and logged, nothing "
			    "is refused yet");
}

static enum requirement level_of(const struct cli *cli, const char *level)
{
	enum requirement r;

	if (requirement_from_name(level, &r) != 0 || r == REQUIREMENT_EXEMPT || r == REQUIREMENT_OBSERVE)
		cli_misuse(cli, "--level %s: one of encrypted, signed, ratchet", level);
	return r;
}

int rule_add_command(struct cli *cli, int argc, char **argv, enum requirement requirement, bool with_level)
{
	struct rule_add_options o = {0};
	struct option_spec specs[] = {
		{"sender", 0, "PATTERN", OPTION_TEXT, &o.sender,
		 "only mail from these senders; <> is the null sender"},
		{"client", 0, "NET", OPTION_TEXT, &o.client,
		 "only mail from this client address or network, or from `authenticated` clients"},
		{"starts", 0, "WHEN", OPTION_START, &o.starts_unix,
		 "not before: 2026-12-31, an RFC 3339 time, or +7d"},
		{"expires", 0, "WHEN", OPTION_END, &o.expires_unix,
		 "not after; a bare date includes that day"},
		{"note", 0, "TEXT", OPTION_TEXT, &o.note, "why; kept with the rule"},
		{"help-url", 0, "URL", OPTION_TEXT, &o.help_url, "shown in the reply to refused mail"},
		{"yes", 0, NULL, OPTION_FLAG, &o.yes, "really for every recipient ('*')"},
		{"level", 0, "LEVEL", OPTION_TEXT, &o.level, "encrypted (default), signed, or ratchet"},
	};
	struct settings *s;
	struct db *d;
	struct rule *rules;
	char **patterns;
	int code = 0;
	int n = options_parse(
		cli, argc, argv, specs, OPTIONS_N(specs) - (with_level ? 0 : 1),
		"Patterns, most specific first: user+ext@domain, user@domain, domain, .domain "
		"(subdomains, not the domain itself), user@ (in every domain), '*'.",
		&patterns);

	if (n == 0)
		cli_misuse(cli, "which recipients?");
	if (o.level != NULL)
		requirement = level_of(cli, o.level);
	s = open_settings(cli);
	/* All are read before the first is added: a misspelt one changes nothing. */
	rules = calloc((size_t)n, sizeof(*rules));
	if (rules == NULL) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	for (int i = 0; i < n; i++) {
		fill(cli, s, &o, requirement, &rules[i]);
		rule_add_pattern(cli, s, patterns[i], false, &rules[i].recipient);
		if (rules[i].recipient.kind == PATTERN_ANY && !o.yes)
			cli_misuse(cli, "'*' is every recipient of this server: add --yes if that "
					"is meant");
	}
	d = open_database(s, DB_WRITE);
	for (int i = 0; i < n && code == 0; i++) {
		struct rule old;
		bool was_replaced = false;

		if (rules_add(d, &rules[i], clock_now_unix(), &was_replaced, &old) != 0)
			code = open_failed(d);
		else
			tell(cli, &rules[i], was_replaced, &old);
	}
	if (code == 0)
		tell_enforcement(s, requirement);
	free(rules);
	db_close(d);
	settings_unref(s);
	return code;
}

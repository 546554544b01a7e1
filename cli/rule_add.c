/* SPDX-License-Identifier: ISC */
#include "cli/rule_add.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/changes.h"
#include "cli/open.h"
#include "cli/output.h"
#include "cli/site_session.h"
#include "common/clock.h"
#include "db/site.h"
#include "db/verdicts.h"

#define SETTLE_MS 5000 /* the filter moves its journal once a second */

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

	if (requirement_from_name(level, &r) != 0 || r == REQUIREMENT_EXEMPT ||
	    r == REQUIREMENT_OBSERVE)
		cli_misuse(cli, "--level %s: one of encrypted, signed, ratchet, own-key, readable",
			   level);
	return r;
}

/* All of them are one change. */
static int put_all(struct cli *cli, struct settings *s, const struct rule *rules, size_t n,
		   bool dry_run)
{
	struct changes changes = {.cli = cli, .is_dry_run = dry_run, .tells_each = true};
	const struct rules_edit_options o = {.author = cli_author(),
					     .now_unix = clock_now_unix(),
					     .is_dry_run = dry_run,
					     .tell = changes_tell,
					     .context = &changes};
	struct db *d = open_database(s, dry_run ? DB_READ : DB_WRITE);
	struct rules_result result;
	struct rules_edit *e;
	int failed = dry_run ? 0 : site_session_begin(cli, s, d, NULL);

	if (failed != 0) {
		db_close(d);
		return failed;
	}
	e = rules_edit_begin(d, &o);
	failed = e == NULL;
	for (size_t i = 0; i < n && !failed; i++)
		failed = rules_edit_put(e, &rules[i]) != 0;
	if (e != NULL && failed)
		rules_edit_abort(e);
	else if (e != NULL)
		failed = rules_edit_commit(e, &result) != 0;
	/* A ratchet asks for what was before: that must not wait in the journal. */
	for (size_t i = 0; !failed && i < n; i++)
		if (rules[i].requirement == REQUIREMENT_RATCHET) {
			verdicts_settle(d, SETTLE_MS);
			break;
		}
	failed = site_session_end(failed ? open_failed(d) : 0);
	db_close(d);
	return failed;
}

/* On this host alone, while the centre is away. */
static int put_here(struct cli *cli, struct settings *s, const struct rule *rules, size_t n)
{
	struct db *d = open_database(s, DB_WRITE);
	const int64_t now = clock_now_unix();
	struct site_state state;
	int code = 0;

	if (site_read(d, &state) != 1)
		cli_misuse(cli, "--here is for a host that belongs to a site");
	for (size_t i = 0; i < n && code == 0; i++) {
		if (site_here_exempt(d, &rules[i].recipient, cli_author(), now,
				     rules[i].expires_at_unix) != 0)
			code = open_failed(d);
		else
			printf("%s: exempt on this host alone\n", rules[i].recipient.text);
	}
	db_close(d);
	return code;
}

static void check_here(const struct cli *cli, const struct rule_add_options *o, enum requirement r)
{
	if (r != REQUIREMENT_EXEMPT || o->sender != NULL || o->client != NULL ||
	    o->starts_unix != 0)
		cli_misuse(cli, "--here goes with exempt, for all senders and clients, at once");
	if (o->expires_unix == 0 || o->expires_unix > clock_now_unix() + SITE_HERE_MAX_S)
		cli_misuse(cli, "--here wants --expires, within 6h");
}

int rule_add_command(struct cli *cli, int argc, char **argv, enum requirement requirement,
		     bool with_level)
{
	struct rule_add_options o = {0};
	bool dry_run = false;
	struct option_spec specs[] = {
		{"sender", 0, "PATTERN", OPTION_TEXT, &o.sender,
		 "only mail from these senders; <> is the null sender"},
		{"client", 0, "NET", OPTION_TEXT, &o.client,
		 "only mail from this client address or network, or from `authenticated` clients"},
		{"starts", 0, "WHEN", OPTION_START, &o.starts_unix,
		 "not before: 7d (from now), tomorrow, friday, 2026-12-31, \"2026-12-31 18:00\" "
		 "(local time)"},
		{"expires", 0, "WHEN", OPTION_END, &o.expires_unix,
		 "not after; likewise; a day alone includes that day"},
		{"note", 0, "TEXT", OPTION_TEXT, &o.note, "why; kept with the rule"},
		{"help-url", 0, "URL", OPTION_TEXT, &o.help_url,
		 "shown in the reply to refused mail"},
		CHANGES_OPTION_DRY_RUN(&dry_run),
		CHANGES_OPTION_WAIT(cli),
		{"here", 0, NULL, OPTION_FLAG, &o.here,
		 "of a site: on this host alone, for 6h at most, while the centre is away "
		 "(exempt)"},
		{"yes", 0, NULL, OPTION_FLAG, &o.yes, "really for every recipient ('*')"},
		{"level", 0, "LEVEL", OPTION_TEXT, &o.level,
		 "encrypted (default), signed, ratchet, own-key or readable"},
	};
	struct settings *s;
	struct rule *rules;
	char **patterns;
	int code;
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
	if (o.here)
		check_here(cli, &o, requirement);
	code = o.here ? put_here(cli, s, rules, (size_t)n)
		      : put_all(cli, s, rules, (size_t)n, dry_run);
	if (code == 0 && !dry_run)
		tell_enforcement(s, requirement);
	free(rules);
	settings_unref(s);
	return code;
}

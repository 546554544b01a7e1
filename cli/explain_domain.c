/* SPDX-License-Identifier: ISC */
#include "cli/explain_domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/open.h"
#include "cli/output.h"
#include "cli/rule_show.h"
#include "common/clock.h"

/* In the order in which they are shown. */
enum scope { SCOPE_DOMAIN, SCOPE_ADDRESS, SCOPE_BELOW, SCOPE_EVERYWHERE, SCOPE_NONE };

static const char *const titles[] = {
	[SCOPE_DOMAIN] = "For the whole domain",
	[SCOPE_ADDRESS] = "For addresses in it, which win over those for the domain",
	[SCOPE_BELOW] = "Below it",
	[SCOPE_EVERYWHERE] = "For every domain",
};
static const char *const names[] = {
	[SCOPE_DOMAIN] = "domain",
	[SCOPE_ADDRESS] = "address",
	[SCOPE_BELOW] = "below",
	[SCOPE_EVERYWHERE] = "everywhere",
};

struct search {
	const struct cli *cli;
	const char *domain;
	enum scope scope; /* what is printed in this round */
	int64_t now_unix, n, n_all;
};

/* Is name below domain? */
static bool is_below(const char *name, const char *domain)
{
	const size_t n = strlen(name), n_domain = strlen(domain);

	return n > n_domain + 1 && name[n - n_domain - 1] == '.' &&
	       strcmp(name + n - n_domain, domain) == 0;
}

static enum scope scope_of(const struct pattern *p, const char *domain)
{
	const char *at = strrchr(p->text, '@');
	const char *of = at != NULL ? at + 1 : p->text;

	switch (p->kind) {
	case PATTERN_ANY:
	case PATTERN_USER:
		return SCOPE_EVERYWHERE;
	case PATTERN_SUBDOMAINS:
		of += *of == '.';
		return is_below(domain, of)				 ? SCOPE_DOMAIN
		       : strcmp(of, domain) == 0 || is_below(of, domain) ? SCOPE_BELOW
									 : SCOPE_NONE;
	case PATTERN_DOMAIN:
		return strcmp(of, domain) == 0 ? SCOPE_DOMAIN
		       : is_below(of, domain)  ? SCOPE_BELOW
					       : SCOPE_NONE;
	case PATTERN_DETAIL:
	case PATTERN_MAILBOX:
		return strcmp(of, domain) == 0 ? SCOPE_ADDRESS
		       : is_below(of, domain)  ? SCOPE_BELOW
					       : SCOPE_NONE;
	case PATTERN_NULL:
		break;
	}
	return SCOPE_NONE;
}

static int show(void *context, const struct rule *r)
{
	struct search *s = context;
	char phrase[OUTPUT_TEXT_MAX], state[RULE_SHOW_STATE_MAX], line[2 * OUTPUT_TEXT_MAX],
		clean[2 * OUTPUT_TEXT_MAX];
	size_t used;

	if (scope_of(&r->recipient, s->domain) != s->scope)
		return 0;
	s->n_all++;
	if (s->cli->json) {
		json_t *o = rule_show_json(r);

		json_object_set_new(o, "scope", output_json_text(names[s->scope]));
		output_json(o);
		return 0;
	}
	if (s->n++ == 0)
		printf("%s%s%s\n", output_colour(COLOUR_BOLD), titles[s->scope],
		       output_colour(COLOUR_PLAIN));
	rule_show_phrase(r, phrase, sizeof(phrase));
	rule_show_state(r, s->now_unix, state);
	snprintf(line, sizeof(line), "%s%s%s%s", phrase, state[0] != '\0' ? " (" : "", state,
		 state[0] != '\0' ? ")" : "");
	used = (size_t)printf("  %6lld  ", (long long)r->id);
	output_wrap(stdout, used + 2, used, output_clean(clean, sizeof(clean), line));
	return 0;
}

static void print_defaults(const struct settings *s, const struct search *found)
{
	if (found->n_all == 0)
		printf("No rule names %s or what is below it.\n", found->domain);
	printf("%sWhere none matches%s\n  default_requirement = %s, for our own local_requirement "
	       "= %s%s\n",
	       output_colour(COLOUR_BOLD), output_colour(COLOUR_PLAIN),
	       requirement_name(s->default_requirement), requirement_name(s->local_requirement),
	       s->enforce ? "" : "\n  enforce = no: nothing is refused");
	printf("\nOne address: pgpgate explain somebody@%s\n", found->domain);
}

int explain_domain(const struct cli *cli, struct settings *s, const char *text)
{
	struct rules_filter all = {.now_unix = clock_now_unix()};
	struct search found = {.cli = cli, .now_unix = all.now_unix};
	struct pattern p;
	char err[300];
	struct db *d;
	int failed = 0;

	if (pattern_parse(text, s->recipient_delimiter, false, &p, err, sizeof(err)) != 0)
		cli_misuse(cli, "%s", err);
	found.domain = p.text + (p.text[0] == '.');
	d = open_database(s, DB_READ);
	for (int scope = SCOPE_DOMAIN; scope < SCOPE_NONE && failed == 0; scope++) {
		found.scope = (enum scope)scope;
		found.n = 0;
		failed = rules_list(d, &all, show, &found);
	}
	if (failed == 0 && !cli->json)
		print_defaults(s, &found);
	failed = failed != 0 ? open_failed(d) : 0;
	db_close(d);
	return failed;
}

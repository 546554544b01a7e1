/* SPDX-License-Identifier: ISC
 *
 * pgpgate rules: lists the rules, or with --history every change that was made to them.
 */
#include <stdio.h>
#include <string.h>

#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "cli/rule_add.h"
#include "cli/rule_show.h"
#include "common/clock.h"

struct listing {
	const struct cli *cli;
	int64_t now_unix;
	int64_t n;
	bool is_table; /* one line a rule */
};

#define TABLE_PHRASE 38 /* columns for whom it holds */

/* Cut to a column's width, with "..." where something is missing. */
static void print_cell(const char *text, size_t width)
{
	char piece[OUTPUT_TEXT_MAX];

	snprintf(piece, sizeof(piece), "%s", text);
	while (output_width(piece) > width) {
		size_t len = strlen(piece) -
			     4; /* the dots, or what is before them, and one byte more */

		while (len > 0 && ((unsigned char)piece[len] & 0xc0) == 0x80)
			len--;
		memcpy(piece + len, "...", 4);
	}
	output_pad(stdout, piece, width);
}

/* "id  requirement  recipient, from, client  until  hits" */
static void print_row(const struct listing *l, const struct rule *r)
{
	char client[NETADDR_TEXT_MAX], clean[2 * OUTPUT_TEXT_MAX], text[OUTPUT_TEXT_MAX],
		when[CLOCK_TEXT_MAX];
	char number[OUTPUT_NUMBER_MAX];
	const bool is_over = r->expires_at_unix != 0 && r->expires_at_unix <= l->now_unix;
	const bool is_waiting = r->starts_at_unix > l->now_unix;

	if (l->n == 1)
		printf("%s%6s  %-9s  %-*s %-11s %7s%s\n", output_colour(COLOUR_BOLD), "rule",
		       "demands", TABLE_PHRASE, "for", "until", "hits",
		       output_colour(COLOUR_PLAIN));
	snprintf(text, sizeof(text), "%s%s%s%s%s", r->recipient.text, r->has_sender ? " from " : "",
		 r->has_sender ? r->sender.text : "",
		 r->client_kind != RULE_CLIENT_ANY ? " client " : "", rule_client_text(r, client));
	printf("%6lld  %-9s  ", (long long)r->id, requirement_name(r->requirement));
	print_cell(output_clean(clean, sizeof(clean), text), TABLE_PHRASE);
	/* The last day on which it holds, as it was typed. */
	if (is_waiting)
		snprintf(text, sizeof(text), "not yet");
	else if (is_over)
		snprintf(text, sizeof(text), "expired");
	else if (r->expires_at_unix != 0)
		snprintf(text, sizeof(text), "%.10s", output_time(r->expires_at_unix - 1, when));
	else
		text[0] = '\0';
	printf(" %s%-11s%s %7s\n", is_over || is_waiting ? output_colour(COLOUR_YELLOW) : "", text,
	       is_over || is_waiting ? output_colour(COLOUR_PLAIN) : "",
	       r->hits > 0 ? output_number(number, r->hits) : "-");
}

static void print_more(const struct rule *r, int64_t now_unix)
{
	char text[OUTPUT_TEXT_MAX];
	char clean[2 * OUTPUT_TEXT_MAX];
	char when[CLOCK_TEXT_MAX];
	char state[RULE_SHOW_STATE_MAX];
	char number[OUTPUT_NUMBER_MAX];
	size_t n;

	if (rule_show_state(r, now_unix, state)[0] != '\0')
		printf("        %s%s%s\n", output_colour(COLOUR_YELLOW), state,
		       output_colour(COLOUR_PLAIN));
	if (r->note[0] != '\0') {
		printf("        \"");
		snprintf(text, sizeof(text), "%s\"", r->note);
		output_wrap(stdout, 8, 9, output_clean(clean, sizeof(clean), text));
	}
	if (r->help_url[0] != '\0') {
		printf("        help: ");
		output_wrap(stdout, 8, 14, output_clean(clean, sizeof(clean), r->help_url));
	}
	if (r->owner[0] != '\0')
		printf("        owner: %s\n", output_clean(clean, sizeof(clean), r->owner));
	n = (size_t)snprintf(text, sizeof(text), "by %s, %s; ",
			     r->author[0] != '\0' ? r->author : "?",
			     output_time(r->created_at_unix, when));
	if (r->hits == 0)
		snprintf(text + n, sizeof(text) - n, "unused");
	else
		snprintf(text + n, sizeof(text) - n, "%s %s, last %s",
			 output_number(number, r->hits), output_plural(r->hits, "hit", "hits"),
			 output_time(r->last_hit_at_unix, when));
	printf("        %s", output_colour(COLOUR_DIM));
	output_wrap(stdout, 8, 8, output_clean(clean, sizeof(clean), text));
	fputs(output_colour(COLOUR_PLAIN), stdout);
}

static int print_rule(void *context, const struct rule *r)
{
	struct listing *l = context;
	char phrase[OUTPUT_TEXT_MAX];

	l->n++;
	if (l->cli->json) {
		output_json(rule_show_json(r));
		return 0;
	}
	if (l->is_table) {
		print_row(l, r);
		return 0;
	}
	printf("%6lld  %s", (long long)r->id, output_colour(COLOUR_BOLD));
	output_wrap(stdout, 8, 8, rule_show_phrase(r, phrase, sizeof(phrase)));
	fputs(output_colour(COLOUR_PLAIN), stdout);
	print_more(r, l->now_unix);
	return 0;
}

static void print_side(const char *label, const char *rule)
{
	char clean[2 * OUTPUT_TEXT_MAX];

	if (rule[0] != '\0') {
		printf("        %s", label);
		output_wrap(stdout, 16, 8 + strlen(label),
			    output_clean(clean, sizeof(clean), rule));
	}
}

static int print_change(void *context, const struct rule_change *c)
{
	struct listing *l = context;
	char when[CLOCK_TEXT_MAX];
	char author[2 * AUTHOR_MAX];
	char owner[2 * OWNER_MAX];
	char what[120];
	json_t *o;

	l->n++;
	if (l->cli->json) {
		o = json_object();
		json_object_set_new(o, "number", json_integer(c->no));
		json_object_set_new(o, "time", output_json_time(c->time_unix));
		json_object_set_new(o, "author", output_json_text(c->author));
		json_object_set_new(o, "what", output_json_text(c->what));
		json_object_set_new(o, "before",
				    output_json_text(c->before[0] != '\0' ? c->before : NULL));
		json_object_set_new(o, "after",
				    output_json_text(c->after[0] != '\0' ? c->after : NULL));
		json_object_set_new(o, "owner",
				    output_json_text(c->owner[0] != '\0' ? c->owner : NULL));
		json_object_set_new(o, "undoes",
				    c->undoes != 0 ? json_integer(c->undoes) : json_null());
		output_json(o);
		return 0;
	}
	output_clean(what, sizeof(what), c->what);
	if (c->undoes != 0)
		snprintf(what + strlen(what), sizeof(what) - strlen(what), " of %lld",
			 (long long)c->undoes);
	printf("%6lld  %s  %s%s%s by %s", (long long)c->no, output_time(c->time_unix, when),
	       output_colour(COLOUR_BOLD), what, output_colour(COLOUR_PLAIN),
	       output_clean(author, sizeof(author), c->author));
	if (c->owner[0] != '\0')
		printf(" for %s", output_clean(owner, sizeof(owner), c->owner));
	putchar('\n');
	print_side("before: ", c->before);
	print_side("after:  ", c->after);
	return 0;
}

int cmd_rules(struct cli *cli, int argc, char **argv)
{
	struct rules_filter f = {0};
	bool history = false, is_long = false;
	const struct option_spec specs[] = {
		{"unused", 0, NULL, OPTION_FLAG, &f.only_unused,
		 "only rules that never decided anything"},
		{"expired", 0, NULL, OPTION_FLAG, &f.only_expired, "only rules whose time is over"},
		{NULL, 'l', NULL, OPTION_FLAG, &is_long,
		 "everything about each, as when the output is no terminal; else one line a rule"},
		{"owner", 0, "NAME", OPTION_TEXT, &f.owner,
		 "only rules of this owner; '' for typed ones"},
		{"history", 0, NULL, OPTION_FLAG, &history,
		 "every change, oldest first: when, by whom, what"},
	};
	char **operands;
	int n = options_parse(
		cli, argc, argv, specs, OPTIONS_N(specs),
		"PATTERN lists the rules for exactly that recipient pattern. What applies to an "
		"address is answered by `pgpgate explain`.",
		&operands);
	struct listing l = {.cli = cli, .now_unix = clock_now_unix()};
	struct pattern pattern;
	struct settings *s;
	struct db *d;
	int failed;

	if (n > 1)
		cli_misuse(cli, "one pattern at most");
	if (history && (f.only_unused || f.only_expired || f.owner != NULL || is_long))
		cli_misuse(cli, "--history goes without --unused, --expired, --owner and -l");
	l.is_table = output_is_terminal() && !is_long;
	s = open_settings(cli);
	if (n == 1) {
		rule_add_pattern(cli, s, operands[0], false, &pattern);
		f.recipient = &pattern;
	}
	f.now_unix = l.now_unix;
	d = open_database(s, DB_READ);
	if (!cli->json)
		pager_begin();
	if (history)
		failed = rules_history(d, f.recipient, print_change, &l);
	else
		failed = rules_list(d, &f, print_rule, &l);
	if (failed == -1)
		failed = open_failed(d);
	else if (l.n == 0 && !cli->json)
		puts(history ? "no changes" : "no rules");
	db_close(d);
	settings_unref(s);
	return failed;
}

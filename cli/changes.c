/* SPDX-License-Identifier: ISC */
#include "cli/changes.h"

#include <stdio.h>

#include "cli/output.h"
#include "cli/rule_show.h"

void changes_print_side(char sign, const char *text)
{
	char clean[2 * RULE_TEXT_MAX];

	printf("%s%c%s%s\n", output_colour(sign == '-' ? COLOUR_RED : COLOUR_GREEN), sign,
	       output_clean(clean, sizeof(clean), text), output_colour(COLOUR_PLAIN));
}

static void print_diff(enum rule_outcome o, const struct rule *before, const struct rule *after)
{
	char text[RULE_TEXT_MAX];

	if (o == RULE_CHANGED || o == RULE_REMOVED)
		changes_print_side('-', rule_format(before, text, sizeof(text)));
	if (o == RULE_CHANGED || o == RULE_ADDED)
		changes_print_side('+', rule_format(after, text, sizeof(text)));
}

static void print_json(const struct changes *c, enum rule_outcome o, const struct rule *before,
		       const struct rule *after)
{
	json_t *object = rule_show_json(after != NULL && o != RULE_KEPT ? after : before);

	json_object_set_new(object, "result", output_json_text(rule_outcome_name(o)));
	json_object_set_new(object, "replaced",
			    o == RULE_CHANGED ? rule_show_json(before) : json_null());
	json_object_set_new(object, "dry_run", json_boolean(c->is_dry_run));
	output_json(object);
}

/* Programs read lines; on a terminal nothing runs over. */
static void print_line(const char *text)
{
	if (output_is_terminal())
		output_wrap(stdout, 4, 0, text);
	else
		puts(text);
}

static void print_text(enum rule_outcome o, const struct rule *before, const struct rule *after)
{
	char phrase[OUTPUT_TEXT_MAX], text[OUTPUT_TEXT_MAX];
	const struct rule *r = after != NULL && o != RULE_KEPT ? after : before;

	rule_show_phrase(r, phrase, sizeof(phrase));
	if (o == RULE_ADDED || o == RULE_CHANGED)
		snprintf(text, sizeof(text), "%.1900s (rule %lld)", phrase, (long long)r->id);
	else
		snprintf(text, sizeof(text), "%.1900s (rule %lld): %s", phrase, (long long)r->id,
			 rule_outcome_name(o));
	print_line(text);
	if (o != RULE_CHANGED)
		return;
	snprintf(text, sizeof(text), "  replaces: %.1900s (rule %lld)",
		 rule_show_phrase(before, phrase, sizeof(phrase)), (long long)before->id);
	print_line(text);
}

void changes_tell(void *context, enum rule_outcome o, const struct rule *before,
		  const struct rule *after)
{
	struct changes *c = context;

	if (o == RULE_ABSENT) {
		c->n_absent++;
		return;
	}
	if (c->is_dry_run && !c->cli->json)
		print_diff(o, before, after);
	else if (c->cli->json && (c->tells_each || (c->is_dry_run && o != RULE_UNCHANGED)))
		print_json(c, o, before, after);
	else if (c->tells_each && (c->most_told == 0 || ++c->n_told <= c->most_told))
		print_text(o, before, after);
	else if (c->tells_each && c->n_told == c->most_told + 1)
		puts("...");
}

void changes_add_counts(json_t *o, const struct rules_result *r, bool is_dry_run)
{
	json_object_set_new(o, "added", json_integer(r->n[RULE_ADDED]));
	json_object_set_new(o, "changed", json_integer(r->n[RULE_CHANGED]));
	json_object_set_new(o, "unchanged", json_integer(r->n[RULE_UNCHANGED]));
	json_object_set_new(o, "removed", json_integer(r->n[RULE_REMOVED]));
	json_object_set_new(o, "kept", json_integer(r->n[RULE_KEPT]));
	json_object_set_new(o, "change", r->no != 0 ? json_integer(r->no) : json_null());
	json_object_set_new(o, "dry_run", json_boolean(is_dry_run));
}

void changes_print_counts(const struct rules_result *r, bool is_dry_run)
{
	static const enum rule_outcome shown[] = {RULE_ADDED, RULE_CHANGED, RULE_REMOVED,
						  RULE_UNCHANGED};
	char number[OUTPUT_NUMBER_MAX];
	const char *between = "";

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (r->n[shown[i]] == 0)
			continue;
		printf("%s%s %s", between, output_number(number, r->n[shown[i]]),
		       rule_outcome_name(shown[i]));
		between = ", ";
	}
	if (between[0] == '\0')
		printf("nothing to do");
	if (r->n[RULE_KEPT] > 0)
		printf(", %s of another owner left alone", output_number(number, r->n[RULE_KEPT]));
	if (is_dry_run)
		printf(" (dry run: nothing was changed)");
	else if (r->no != 0)
		printf(" (change %lld)", (long long)r->no);
	putchar('\n');
}

/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "cli/import_line.h"
#include "cli/rule_show.h"

#define NOW 1795348800 /* 2026-11-22T12:00:00Z */

static struct import_context context_for(enum import_format format)
{
	return (struct import_context){.format = format, .delimiters = "+", .now_unix = NOW};
}

static const struct {
	const char *label;
	enum import_format format;
	const char *line;
	int n;
	const char *expected; /* rule_format() of the first rule; NULL: none */
	const char *second;
} good[] = {
	{"blank", IMPORT_AUTO, "  \t", 0, NULL, NULL},
	{"comment", IMPORT_AUTO, "# exempt a@x.test", 0, NULL, NULL},
	{"text", IMPORT_AUTO, "exempt a@x.test", 1, "exempt a@x.test", NULL},
	{"text, CR at the end", IMPORT_AUTO, "exempt a@x.test\r", 1, "exempt a@x.test", NULL},
	{"json", IMPORT_AUTO, "{\"recipient\": \"A@X.test\", \"requirement\": \"signed\"}", 1,
	 "signed a@x.test", NULL},
	{"json, nulls and fields of rules --json", IMPORT_JSON,
	 "{\"id\":7,\"recipient\":\"x.test\",\"sender\":\"<>\",\"client\":null,\"requirement\":"
	 "\"exempt\","
	 "\"starts_at\":null,\"expires_at\":\"2027-01-01T00:00:00Z\",\"note\":null,\"help_url\":"
	 "null,"
	 "\"author\":\"eve\",\"created_at\":\"2026-01-01T00:00:00Z\",\"hits\":3,\"last_hit_at\":"
	 "null}",
	 1, "exempt x.test sender=<> expires=2027-01-01T00:00:00Z", NULL},
	{"access: a domain makes two rules", IMPORT_ACCESS, "example.org\tOK", 2,
	 "exempt example.org", "exempt .example.org"},
	{"access: an address makes one", IMPORT_ACCESS, "a@example.org ok", 1,
	 "exempt a@example.org", NULL},
	{"access: user in every domain", IMPORT_ACCESS, "abuse@   OK", 1, "exempt abuse@", NULL},
	{"access: whole result before first word", IMPORT_ACCESS, "b@example.org REJECT sign it ",
	 1, "signed b@example.org", NULL},
	{"access: first word", IMPORT_ACCESS, "b@example.org REJECT go away", 1,
	 "encrypted b@example.org", NULL},
	{"access: skipped", IMPORT_ACCESS, "b@example.org DUNNO", 0, NULL, NULL},
	{"access: comment", IMPORT_ACCESS, "# b@example.org OK", 0, NULL, NULL},
};

static void add_maps(struct import_context *c)
{
	char err[300];

	assert_int_equal(import_map_add(c, "OK=exempt", err, sizeof(err)), 0);
	assert_int_equal(import_map_add(c, "REJECT=encrypted", err, sizeof(err)), 0);
	assert_int_equal(import_map_add(c, "REJECT sign it=signed", err, sizeof(err)), 0);
	assert_int_equal(import_map_add(c, "DUNNO=skip", err, sizeof(err)), 0);
}

static void expect_rule(const char *label, const struct rule *r, const char *expected)
{
	char text[4096];

	if (strcmp(rule_format(r, text, sizeof(text)), expected) != 0)
		fail_msg("%s: got \"%s\", expected \"%s\"", label, text, expected);
}

static void import_line_good_lines_make_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct import_context c = context_for(good[i].format);
		struct rule rules[IMPORT_RULES_MAX];
		char err[512] = "";
		int n;

		add_maps(&c);
		n = import_line(&c, good[i].line, rules, err, sizeof(err));
		if (n != good[i].n)
			fail_msg("%s: %d rules, expected %d: %s", good[i].label, n, good[i].n, err);
		if (n > 0)
			expect_rule(good[i].label, &rules[0], good[i].expected);
		if (n > 1)
			expect_rule(good[i].label, &rules[1], good[i].second);
	}
}

static const struct {
	const char *label;
	enum import_format format;
	const char *line;
	const char *says; /* part of the error */
} bad[] = {
	{"text: no pattern", IMPORT_TEXT, "exempt", ""},
	{"text: unknown requirement", IMPORT_TEXT, "allow a@x.test", "allow"},
	{"json: no object", IMPORT_JSON, "[1]", "object"},
	{"json: cut", IMPORT_JSON, "{\"recipient\": \"a@x", "column"},
	{"json: recipient missing", IMPORT_JSON, "{\"requirement\": \"exempt\"}", "recipient"},
	{"json: requirement missing", IMPORT_JSON, "{\"recipient\": \"a@x.test\"}", "requirement"},
	{"json: unknown field", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"ntoe\":\"x\"}", "ntoe"},
	{"json: field twice", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"recipient\":\"b@x.test\"}",
	 "duplicate"},
	{"json: note is a number", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"note\":1}", "note"},
	{"json: NUL", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"note\":\"a\\u0000b\"}", ""},
	{"json: line break in note", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"note\":\"a\\nb\"}", "control"},
	{"json: a note that turns the direction of writing", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"note\":\"\\u202e\"}", "control"},
	{"json: no URL", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"help_url\":\"javascript:x\"}",
	 "URL"},
	{"json: ends before it starts", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"starts_at\":\"2027-01-02\","
	 "\"expires_at\":\"2026-12-30\"}",
	 "after"},
	{"json: bad time", IMPORT_JSON,
	 "{\"recipient\":\"a@x.test\",\"requirement\":\"exempt\",\"expires_at\":\"soon\"}", ""},
	{"access: no result", IMPORT_ACCESS, "example.org", "result"},
	{"access: not mapped", IMPORT_ACCESS, "example.org PERMIT", "PERMIT"},
	{"access: pattern that is none", IMPORT_ACCESS, "a@b@ OK", ""},
	{"access: terminal sequence in result", IMPORT_ACCESS, "example.org \033[2J", "\\x1B"},
};

static void import_line_bad_lines_say_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct import_context c = context_for(bad[i].format);
		struct rule rules[IMPORT_RULES_MAX];
		char err[512] = "";

		add_maps(&c);
		if (import_line(&c, bad[i].line, rules, err, sizeof(err)) != -1)
			fail_msg("%s: taken", bad[i].label);
		if (err[0] == '\0' || strcasestr(err, bad[i].says) == NULL)
			fail_msg("%s: says \"%s\"", bad[i].label, err);
		if (strchr(err, '\n') != NULL || strchr(err, '\033') != NULL)
			fail_msg("%s: control octets in \"%s\"", bad[i].label, err);
	}
}

static void import_map_add_refuses_what_is_no_map(void **state)
{
	static const char *const wrong[] = {"OK", "=exempt", "OK=", "OK=yes", ""};
	struct import_context c = context_for(IMPORT_ACCESS);
	char err[300];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(import_map_add(&c, wrong[i], err, sizeof(err)), -1);
	assert_int_equal(c.n_maps, 0);
}

/* What rules --json and export print is what import reads, whatever is in the texts. */
static void import_line_of_rule_show_json_is_the_identity(void **state)
{
	struct import_context c = context_for(IMPORT_AUTO);
	struct rule r = {.requirement = REQUIREMENT_RATCHET,
			 .has_sender = true,
			 .starts_at_unix = NOW + 1,
			 .expires_at_unix = NOW + 86401,
			 .id = 12};
	struct rule back[IMPORT_RULES_MAX];
	char err[512], before[4096], after[4096];
	json_t *o;
	char *line;

	(void)state;
	assert_int_equal(pattern_parse("user+ext@b\xc3\xbc"
				       "cher.test",
				       "+", false, &r.recipient, err, sizeof(err)),
			 0);
	assert_int_equal(pattern_parse(".shop.test", "+", true, &r.sender, err, sizeof(err)), 0);
	assert_int_equal(rule_client_parse("2001:db8::/32", &r, err, sizeof(err)), 0);
	strcpy(r.note, "\"quoted\" \\ back, \xe2\x82\xac # = tail ");
	strcpy(r.help_url, "https://example.org/?a=b&c=%20");
	o = rule_show_json(&r);
	line = json_dumps(o, JSON_COMPACT);
	assert_int_equal(import_line(&c, line, back, err, sizeof(err)), 1);
	assert_string_equal(rule_format(&back[0], after, sizeof(after)),
			    rule_format(&r, before, sizeof(before)));
	/* and the text form */
	c.format = IMPORT_AUTO;
	assert_int_equal(import_line(&c, before, back, err, sizeof(err)), 1);
	assert_string_equal(rule_format(&back[0], after, sizeof(after)), before);
	assert_string_equal(back[0].note, r.note);
	free(line);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(import_line_good_lines_make_rules),
		cmocka_unit_test(import_line_bad_lines_say_why),
		cmocka_unit_test(import_map_add_refuses_what_is_no_map),
		cmocka_unit_test(import_line_of_rule_show_json_is_the_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

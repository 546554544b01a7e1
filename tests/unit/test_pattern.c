/* SPDX-License-Identifier: ISC */
#include "common/address.h"

#include "tests/unit/unit.h"

static void parse_right_forms_become_canonical(void **state)
{
	static const struct {
		const char *raw;
		enum pattern_kind kind;
		const char *text;
	} rows[] = {
		{"Alice@Example.ORG", PATTERN_MAILBOX, "alice@example.org"},
		{"alice+news@example.org", PATTERN_DETAIL, "alice+news@example.org"},
		{"+alice@example.org", PATTERN_MAILBOX, "+alice@example.org"},
		{"postmaster+x@example.org", PATTERN_DETAIL, "postmaster+x@example.org"},
		{"example.org", PATTERN_DOMAIN, "example.org"},
		{"@example.org", PATTERN_DOMAIN, "example.org"},
		{"@corp", PATTERN_DOMAIN, "corp"},
		{"localhost", PATTERN_DOMAIN, "localhost"},
		{"Example.org.", PATTERN_DOMAIN, "example.org"},
		{"b\xc3\xbc"
		 "cher.example",
		 PATTERN_DOMAIN, "xn--bcher-kva.example"},
		{"@[192.0.2.1]", PATTERN_DOMAIN, "[192.0.2.1]"},
		{".Example.org", PATTERN_SUBDOMAINS, ".example.org"},
		{".org", PATTERN_SUBDOMAINS, ".org"},
		{"Abuse@", PATTERN_USER, "abuse@"},
		{"alice+x@", PATTERN_USER, "alice+x@"},
		{"*", PATTERN_ANY, "*"},
		{"<>", PATTERN_NULL, "<>"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pattern p;
		char err[300] = "";

		CHECK_ROW(rows[i].raw,
			  pattern_parse(rows[i].raw, "+", true, &p, err, sizeof(err)) == 0);
		CHECK_ROW(rows[i].raw, p.kind == rows[i].kind);
		CHECK_ROW_TEXT(rows[i].raw, p.text, rows[i].text);
	}
}

static void parse_anything_else_is_refused_with_the_forms(void **state)
{
	static const char *const rows[] = {
		"",
		"alice",
		"*@example.org",
		"*.example.org",
		"a*@example.org",
		"@",
		".",
		"..example.org",
		"a b@example.org",
		"<a@b.test>",
		"a@b@c.test",
		"a%b@c.test",
		"a!b@c.test",
		"a@b.test ",
		"@a@b.test",
		".[192.0.2.1]",
		"a@b..test",
		"example..org",
		"a\xff@b.test",
		"\"a@b\"@c.test",
		"a@\xff.test",
		"http://a.test/",
		"a,b.test",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pattern p;
		char err[300] = "";

		CHECK_ROW(rows[i], pattern_parse(rows[i], "+", false, &p, err, sizeof(err)) == -1);
		CHECK_ROW(rows[i], strstr(err, " is ") != NULL);
	}
}

static void parse_a_usual_mistake_is_answered_with_the_right_form(void **state)
{
	static const struct {
		const char *raw, *right;
	} rows[] = {
		{"*@example.org", "domain alone: example.org"},
		{"*.example.org", "written .example.org"},
		{"alice@*", "written alice@"},
		{"a@b.test,c@d.test", "by itself: a@b.test c@d.test"},
		{"a@b.test, c@d.test", "by itself: a@b.test c@d.test"},
		{"a@b.test;c@d.test,e@f.test", "by itself: a@b.test c@d.test"},
		{"alice", "user@domain"},
		{"a@b.test ", "user@domain"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pattern p;
		char err[300] = "";

		CHECK_ROW(rows[i].raw,
			  pattern_parse(rows[i].raw, "+", false, &p, err, sizeof(err)) == -1);
		CHECK_ROW(rows[i].raw, strstr(err, rows[i].right) != NULL);
	}
}

static void parse_null_sender_only_where_allowed(void **state)
{
	struct pattern p;
	char err[300];

	(void)state;
	assert_int_equal(pattern_parse("<>", "+", false, &p, err, sizeof(err)), -1);
	assert_null(strstr(err, "null sender"));
	assert_int_equal(pattern_parse("<>", "+", true, &p, err, sizeof(err)), 0);
}

static void user_len_follows_recipient_delimiter(void **state)
{
	static const struct {
		const char *local, *delimiters;
		size_t len;
	} rows[] = {
		{"alice+news", "+", 5},	     {"alice+news+x", "+", 5}, {"alice-news+x", "+-", 5},
		{"alice+news-x", "+-", 5},   {"alice", "+", 5},	       {"alice+", "+", 5},
		{"+alice", "+", 6},	     {"+alice+x", "+", 8},     {"alice+news", "", 10},
		{"alice-news", "+", 10},     {"postmaster", "m", 10},  {"mailer-daemon", "-", 13},
		{"double-bounce", "-", 13},  {"owner-list", "-", 10},  {"list-request", "-", 12},
		{"-request", "-", 8},	     {"owner+x", "-+", 5},     {"owner-x", "+", 7},
		{"list-request+x", "+", 12},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t got = address_user_len(rows[i].local, strlen(rows[i].local),
					      rows[i].delimiters);

		CHECK_ROW(rows[i].local, got == rows[i].len);
	}
}

static void candidates_come_in_the_order_in_which_they_win(void **state)
{
	static const struct {
		const char *address, *delimiters;
		const char *want; /* joined by a blank */
	} rows[] = {
		{"alice+x@a.b.example", "+",
		 "alice+x@a.b.example alice@a.b.example a.b.example .b.example .example alice+x@ "
		 "alice@ "
		 "*"},
		{"alice@example.org", "+", "alice@example.org example.org .org alice@ *"},
		{"alice+x@example.org", "", "alice+x@example.org example.org .org alice+x@ *"},
		{"alice@[192.0.2.1]", "+", "alice@[192.0.2.1] [192.0.2.1] alice@ *"},
		{"postmaster", "+", "postmaster@ *"},
		{"<>", "+", "<> *"},
		/* doubtful ones: a stricter rule must find them */
		{"\"a@b\"@example.org", "+", "a@b@example.org example.org .org a@b@ *"},
		{"alice+%b@example.org", "+",
		 "alice+%b@example.org alice@example.org example.org .org alice+%b@ alice@ *"},
		{"Alice+\xff@Example.org.", "+",
		 "alice+\\xFF@example.org alice@example.org example.org .org alice+\\xFF@ alice@ "
		 "*"},
		{"\"alice+\\\"\"@example.org", "+",
		 "alice+\"@example.org alice@example.org example.org .org alice+\"@ alice@ *"},
		{"\"\"@example.org", "+", "\"\"@example.org example.org .org \"\"@ *"},
		{"a@b\xff.test", "+", "a@b\\xFF.test@ *"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char got[1000] = "";
		struct candidates c;
		struct address a;

		address_canonical(rows[i].address, strlen(rows[i].address), &a);
		address_candidates(&a, rows[i].delimiters, &c);
		for (size_t k = 0; k < c.n; k++) {
			strcat(got, k == 0 ? "" : " ");
			strcat(got, c.text[k]);
			CHECK_ROW(rows[i].address, k == 0 || c.kind[k] >= c.kind[k - 1] ||
							   c.kind[k - 1] == PATTERN_NULL);
		}
		CHECK_ROW_TEXT(rows[i].address, got, rows[i].want);
	}
}

static void candidates_of_a_long_doubtful_address_keep_user_and_domain(void **state)
{
	char raw[1000] = "alice+";
	struct candidates c;
	struct address a;

	(void)state;
	memset(raw + 6, '"', 900);
	strcpy(raw + 906, "@Example.org");
	address_internal(raw, strlen(raw), &a);
	assert_int_equal(a.kind, ADDRESS_BAD);
	address_candidates(&a, "+", &c);
	assert_int_equal(c.n, 7);
	assert_string_equal(c.text[1], "alice@example.org");
	assert_string_equal(c.text[2], "example.org");
}

static void candidates_of_the_longest_domain_fit(void **state)
{
	char raw[ADDRESS_MAX + 1] = "u+x@";
	struct candidates c;
	struct address a;

	(void)state;
	for (size_t i = 4; i < 4 + 255; i++)
		raw[i] = (i & 1) != 0 ? '.' : 'a';
	address_canonical(raw, strlen(raw), &a);
	assert_int_equal(a.kind, ADDRESS_MAILBOX);
	address_candidates(&a, "+", &c);
	assert_int_equal(c.n, 3 + 127 + 2 + 1);
	assert_string_equal(c.text[c.n - 1], "*");
	assert_string_equal(c.text[3 + 126], ".a");
}

static void matches_as_the_candidates_say(void **state)
{
	static const struct {
		const char *pattern, *address;
		bool is_match;
	} rows[] = {
		{".example.org", "a@a.example.org", true},
		{".example.org", "a@b.a.example.org", true},
		{".example.org", "a@example.org", false},
		{".example.org", "a@badexample.org", false},
		{"example.org", "a@example.org", true},
		{"example.org", "a@a.example.org", false},
		{"alice@example.org", "Alice+x@example.org", true},
		{"alice+x@example.org", "alice@example.org", false},
		{"alice+x@", "alice+x@b.test", true},
		{"alice@", "alice+x@b.test", true},
		{"postmaster@", "postmaster", true},
		{"*", "a@b.test", true},
		{"*", "<>", true},
		{"<>", "<>", true},
		{"<>", "a@b.test", false},
		{"example.org", "\"x@y\"@example.org", true},
		{"y.test", "\"x@y.test\"@example.org", false},
		{"x@y.test", "\"x@y.test\"@example.org", false},
		{"alice@example.org", "alice+x!y@example.org", true},
		{"*", "\"x@y\"@example.org", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pattern p;
		struct address a;
		char err[300];

		CHECK_ROW(rows[i].pattern,
			  pattern_parse(rows[i].pattern, "+", true, &p, err, sizeof(err)) == 0);
		address_canonical(rows[i].address, strlen(rows[i].address), &a);
		CHECK_ROW(rows[i].pattern, pattern_matches(&p, &a, "+") == rows[i].is_match);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_right_forms_become_canonical),
		cmocka_unit_test(parse_anything_else_is_refused_with_the_forms),
		cmocka_unit_test(parse_a_usual_mistake_is_answered_with_the_right_form),
		cmocka_unit_test(parse_null_sender_only_where_allowed),
		cmocka_unit_test(user_len_follows_recipient_delimiter),
		cmocka_unit_test(candidates_come_in_the_order_in_which_they_win),
		cmocka_unit_test(candidates_of_a_long_doubtful_address_keep_user_and_domain),
		cmocka_unit_test(candidates_of_the_longest_domain_fit),
		cmocka_unit_test(matches_as_the_candidates_say),
	};

	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "common/address.h"

#include "tests/unit/unit.h"

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

struct row {
	const char *raw;
	size_t len;	  /* 0: strlen */
	const char *text; /* NULL: bad */
	bool is_routed;
};

static const struct row canonical_rows[] = {
	{"alice@example.org", 0, "alice@example.org", false},
	{"<alice@example.org>", 0, "alice@example.org", false},
	{"<Alice@EXAMPLE.Org.>", 0, "alice@example.org", false},
	{"alice@example.org..", 0, NULL, false},
	{"", 0, "<>", false},
	{"<>", 0, "<>", false},
	{"postmaster", 0, "postmaster", false},
	{"<Postmaster>", 0, "postmaster", false},
	{"\"alice\"@example.org", 0, "alice@example.org", false},
	{"\"al\\ice\"@example.org", 0, "alice@example.org", false},
	{"\"alice\".\"b\"@example.org", 0, "alice.b@example.org", false},
	{"a\\lice@example.org", 0, "alice@example.org", false},
	{"\"a b\"@example.org", 0, "a b@example.org", false},
	{"<@one.test,@two.test:alice@example.org>", 0, "alice@example.org", false},
	{"@[IPv6:::1]:alice@example.org", 0, "alice@example.org", false},
	{"@one.test", 0, NULL, false},
	{"\"exempt@x\"@y.test", 0, "exempt@x@y.test", true},
	{"exempt@x@y.test", 0, "exempt@x@y.test", true},
	{"exempt%x@y.test", 0, "exempt%x@y.test", true},
	{"x!exempt@y.test", 0, "x!exempt@y.test", true},
	{"\"x%y\"@z.test", 0, "x%y@z.test", true},
	{"\"a\\\"b\"@example.org", 0, NULL, false},
	{"\"a\\\\b\"@example.org", 0, NULL, false},
	{"\"a<b\"@example.org", 0, NULL, false},
	{"<alice@example.org", 0, NULL, false},
	{"\"alice@example.org", 0, NULL, false},
	{"alice@example.org\\", 0, NULL, false},
	{"alice@\"example.org\"", 0, NULL, false},
	{"\"\"@example.org", 0, NULL, false},
	{"@", 0, NULL, false},
	{"alice@", 0, NULL, false},
	{"alice@.org", 0, NULL, false},
	{"alice@a..org", 0, NULL, false},
	{"alice@exa mple.org", 0, NULL, false},
	{"alice@example.org\n", 0, NULL, false},
	{"alice\tb@example.org", 0, NULL, false},
	{"ali\0ce@example.org", 18, NULL, false},
	{"alice@example.org\0", 18, NULL, false},
	{"al\x7f@example.org", 0, NULL, false},
	{"al\xc2\x85@example.org", 0, NULL, false},
	{"al\xff@example.org", 0, NULL, false},
	{"al\xc0\xa0@example.org", 0, NULL, false},
	{"al\xed\xa0\x80@example.org", 0, NULL, false},
	{"alice@[192.0.2.1]", 0, "alice@[192.0.2.1]", false},
	{"alice@[IPv6:2001:DB8::1]", 0, "alice@[ipv6:2001:db8::1]", false},
	{"alice@[192.0.2.1", 0, NULL, false},
	{"alice@[]", 0, NULL, false},
	{"alice@b\xc3\xbc"
	 "cher.example",
	 0, "alice@xn--bcher-kva.example", false},
	{"alice@B\xc3\x9c"
	 "CHER.example",
	 0, "alice@xn--bcher-kva.example", false},
	{"alice@bu\xcc\x88"
	 "cher.example",
	 0, "alice@xn--bcher-kva.example", false},
	{"alice@XN--Bcher-KVA.example", 0, "alice@xn--bcher-kva.example", false},
	/* non-transitional: sharp s stays itself */
	{"alice@fa\xc3\x9f.de", 0, "alice@xn--fa-hia.de", false},
	/* full-width letters and an ideographic full stop */
	{"alice@\xef\xbd\x85xample\xe3\x80\x82org", 0, "alice@example.org", false},
	{"alice@example.org\xe3\x80\x82", 0, "alice@example.org", false},
	/* a Cyrillic a is another domain */
	{"alice@ex\xd0\xb0mple.org", 0, "alice@xn--exmple-4nf.org", false},
	/* NFC in the local part; ASCII letters only are lower-cased */
	{"Jose\xcc\x81@example.org", 0, "jos\xc3\xa9@example.org", false},
	{"\xc3\x89va@example.org", 0, "\xc3\xa9va@example.org", false},
	{"E\xcc\x81va@example.org", 0, "\xc3\xa9va@example.org", false},
	{"\xd0\x98\xd0\x92\xd0\x90\xd0\x9d@example.org", 0,
	 "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd@example.org", false},
	{"Gro\xc3\x9f@example.org", 0, "gross@example.org", false},
	{"\xce\xa3\xcf\x82@example.org", 0, "\xcf\x83\xcf\x83@example.org", false},
	/* KELVIN SIGN becomes K, and then k */
	{"\xe2\x84\xaa@example.org", 0, "k@example.org", false},
	{"under_score@a_b.example", 0, "under_score@a_b.example", false},
	{"a@" SIXTY "0123."
	 "org",
	 0, NULL, false},
	{"a@" SIXTY "012."
	 "org",
	 0, "a@" SIXTY "012.org", false},
	{SIXTY SIXTY SIXTY SIXTY SIXTY "012345678@example.org", 0, NULL, false},
	{SIXTY SIXTY SIXTY SIXTY SIXTY "01234567@example.org", 0,
	 SIXTY SIXTY SIXTY SIXTY SIXTY "01234567@example.org", false},
};

static void canonical_any_source_gives_one_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(canonical_rows); i++) {
		const struct row *r = &canonical_rows[i];
		size_t len = r->len > 0 ? r->len : strlen(r->raw);
		struct address a;

		address_canonical(r->raw, len, &a);
		if (r->text == NULL) {
			CHECK_ROW(r->raw, a.kind == ADDRESS_BAD && !address_is_trustworthy(&a));
			CHECK_ROW(r->raw, address_domain(&a)[0] == '\0');
			continue;
		}
		CHECK_ROW_TEXT(r->raw, a.text, r->text);
		CHECK_ROW(r->raw,
			  a.kind == (strcmp(r->text, "<>") == 0 ? ADDRESS_NULL : ADDRESS_MAILBOX));
		CHECK_ROW(r->raw, a.is_routed == r->is_routed);
		CHECK_ROW(r->raw, address_is_trustworthy(&a) == !r->is_routed);
	}
}

static void canonical_read_again_is_unchanged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(canonical_rows); i++) {
		const char *text = canonical_rows[i].text;
		struct address a;

		if (text == NULL)
			continue;
		address_canonical(text, strlen(text), &a);
		CHECK_ROW_TEXT(text, a.text, text);
	}
}

static void internal_form_agrees_with_quoted_form(void **state)
{
	static const char *const rows[][2] = {
		{"\"exempt@x\"@y.test", "exempt@x@y.test"},
		{"\"a b\"@y.test", "a b@y.test"},
		{"\"a..b\"@y.test", "a..b@y.test"},
		{"\"a\\\"b\"@y.test", "a\"b@y.test"},
		{"\"a\\\\b\"@y.test", "a\\b@y.test"},
		{"Alice@Y.Test", "Alice@Y.Test"},
		{"<>", ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct address quoted, internal;

		address_canonical(rows[i][0], strlen(rows[i][0]), &quoted);
		address_internal(rows[i][1], strlen(rows[i][1]), &internal);
		CHECK_ROW(rows[i][0], quoted.kind == internal.kind);
		CHECK_ROW(rows[i][0], quoted.is_routed == internal.is_routed);
		if (quoted.kind != ADDRESS_BAD)
			CHECK_ROW_TEXT(rows[i][0], internal.text, quoted.text);
	}
}

static void bad_text_is_escaped(void **state)
{
	struct address a;

	(void)state;
	address_canonical("a\x1b[31m@x\n", 9, &a);
	assert_int_equal(a.kind, ADDRESS_BAD);
	assert_string_equal(a.text, "a\\x1B[31m@x\\x0A");
	/* A domain that is one is kept, for the rules that demand more. */
	address_canonical("A\x1b@X.Test", 9, &a);
	assert_int_equal(a.kind, ADDRESS_BAD);
	assert_string_equal(a.text, "a\\x1B@x.test");
	assert_string_equal(a.text + a.local_len, "@x.test");
}

static void every_octet_string_is_survived(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		static const char alphabet[] = "a@\"\\<>,:.[]%!\xc3\xa9\xe2\x84\xaa\xff\x01-";
		char raw[24];
		size_t len = round % sizeof(raw);
		struct from_header f = {.n = 0};
		struct address a, b;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			raw[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
		}
		address_canonical(raw, len, &a);
		assert_true(strlen(a.text) <= ADDRESS_MAX);
		from_header_add(&f, raw, len);
		if (a.kind != ADDRESS_MAILBOX || a.is_routed)
			continue;
		address_canonical(a.text, strlen(a.text), &b);
		assert_string_equal(b.text, a.text);
	}
}

static const struct {
	const char *value;
	const char *text; /* the mailboxes, a space between them; NULL: none */
} header_rows[] = {
	{"alice@example.org", "alice@example.org"},
	{" Alice <Alice@Example.org>", "alice@example.org"},
	{"\"Doe, Alice\" <alice@example.org>", "alice@example.org"},
	{"\"a@b.test\" <c@d.test>", "c@d.test"},
	{"a@b.test <c@d.test>", "c@d.test"},
	{"Dr. Alice <alice@example.org> (at work)", "alice@example.org"},
	{"alice@example.org (Alice (A.) \\) x)", "alice@example.org"},
	{"Alice\r\n <alice\r\n\t@example.org>", "alice@example.org"},
	{"(c)alice(c)@(c)example.org", "alice@example.org"},
	{"<@a.test:alice@example.org>", "alice@example.org"},
	{"\"a b\"@example.org", "a b@example.org"},
	{"=?utf-8?q?=3Cx=40y=2Etest=3E?= <alice@example.org>", "alice@example.org"},
	{"", NULL},
	{"<>", NULL},
	{"alice", NULL},
	{"Alice alice@example.org", NULL},
	{"a@b.test, c@d.test", "a@b.test c@d.test"},
	{"A <a@b.test>, C <c@d.test>", "a@b.test c@d.test"},
	{"A <a@b.test>, \"c@x.test\" <c@d.test> (c), e@f.test", "a@b.test c@d.test e@f.test"},
	{"A <a@b.test> <c@d.test>", "a@b.test c@d.test"},
	{"A <a@b.test> c", "a@b.test"},
	{"A <a@b.test>, A <A@B.test>", "a@b.test"},
	{"A <<a@b.test>>", "a@b.test"},
	{"A <a@b.test", "a@b.test"},
	{"a@b.test>", "a@b.test"},
	{"friends: a@b.test;", "a@b.test"},
	{"friends: a@b.test, C <c@d.test>;, e@f.test", "a@b.test c@d.test e@f.test"},
	{", , a@b.test,", "a@b.test"},
	{"a b@c.test, d@e.test", "d@e.test"},
	{"1@x.test, 2@x.test, 3@x.test, 4@x.test", "1@x.test 2@x.test 3@x.test 4@x.test"},
	{"1@x.test, 2@x.test, 3@x.test, 4@x.test, 5@x.test",
	 "1@x.test 2@x.test 3@x.test 4@x.test ..."},
	{"undisclosed-recipients:;", NULL},
	{"\"A <a@b.test>", NULL},
	{"(A <a@b.test>", NULL},
	{"al\x01ice@example.org", NULL},
};

static void from_header_names_its_mailboxes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(header_rows); i++) {
		const char *value = header_rows[i].value;
		const char *wanted = header_rows[i].text != NULL ? header_rows[i].text : "";
		struct from_header f = {.n = 0};
		char text[2000] = "";
		size_t len = 0;

		from_header_add(&f, value, strlen(value));
		for (size_t k = 0; k < f.n; k++)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s%s",
						k > 0 ? " " : "", f.address[k].text);
		if (f.has_more)
			snprintf(text + len, sizeof text - len, " ...");
		CHECK_ROW_TEXT(value, text, wanted);
		CHECK_ROW(value, (from_header_single(&f) != NULL) == (f.n == 1));
	}
}

static void from_header_of_two_fields_names_both(void **state)
{
	struct from_header f = {.n = 0};

	(void)state;
	from_header_add(&f, "Eve <eve@x.test>", 16);
	from_header_add(&f, "Alice <alice@y.test>", 20);
	assert_int_equal(f.n, 2);
	assert_string_equal(f.address[1].text, "alice@y.test");
	assert_null(from_header_single(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_any_source_gives_one_form),
		cmocka_unit_test(canonical_read_again_is_unchanged),
		cmocka_unit_test(internal_form_agrees_with_quoted_form),
		cmocka_unit_test(bad_text_is_escaped),
		cmocka_unit_test(every_octet_string_is_survived),
		cmocka_unit_test(from_header_names_its_mailboxes),
		cmocka_unit_test(from_header_of_two_fields_names_both),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}

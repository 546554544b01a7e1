/* SPDX-License-Identifier: ISC */
#include "scan/field.h"

#include "tests/unit/unit.h"

struct row {
	const char *label, *value, *type, *boundary, *protocol;
	bool is_clear, has_bad_charset;
};

static const struct row rows[] = {
	{"plain", " text/plain", "text/plain", "", "", true, false},
	{"case", " TEXT/Plain; CHARSET=UTF-8", "text/plain", "", "", true, false},
	{"boundary", "multipart/mixed; boundary=ab", "multipart/mixed", "ab", "", true, false},
	{"quoted", "multipart/mixed; boundary=\"a b'()+_,-./:?=\"", "multipart/mixed",
	 "a b'()+_,-./:?=", "", true, false},
	{"encoded word within", "multipart/mixed; boundary=\"a=?b\"", "multipart/mixed", "a=?b", "",
	 false, false},
	{"two blanks in a row", "multipart/mixed; boundary=\"a  b\"", "multipart/mixed", "a  b", "",
	 false, false},
	{"folded within the quotes", "multipart/mixed; boundary=\"a\r\n b\"", "multipart/mixed",
	 "a b", "", false, false},
	{"on what is no multipart", "text/plain; boundary=x", "text/plain", "x", "", false, false},
	{"unquoted =", "multipart/mixed; boundary=----=_Part_1.2", "multipart/mixed",
	 "----=_Part_1.2", "", true, false},
	{"folded",
	 "multipart/encrypted;\r\n\tprotocol=\"application/pgp-encrypted\";\r\n boundary=\"x\"",
	 "multipart/encrypted", "x", "application/pgp-encrypted", true, false},
	{"folded with LF", "multipart/mixed;\n boundary=x", "multipart/mixed", "x", "", true,
	 false},
	{"comments", "multipart/mixed (a (nested) one); boundary=x (why)", "multipart/mixed", "x",
	 "", true, false},
	{"blanks around =", "multipart/mixed ; boundary = \"x\" ;", "multipart/mixed", "x", "",
	 true, false},
	{"a name alone", "multipart/mixed; protected; boundary=x", "multipart/mixed", "x", "", true,
	 false},
	{"protocol in other case",
	 "multipart/encrypted; protocol=Application/PGP-Encrypted; boundary=x",
	 "multipart/encrypted", "x", "application/pgp-encrypted", true, false},
	{"no value", "", "", "", "", true, false},
	{"no subtype", "text", "", "", "", true, false},
	{"no subtype, and more", "text; charset=utf-8", "", "", "", false, false},
	{"no subtype, and a comment", "text (x)", "", "", "", false, false},
	{"no subtype of another", "multipart", "", "", "", false, false},
	{"two boundaries", "multipart/mixed; boundary=a; boundary=b", "multipart/mixed", "b", "",
	 false, false},
	{"two protocols", "multipart/encrypted; protocol=a; protocol=b; boundary=x",
	 "multipart/encrypted", "x", "b", false, false},
	{"RFC 2231 boundary", "multipart/mixed; boundary*=us-ascii''x", "multipart/mixed", "", "",
	 false, false},
	{"RFC 2231 pieces", "multipart/mixed; boundary*0=a; boundary*1=b", "multipart/mixed", "",
	 "", false, false},
	{"RFC 2231 protocol", "multipart/encrypted; protocol*0=a; boundary=x",
	 "multipart/encrypted", "x", "", false, false},
	{"RFC 2231 elsewhere", "text/plain; name*=utf-8''x", "text/plain", "", "", true, false},
	{"open quote", "multipart/mixed; boundary=\"x", "multipart/mixed", "x", "", false, false},
	{"quote inside", "multipart/mixed; boundary=a\"b", "multipart/mixed", "a", "", false,
	 false},
	{"text after a quote", "multipart/mixed; boundary=\"a\"b", "multipart/mixed", "a", "",
	 false, false},
	{"backslash", "multipart/mixed; boundary=\"a\\b\"", "multipart/mixed", "ab", "", false,
	 false},
	{"open comment", "text/plain (x", "text/plain", "", "", false, false},
	{"comment with a parameter", "multipart/mixed (; boundary=y); boundary=x",
	 "multipart/mixed", "x", "", false, false},
	{"empty boundary", "multipart/mixed; boundary=\"\"", "multipart/mixed", "", "", false,
	 false},
	{"boundary that ends with a blank", "multipart/mixed; boundary=\"x \"", "multipart/mixed",
	 "x ", "", false, false},
	{"8-bit boundary", "multipart/mixed; boundary=\"\xc3\xa4\"", "multipart/mixed", "\xc3\xa4",
	 "", false, false},
	{"lone CR", "text/plain\r; charset=utf-8", "text/plain", "", "", false, false},
	{"control", "text/plain; x=\"a\001\"", "text/plain", "", "", false, false},
	{"utf-7", "text/plain; charset=utf-7", "text/plain", "", "", true, true},
	{"UTF-16LE", "text/plain; charset=\"UTF-16LE\"", "text/plain", "", "", true, true},
	{"ucs", "text/plain; charset=ISO-10646-UCS-2", "text/plain", "", "", true, true},
	{"unicode-1-1-utf-7", "text/plain; charset=unicode-1-1-utf-7", "text/plain", "", "", true,
	 true},
	{"RFC 2231 charset", "text/plain; charset*=''utf-7", "text/plain", "", "", true, true},
	{"DEL", "text/plain; a=\"\177\"", "text/plain", "", "", false, false},
	{"unquoted url", "text/plain; a=http://x.test/?q@y", "text/plain", "", "", true, false},
	{"backslash in a name", "text/plain; name=\"a\\\"b\"; x=y", "text/plain", "", "", true,
	 false},
	{"backslash in a multipart's name", "multipart/mixed; name=\"a\\\"b\"; boundary=x",
	 "multipart/mixed", "x", "", false, false},
	{"encoded word for a boundary", "multipart/mixed; boundary=\"=?a?q?b?=\"",
	 "multipart/mixed", "=?a?q?b?=", "", false, false},
	{"name with blanks", "text/plain; name=a b.c; charset=utf-8", "text/plain", "", "", true,
	 false},
	{"name with blanks at the end", "text/plain; name=a\r\n b.c ", "text/plain", "", "", true,
	 false},
	{"name with 8-bit letters", "text/plain; name=\xc3\xa4.asc", "text/plain", "", "", true,
	 false},
	{"name with parentheses", "text/plain; name=a(1).asc; charset=utf-7", "text/plain", "", "",
	 true, true},
	{"name with half of them", "text/plain; name=a(1.asc", "text/plain", "", "", false, false},
	{"name of encoded words",
	 "text/plain; name==?utf-8?Q?=C3=A4?= =?utf-8?B?eA==?=; charset=utf-7", "text/plain", "",
	 "", true, true},
	{"name, then another parameter", "text/plain; name=a charset=utf-7", "text/plain", "", "",
	 false, false},
	{"name, then a quote", "text/plain; name=a \"b\"", "text/plain", "", "", false, false},
	{"name on a multipart", "multipart/mixed; name=a b; boundary=x", "multipart/mixed", "x", "",
	 false, false},
	{"name that is empty", "text/plain; name=; charset=utf-7", "text/plain", "", "", true,
	 true},
	{"backslash at the end", "text/plain; name=\"a\\", "text/plain", "", "", false, false},
	{"folded within quotes", "text/plain; name=\"a\r\n b\"; x=y", "text/plain", "", "", true,
	 false},
	{"boundary that begins with a blank", "multipart/mixed; boundary=\" x\"", "multipart/mixed",
	 " x", "", false, false},
	{"tab in a boundary", "multipart/mixed; boundary=\"x\ty\"", "multipart/mixed", "x\ty", "",
	 false, false},
	{"slash alone", "/plain", "", "", "", false, false},
	{"subtype missing", "text/; a=b", "", "", "", false, false},
	{"type alone, then blank", "text plain", "", "", "", false, false},
	{"rubbish between parameters", "text/plain; a=b c; boundary=x", "text/plain", "x", "",
	 false, false},
	{"rubbish at the end", "text/plain; a=b c", "text/plain", "", "", false, false},
	{"a type too long",
	 "text/"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaa",
	 "", "", "", false, false},
	{"koi8-r", "text/plain; charset=koi8-r", "text/plain", "", "", true, false},
};

static void field_content_type_is_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct content_type t;

		memset(&t, 0, sizeof(t));
		field_content_type((const unsigned char *)rows[i].value, strlen(rows[i].value), &t);
		CHECK_ROW_TEXT(rows[i].label, t.type, rows[i].type);
		CHECK_ROW_TEXT(rows[i].label, t.boundary, rows[i].boundary);
		CHECK_ROW_TEXT(rows[i].label, t.protocol, rows[i].protocol);
		CHECK_ROW(rows[i].label, (t.ambiguity == NULL) == rows[i].is_clear);
		CHECK_ROW(rows[i].label, t.has_bad_charset == rows[i].has_bad_charset);
	}
}

static void field_boundary_of_200_octets_is_the_longest(void **state)
{
	char value[400];
	struct content_type t;

	(void)state;
	for (int len = 199; len <= 201; len++) {
		int n = snprintf(
			value, sizeof(value), "multipart/mixed; boundary=%.*s", len,
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");

		memset(&t, 0, sizeof(t));
		field_content_type((unsigned char *)value, (size_t)n, &t);
		assert_int_equal(t.ambiguity == NULL, len <= BOUNDARY_MAX);
	}
}

static void field_encoding_names(void **state)
{
	static const struct {
		const char *value;
		enum encoding encoding;
	} encodings[] = {
		{" 7bit", ENCODING_IDENTITY},
		{"8BIT", ENCODING_IDENTITY},
		{"binary (x)", ENCODING_IDENTITY},
		{" Base64\r\n ", ENCODING_BASE64},
		{"quoted-printable", ENCODING_QUOTED_PRINTABLE},
		{"x-uuencode", ENCODING_UNKNOWN},
		{"base64 base64", ENCODING_UNKNOWN},
		{"a-very-long-name-of-an-encoding-that-nobody-knows", ENCODING_UNKNOWN},
		{"", ENCODING_IDENTITY},
		{"(x)", ENCODING_UNKNOWN},
		{"7-bit", ENCODING_IDENTITY},
		{"8-Bit", ENCODING_IDENTITY},
		{"base-64", ENCODING_UNKNOWN},
		{"7bit;", ENCODING_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(encodings); i++) {
		const char *ambiguity = NULL;
		char name[32];
		size_t other_bytes = 0;
		enum encoding e = field_encoding((const unsigned char *)encodings[i].value,
						 strlen(encodings[i].value), &ambiguity, name,
						 &other_bytes);

		CHECK_ROW(encodings[i].value, e == encodings[i].encoding);
		CHECK_ROW(encodings[i].value, ambiguity == NULL);
	}
}

/* What a part's header says beside structure: characters of names that are shown, octets of what
 * nobody knows. */
static void field_weighs_names_and_others(void **state)
{
	static const struct {
		const char *value;
		size_t name_characters, other_bytes;
	} values[] = {
		{"a/b", 0, 0},
		{"a/b; name=abc", 3, 0},
		{"a/b; name=\"a b c\"", 5, 0},
		{"a/b; name=meet me", 7, 0},
		{"a/b; name*=utf-8''%E2%82%AC%20x", 3, 0},
		{"a/b; name*=utf-8'en'%e2%82%ac%zz", 4, 0},
		{"a/b; name*0=abc; name*1*=''%41b", 5, 0},
		{"a/b; name=abc; name*=utf-8''abcde", 5, 0},
		{"a/b; name=abcde; filename=abc", 5, 0},
		{"a/b; name=\"=?utf-8?Q?=E2=82=AC_x?=\"", 3, 0},
		{"a/b; name=\"=?utf-8?B?4oKsIHg=?=\"", 3, 0},
		{"a/b; name=\"=?utf-8?B?4oKs?= =?utf-8?B?4oKs?=\"", 3, 0},
		{"a/b; name=\xa9\xa9\xa9", 3, 0},
		{"a/b; charset=utf-8; format=flowed; delsp=yes", 0, 0},
		{"a/b; size=12; creation-date=\"Tue, 22 Mar 2016 16:09:18 GMT\"", 0, 0},
		{"a/b; size=meet-me-at-eight", 0, 21},
		{"a/b; note=abc", 0, 8},
		{"a/b (abc)", 0, 5},
		{"a/b; protected;", 0, 9},
		{"a/b; name=a (b) c", 7, 0},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(values); i++) {
		const unsigned char *value = (const unsigned char *)values[i].value;
		struct content_type type = {.ambiguity = NULL};
		size_t other_bytes = 0;
		const char *ambiguity = NULL;
		char name[32];

		field_content_type(value, strlen(values[i].value), &type);
		CHECK_ROW(values[i].value, type.name_characters == values[i].name_characters);
		CHECK_ROW(values[i].value, type.other_bytes == values[i].other_bytes);
		field_encoding((const unsigned char *)"7bit (abc)", 10, &ambiguity, name,
			       &other_bytes);
		assert_int_equal(other_bytes, 5);
	}
}

static void field_hidden_subjects(void **state)
{
	static const struct {
		const char *value;
		bool is_hidden;
	} subjects[] = {
		{"", true},
		{" ", true},
		{" ...", true},
		{"[...]", true},
		{"....", false},
		{"..", false},
		{" Encrypted Message ", true},
		{"encrypted message", true},
		{"Re: ...", false},
		{" =?utf-8?Q?p=E2=89=A1p?=", true},
		{" =?utf-8?Q?p=E2=89=A1p!?=", false},
		{"Encrypted Messages", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(subjects); i++)
		CHECK_ROW(subjects[i].value,
			  field_is_hidden_subject((const unsigned char *)subjects[i].value,
						  strlen(subjects[i].value)) ==
				  subjects[i].is_hidden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(field_content_type_is_read_strictly),
		cmocka_unit_test(field_boundary_of_200_octets_is_the_longest),
		cmocka_unit_test(field_encoding_names),
		cmocka_unit_test(field_weighs_names_and_others),
		cmocka_unit_test(field_hidden_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

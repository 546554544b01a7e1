/* SPDX-License-Identifier: ISC */
#include "scan/header.h"

#include "tests/unit/unit.h"

struct row {
	const char *label, *lines, *type, *encoding;
	bool is_clear;
};

static const struct row rows[] = {
	{"two fields", "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n",
	 "text/plain", "base64", true},
	{"none", "\n", "", "7bit", true},
	{"folded", "Content-Type: text/plain;\n\tcharset=utf-8\n\n", "text/plain", "7bit", true},
	{"others", "X-A: b\nContent-ID: <1>\nContent-Type: text/plain\n\n", "text/plain", "7bit",
	 true},
	{"two types", "Content-Type: text/plain\nContent-type: text/html\n\n", "text/plain", "7bit",
	 false},
	{"two encodings", "Content-Transfer-Encoding: 7bit\nContent-Transfer-Encoding: base64\n\n",
	 "", "7bit", false},
	{"two versions", "MIME-Version: 1.0\nMime-version: 1.0 (a)\n\n", "", "7bit", true},
	{"two versions that differ", "MIME-Version: 1.0\nMIME-Version: 1.1\n\n", "", "7bit", false},
	{"two versions of many words", "MIME-Version: 1.0 a\nMIME-Version: 1.0 a\n\n", "", "7bit",
	 false},
	{"two versions without text", "MIME-Version:\nMIME-Version:\n\n", "", "7bit", false},
	{"a field like a boundary line", "--b: x\n\n", "", "7bit", false},
	{"a field with dashes", "X--b: x\n\n", "", "7bit", true},
	{"a fold like a boundary line", "X-A: b\n --b: x\n\n", "", "7bit", true},
	{"blank before the colon", "Content-Type : text/plain\n\n", "text/plain", "7bit", false},
	{"blank before any colon", "X-A : b\n\n", "", "7bit", false},
	{"no field", "hello there\n\n", "", "7bit", false},
	{"colon first", ": x\n\n", "", "7bit", false},
	{"continuation of nothing", " x\n\n", "", "7bit", false},
	{"line of blanks", "X-A: b\n \n\n", "", "7bit", false},
	{"lone CR", "X-A: b\rContent-Type: text/html\n\n", "", "7bit", false},
	{"CR CR LF", "X-A: b\r\r\n\n", "", "7bit", false},
	{"8-bit name", "X-\xc3\xa4: b\n\n", "", "7bit", false},
	{"8-bit value", "Content-Description: \xc3\xa4\n\n", "", "7bit", true},
};

static bool feed(struct header *h, const char *lines, size_t cut)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		if (!header_line(h, (const unsigned char *)lines, len < cut ? len : cut, len))
			return true;
		lines += len + 1;
	}
	return false;
}

static void header_lines_make_a_header(void **state)
{
	static struct header h;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		header_reset(&h);
		CHECK_ROW(rows[i].label, feed(&h, rows[i].lines, HEADER_LINE_MAX));
		header_end(&h);
		CHECK_ROW_TEXT(rows[i].label, h.type.type, rows[i].type);
		CHECK_ROW_TEXT(rows[i].label, h.encoding_name, rows[i].encoding);
		CHECK_ROW(rows[i].label, (h.ambiguity == NULL) == rows[i].is_clear);
	}
}

static void header_structure_beyond_its_bounds_is_ambiguous(void **state)
{
	static struct header h;
	char lines[8192];
	size_t n;

	(void)state;
	n = (size_t)snprintf(lines, sizeof(lines), "Content-Type: text/plain;\n");
	while (n < 4000)
		n += (size_t)snprintf(lines + n, sizeof(lines) - n, " a=%060d;\n", 1);
	snprintf(lines + n, sizeof(lines) - n, "\n");
	header_reset(&h);
	feed(&h, lines, HEADER_LINE_MAX);
	header_end(&h);
	assert_non_null(h.ambiguity);
	assert_true(h.bytes >= 3900);

	memset(lines, 'a', 3000);
	memcpy(lines, "Content-Type: ", 14);
	strcpy(lines + 3000, "\n\n");
	header_reset(&h);
	feed(&h, lines, HEADER_LINE_MAX);
	assert_non_null(h.ambiguity);
	memcpy(lines, "X-ontent-Type: ", 14);
	header_reset(&h);
	feed(&h, lines, HEADER_LINE_MAX);
	assert_null(h.ambiguity);
	assert_int_equal(h.bytes, 3000);
}

static void header_fields_of_the_message(void **state)
{
	static struct header h;

	(void)state;
#define FIELD(name, value)                                            \
	header_field(&h, (const unsigned char *)(name), strlen(name), \
		     (const unsigned char *)(value), strlen(value))
	header_reset(&h);
	FIELD("Subject", " x\r\n y");
	FIELD("X-Any ", " blank before the colon, of no matter");
	FIELD("Content-Type", " text/html");
	header_end(&h);
	assert_null(h.ambiguity);
	assert_string_equal(h.type.type, "text/html");
	FIELD("content-type\t", " text/html");
	assert_non_null(h.ambiguity);
	header_reset(&h);
	FIELD("Subject", " a\rb");
	assert_non_null(h.ambiguity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_lines_make_a_header),
		cmocka_unit_test(header_structure_beyond_its_bounds_is_ambiguous),
		cmocka_unit_test(header_fields_of_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

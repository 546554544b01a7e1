/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/mbox.h"

/* What the splitter told, as text: '{' begin, '}' end. */
struct told {
	char text[8192];
	size_t len;
};

static void begin(void *context)
{
	struct told *t = context;

	t->text[t->len++] = '{';
}

static void bytes(void *context, const unsigned char *chunk, size_t len)
{
	struct told *t = context;

	assert_true(t->len + len < sizeof(t->text) - 2);
	memcpy(t->text + t->len, chunk, len);
	t->len += len;
}

static void end(void *context)
{
	struct told *t = context;

	t->text[t->len++] = '}';
}

#define SEPARATOR "From a@x.test Sat Nov 21 12:34:56 2026\n"
#define SEPARATOR_CRLF "From a@x.test Sat Nov 21 12:34:56 2026\r\n"

static const struct {
	const char *label, *input, *expected;
} cases[] = {
	{"empty file", "", ""},
	{"one message", SEPARATOR "S: 1\n\nbody\n", "{S: 1\n\nbody\n}"},
	{"the blank line before the end belongs to no message", SEPARATOR "S: 1\n\nbody\n\n",
	 "{S: 1\n\nbody\n}"},
	{"two messages", SEPARATOR "S: 1\n\nbody\n\n" SEPARATOR "S: 2\n\nmore\n",
	 "{S: 1\n\nbody\n}{S: 2\n\nmore\n}"},
	{"two messages, CRLF",
	 SEPARATOR_CRLF "S: 1\r\n\r\nbody\r\n\r\n" SEPARATOR_CRLF "S: 2\r\n\r\nmore\r\n",
	 "{S: 1\r\n\r\nbody\r\n}{S: 2\r\n\r\nmore\r\n}"},
	{"blank lines within stay, but for the last", SEPARATOR "\n\n\na\n\n\n" SEPARATOR "b\n",
	 "{\n\n\na\n\n}{b\n}"},
	{"separator not after a blank line is text", SEPARATOR "a\n" SEPARATOR "b\n",
	 "{a\n" SEPARATOR "b\n}"},
	{"From without a time is text", SEPARATOR "a\n\nFrom here on it is quiet\nb\n",
	 "{a\n\nFrom here on it is quiet\nb\n}"},
	{"quoted From loses one sign", SEPARATOR "\n>From me\n>>From him\n",
	 "{\nFrom me\n>From him\n}"},
	{"other quotes stay", SEPARATOR "\n> From\n>Fro\n>\n>>\nF\nFr\nFrom\n",
	 "{\n> From\n>Fro\n>\n>>\nF\nFr\nFrom\n}"},
	{"message without a final line end", SEPARATOR "a\n\nb", "{a\n\nb}"},
	{"separator without a line end", SEPARATOR "a\n\nFrom b 12:34", "{a\n}{}"},
	{"unfinished From is text", SEPARATOR "a\n\nFrom", "{a\n\nFrom}"},
	{"unfinished quote is text", SEPARATOR "a\n>", "{a\n>}"},
	{"lone CR is text", SEPARATOR "a\n\rb\n\r\r\nc\n", "{a\n\rb\n\r\r\nc\n}"},
	{"adjacent separators", SEPARATOR "\n" SEPARATOR "\n" SEPARATOR, "{}{}{}"},
};

static void expect(const char *label, const struct told *t, const char *expected)
{
	if (strlen(expected) != t->len || memcmp(t->text, expected, t->len) != 0)
		fail_msg("%s: got \"%.*s\", expected \"%s\"", label, (int)t->len, t->text,
			 expected);
}

static void mbox_cases_whole_bytewise_and_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].input);

		/* A chunk size of len + 1 is "whole", 1 is byte by byte. */
		for (size_t chunk = 1; chunk <= len + 1; chunk++) {
			struct told t = {.len = 0};
			struct mbox_sink sink = {begin, bytes, end, &t};
			struct mbox m;

			mbox_init(&m, &sink);
			for (size_t at = 0; at < len; at += chunk)
				mbox_feed(&m, (const unsigned char *)cases[i].input + at,
					  len - at < chunk ? len - at : chunk);
			mbox_finish(&m);
			expect(cases[i].label, &t, cases[i].expected);
		}
	}
}

static void mbox_a_very_long_from_line_is_text(void **state)
{
	char input[2048] = SEPARATOR "\nFrom ";
	struct told t = {.len = 0};
	struct mbox_sink sink = {begin, bytes, end, &t};
	struct mbox m;
	size_t len = strlen(input);

	(void)state;
	memset(input + len, 'x', 1000);
	strcpy(input + len + 1000, " 12:34\nend\n");
	mbox_init(&m, &sink);
	mbox_feed(&m, (const unsigned char *)input, strlen(input));
	mbox_finish(&m);
	assert_int_equal(t.len, strlen(input) - strlen(SEPARATOR) + 2);
	assert_memory_equal(t.text + 1, input + strlen(SEPARATOR), t.len - 2);
}

static void mbox_is_likely_wants_the_separator(void **state)
{
	(void)state;
	assert_true(mbox_is_likely((const unsigned char *)"From x", 6));
	assert_false(mbox_is_likely((const unsigned char *)"From:", 5));
	assert_false(mbox_is_likely((const unsigned char *)"From", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mbox_cases_whole_bytewise_and_split),
		cmocka_unit_test(mbox_a_very_long_from_line_is_text),
		cmocka_unit_test(mbox_is_likely_wants_the_separator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

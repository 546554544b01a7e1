/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/output.h"

static void output_clean_escapes_but_keeps_backslashes(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"plain", "plain"},
		{"", ""},
		{"back\\slash \\x1B", "back\\slash \\x1B"},
		{"b\xc3\xbc"
		 "cher",
		 "b\xc3\xbc"
		 "cher"},
		{"\033[2J", "\\x1B[2J"},
		{"a\nb", "a\\x0Ab"},
	};
	char out[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		output_clean(out, sizeof(out), cases[i].text);
		if (strcasecmp(out, cases[i].expected) != 0)
			fail_msg("got \"%s\", expected \"%s\"", out, cases[i].expected);
	}
}

static void output_clean_never_overruns(void **state)
{
	char text[1000];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i++)
		text[i] = "\\\033a\xc3\xbc"[i % 5];
	text[sizeof(text) - 1] = '\0';
	for (size_t size = 8; size < 300; size++) {
		char *out = malloc(size); /* for the sanitizer */

		output_clean(out, size, text);
		assert_true(strlen(out) < size);
		free(out);
	}
}

static void output_numbers_bytes_and_durations(void **state)
{
	char out[OUTPUT_NUMBER_MAX];

	(void)state;
	assert_string_equal(output_number(out, 0), "0");
	assert_string_equal(output_number(out, 999), "999");
	assert_string_equal(output_number(out, 1000), "1,000");
	assert_string_equal(output_number(out, -1234567), "-1,234,567");
	assert_string_equal(output_number(out, INT64_MAX), "9,223,372,036,854,775,807");
	assert_string_equal(output_number(out, INT64_MIN), "-9,223,372,036,854,775,808");
	assert_string_equal(output_bytes(out, 0), "0 B");
	assert_string_equal(output_bytes(out, 999), "999 B");
	assert_string_equal(output_bytes(out, 1234), "1.2 kB");
	assert_string_equal(output_bytes(out, 123456789), "123 MB");
	assert_string_equal(output_duration(out, 3600), "1 hour");
	assert_string_equal(output_duration(out, 5400), "90 minutes");
	assert_string_equal(output_duration(out, 3 * 86400 + 5), "3 days");
	assert_string_equal(output_duration(out, 1), "1 second");
	assert_string_equal(output_duration(out, 0), "0 seconds");
}

static void output_width_counts_columns(void **state)
{
	(void)state;
	assert_int_equal(output_width("abc"), 3);
	assert_int_equal(output_width("b\xc3\xbc"
				      "cher"),
			 6);
	assert_int_equal(output_width("\xe6\xbc\xa2"), 2);
	assert_int_equal(output_width(""), 0);
}

/* Wraps a text and returns what was printed; the caller frees. */
static char *wrapped(size_t indent, const char *text)
{
	char *out = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&out, &size);

	output_wrap(to, indent, indent, text);
	fclose(to);
	return out;
}

static void output_wrap_keeps_80_columns_with_long_words(void **state)
{
	char *out = wrapped(4, "one two three four five six seven eight nine ten eleven twelve "
			       "thirteen fourteen fifteen");
	size_t n_lines = 0;

	(void)state;
	for (char *line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		assert_true(strlen(line) < OUTPUT_COLUMNS);
		n_lines++;
	}
	assert_int_equal(n_lines, 2);
	free(out);
	/* longer than a line, with characters of two bytes: nothing is lost, nothing runs over,
	 * none is cut */
	out = wrapped(4, "\u00e4\u00e4\u00e4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			 "aaaaaaaaaaaaaaaaaaa"
			 "\u00e4\u00e4aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			 "aaaaaaaaaaaaaaaaa b");
	n_lines = 0;
	for (char *line = strtok(out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		assert_true(output_width(line) < OUTPUT_COLUMNS);
		n_lines++;
	}
	assert_int_equal(n_lines, 3);
	free(out);
}

static void output_json_text_takes_any_octets(void **state)
{
	json_t *text = output_json_text("a\xff\xfe");
	json_t *null = output_json_text(NULL);

	(void)state;
	assert_true(json_is_string(text));
	assert_string_equal(json_string_value(text), "a\\xFF\\xFE");
	assert_true(json_is_null(null));
	json_decref(text);
	json_decref(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_clean_escapes_but_keeps_backslashes),
		cmocka_unit_test(output_clean_never_overruns),
		cmocka_unit_test(output_numbers_bytes_and_durations),
		cmocka_unit_test(output_width_counts_columns),
		cmocka_unit_test(output_wrap_keeps_80_columns_with_long_words),
		cmocka_unit_test(output_json_text_takes_any_octets),
	};

	output_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "common/log.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/utf8.h"
#include "tests/unit/unit.h"

static void escape_what_could_mislead(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} rows[] = {
		{"plain text", 10, "plain text"},
		{"", 0, ""},
		{"a\0b", 3, "a\\x00b"},
		{"a\r\nb", 4, "a\\x0D\\x0Ab"},
		{"\x1b[31m", 5, "\\x1B[31m"},
		{"\x7f", 1, "\\x7F"},
		{"a\\b", 3, "a\\\\b"},
		{"\xc3\xa9", 2, "\xc3\xa9"},
		{"\xc2\x9b", 2, "\\xC2\\x9B"},
		{"\x9b", 1, "\\x9B"},
		{"\xc3", 1, "\\xC3"},
		{"\xc0\x80", 2, "\\xC0\\x80"},
		{"\xed\xa0\x80", 3, "\\xED\\xA0\\x80"},
		{"\xf4\x90\x80\x80", 4, "\\xF4\\x90\\x80\\x80"},
		{"\xe2\x80\xae", 3, "\\xE2\\x80\\xAE"},
		{"\xe2\x81\xa6", 3, "\\xE2\\x81\\xA6"},
		{"\xe2\x80\xa8", 3, "\\xE2\\x80\\xA8"},
		{"\xe2\x80\x8b", 3, "\\xE2\\x80\\x8B"},
		{"\xf3\xa0\x81\x81", 4, "\\xF3\\xA0\\x81\\x81"},
		{"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char out[100];

		CHECK_ROW_TEXT(rows[i].want,
			       log_escape(out, sizeof(out), rows[i].text, rows[i].len),
			       rows[i].want);
	}
}

static void escape_cuts_between_characters(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		const char *want;
	} rows[] = {
		{"1234567", 8, "1234567"},
		{"12345678", 8, "1234..."},
		{"123\xc3\xa9"
		 "67",
		 8,
		 "123\xc3\xa9"
		 "67"},
		{"123\xc3\xa9"
		 "678",
		 8, "123..."},
		{"12\xc3\xa9"
		 "5678",
		 8, "12\xc3\xa9..."},
		{"\n\n", 8, "\\x0A..."},
		{"123\n", 8, "123\\x0A"},
		{"1234\n", 8, "1234..."},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char out[64];

		log_escape(out, rows[i].size, rows[i].text, strlen(rows[i].text));
		CHECK_ROW_TEXT(rows[i].text, out, rows[i].want);
	}
}

static void escape_any_bytes_give_clean_utf8_that_fits(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		char text[40], out[48];
		size_t len = round % sizeof(text);
		size_t size = 8 + round % 40;

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = (char)(seed >> 16);
		}
		memset(out, '!', sizeof(out));
		log_escape(out, size, text, len);
		assert_true(strlen(out) < size);
		assert_true(utf8_is_valid(out, strlen(out)));
		for (const char *p = out; *p != '\0'; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

/* What the function writes to standard error. journal: what JOURNAL_STREAM says, "" for nothing,
 * NULL for the truth: that standard error is the journal's. */
static void captured(const char *journal, char *out, size_t size)
{
	int saved = dup(STDERR_FILENO);
	char stream[64];
	struct stat st;
	int fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	assert_int_equal(fstat(fds[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", journal != NULL ? journal : stream, 1);
	log_open("tester", true, 0);
	log_info("one\ntwo %s", "\x1b[0m");
	log_debug("not seen");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	n = read(fds[0], out, size - 1);
	close(fds[0]);
	out[n > 0 ? n : 0] = '\0';
}

static void line_stays_one_line(void **state)
{
	char out[200];

	(void)state;
	captured("", out, sizeof(out));
	assert_string_equal(out, "tester: one?two ?[0m\n");
	captured("1:2", out, sizeof(out)); /* somebody else's */
	assert_string_equal(out, "tester: one?two ?[0m\n");
}

static void line_has_priority_and_no_name_in_the_journal(void **state)
{
	char out[200];

	(void)state;
	captured(NULL, out, sizeof(out));
	assert_string_equal(out, "<6>one?two ?[0m\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_what_could_mislead),
		cmocka_unit_test(escape_cuts_between_characters),
		cmocka_unit_test(escape_any_bytes_give_clean_utf8_that_fits),
		cmocka_unit_test(line_stays_one_line),
		cmocka_unit_test(line_has_priority_and_no_name_in_the_journal),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}

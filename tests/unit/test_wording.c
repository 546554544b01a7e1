/* SPDX-License-Identifier: ISC */
#include "scan/wording.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static bool is_text(const char *chars, size_t step)
{
	struct wording w;
	size_t len = strlen(chars);

	wording_reset(&w);
	for (size_t at = 0; at < len; at += step)
		wording_feed(&w, (const unsigned char *)chars + at,
			     len - at < step ? len - at : step);
	return w.is_text;
}

static void wording_tells_words_from_noise(void **state)
{
	static const struct {
		const char *label, *chars;
		bool is_text;
	} rows[] = {
		{"nothing", "", false},
		{"plus between words", "please+meet+me+at+eight+behind+the+old+church", true},
		{"slashes", "the/gate/does/not/read/the/words/in/armor", true},
		{"nothing between words", "pleasemeetmeateightbehindtheoldchurchandbring", true},
		{"capitals", "PLEASE+MEET+ME+AT+EIGHT+BEHIND+THE+CHURCH", true},
		{"a capital for each word", "Please+Meet+Me+At+Eight+Behind+The+Old+Church", true},
		{"German", "TreffenwirunsumachthinterderaltenKircheundbringdasGeldmit", true},
		{"amid noise", "Md5Wcg9HZ2aHWaqIplease+meet+me+at+eight+behind+the+churchMd5Wcg9HZ",
		 true},
		{"one word", "church", false},
		{"a few words", "meet+me+at+eight", false},
		{"noise", "wQ0DASNFZ4mrze8BAAif0isBxn6Ba0v74vtU9r3ffBzhhwG/Md5Wcg9HZ2aHWaqI",
		 false},
		{"zeros", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		 false},
		{"one letter", "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee",
		 false},
		{"digits", "0123456789012345678901234567890123456789012345678901234567890123456",
		 false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t step = 1; step < 100; step = step * 3 + 1)
			CHECK_ROW(rows[i].label, is_text(rows[i].chars, step) == rows[i].is_text);
}

/* Lines of noise with some words in front of each nth. */
static unsigned lines_until_text(const char *const words[4], unsigned every)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct wording_lines w = {0};
	uint64_t noise = 1;

	for (unsigned n = 0; n < 20000; n++) {
		unsigned char line[64];

		for (size_t i = 0; i < sizeof(line); i++) {
			noise = noise * 6364136223846793005u + 1442695040888963407u;
			line[i] = (unsigned char)alphabet[noise >> 58];
		}
		if (words && n % every == 0)
			memcpy(line + 7, words[n / every % 4], strlen(words[n / every % 4]));
		if (wording_weigh_line(&w, line, sizeof(line)))
			return n + 1;
	}
	return 0;
}

static void wording_sums_up_lines(void **state)
{
	static const char *const many[] = {"meet+me+at+eight+", "at+the+old+bridge+",
					   "and+bring+all+the+", "numbers+of+the+year"};
	static const char *const few[] = {"meet+me+at", "the+bridge", "with+other", "documents+"};

	(void)state;
	assert_int_equal(lines_until_text(NULL, 1), 0);
	assert_in_range(lines_until_text(many, 1), 3, 10);
	assert_in_range(lines_until_text(many, 3), 5, 30);
	assert_in_range(lines_until_text(few, 1), 5, 60);
}

/* A million characters, the chance of a false alarm is 1 in 40,000,000. The noise is always the
 * same. */
static void wording_finds_none_in_noise(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct wording w;
	uint64_t noise = 1;
	int most = 0;

	(void)state;
	wording_reset(&w);
	for (int i = 0; i < 1000000; i++) {
		noise = noise * 6364136223846793005u + 1442695040888963407u;
		assert_false(wording_feed(&w, (const unsigned char *)&alphabet[noise >> 58], 1));
		most = w.lower > most ? w.lower : most;
	}
	assert_in_range(most, 8 * 16, 24 * 16); /* it does weigh, and is far from the bound */
}

#define LINES 21 /* two times as many as are weighed side by side, and what is left */
#define WIDTH_MAX 64

struct block {
	size_t width; /* of a line; two octets follow that are none of it */
	unsigned char lines[LINES * (WIDTH_MAX + 2)];
};

static unsigned char *char_of(struct block *b, size_t i)
{
	return &b->lines[i / b->width * (b->width + 2) + i % b->width];
}

/* Both measures of all lines, in calls of n_lines: after each, what weighing characters and lines
 * one by one gives. Returns the sum of the lines. */
static int check_block(struct block *b, size_t n_lines)
{
	struct wording by_lines, by_chars;
	struct wording_lines one = {0}, many = {0};
	const size_t stride = b->width + 2;

	wording_reset(&by_lines);
	wording_reset(&by_chars);
	for (size_t n = 0; n < LINES; n += n_lines) {
		const size_t n_now = LINES - n < n_lines ? LINES - n : n_lines;

		wording_look_at_lines(&by_lines, &many, LINES, b->lines + n * stride, n_now,
				      b->width, stride);
		for (size_t i = n * b->width; i < (n + n_now) * b->width; i++)
			wording_feed(&by_chars, char_of(b, i), 1);
		for (size_t i = n; i < n + n_now; i++)
			wording_weigh_line(&one, b->lines + i * stride, b->width);
		assert_int_equal(many.sum, one.sum);
		assert_int_equal(many.is_text, one.is_text);
		assert_int_equal(by_lines.is_text, by_chars.is_text);
		if (by_chars.is_text)
			break;
		assert_int_equal(by_lines.lower, by_chars.lower);
		assert_int_equal(by_lines.upper, by_chars.upper);
		assert_int_equal(by_lines.previous, by_chars.previous);
	}
	return one.sum;
}

/* Lines are weighed side by side: whatever is where, that must not show. Words stand in noise at
 * each place in turn, so across each joint, and across whole lines; too few of them leave their
 * weight to what comes next. */
static void wording_of_lines_is_that_of_their_characters(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char words[] = "Please+meet+me+at+eight+behind+the+old+church";
	static const size_t widths[] = {7, 16, 17, 48, WIDTH_MAX};
	uint64_t random = 2;
	size_t n_summed = 0;

	(void)state;
	for (size_t place = 0; place < ROWS(widths) * LINES * 400; place++) {
		struct block b = {.width = widths[place % ROWS(widths)]};
		const size_t n_chars = LINES * b.width;
		const size_t n_words = 1 + place % (sizeof(words) - 1), upper = place % 2 * 0x20;
		const size_t from = place / 10 % n_chars;

		for (size_t i = 0; i < n_chars; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			*char_of(&b, i) = (unsigned char)alphabet[random >> 58];
		}
		for (size_t i = 0; i < n_words && from + i < n_chars; i++)
			*char_of(&b, from + i) = (unsigned char)(words[i] &
								 ~(words[i] > 'Z' ? upper : 0));
		n_summed += check_block(&b, 1 + place % LINES) > 0;
	}
	assert_true(n_summed > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wording_tells_words_from_noise),
		cmocka_unit_test(wording_sums_up_lines),
		cmocka_unit_test(wording_finds_none_in_noise),
		cmocka_unit_test(wording_of_lines_is_that_of_their_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "scan/spread.h"

#include "tests/unit/unit.h"

#define LINE 64
#define LINES 16

/* Characters of a generator (Knuth's), and from line `at` on so many lines of a few of them. */
static void fill(unsigned char *out, size_t at, size_t n, const char *few)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t x = 1;

	for (size_t i = 0; i < LINES * LINE; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		out[i] = (unsigned char)alphabet[x >> 58];
		if (i >= at * LINE && i < (at + n) * LINE)
			out[i] = (unsigned char)few[(x >> 58) % strlen(few)];
	}
}

static bool is_uneven(const unsigned char *chars, size_t len, size_t piece, bool is_plain)
{
	struct spread s;

	spread_reset(&s);
	for (size_t at = 0; at < len; at += piece)
		spread_feed(&s, chars + at, 1, piece < len - at ? piece : len - at, 0, is_plain);
	return spread_finish(&s);
}

static void pictures_are_uneven(void **state)
{
	static const struct {
		const char *label;
		size_t lines, at, n;
		const char *few;
		bool is_uneven;
	} rows[] = {
		{"noise", 16, 0, 0, "", false},
		{"two characters", 16, 0, 5, "M+", true},
		{"in the middle", 16, 6, 5, "M+", true},
		{"at the end", 16, 11, 5, "M+", true},
		{"over two halves", 16, 2, 5, "MWNBRDHKiljrtfcv", true},
		{"twenty characters", 16, 7, 5, "MWNBRDHKQGiljrtfcvI1", true},
		{"a whole small block", 5, 0, 5, "MWNBRDHKQGE8iljrtfcvI1J/", true},
		{"too short to tell", 3, 0, 3, "M+", false},
		{"one line of two", 16, 3, 1, "M+", true},
		{"one line of eight", 16, 3, 1, "MWNB+1ij", false},
	};
	unsigned char chars[LINES * LINE];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		fill(chars, rows[i].at, rows[i].n, rows[i].few);
		for (size_t piece = 1; piece < 1100; piece = piece * 3 + 1)
			CHECK_ROW(rows[i].label, is_uneven(chars, rows[i].lines * LINE, piece,
							   true) == rows[i].is_uneven);
	}
}

static void zeros_of_hidden_recipients_count_nothing(void **state)
{
	unsigned char chars[LINES * LINE];

	(void)state;
	fill(chars, 0, 0, "");
	for (size_t i = 0; i < LINES * LINE; i++)
		if (i % 16 < 8)
			chars[i] = 'A';
	CHECK_ROW("session keys", !is_uneven(chars, sizeof(chars), LINE, false));
	CHECK_ROW("ciphertext", is_uneven(chars, sizeof(chars), LINE, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_are_uneven),
		cmocka_unit_test(zeros_of_hidden_recipients_count_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

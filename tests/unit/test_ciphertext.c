/* SPDX-License-Identifier: ISC */
#include "scan/ciphertext.h"

#include "tests/unit/unit.h"

/* A fixed stream of octets that look random (xorshift). */
static void fill_random(unsigned char *out, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		out[i] = (unsigned char)(seed >> 32);
	}
}

static const char *look(const unsigned char *bytes, size_t len)
{
	struct ciphertext c;

	ciphertext_reset(&c);
	ciphertext_feed(&c, bytes, len);
	return ciphertext_looks_like(&c);
}

static void ciphertext_random_octets_pass_at_every_length(void **state)
{
	unsigned char bytes[CIPHERTEXT_SAMPLE];

	(void)state;
	for (uint64_t seed = 1; seed <= 20000; seed++) {
		size_t len = seed % 5 == 0 ? sizeof(bytes) : 20 + seed % 600;

		fill_random(bytes, len, seed * 0x9e3779b97f4a7c15u);
		assert_null(look(bytes, len));
	}
}

static void ciphertext_text_is_noticed_from_64_octets(void **state)
{
	unsigned char ascii[64];

	(void)state;
	/* every fifth octet is none of text: 51 of 64 are, which is just below four fifths */
	for (size_t i = 0; i < sizeof(ascii); i++)
		ascii[i] = (unsigned char)(i % 5 ? 'a' + i % 26 : 0x80u + i);
	assert_null(look(ascii, 64));
	ascii[5] = 'a';
	assert_non_null(look(ascii, 64));
	assert_null(look(ascii, 63)); /* too little to tell */
}

static void ciphertext_white_space_is_text(void **state)
{
	static const char white[] = " \t\n\v\f\r";
	unsigned char bytes[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i % 5 == 4 ? (int)(0x80 + i) : white[i % 6]);
	assert_non_null(look(bytes, 200));
}

static void ciphertext_run_of_text_is_noticed_anywhere(void **state)
{
	struct ciphertext c;
	unsigned char bytes[2 * CIPHERTEXT_SAMPLE];

	(void)state;
	for (size_t len = CIPHERTEXT_RUN - 1; len <= CIPHERTEXT_RUN; len++) {
		for (size_t at = 1; at < 3 * CIPHERTEXT_SAMPLE / 2; at = at * 5 + 60) {
			fill_random(bytes, sizeof(bytes), 42);
			memset(bytes + at, 'x', len);
			bytes[at - 1] = bytes[at + len] = 0x80;
			ciphertext_reset(&c);
			for (size_t i = 0; i < sizeof(bytes); i++) {
				ciphertext_feed(&c, bytes + i, 1);
				if (ciphertext_is_full(&c)) {
					assert_true(c.has_run || !ciphertext_looks_like(&c));
					ciphertext_next(&c);
				}
			}
			assert_int_equal(c.has_run, len == CIPHERTEXT_RUN);
		}
	}
}

/* Runs around the length that counts, at every place that a machine's words may have, in pieces of
 * any size. */
static void ciphertext_run_is_noticed_in_pieces_as_in_one(void **state)
{
	unsigned char bytes[160];
	struct ciphertext c;

	(void)state;
	for (size_t len = CIPHERTEXT_RUN - 1; len <= CIPHERTEXT_RUN + 1; len++) {
		for (size_t at = 0; at < 80; at++) {
			memset(bytes, 0x80, sizeof(bytes));
			memset(bytes + at, at % 2 ? '~' : '\t', len);
			for (size_t piece = 1; piece <= sizeof(bytes); piece += 1 + piece / 8) {
				ciphertext_reset(&c);
				for (size_t i = 0; i < sizeof(bytes); i += piece) {
					const size_t n = sizeof(bytes) - i < piece
								 ? sizeof(bytes) - i
								 : piece;

					assert_int_equal(ciphertext_feed(&c, bytes + i, n), n);
				}
				assert_int_equal(c.has_run, len >= CIPHERTEXT_RUN);
				assert_int_equal(c.n_of[0x80], sizeof(bytes) - len);
			}
		}
	}
}

/* Of each octet, whether it is text: a run of it, with another one in front. */
static void ciphertext_text_octets_are_those_of_the_header(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 256; v++) {
		unsigned char bytes[1 + CIPHERTEXT_RUN + 7];
		struct ciphertext c;

		memset(bytes, (int)v, sizeof(bytes));
		bytes[0] = 0xff;
		ciphertext_reset(&c);
		ciphertext_feed(&c, bytes, sizeof(bytes));
		assert_int_equal(c.has_run, (v >= 0x20 && v < 0x7f) || (v >= 9 && v <= 13));
	}
}

static void ciphertext_uneven_octets_are_noticed(void **state)
{
	unsigned char bytes[CIPHERTEXT_SAMPLE];

	(void)state;
	fill_random(bytes, sizeof(bytes), 43);
	for (size_t i = 0; i < sizeof(bytes); i += 5) /* a fifth of it is of eight values */
		bytes[i] = (unsigned char)(0x80 + i % 8);
	assert_non_null(look(bytes, sizeof(bytes)));
	assert_null(ciphertext_is_prose(&(struct ciphertext){.n = 10}));
}

static void ciphertext_short_text_is_noticed_from_16_octets(void **state)
{
	struct ciphertext c;

	(void)state;
	ciphertext_reset(&c);
	ciphertext_feed(&c, (const unsigned char *)"Meet me at the\x01", 15);
	assert_false(ciphertext_is_short_text(&c));
	ciphertext_feed(&c, (const unsigned char *)"b", 1);
	assert_true(ciphertext_is_short_text(&c));
	ciphertext_feed(&c, (const unsigned char *)"\x01\x02", 2);
	assert_false(ciphertext_is_short_text(&c));
}

static void ciphertext_text_of_other_scripts_is_noticed(void **state)
{
	unsigned char cyrillic[256], utf16[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cyrillic); i += 2) {
		cyrillic[i] = 0xd0;
		cyrillic[i + 1] = (unsigned char)(0x90 + i / 2 % 48);
	}
	assert_non_null(look(cyrillic, 256));
	for (size_t i = 0; i < sizeof(cyrillic); i++)
		cyrillic[i] = (unsigned char)(0x90 + i % 100);
	assert_non_null(look(cyrillic, 256));
	assert_null(look(cyrillic, 255)); /* absence says nothing yet */
	cyrillic[9] = 0x01;
	assert_null(look(cyrillic, 256));
	for (size_t i = 0; i < sizeof(utf16); i++)
		utf16[i] = i % 2 ? (unsigned char)(0x20 + i) : 0;
	assert_non_null(look(utf16, 64));
}

static void ciphertext_beyond_the_sample_is_not_looked_at(void **state)
{
	struct ciphertext c;
	unsigned char bytes[CIPHERTEXT_SAMPLE], text[1000];

	(void)state;
	fill_random(bytes, sizeof(bytes), 42);
	memset(text, 'x', sizeof(text));
	ciphertext_reset(&c);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_false(ciphertext_is_full(&c));
		ciphertext_feed(&c, bytes + i, 1);
	}
	assert_true(ciphertext_is_full(&c));
	for (int i = 0; i < 20; i++)
		ciphertext_feed(&c, text, sizeof(text));
	assert_null(ciphertext_looks_like(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ciphertext_random_octets_pass_at_every_length),
		cmocka_unit_test(ciphertext_text_is_noticed_from_64_octets),
		cmocka_unit_test(ciphertext_white_space_is_text),
		cmocka_unit_test(ciphertext_run_of_text_is_noticed_anywhere),
		cmocka_unit_test(ciphertext_run_is_noticed_in_pieces_as_in_one),
		cmocka_unit_test(ciphertext_text_octets_are_those_of_the_header),
		cmocka_unit_test(ciphertext_uneven_octets_are_noticed),
		cmocka_unit_test(ciphertext_short_text_is_noticed_from_16_octets),
		cmocka_unit_test(ciphertext_text_of_other_scripts_is_noticed),
		cmocka_unit_test(ciphertext_beyond_the_sample_is_not_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

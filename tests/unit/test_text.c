/* SPDX-License-Identifier: ISC */
#include "scan/text.h"

#include "scan/charset.h"
#include "tests/unit/unit.h"

#define U(text) (const unsigned char *)(text), sizeof(text) - 1

static void text_trimmed_takes_white_space_and_no_break_spaces(void **state)
{
	(void)state;
	assert_int_equal(text_trimmed(U("")), 0);
	assert_int_equal(text_trimmed(U("a")), 1);
	assert_int_equal(text_trimmed(U("a \t\r\n\v\f")), 1);
	assert_int_equal(text_trimmed(U("a\xc2\xa0")), 1);
	assert_int_equal(text_trimmed(U("a\xa0")), 1);
	assert_int_equal(text_trimmed(U("a \xc2\xa0 \xa0")), 1);
	assert_int_equal(text_trimmed(U("\xc2\xa0")), 0);
	assert_int_equal(text_trimmed(U("a\xc2")), 2); /* half a character is text */
	assert_int_equal(text_trimmed(U("a\0")), 2);
}

static void text_spaces_that_may_be_seen(void **state)
{
	static const unsigned char both[] = " \xc2\xa0\xa0\xe2\x80\x8b\t";
	const size_t len = sizeof(both) - 1;

	(void)state;
	assert_int_equal(charset_odd_octets(CHARSET_SPACES_UTF8, both, len), 1 + 3);
	assert_int_equal(charset_odd_octets(CHARSET_SPACES_LATIN, both, len), 4);
	assert_int_equal(charset_odd_octets(CHARSET_SPACES_UTF8, U("\xe2\x80\xaf\xe3\x80\x80")), 0);
	assert_int_equal(charset_odd_octets(CHARSET_SPACES_UTF8, U(" \t\r\r")), 0);
	assert_int_equal(charset_odd_octets(CHARSET_SPACES_UTF8, U("\r\r\r\f\v")), 3);
	assert_int_equal(charset_odd_octets(CHARSET_SPACES_UNSURE, both, len), 6);
	assert_int_equal(charset_spaces_of("utf-8"), CHARSET_SPACES_UTF8);
	assert_int_equal(charset_spaces_of("iso-8859-15"), CHARSET_SPACES_LATIN);
	assert_int_equal(charset_spaces_of("windows-1252"), CHARSET_SPACES_LATIN);
	assert_int_equal(charset_spaces_of("koi8-r"), CHARSET_SPACES_UNSURE);
	assert_int_equal(charset_spaces_of("gb2312"), CHARSET_SPACES_UNSURE);
	assert_int_equal(charset_spaces_of(""), CHARSET_SPACES_UNSURE);
}

static void text_blank_line_shows_nothing(void **state)
{
	(void)state;
	assert_true(text_is_blank_line(U("")));
	assert_true(text_is_blank_line(U(" \t\r")));
	assert_true(text_is_blank_line(U("\xa0")));
	assert_true(text_is_blank_line(
		U("\xc2\xa0 "
		  "\xe2\x80\x8b\xe2\x80\xaf\xe2\x81\x9f\xe2\x81\xa0\xe3\x80\x80\xef\xbb\xbf")));
	assert_false(text_is_blank_line(U("a")));
	assert_false(text_is_blank_line(U("\xc2")));
	assert_false(text_is_blank_line(U("\xe2\x80")));
	assert_false(text_is_blank_line(U("\xe2\x80\x8e"))); /* U+200E, which turns text round */
	assert_false(text_is_blank_line(U("\xe2\x82\xac")));
	assert_false(text_is_blank_line(U("\xef\xbb\xbf"
					  "a")));
}

static void text_is_folds_ascii_case_only(void **state)
{
	(void)state;
	assert_true(text_is(U("CONTENT-type"), "Content-Type"));
	assert_false(text_is(U("Content-Typ"), "Content-Type"));
	assert_false(text_is(U("Content-Type "), "Content-Type"));
	assert_false(text_is(U("\xc4"), "\xe4"));
	assert_true(text_begins(U("Hash: SHA256"), "Hash: "));
	assert_false(text_begins(U("hash: SHA256"), "Hash: "));
	assert_false(text_begins(U("Has"), "Hash: "));
}

static void text_count_visible_counts_all_but_white_space(void **state)
{
	(void)state;
	assert_int_equal(text_count_visible(U("")), 0);
	assert_int_equal(text_count_visible(U(" \t\r\n\v\f")), 0);
	assert_int_equal(text_count_visible(U("a b\tc\r\n")), 3);
	assert_int_equal(text_count_visible(U("\0\x80\xff\x08\x0e")), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_trimmed_takes_white_space_and_no_break_spaces),
		cmocka_unit_test(text_spaces_that_may_be_seen),
		cmocka_unit_test(text_blank_line_shows_nothing),
		cmocka_unit_test(text_is_folds_ascii_case_only),
		cmocka_unit_test(text_count_visible_counts_all_but_white_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

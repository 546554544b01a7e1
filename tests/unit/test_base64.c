/* SPDX-License-Identifier: ISC */
#include "scan/base64.h"

#include "tests/unit/unit.h"

struct row {
	const char *label, *in, *out;
	size_t taken;
	bool is_complete;
};

static const struct row rows[] = {
	{"a group", "QUJD", "ABC", 4, true},
	{"two groups", "QUJDREVG", "ABCDEF", 8, true},
	{"one octet", "QQ==", "A", 4, true},
	{"two octets", "QUI=", "AB", 4, true},
	{"plus and slash", "+/+/", "\xfb\xff\xbf", 4, true},
	{"cut group", "QUJDRA", "ABC", 6, false},
	{"half padding", "QQ=", "", 3, false},
	{"padding first", "=QQQ", "", 0, true},
	{"padding after one", "Q===", "", 1, false},
	{"three paddings", "QQ===", "A", 4, true},
	{"data after padding", "QQ==QUJD", "A", 4, true},
	{"padding after a group", "QUJD=", "ABC", 4, true},
	{"space inside", "QU JD", "", 2, false},
	{"url alphabet", "QU-_", "", 2, false},
	{"high octet", "QUJ\xc3", "", 3, false},
};

static void decode_row(const struct row *row, size_t step)
{
	struct base64 b;
	unsigned char out[64];
	size_t n_out = 0, taken = 0, len = strlen(row->in);

	base64_reset(&b);
	while (taken < len) {
		size_t want = len - taken < step ? len - taken : step, n;
		size_t got = base64_decode(&b, (const unsigned char *)row->in + taken, want,
					   out + n_out, &n);

		n_out += n;
		taken += got;
		if (got < want)
			break;
	}
	out[n_out] = '\0';
	CHECK_ROW(row->label, taken == row->taken);
	CHECK_ROW_TEXT(row->label, (char *)out, row->out);
	CHECK_ROW(row->label, base64_is_complete(&b) == row->is_complete);
}

static void base64_decode_any_chunking_same_result(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t step = 1; step < 10; step++)
			decode_row(&rows[i], step);
}

/* Every triple of octets comes by at every place of what a machine may decode at once, and nothing
 * behind them is written. */
static void base64_decode_many_at_once_as_group_by_group(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char plain[120], text[160], out[120 + 3 + 1];
	struct base64 b;
	size_t n;

	(void)state;
	for (unsigned seed = 0; seed < 4096; seed++) {
		for (size_t i = 0; i < sizeof(plain); i++)
			plain[i] = (unsigned char)(seed * 2654435761u >> i % 24) ^
				   (unsigned char)(i * seed);
		for (size_t i = 0; i < sizeof(plain) / 3; i++) {
			const unsigned char *o = plain + 3 * i;

			text[4 * i] = (unsigned char)alphabet[o[0] >> 2];
			text[4 * i + 1] = (unsigned char)alphabet[(o[0] & 3) << 4 | o[1] >> 4];
			text[4 * i + 2] = (unsigned char)alphabet[(o[1] & 15) << 2 | o[2] >> 6];
			text[4 * i + 3] = (unsigned char)alphabet[o[2] & 63];
		}
		for (size_t len = 0; len <= sizeof(text); len += 4) {
			base64_reset(&b);
			memset(out, 0xee, sizeof(out));
			assert_int_equal(base64_decode(&b, text, len, out, &n), len);
			assert_int_equal(n, len / 4 * 3);
			assert_memory_equal(out, plain, n);
			assert_int_equal(out[n], 0xee);
		}
	}
	for (size_t at = 0; at < sizeof(text); at++) { /* and it stops where it has to */
		const unsigned char was = text[at];

		text[at] = '\n';
		base64_reset(&b);
		assert_int_equal(base64_decode(&b, text, sizeof(text), out, &n), at);
		assert_int_equal(n, at / 4 * 3);
		assert_memory_equal(out, plain, n);
		text[at] = was;
	}
}

static void base64_is_all_chars_agrees_with_the_alphabet_at_every_place(void **state)
{
	unsigned char text[70];

	(void)state;
	for (size_t len = 0; len <= sizeof(text); len++) {
		memset(text, 'A', sizeof(text));
		assert_true(base64_is_all_chars(text, len));
		for (size_t at = 0; at < len; at++) {
			for (unsigned c = 0; c < 256; c++) {
				text[at] = (unsigned char)c;
				assert_int_equal(base64_is_all_chars(text, len),
						 base64_is_char((unsigned char)c));
			}
			text[at] = 'A';
		}
	}
}

/* Five lines of n_chars characters; the octet `at` of them is made `wrong`. */
static void check_lines(size_t n_chars, const char *line_end, size_t at, unsigned char wrong,
			size_t want)
{
	unsigned char text[5 * 130];
	size_t stride = n_chars + strlen(line_end);

	memset(text, 'Q', sizeof(text));
	for (size_t i = 1; i <= 5; i++)
		memcpy(text + i * stride - strlen(line_end), line_end, strlen(line_end));
	if (wrong)
		text[at] = wrong;
	assert_int_equal(base64_count_lines(text, 5, n_chars, stride), want);
}

static void base64_count_lines_stops_before_the_first_odd_one(void **state)
{
	static const size_t widths[] = {4, 12, 16, 20, 64, 76, 128};

	(void)state;
	for (size_t i = 0; i < ROWS(widths); i++) {
		for (int is_crlf = 0; is_crlf < 2; is_crlf++) {
			const char *end = is_crlf ? "\r\n" : "\n";
			size_t n = widths[i], stride = n + strlen(end);

			check_lines(n, end, 0, 0, 5);
			check_lines(n, end, 0, '=', 0);
			check_lines(n, end, 2 * stride, '-', 2);
			check_lines(n, end, 3 * stride + n - 1, '=', 3);
			check_lines(n, end, 2 * stride - 1, 'Q', 1); /* no line end */
			if (is_crlf)
				check_lines(n, end, 2 * stride - 2, 'Q', 1);
		}
	}
	assert_int_equal(base64_count_lines(NULL, 0, 64, 66), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_decode_any_chunking_same_result),
		cmocka_unit_test(base64_decode_many_at_once_as_group_by_group),
		cmocka_unit_test(base64_is_all_chars_agrees_with_the_alphabet_at_every_place),
		cmocka_unit_test(base64_count_lines_stops_before_the_first_odd_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "scan/transfer.h"

#include "tests/unit/unit.h"

struct row {
	const char *label;
	enum encoding encoding;
	const char *in, *out;
	bool is_good;
};

static const struct row rows[] = {
	{"identity", ENCODING_IDENTITY, "a =41 \r\n", "a =41 \r\n", true},
	{"unknown", ENCODING_UNKNOWN, "a =41\n", "a =41\n", true},
	{"base64", ENCODING_BASE64, "QUJD\r\nREVG\r\n", "ABCDEF", true},
	{"base64, blanks", ENCODING_BASE64, " QU JD\t", "ABC", true},
	{"base64, padded", ENCODING_BASE64, "QUI=\n", "AB", true},
	{"base64, padding cut by a line end", ENCODING_BASE64, "QQ=\n=\n", "A", true},
	{"base64, empty", ENCODING_BASE64, "", "", true},
	{"base64, text after", ENCODING_BASE64, "QUJD\n--\n!", "ABC", false},
	{"base64, data after padding", ENCODING_BASE64, "QQ==QUJD", "A", false},
	{"base64, no padding", ENCODING_BASE64, "QUJDQQ", "ABC", false},
	{"quoted-printable", ENCODING_QUOTED_PRINTABLE, "a=41b=3D\r\n", "aAb=\n", true},
	{"quoted-printable, small letters", ENCODING_QUOTED_PRINTABLE, "=c3=a9", "\xc3\xa9", true},
	{"quoted-printable, soft break", ENCODING_QUOTED_PRINTABLE, "ab=\r\ncd=\nef", "abcdef",
	 true},
	{"quoted-printable, blank after soft", ENCODING_QUOTED_PRINTABLE, "ab= \t\r\ncd", "abcd",
	 true},
	{"quoted-printable, blanks at line end", ENCODING_QUOTED_PRINTABLE, "ab \t \ncd", "ab\ncd",
	 true},
	{"quoted-printable, blanks within", ENCODING_QUOTED_PRINTABLE, "a \t b", "a \t b", true},
	{"quoted-printable, blank then escape", ENCODING_QUOTED_PRINTABLE, "a =20\n", "a  \n",
	 true},
	{"quoted-printable, = at the end", ENCODING_QUOTED_PRINTABLE, "ab=", "ab", true},
	{"quoted-printable, 8-bit", ENCODING_QUOTED_PRINTABLE, "\xc3\xa9", "\xc3\xa9", true},
	{"quoted-printable, bare =", ENCODING_QUOTED_PRINTABLE, "a=zb", "azb", false},
	{"quoted-printable, one digit", ENCODING_QUOTED_PRINTABLE, "a=4zb", "azb", false},
	{"quoted-printable, cut escape", ENCODING_QUOTED_PRINTABLE, "a=4", "a", false},
	{"quoted-printable, = and text after blank", ENCODING_QUOTED_PRINTABLE, "a= b\n", "ab\n",
	 false},
};

struct text {
	size_t len;
	char bytes[4096];
};

static void append(void *context, const unsigned char *bytes, size_t len)
{
	struct text *t = context;

	memcpy(t->bytes + t->len, bytes, len);
	t->len += len;
	t->bytes[t->len] = '\0';
}

static void transfer_any_chunking_same_octets(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t step = 1; step < 20; step++) {
			struct transfer t;
			struct text out = {0};
			const char *in = rows[i].in;
			size_t len = strlen(in);

			transfer_begin(&t, rows[i].encoding, append, &out);
			for (size_t at = 0; at < len; at += step)
				transfer_feed(&t, (const unsigned char *)in + at,
					      len - at < step ? len - at : step);
			transfer_finish(&t);
			CHECK_ROW_TEXT(rows[i].label, out.bytes, rows[i].out);
			CHECK_ROW(rows[i].label, (t.wrong == NULL) == rows[i].is_good);
		}
	}
}

static void transfer_endless_blanks_are_a_fault_not_memory(void **state)
{
	struct transfer t;
	struct text out = {0};
	unsigned char blanks[TRANSFER_BLANKS_MAX + 1];

	(void)state;
	memset(blanks, ' ', sizeof(blanks));
	transfer_begin(&t, ENCODING_QUOTED_PRINTABLE, append, &out);
	transfer_feed(&t, blanks, sizeof(blanks) - 1);
	assert_null(t.wrong);
	transfer_feed(&t, blanks, 1);
	assert_non_null(t.wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer_any_chunking_same_octets),
		cmocka_unit_test(transfer_endless_blanks_are_a_fault_not_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "scan/armor.h"

#include "tests/unit/unit.h"

/* PKESK version 3 with RSA of 8 bits, and packet 18 with 42 octets of noise. */
#define DATA                                                               \
	"wQ0DASNFZ4mrze8BAAif0isBxn6Ba0v74vtU9r3ffBzhhwG/Md5Wcg9HZ2aHWaqI" \
	"PFnqVhN70oWh2DxU"
#define LINE_1 "wQ0DASNFZ4mrze8BAAif0isBxn6Ba0v74vtU9r3ffBzhhwG/Md5Wcg9HZ2aHWaqI"
#define LINE_2 "PFnqVhN70oWh2DxU"
#define RIGHT_CHECKSUM "=PqV0"
#define END "-----END PGP MESSAGE-----\n"
#define FIFTY "0123456789012345678901234567890123456789012345678"

struct row {
	const char *label, *lines, *reason;
};

static const struct row rows[] = {
	{"plain", "\n" LINE_1 "\n" LINE_2 "\n=abcd\n" END, ""},
	{"one line", "\n" DATA "\n" END, ""},
	{"CR LF", "\r\n" LINE_1 "\r\n" LINE_2 "\r\n=abcd\r\n-----END PGP MESSAGE-----\r\n", ""},
	{"headers", "Version: X 1\nComment: https://x.test\nCharset: utf-8\n\n" DATA "\n" END, ""},
	{"unknown and empty headers", "X-Y: z\nComment:\n\n" DATA "\n" END, ""},
	{"header without blank line", "Version: 1\n" DATA "\n" END, ""},
	{"no blank line, no header", DATA "\n" END, ""},
	{"blank line of no-break spaces", "Version: 1\n\xc2\xa0\n" DATA "\n" END, ""},
	{"trailing no-break space", "\n" LINE_1 "\xa0\n" LINE_2 " \t\n" END, ""},
	{"no checksum", "\n" DATA "\n" END, ""},
	{"malformed checksum", "\n" DATA "\n=a\n" END, ""},
	{"checksum of eight", "\n" DATA "\n=abcdefgh\n" END, ""},
	{"checksum of nine", "\n" DATA "\n=abcdefghi\n" END, "bad-armor"},
	{"readable checksum", "\n" DATA "\n=meet me\n" END, "bad-armor"},
	{"text after the checksum", "\n" DATA "\n=abcd\nhello\n" END, "bad-armor"},
	{"blank line after the checksum", "\n" DATA "\n=abcd\n\n" END, ""},
	{"blank line inside", "\n" LINE_1 "\n\n" LINE_2 "\n" END, "bad-armor"},
	{"blank lines around", "\n\n" LINE_1 "\n" LINE_2 "\n\n" END, ""},
	{"a field of MIME", "Content-Type: text/plain\n\n" DATA "\n" END, "bad-armor"},
	{"a field of MIME in capitals", "CONTENT-X: y\n\n" DATA "\n" END, "bad-armor"},
	{"a field of a message", "subject: x\n\n" DATA "\n" END, "bad-armor"},
	{"MessageID", "MessageID: x\n\n" DATA "\n" END, ""},
	{"Message-ID", "Message-ID: x\n\n" DATA "\n" END, "bad-armor"},
	{"Comment and Comments", "Comment: x\nComments: x\n\n" DATA "\n" END, "bad-armor"},
	{"second line longer",
	 "\nwQ0DASNFZ4mrze8BAAif0isBxn6Ba0v74vtU9r3f\nfBzhhwG/"
	 "Md5Wcg9HZ2aHWaqIPFnqVhN70oWh2DxUAA\n" END,
	 "bad-armor"},
	{"lines of 20", "\nwQ0DASNFZ4mrze8BAAif\n0isBxn6Ba0v74vtU9r3f\n" END, "bad-armor"},
	{"words",
	 "\n" LINE_1 "\nplease+meet+me+at+eight+tonight+behind+the+old+church+and+be+sur\n" END,
	 "bad-armor"},
	{"padding on its own line",
	 "\nwQ0DASNFZ4mrze8BAAif0isBxn6Ba0v74vtU9r3ffBzhhwG/Md5Wcg9HZ2aHWaqI"
	 "PFnqVhN70oWh2DxUYQ\n==\n=abcd\n" END,
	 "trailing-data"},
	{"text inside", "\n" LINE_1 "\nhello there\n" LINE_2 "\n" END, "bad-armor"},
	{"word inside", "\n" LINE_1 "\nhello\n" LINE_2 "\n" END, "bad-armor"},
	{"quoted", "\n> " LINE_1 "\n> " LINE_2 "\n" END, "bad-armor"},
	{"cut group", "\n" LINE_1 "\nPFnqVhN70oWh2Dx\n" END, "bad-armor"},
	{"cut data", "\n" LINE_1 "\n" END, "truncated"},
	{"no data", "\n" END, "truncated"},
	{"another END", "\n" DATA "\n-----END PGP SIGNATURE-----\n", "bad-armor"},
	{"END goes on", "\n" DATA "\n-----END PGP MESSAGE----- x\n", "bad-armor"},
	{"END in small letters", "\n" DATA "\n-----end pgp message-----\n", "bad-armor"},
	{"dashes", "\n" LINE_1 "\n--\n" LINE_2 "\n" END, "bad-armor"},
	{"second BEGIN", "\n-----BEGIN PGP MESSAGE-----\n" DATA "\n" END, "bad-armor"},
	{"header in the data", "\n" LINE_1 "\nVersion: 1\n" LINE_2 "\n" END, "bad-armor"},
	{"eight headers", "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\n\n" DATA "\n" END, ""},
	{"nine headers", "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\n\n" DATA "\n" END,
	 ""},
	{"header of 200", "a: " FIFTY FIFTY FIFTY FIFTY "4\n\n" DATA "\n" END, ""},
	{"header of 201", "a: " FIFTY FIFTY FIFTY FIFTY "45\n\n" DATA "\n" END, ""},
	{"control in a header", "Comment: a\033[2Jb\n\n" DATA "\n" END, "bad-armor"},
	{"Latin-1 in a header", "Comment: \xe4\n\n" DATA "\n" END, ""},
	{"tab in a header", "Comment: a\tb\n\n" DATA "\n" END, ""},
	{"DEL in a header", "Comment: a\177b\n\n" DATA "\n" END, "bad-armor"},
	{"header without a blank", "Comment:x\n\n" DATA "\n" END, "bad-armor"},
	{"= where padding is due, and more", "\n" LINE_1 "\nPFnqVhN70oWh2DxUYQ\n=abc\n" END,
	 "bad-armor"},
	{"checksum with padding", "\n" DATA "\n=ab==\n" END, ""},
	{"literal data", "\nywdiAAAAAABB\n" END, "not-encrypted"},
};

/* Feeds the lines; returns whether the block ended before they did. */
static bool run(struct armor *a, const char *lines)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		if (!armor_line(a, (const unsigned char *)lines, len))
			return true;
		lines += len + 1;
	}
	armor_cut(a);
	return false;
}

static void armor_blocks_are_judged_line_by_line(void **state)
{
	struct packet_walk walk;
	struct armor_channel channel = {0};
	struct armor a;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
		run(&a, rows[i].lines);
		CHECK_ROW_TEXT(rows[i].label, a.fault.reason, rows[i].reason);
		memset(&channel, 0, sizeof(channel));
	}
}

static void armor_headers_beyond_their_bounds_can_be_read(void **state)
{
	static const struct {
		const char *label, *headers;
		bool is_talkative;
	} blocks[] = {
		{"eight", "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\n", false},
		{"nine", "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\n", true},
		{"200", "a: " FIFTY FIFTY FIFTY FIFTY "4\n", false},
		{"201", "a: " FIFTY FIFTY FIFTY FIFTY "45\n", true},
		{"257", "a: " FIFTY FIFTY "\nb: " FIFTY FIFTY "\nb: " FIFTY "456\n", true},
	};
	struct packet_walk walk;
	struct armor_channel channel = {0};
	struct armor a;

	(void)state;
	for (size_t i = 0; i < ROWS(blocks); i++) {
		armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
		run(&a, blocks[i].headers);
		CHECK_ROW(blocks[i].label,
			  (armor_readable_bytes(&a) > 0) == blocks[i].is_talkative);
	}
}

/* A line of so many characters of data, one octet more at its end, and a line that goes on where it
 * was broken. */
static void armor_takes_a_line_in_pieces(void **state)
{
	static const struct {
		const char *label;
		size_t len;
		const char *tail, *next, *reason;
	} lines[] = {
		{"a piece", 1024, "", NULL, ""},
		{"two and a half", 2560, "  ", NULL, ""},
		{"white space in between", 1000, "                              ", NULL, ""},
		{"text behind", 2560, " x", NULL, "bad-armor"},
		{"text behind a piece", 1023, " x", NULL, "bad-armor"},
		{"broken", 998, "", " AAAA", ""},
		{"broken in pieces", 2560, "", " AAAA", ""},
		{"too short to be broken", 896, "", " AAAA", "bad-armor"},
		{"two blanks", 998, "", "  AAAA", "bad-armor"},
		{"nothing but a blank", 998, "", " ", ""},
	};
	struct packet_walk walk;
	struct armor_channel channel = {0};
	struct armor a;

	(void)state;
	for (size_t i = 0; i < ROWS(lines); i++) {
		unsigned char line[4096];
		size_t at = 0, len;

		armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
		assert_true(armor_line(&a, (const unsigned char *)"", 0));
		assert_true(armor_line(&a, (const unsigned char *)LINE_1, sizeof(LINE_1) - 1));
		len = lines[i].len + strlen(lines[i].tail);
		memset(line, 'A', lines[i].len);
		memcpy(line + lines[i].len, lines[i].tail, strlen(lines[i].tail));
		a.width = 0;		/* as if this were the first line */
		walk.remaining = 10000; /* and its packet that long */
		while (len - at > ARMOR_PIECE_MAX)
			at += armor_piece(&a, line + at, ARMOR_PIECE_MAX);
		armor_line(&a, line + at, len - at);
		if (lines[i].next)
			armor_line(&a, (const unsigned char *)lines[i].next, strlen(lines[i].next));
		CHECK_ROW_TEXT(lines[i].label, a.fault.reason, lines[i].reason);
	}
}

static void armor_without_end_is_truncated(void **state)
{
	struct packet_walk walk;
	struct armor_channel channel = {0};
	struct armor a;

	(void)state;
	armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
	assert_false(run(&a, "\n" DATA "\n=abcd\n"));
	assert_string_equal(a.fault.reason, "truncated");
}

static void armor_begin_line_is_exact(void **state)
{
	static const struct {
		const char *line;
		bool is_begin;
	} lines[] = {
		{"-----BEGIN PGP MESSAGE-----", true},
		{"-----BEGIN PGP MESSAGE----- \t\r", true},
		{" -----BEGIN PGP MESSAGE-----", false},
		{"> -----BEGIN PGP MESSAGE-----", false},
		{"- -----BEGIN PGP MESSAGE-----", false},
		{"-----BEGIN PGP MESSAGE-----x", false},
		{"-----BEGIN PGP MESSAGE----", false},
		{"-----begin pgp message-----", false},
		{"-----BEGIN PGP SIGNATURE-----", false},
		{"", false},
		{"-----BEGIN PGP MESSAGE, PART 1/2-----", false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(lines); i++)
		CHECK_ROW(lines[i].line, armor_is_begin((const unsigned char *)lines[i].line,
							strlen(lines[i].line),
							ARMOR_MESSAGE) == lines[i].is_begin);
}

static void armor_channel_counts_repeated_lines_once(void **state)
{
	struct packet_walk walk;
	struct armor_channel channel = {0};
	struct armor a;

	(void)state;
	for (int i = 0; i < 100; i++) {
		armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
		run(&a, "Version: always the same\nComment: twice\n\n" DATA "\n" END);
		assert_string_equal(a.fault.reason, "");
	}
	assert_int_equal(a.header_bytes, 24 + 14);
	assert_int_equal(channel.used, 24 + 14);
	assert_int_equal(armor_readable_bytes(&a), 0);
	assert_false(channel.is_overflown);
	for (int i = 0; i < 100; i++) {
		char lines[256];

		snprintf(lines, sizeof(lines), "Comment: number %d\n\n" DATA "\n" END, i);
		armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
		run(&a, lines);
	}
	assert_true(channel.is_overflown);
	assert_true(armor_readable_bytes(&a) > 0);
}

/* Fewer lines than the first block has, or others, or a dictionary of them: each costs what it
 * says. */
static void armor_channel_counts_blocks_that_differ(void **state)
{
	static const struct {
		const char *label, *first, *next;
		size_t used;
	} same[] = {
		{"the same", "A: 1\nB: 2\n", "A: 1\nB: 2\n", 8},
		{"fewer", "A: 1\nB: 2\n", "A: 1\n", 8 + 4 * 5},
		{"more", "A: 1\n", "A: 1\nB: 2\n", 4 + 8 * 5},
		{"others", "A: 1\n", "A: 2\n", 4 + 4 * 5},
		{"another order", "A: 1\nB: 2\n", "B: 2\nA: 1\n", 8 + 8 * 5},
		{"a beginning", "A: 12\n", "A: 1\n", 5 + 4 * 5},
		{"none", "A: 1\n", "", 4},
	};
	struct packet_walk walk;
	struct armor a;

	(void)state;
	for (size_t i = 0; i < ROWS(same); i++) {
		struct armor_channel channel = {0};
		char lines[256];

		for (int n = 0; n < 6; n++) {
			snprintf(lines, sizeof(lines), "%s\n" DATA "\n" END,
				 n == 0 ? same[i].first : same[i].next);
			armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
			run(&a, lines);
		}
		CHECK_ROW(same[i].label, channel.used == same[i].used);
	}
}

/* The right checksum of DATA is RIGHT_CHECKSUM; two blocks may have any, a third one may not. */
static void armor_checksums_are_text_when_they_are_wrong_again(void **state)
{
	struct packet_walk walk;
	struct armor_channel channel = {0};
	struct armor a;

	(void)state;
	for (int n = 0; n < 4; n++) {
		armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
		run(&a, "\n" DATA "\n=meet\n" END);
		assert_string_equal(a.fault.reason, "");
		assert_int_equal(armor_readable_bytes(&a), n < 2 ? 0 : 5);
		armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
		run(&a, "\n" DATA "\n" END);
		assert_int_equal(armor_readable_bytes(&a), 0);
	}
	armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
	run(&a, "\n" DATA "\n" RIGHT_CHECKSUM "\n" END);
	assert_int_equal(armor_readable_bytes(&a), 0);
	memset(&channel, 0, sizeof(channel));
	armor_begin(&a, ARMOR_MESSAGE, &walk, &channel);
	run(&a, "\n" DATA "\n=words\n" END);
	assert_int_equal(armor_readable_bytes(&a), 6);
}

/* ---- many lines at once ---- */

#define WIDTH 64
#define STRIDE (WIDTH + 2)
#define N_OCTETS 6000 /* beyond the sample; a whole number of lines */

/* Two markers, so that the sample is full at the end of a line; PKESK as in DATA; packet 18 of
 * noise as long as the rest (xorshift). */
static void fill_message(unsigned char octets[N_OCTETS])
{
	static const char head[] = "\xca\x03PGP\xca\x03PGP"
				   "\xc1\x0d\x03\x01\x23\x45\x67\x89\xab\xcd\xef\x01\0\x08\x9f"
				   "\xd2\xff\0\0";
	const size_t n_head = sizeof(head) - 1;
	uint64_t noise = 88172645463325252u;

	memcpy(octets, head, n_head);
	octets[n_head] = (N_OCTETS - n_head - 2) >> 8;
	octets[n_head + 1] = (N_OCTETS - n_head - 2) & 255;
	octets[n_head + 2] = 1;
	for (size_t i = n_head + 3; i < N_OCTETS; i++) {
		noise ^= noise << 13;
		noise ^= noise >> 7;
		noise ^= noise << 17;
		octets[i] = (unsigned char)(noise >> 32);
	}
}

static size_t write_lines(const unsigned char octets[N_OCTETS], char *out)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = 0;

	for (size_t i = 0; i < N_OCTETS; i += 3) {
		const unsigned group = (unsigned)octets[i] << 16 | (unsigned)octets[i + 1] << 8 |
				       octets[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			out[n++] = alphabet[group >> shift & 63];
		if (n % STRIDE == WIDTH) {
			out[n++] = '\r';
			out[n++] = '\n';
		}
	}
	memcpy(out + n, END, sizeof(END));
	return n + sizeof(END) - 1;
}

/* What the block is judged as, its lines one by one or as many at once as armor_run() takes. */
static void judge_lines(const char *lines, size_t len, bool by_run, struct armor *a,
			struct packet_walk *walk)
{
	struct armor_channel channel = {0};
	const char *end = lines + len;
	bool goes_on = true;

	armor_begin(a, ARMOR_MESSAGE, walk, &channel);
	while (lines < end && goes_on) {
		const char *lf;

		if (by_run)
			lines += armor_run(a, (const unsigned char *)lines, (size_t)(end - lines));
		lf = memchr(lines, '\n', (size_t)(end - lines));
		goes_on = armor_line(a, (const unsigned char *)lines, (size_t)(lf - lines));
		lines = lf + 1;
	}
}

static void check_same(const char *lines, size_t len, const char *reason)
{
	struct packet_walk one_walk, many_walk;
	struct armor one, many;

	judge_lines(lines, len, false, &one, &one_walk);
	judge_lines(lines, len, true, &many, &many_walk);
	assert_string_equal(one.fault.reason, reason);
	assert_string_equal(many.fault.reason, reason);
	assert_string_equal(one.fault.detail, many.fault.detail);
	if (reason[0] == '\0')
		assert_memory_equal(&one_walk, &many_walk, sizeof(one_walk));
}

static void armor_many_lines_at_once_give_what_they_give_one_by_one(void **state)
{
	static unsigned char octets[N_OCTETS];
	static char lines[N_OCTETS / 3 * 4 / WIDTH * STRIDE + 64];
	static const char words[] =
		"please+meet+me+at+eight+tonight+behind+the+old+church+and+be+sur";

	(void)state;
	fill_message(octets);
	check_same(lines, write_lines(octets, lines), "");
	for (size_t k = 1; k < N_OCTETS / 48; k++) {
		size_t len = write_lines(octets, lines);

		lines[k * STRIDE + k % WIDTH] = '.';
		check_same(lines, len, "bad-armor");
		write_lines(octets, lines);
		memcpy(lines + k * STRIDE, words, WIDTH);
		check_same(lines, len, "bad-armor");
	}
	/* In the sample a text, seen when that is full; and words before, or at the same time, or
	 * behind. */
	memset(octets + 2000, 'a', CIPHERTEXT_RUN);
	for (size_t k = 1; k < N_OCTETS / 48; k++) {
		size_t len = write_lines(octets, lines);

		memcpy(lines + k * STRIDE, words, WIDTH);
		check_same(lines, len,
			   k < (CIPHERTEXT_SAMPLE + 32) / 48 ? "bad-armor" : "ascii-ciphertext");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(armor_blocks_are_judged_line_by_line),
		cmocka_unit_test(armor_headers_beyond_their_bounds_can_be_read),
		cmocka_unit_test(armor_takes_a_line_in_pieces),
		cmocka_unit_test(armor_without_end_is_truncated),
		cmocka_unit_test(armor_begin_line_is_exact),
		cmocka_unit_test(armor_channel_counts_repeated_lines_once),
		cmocka_unit_test(armor_channel_counts_blocks_that_differ),
		cmocka_unit_test(armor_checksums_are_text_when_they_are_wrong_again),
		cmocka_unit_test(armor_many_lines_at_once_give_what_they_give_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

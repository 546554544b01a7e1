/* SPDX-License-Identifier: ISC */
#include "scan/leaf.h"
#include "scan/text.h"

#include "tests/unit/octets.h"
#include "tests/unit/unit.h"

#define BEGIN "-----BEGIN PGP MESSAGE-----\n"
#define DATA                                                                   \
	"\nwQ0DASNFZ4mrze8BAAif0isBxn6Ba0v74vtU9r3ffBzhhwG/Md5Wcg9HZ2aHWaqI\n" \
	"PFnqVhN70oWh2DxU\n"
#define END "-----END PGP MESSAGE-----\n"
#define ARMORED BEGIN DATA END
#define SIGNATURE                                                                          \
	"-----BEGIN PGP SIGNATURE-----\n\nwhQEAQIDBAUGBwgJCgsMDQ4PEBESEw==\n-----END PGP " \
	"SIGNATURE-----\n"
#define CLEARSIGNED \
	"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nhello\n- -- dashes\n" SIGNATURE

struct row {
	const char *label;
	enum leaf_type type;
	const char *text;
	unsigned n_messages, n_signatures;
	int64_t visible;
	const char *reason;
	bool has_claim, is_clearsigned_only;
};

static const struct row rows[] = {
	{"empty", LEAF_OTHER, "", 0, 0, 0, "", false, false},
	{"blank", LEAF_OTHER, " \r\n\t\n", 0, 0, 0, "", false, false},
	{"text", LEAF_OTHER, "one two\nthree", 0, 0, 11, "", false, false},
	{"armored", LEAF_OTHER, ARMORED, 1, 0, 0, "", true, false},
	{"armored twice", LEAF_TEXT_PLAIN, ARMORED "\n \n" ARMORED, 2, 0, 0, "", true, false},
	{"text before", LEAF_OTHER, "hi\n" ARMORED, 1, 0, 2, "", true, false},
	{"text after", LEAF_OTHER, ARMORED "hi", 1, 0, 2, "", true, false},
	{"no end", LEAF_OTHER, BEGIN DATA, 0, 0, 0, "truncated", true, false},
	{"no end of line", LEAF_OTHER, BEGIN DATA "-----END PGP MESSAGE-----", 1, 0, 0, "", true,
	 false},
	{"rubbish after a fault", LEAF_OTHER, BEGIN "\n!\n" ARMORED "text", 0, 0, 0, "bad-armor",
	 true, false},
	{"byte order mark", LEAF_OTHER, "\xef\xbb\xbf" ARMORED, 0, 0, 28 + 80 + 23, "bad-armor",
	 true, false},
	{"byte order mark and text", LEAF_OTHER, "\xef\xbb\xbfhello there, this is some text", 0, 0,
	 28, "", false, false},
	{"quoted", LEAF_OTHER, "> -----BEGIN PGP MESSAGE-----\n", 0, 0, 26, "", false, false},
	{"HTML", LEAF_HTML, "<p>\n" ARMORED "<br>\n", 1, 0, 0, "", true, false},
	{"HTML and text", LEAF_HTML, ARMORED "x", 0, 0, 25 + 80 + 23 + 1, "", false, false},
	{"HTML that goes on", LEAF_HTML, "<p>\n" ARMORED "<p>x</p>", 0, 0, 3 + 25 + 80 + 23 + 8, "",
	 false, false},
	{"HTML without the end of a tag", LEAF_HTML, ARMORED "<p", 0, 0, 25 + 80 + 23 + 2, "",
	 false, false},
	{"HTML around nothing", LEAF_HTML, "<p>\n<br>&nbsp;</p>", 0, 0, 0, "", false, false},
	{"message", LEAF_MESSAGE, "x\n" ARMORED, 0, 0, 1 + 25 + 80 + 23, "", false, false},
	{"signature leaf", LEAF_PGP_SIGNATURE, SIGNATURE, 0, 1, 0, "", false, false},
	{"signature leaf, text", LEAF_PGP_SIGNATURE, "hi\n" SIGNATURE, 0, 1, 2, "", false, false},
	{"signature leaf, no end", LEAF_PGP_SIGNATURE, "-----BEGIN PGP SIGNATURE-----\n\nwhQE\n", 0,
	 0, 0, "truncated", false, false},
	{"signature leaf, message", LEAF_PGP_SIGNATURE,
	 "-----BEGIN PGP SIGNATURE-----\n\nywdiAAAAAABB\n-----END PGP SIGNATURE-----\n", 0, 0, 25,
	 "unexpected-packet", false, false},
	{"signature elsewhere", LEAF_TEXT_PLAIN, SIGNATURE, 0, 0, 27 + 32 + 25, "", false, false},
	{"clearsigned", LEAF_TEXT_PLAIN, CLEARSIGNED, 0, 0, 11 + 5 + 9, "", false, true},
	{"clearsigned, Charset", LEAF_TEXT_PLAIN,
	 "-----BEGIN PGP SIGNED MESSAGE-----\nCharset: utf-8\n\nhello\n" SIGNATURE, 0, 0, 13 + 5,
	 "", false, true},
	{"clearsigned, unsigned header", LEAF_TEXT_PLAIN,
	 "-----BEGIN PGP SIGNED MESSAGE-----\nComment: no\n\nhello\n" SIGNATURE, 0, 0, 10 + 5, "",
	 false, false},
	{"clearsigned, text after", LEAF_TEXT_PLAIN, CLEARSIGNED "PS", 0, 0, 25 + 2, "", false,
	 false},
	{"clearsigned twice", LEAF_TEXT_PLAIN, CLEARSIGNED CLEARSIGNED, 0, 0, 50, "", false, false},
	{"clearsigned, no signature", LEAF_TEXT_PLAIN,
	 "-----BEGIN PGP SIGNED MESSAGE-----\n\nhello\n", 0, 0, 5, "", false, false},
	{"clearsigned, bad signature", LEAF_TEXT_PLAIN,
	 "-----BEGIN PGP SIGNED MESSAGE-----\n\nhello\n-----BEGIN PGP SIGNATURE-----\n\n!\n", 0, 0,
	 5, "", false, false},
	{"clearsigned, cut signature", LEAF_TEXT_PLAIN,
	 "-----BEGIN PGP SIGNED MESSAGE-----\n\nhello\n-----BEGIN PGP SIGNATURE-----\n\nwhQE", 0, 0,
	 5, "", false, false},
	{"clearsigned, bare dash", LEAF_TEXT_PLAIN,
	 "-----BEGIN PGP SIGNED MESSAGE-----\n\n-\n" SIGNATURE, 0, 0, 1 + 27 + 32 + 25, "", false,
	 false},
	{"message within clearsigned", LEAF_TEXT_PLAIN,
	 "-----BEGIN PGP SIGNED MESSAGE-----\n\nhello\n" ARMORED SIGNATURE, 1, 0, 5 + 27 + 32 + 25,
	 "", true, false},
	{"HTML that is none of ours, the same in pieces", LEAF_HTML, "ab \f\t\xef\xbb\xbf\n", 0, 0,
	 5, "", false, false},
	{"HTML that is none of ours, white space", LEAF_HTML, " \f \f\n\f", 0, 0, 6, "", false,
	 false},
	{"HTML that is none of ours, an empty paragraph", LEAF_HTML, "ab\f\n\xc2\xa0\n", 0, 0, 4,
	 "", false, false},
};

static void feed_in_steps(struct leaf *l, const unsigned char *bytes, size_t len, size_t step)
{
	for (size_t at = 0; at < len; at += step)
		leaf_feed(l, bytes + at, len - at < step ? len - at : step);
	leaf_finish(l);
}

static void leaf_text_is_read_line_by_line(void **state)
{
	static struct leaf l;
	struct armor_channel channel = {0};

	(void)state;
	for (size_t step = 1; step < 1000; step = step * 4 + 1) {
		for (size_t i = 0; i < ROWS(rows); i++) {
			const struct row *r = &rows[i];

			memset(&channel, 0, sizeof(channel)); /* another message */
			leaf_begin(&l, r->type, false, &channel);
			feed_in_steps(&l, (const unsigned char *)r->text, strlen(r->text), step);
			CHECK_ROW(r->label, l.n_messages == r->n_messages);
			CHECK_ROW(r->label, l.n_signatures == r->n_signatures);
			CHECK_ROW(r->label, l.visible_bytes == r->visible);
			CHECK_ROW_TEXT(r->label, l.fault.reason, r->reason);
			CHECK_ROW(r->label, l.has_claim == r->has_claim);
			CHECK_ROW(r->label, l.is_clearsigned_only == r->is_clearsigned_only);
		}
	}
}

struct binary_row {
	const char *label;
	enum leaf_type type;
	const char *octets;
	unsigned n_messages, n_signatures;
	const char *reason;
	bool is_readable;
};

#define PKESK "c1 0d 03 0123456789abcdef 01 0008 9f "
#define SEIPD "d2 64 01 *99 "

static const struct binary_row binary_rows[] = {
	{"message", LEAF_OTHER, PKESK SEIPD, 1, 0, "", false},
	{"marker first", LEAF_OTHER, "ca 03 50 47 50" PKESK SEIPD, 1, 0, "", false},
	{"old format, one octet", LEAF_OTHER, "84 0d 03 0123456789abcdef 01 0008 9f " SEIPD, 1, 0,
	 "", false},
	{"old format, two octets", LEAF_OTHER, "85 000d 03 0123456789abcdef 01 0008 9f " SEIPD, 1,
	 0, "", false},
	{"old format, four octets", LEAF_OTHER, "86 0000000d 03 0123456789abcdef 01 0008 9f " SEIPD,
	 1, 0, "", false},
	{"old format, no length", LEAF_OTHER, "87 03 0123456789abcdef 01 0008 9f " SEIPD, 0, 0, "",
	 true},
	{"five octets of length", LEAF_OTHER,
	 "c1 ff 0000000d 03 0123456789abcdef 01 0008 9f " SEIPD, 1, 0, "", false},
	{"two octets of length", LEAF_OTHER, "c1 c0 0c 03 0123456789abcdef 01 0600 *192 " SEIPD, 1,
	 0, "", false},
	{"password", LEAF_OTHER, "c3 0d 04 09 03 08 *8 60 " SEIPD, 1, 0, "", false},
	{"cut", LEAF_OTHER, PKESK "d2 64 01 *98", 0, 0, "truncated", false},
	{"line end after", LEAF_OTHER, PKESK SEIPD "0d0a", 0, 0, "trailing-data", false},
	{"literal after the key", LEAF_OTHER, PKESK "cb 07 62 00 00000000 41", 0, 0,
	 "not-encrypted", false},
	{"no key", LEAF_OTHER, SEIPD, 0, 0, "", true},
	{"bad key", LEAF_OTHER, "c1 0d 03 0123456789abcdef 01 0009 9f " SEIPD, 0, 0, "", true},
	{"cut key", LEAF_OTHER, "c1 0d 03 0123", 0, 0, "", true},
	{"key of version 4", LEAF_OTHER, "c1 0d 04 0123456789abcdef 01 0008 9f " SEIPD, 0, 0, "",
	 true},
	{"password of version 9", LEAF_OTHER, "c3 0d 09 09 03 08 *8 60 " SEIPD, 0, 0, "", true},
	{"marker of another text", LEAF_OTHER, "ca 03 51 47 50" PKESK SEIPD, 0, 0, "", true},
	{"one octet", LEAF_OTHER, "c1", 0, 0, "", true},
	{"picture", LEAF_OTHER, "89504e470d0a1a0a *40", 0, 0, "", true},
	{"umlaut", LEAF_OTHER, "c38474 *30", 0, 0, "", true},
	{"partial length", LEAF_OTHER, "c1 e0 03 *40", 0, 0, "", true},
	{"signature", LEAF_PGP_SIGNATURE, "c2 14 04 *19", 0, 1, "", false},
	{"signature, old format", LEAF_PGP_SIGNATURE, "88 14 04 *19", 0, 1, "", false},
	{"signature and text", LEAF_PGP_SIGNATURE, "c2 14 04 *19 68656c6c6f", 0, 0, "", true},
	{"signature, cut", LEAF_PGP_SIGNATURE, "c2 14 04 *18", 0, 0, "truncated", false},
	{"signature of version 9", LEAF_PGP_SIGNATURE, "c2 14 09 *19", 0, 0, "", true},
	{"signature elsewhere", LEAF_OTHER, "c2 14 04 *19", 0, 0, "", true},
	{"message as signature", LEAF_PGP_SIGNATURE, PKESK SEIPD, 0, 0, "", true},
};

static void leaf_binary_is_told_from_text_by_its_first_octets(void **state)
{
	static struct leaf l;
	struct armor_channel channel = {0};
	unsigned char octets[1024];

	(void)state;
	for (size_t step = 1; step < 1000; step = step * 4 + 1) {
		for (size_t i = 0; i < ROWS(binary_rows); i++) {
			const struct binary_row *r = &binary_rows[i];
			size_t len = octets_build(r->octets, octets);

			leaf_begin(&l, r->type, false, &channel);
			l.is_opaque_here = true;
			feed_in_steps(&l, octets, len, step);
			CHECK_ROW(r->label, l.n_messages == r->n_messages);
			CHECK_ROW(r->label, l.n_signatures == r->n_signatures);
			CHECK_ROW_TEXT(r->label, l.fault.reason, r->reason);
			CHECK_ROW(r->label, (l.visible_bytes > 0) == r->is_readable);
		}
	}
}

static void leaf_binary_is_refused_where_it_can_be_read(void **state)
{
	static struct leaf l;
	struct armor_channel channel = {0};
	unsigned char message[1024], sig[64];
	size_t len = octets_build(PKESK SEIPD, message),
	       sig_len = octets_build("c2 14 04 *19", sig);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		leaf_begin(&l, LEAF_OTHER, false, &channel);
		l.is_opaque_here = i == 0;
		feed_in_steps(&l, message, len, 7);
		assert_int_equal(l.n_messages, i == 0);
		assert_true(l.has_claim);
		assert_string_equal(l.fault.reason, i == 0 ? "" : "bad-armor");
	}
	leaf_begin(&l, LEAF_PGP_SIGNATURE, false, &channel);
	feed_in_steps(&l, sig, sig_len, 7);
	assert_int_equal(l.n_signatures, 0);
	assert_string_equal(l.fault.reason, "bad-armor");
	leaf_begin(&l, LEAF_TEXT_PLAIN, false, &channel);
	feed_in_steps(&l, (const unsigned char *)ARMORED, strlen(ARMORED), 7);
	assert_int_equal(l.n_messages, 1); /* armor is at home there */
	assert_string_equal(l.fault.reason, "");
}

/* How far it was read as HTML depends on the pieces. */
static void leaf_document_leaves_no_trace_of_its_armor(void **state)
{
	static const char text[] = BEGIN "\nComment: one\n\nwcA\n=twTO\nwords \f and more";
	static struct leaf l;

	(void)state;
	for (size_t step = 1; step < 200; step = step * 3 + 1) {
		struct armor_channel channel = {0};

		leaf_begin(&l, LEAF_HTML, false, &channel);
		feed_in_steps(&l, (const unsigned char *)text, strlen(text), step);
		assert_int_equal(channel.used, 0);
		assert_false(channel.has_first);
		assert_true(l.visible_bytes > 0);
	}
}

/* White space that may be seen, within a line longer than what is kept. */
static void leaf_document_counts_the_same_in_pieces(void **state)
{
	static const char before[] = "<pre>" BEGIN "\nwcA";
	static unsigned char text[6000];
	static struct leaf l;

	(void)state;
	memset(text, 'A', sizeof(text));
	memcpy(text, before, strlen(before));
	memset(text + 100, '\r', 60);
	memcpy(text + sizeof(text) - 6, "\f\nmore", 6);
	for (size_t step = 1; step < 9000; step = step * 3 + 1) {
		struct armor_channel channel = {0};

		leaf_begin(&l, LEAF_HTML, false, &channel);
		feed_in_steps(&l, text, sizeof(text), step);
		assert_int_equal(l.visible_bytes, text_count_visible(text, sizeof(text)));
	}
}

static void leaf_long_lines_are_text(void **state)
{
	static struct leaf l;
	struct armor_channel channel = {0};
	static unsigned char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "-----BEGIN PGP MESSAGE-----", 27);
	memset(text + 27, ' ', 2000); /* trailing white space beyond what is kept, then text */
	for (size_t step = 1; step < 9000; step = step * 9 + 1) {
		leaf_begin(&l, LEAF_OTHER, false, &channel);
		feed_in_steps(&l, text, sizeof(text), step);
		assert_false(l.has_claim);
		assert_int_equal(l.visible_bytes, 25 + 5000 - 2027);
	}
	leaf_begin(&l, LEAF_OTHER, false, &channel);
	leaf_feed(&l, (const unsigned char *)BEGIN "\n", sizeof(BEGIN));
	feed_in_steps(&l, text, sizeof(text), 100);
	assert_string_equal(l.fault.reason, "bad-armor");
}

static void leaf_armor_wants_a_plain_character_set_and_no_nul(void **state)
{
	static struct leaf l;
	struct armor_channel channel = {0};

	(void)state;
	leaf_begin(&l, LEAF_OTHER, true, &channel);
	feed_in_steps(&l, (const unsigned char *)ARMORED, strlen(ARMORED), 50);
	assert_string_equal(l.fault.reason, "bad-charset");
	leaf_begin(&l, LEAF_OTHER, true, &channel);
	feed_in_steps(&l, (const unsigned char *)"hello", 5, 50);
	assert_string_equal(l.fault.reason, "");
	leaf_begin(&l, LEAF_OTHER, false, &channel);
	leaf_feed(&l, (const unsigned char *)"\0\n", 2);
	feed_in_steps(&l, (const unsigned char *)ARMORED, strlen(ARMORED), 50);
	assert_string_equal(l.fault.reason, "bad-armor");
}

static void leaf_texts_that_are_compared_whole(void **state)
{
	static struct leaf l;
	struct armor_channel channel = {0};
	char longer[LEAF_TINY_MAX + 100];

	(void)state;
	leaf_begin(&l, LEAF_OTHER, false, &channel);
	feed_in_steps(&l, (const unsigned char *)"\r\n \nVersion: 1\r\r\n\n", 18, 3);
	assert_true(leaf_text_is(&l, "Version: 1"));
	assert_true(leaf_text_is_control(&l));
	assert_false(leaf_text_is_preamble(&l));
	assert_false(leaf_text_is(&l, "Version: 2"));
	assert_false(leaf_is_empty(&l));
	leaf_begin(&l, LEAF_OTHER, false, &channel);
	feed_in_steps(&l, (const unsigned char *)"Version: 1\nx", 12, 3);
	assert_false(leaf_text_is_control(&l));
	leaf_begin(&l, LEAF_OTHER, false, &channel);
	feed_in_steps(&l, (const unsigned char *)"MIME-Version: 1.0\nVersion: 1", 28, 3);
	assert_false(leaf_text_is_control(&l)); /* only where the type says so */
	leaf_begin(&l, LEAF_PGP_CONTROL, false, &channel);
	feed_in_steps(&l, (const unsigned char *)"MIME-Version: 1.0\nVersion: 1", 28, 3);
	assert_true(leaf_text_is_control(&l));
	leaf_begin(&l, LEAF_OTHER, false, &channel);
	feed_in_steps(&l, (const unsigned char *)"one \r\ntwo\n", 10, 3);
	assert_true(leaf_text_is(&l, "one\ntwo"));
	memset(longer, 'x', sizeof(longer));
	longer[LEAF_TINY_MAX] = '\0';
	leaf_begin(&l, LEAF_OTHER, false, &channel);
	feed_in_steps(&l, (const unsigned char *)longer, sizeof(longer), 70);
	assert_false(leaf_text_is(&l, longer)); /* cut: not the whole text */
	leaf_begin(&l, LEAF_OTHER, false, &channel);
	leaf_finish(&l);
	assert_true(leaf_is_empty(&l));
}

static void leaf_document_that_is_the_whole_body_is_decided_at_once(void **state)
{
	static struct leaf l;
	struct armor_channel channel = {0};

	(void)state;
	leaf_begin(&l, LEAF_HTML, false, &channel);
	l.is_whole_body = true;
	leaf_feed(&l, (const unsigned char *)"\n<q>", 4);
	assert_false(l.is_decided);
	leaf_feed(&l, (const unsigned char *)"\nmore\nand more\n", 15);
	assert_true(l.is_decided);
	leaf_finish(&l);
	assert_int_equal(l.visible_bytes, 3);
}

static void leaf_type_names(void **state)
{
	(void)state;
	assert_int_equal(leaf_type_of("text/plain"), LEAF_TEXT_PLAIN);
	assert_int_equal(leaf_type_of("application/xhtml+xml"), LEAF_HTML);
	assert_int_equal(leaf_type_of("message/partial"), LEAF_MESSAGE);
	assert_int_equal(leaf_type_of("message/global-headers"), LEAF_HEADERS);
	assert_int_equal(leaf_type_of("application/octet-stream"), LEAF_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_text_is_read_line_by_line),
		cmocka_unit_test(leaf_binary_is_told_from_text_by_its_first_octets),
		cmocka_unit_test(leaf_binary_is_refused_where_it_can_be_read),
		cmocka_unit_test(leaf_document_leaves_no_trace_of_its_armor),
		cmocka_unit_test(leaf_document_counts_the_same_in_pieces),
		cmocka_unit_test(leaf_long_lines_are_text),
		cmocka_unit_test(leaf_armor_wants_a_plain_character_set_and_no_nul),
		cmocka_unit_test(leaf_texts_that_are_compared_whole),
		cmocka_unit_test(leaf_document_that_is_the_whole_body_is_decided_at_once),
		cmocka_unit_test(leaf_type_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

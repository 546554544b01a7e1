/* SPDX-License-Identifier: ISC */
#include "scan/scan.h"

#include <malloc.h>

#include "scan/message.h"
#include "tests/unit/unit.h"

#define ARMORED                                                              \
	"-----BEGIN PGP MESSAGE-----\n\n"                                    \
	"wQ0DASNFZ4mrze8BAAif0isBxn6Ba0v74vtU9r3ffBzhhwG/Md5Wcg9HZ2aHWaqI\n" \
	"PFnqVhN70oWh2DxU\n-----END PGP MESSAGE-----\n"

static void feed(struct scan *s, const char *header, const char *body, struct scan_facts *facts)
{
	if (header)
		scan_header(s, (const unsigned char *)"Content-Type", 12,
			    (const unsigned char *)header, strlen(header));
	scan_end_of_header(s);
	scan_body(s, (const unsigned char *)body, strlen(body));
	scan_finish(s, facts);
}

/* Two messages through one scan, in both orders: the second must be judged as if it were alone. */
static void scan_reset_leaves_nothing_of_the_message_before(void **state)
{
	static const struct {
		const char *type, *body;
	} messages[] = {
		{NULL, ARMORED},
		{NULL, "cleartext\n"},
		{NULL, "-----BEGIN PGP MESSAGE-----\n\nnonsense here\n"},
		{"multipart/mixed; boundary=x",
		 "--x\n\nhello\n--x\nContent-Type: text/html\n\n" ARMORED "--x"},
		{"multipart/mixed; boundary=x",
		 "--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\n" ARMORED},
		{"text/plain; charset=utf-7", ARMORED},
		{"application/pkcs7-mime", "0\200\006\t*\206H\206\367\r\001\a\003\240"},
		{"text/html", "<q>"},
		{"multipart/mixed; boundary=x; boundary=y", ""},
		{NULL, ""},
	};
	struct scan *alone = scan_new(), *shared = scan_new();

	(void)state;
	for (size_t a = 0; a < ROWS(messages); a++) {
		for (size_t b = 0; b < ROWS(messages); b++) {
			struct scan_facts first, second, want;

			memset(&second, 0, sizeof(second));
			memset(&want, 0, sizeof(want));
			scan_reset(shared);
			feed(shared, messages[a].type, messages[a].body, &first);
			scan_reset(shared);
			feed(shared, messages[b].type, messages[b].body, &second);
			scan_free(alone);
			alone = scan_new();
			feed(alone, messages[b].type, messages[b].body, &want);
			assert_memory_equal(&second, &want, sizeof(want));
		}
	}
	scan_free(alone);
	scan_free(shared);
}

static void scan_reset_forgets_the_header(void **state)
{
	struct scan *s = scan_new();
	struct scan_facts facts;

	(void)state;
	scan_header(s, (const unsigned char *)"Subject", 7, (const unsigned char *)"hello", 5);
	scan_header(s, (const unsigned char *)"Secure-Join", 11,
		    (const unsigned char *)"vc-request", 10);
	feed(s, NULL, ARMORED, &facts);
	assert_false(facts.is_subject_hidden);
	scan_reset(s);
	feed(s, "multipart/mixed; boundary=x", "--x\n\nSecure-Join: vc-request\n--x--\n", &facts);
	assert_true(facts.is_subject_hidden);
	assert_false(facts.is_securejoin);
	scan_free(s);
}

static void scan_body_says_when_nothing_can_change(void **state)
{
	static const char more[] = "more and more\n";
	struct scan *s = scan_new();

	(void)state;
	assert_false(scan_body(s, (const unsigned char *)"hello\n", 6)); /* armor may come */
	assert_true(scan_body(
		s, (const unsigned char *)"-----BEGIN PGP MESSAGE-----\n\nfull of text\n", 43));
	assert_true(scan_body(s, (const unsigned char *)more, sizeof(more) - 1));
	scan_reset(s);
	scan_header(s, (const unsigned char *)"Content-Type", 12,
		    (const unsigned char *)"text/html", 9);
	assert_false(scan_body(s, (const unsigned char *)"\n\n", 2));
	assert_true(scan_body(s, (const unsigned char *)"<q>\n",
			      4)); /* a document is read by everyone */
	scan_free(s);
}

static void note_depth(void *context, const struct scan_part *part)
{
	char *text = context;

	snprintf(text + strlen(text), 200, "%u[%s]%s ", part->depth, part->path, part->type);
}

static void scan_observer_hears_of_every_part_at_its_end(void **state)
{
	char text[1024] = "";
	struct scan *s = scan_new();
	struct scan_facts facts;

	(void)state;
	scan_observe(s, note_depth, text);
	feed(s, "multipart/mixed; boundary=x",
	     "--x\nContent-Type: multipart/alternative; boundary=y\n\n--y\n\na\n--y\n"
	     "Content-Type: text/html\n\nb\n--y--\n--x\nContent-Type: IMAGE/png\n\nc\n--x--\n",
	     &facts);
	assert_string_equal(
		text, "2[1.1]text/plain 2[1.2]text/html 1[1]multipart/alternative 1[2]image/png "
		      "0[]multipart/mixed ");
	scan_free(s);
}

static void scan_reports_key_ids(void **state)
{
	struct scan *s = scan_new();
	struct scan_facts facts;

	(void)state;
	feed(s, NULL, ARMORED "\n" ARMORED, &facts);
	assert_int_equal(facts.n_messages, 2);
	assert_int_equal(facts.n_session_keys, 2);
	assert_int_equal(facts.n_key_ids, 2);
	assert_true(facts.key_ids[0] == 0x0123456789abcdef);
	scan_free(s);
}

/* 64 MB of what parsers like least, and not one octet of memory more than at the beginning. */
static void scan_memory_does_not_grow_with_the_message(void **state)
{
	static const char *const pieces[] = {
		"--x\nContent-Type: multipart/mixed; boundary=y\n\n--y\n\n",
		"no line end at all ",
		"-----BEGIN PGP SIGNED MESSAGE-----\n\n- -\n",
		"=41= \n=",
		"--y\n",
		"\n",
	};
	size_t before = mallinfo2().uordblks, made, after;
	struct scan *s = scan_new();
	struct scan_facts facts;

	(void)state;
	made = mallinfo2().uordblks;
	if (made == 0) { /* a sanitizer's allocator, which does not count */
		scan_free(s);
		skip();
	}
	assert_in_range(made - before, 1, SCAN_MEMORY_MAX);
	for (size_t i = 0; i < ROWS(pieces); i++) {
		scan_reset(s);
		scan_header(s, (const unsigned char *)"Content-Type", 12,
			    (const unsigned char *)"multipart/mixed; boundary=x", 27);
		scan_end_of_header(s);
		for (size_t fed = 0; fed < 10 << 20; fed += strlen(pieces[i]))
			scan_body(s, (const unsigned char *)pieces[i], strlen(pieces[i]));
		scan_finish(s, &facts);
		after = mallinfo2().uordblks;
		assert_int_equal(after, made);
	}
	scan_free(s);
	assert_int_equal(mallinfo2().uordblks, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_reset_leaves_nothing_of_the_message_before),
		cmocka_unit_test(scan_reset_forgets_the_header),
		cmocka_unit_test(scan_body_says_when_nothing_can_change),
		cmocka_unit_test(scan_observer_hears_of_every_part_at_its_end),
		cmocka_unit_test(scan_reports_key_ids),
		cmocka_unit_test(scan_memory_does_not_grow_with_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC
 *
 * What the centre of a site says, held against what it may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sync/answer.h"
#include "tests/unit/unit.h"

#define NOW 1800000000
#define UUID "01234567-89ab-cdef-0123-456789abcdef"
#define HEAD                                                  \
	"\"site\":\"" UUID "\",\"mark\":\"" UUID              \
	"\",\"started\":\"5 1\",\"version\":2,\"feed_no\":7," \
	"\"pushed\":3,\"now_ms\":1800000000000,\"hash_check\":null,"
#define CHANGE(no)                                                          \
	"{\"no\":" no ",\"mark\":\"" UUID                                   \
	"\",\"time\":5,\"author\":\"a\",\"what\":\"rules\",\"owner\":null," \
	"\"undoes\":null,\"n_rows\":1,\"detail\":{\"paused_until\":0}}"
#define DIGEST "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

static void an_item_of_the_feed_is_good_or_left_out(void **state)
{
	static const struct {
		const char *label, *item;
		bool is_good;
	} rows[] = {
		{"pair", "[\"pair\",\"net.x@a\",\"org.y@b\",\"\",5,6]", true},
		{"pair, one more element", "[\"pair\",\"net.x@a\",\"org.y@b\",\"\",5,6,7]", true},
		{"pair, first after last", "[\"pair\",\"net.x@a\",\"org.y@b\",\"\",7,6]", false},
		{"pair, never first", "[\"pair\",\"net.x@a\",\"org.y@b\",\"\",0,6]", false},
		{"pair, no recipient", "[\"pair\",\"net.x@a\",\"\",\"\",5,6]", false},
		{"pair, no sender", "[\"pair\",\"\",\"b\",\"\",5,6]", false},
		{"pair, something more", "[\"pair\",\"a\",\"b\",\"c\",5,6]", false},
		{"pair, just now", "[\"pair\",\"a\",\"b\",\"\",5,1800000300]", true},
		{"pair, to come", "[\"pair\",\"a\",\"b\",\"\",5,1800000301]", false},
		{"pair, text for a time", "[\"pair\",\"a\",\"b\",\"\",5,\"6\"]", false},
		{"pair, a fraction", "[\"pair\",\"a\",\"b\",\"\",5,6.5]", false},
		{"pair, null", "[\"pair\",\"a\",null,\"\",5,6]", false},
		{"window", "[\"window\",\"a\",\"b\",\"\",6,6]", true},
		{"window that never closes", "[\"window\",\"a\",\"b\",\"\",6,9223372036854775807]",
		 false},
		{"window before time", "[\"window\",\"a\",\"b\",\"\",-1,6]", false},
		{"bounce", "[\"bounce\",\"a\",\"\",\"\",6,6]", true},
		{"bounce with a recipient", "[\"bounce\",\"a\",\"b\",\"\",6,6]", false},
		{"split", "[\"split\",\"a\",\"b\",\"100:" DIGEST "\",3,6]", true},
		{"split that is over", "[\"split\",\"a\",\"b\",\"100:" DIGEST "\",4,6]", true},
		{"split, other flags", "[\"split\",\"a\",\"b\",\"100:" DIGEST "\",8,6]", false},
		{"split, no size", "[\"split\",\"a\",\"b\",\":" DIGEST "\",3,6]", false},
		{"split, huge size",
		 "[\"split\",\"a\",\"b\",\"9999999999999999999:" DIGEST "\",3,6]", false},
		{"split, short digest", "[\"split\",\"a\",\"b\",\"100:AB\",3,6]", false},
		{"split, lower case", "[\"split\",\"a\",\"b\",\"1:a" DIGEST "\",3,6]", false},
		{"count", "[\"count\",\"a\",\"" UUID "\",\"20833\",3,1800000000]", true},
		{"count of a host without an id", "[\"count\",\"a\",\"mx1\",\"20833\",3,6]", false},
		{"count of a day to come", "[\"count\",\"a\",\"" UUID "\",\"20840\",3,6]", false},
		{"count, no day", "[\"count\",\"a\",\"" UUID "\",\"\",3,6]", false},
		{"count, too many", "[\"count\",\"a\",\"" UUID "\",\"20833\",1000001,6]", false},
		{"a kind to come", "[\"later\",\"a\",\"b\",\"c\",1,2]", false},
		{"too short", "[\"pair\",\"a\",\"b\",\"\",5]", false},
		{"no array", "{\"pair\":1}", false},
		{"nothing", "null", false},
	};
	char text[800], long_key[700];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *item = json_loads(rows[i].item, JSON_DECODE_ANY, NULL);

		if (answer_item_is_good(item, NOW) != rows[i].is_good)
			fail_msg("%s", rows[i].label);
		json_decref(item);
	}
	memset(long_key, 'x', sizeof long_key);
	for (int len = 511; len <= 512; len++) {
		json_t *item;

		snprintf(text, sizeof text, "[\"pair\",\"%.*s\",\"b\",\"\",5,6]", len, long_key);
		item = json_loads(text, 0, NULL);
		assert_int_equal(answer_item_is_good(item, NOW), len == 511);
		json_decref(item);
	}
}

static void an_answer_is_believed_or_not(void **state)
{
	static const struct {
		const char *label, *text;
		int result;
		bool needs_snapshot;
		size_t n_feed, n_bad;
	} rows[] = {
		{"nothing new", "{" HEAD "\"no\":4,\"snapshot\":false,\"changes\":[],\"feed\":[]}",
		 0, false, 0, 0},
		{"the next change",
		 "{" HEAD "\"no\":5,\"snapshot\":false,\"changes\":[" CHANGE("5") "],\"feed\":[]}",
		 0, false, 0, 0},
		{"two",
		 "{" HEAD "\"no\":6,\"snapshot\":false,\"changes\":[" CHANGE("5") "," CHANGE(
			 "6") "],\"feed\":[]}",
		 0, false, 0, 0},
		{"one is missing",
		 "{" HEAD "\"no\":6,\"snapshot\":false,\"changes\":[" CHANGE("6") "],\"feed\":[]}",
		 0, true, 0, 0},
		{"one between is missing",
		 "{" HEAD "\"no\":7,\"snapshot\":false,\"changes\":[" CHANGE("5") "," CHANGE(
			 "7") "],\"feed\":[]}",
		 0, true, 0, 0},
		{"one twice",
		 "{" HEAD "\"no\":5,\"snapshot\":false,\"changes\":[" CHANGE("5") "," CHANGE(
			 "5") "],\"feed\":[]}",
		 0, true, 0, 0},
		{"behind, and nothing comes",
		 "{" HEAD "\"no\":9,\"snapshot\":false,\"changes\":[],\"feed\":[]}", 0, true, 0, 0},
		{"a number that is none",
		 "{" HEAD
		 "\"no\":5,\"snapshot\":false,\"changes\":[" CHANGE("\"5\"") "],\"feed\":[]}",
		 0, true, 0, 0},
		{"it says so", "{" HEAD "\"no\":5,\"snapshot\":true,\"changes\":[],\"feed\":[]}", 0,
		 true, 0, 0},
		{"it says nothing of it", "{" HEAD "\"no\":4,\"changes\":[],\"feed\":[]}", 0, true,
		 0, 0},
		{"good and bad",
		 "{" HEAD "\"no\":4,\"snapshot\":false,\"changes\":[],\"feed\":[[\"bounce\",\"a\","
		 "\"\",\"\",6,6],1]}",
		 0, false, 1, 1},
		{"no feed", "{" HEAD "\"no\":4,\"snapshot\":false,\"changes\":[],\"feed\":null}",
		 -1, false, 0, 0},
		{"no number", "{" HEAD "\"snapshot\":false,\"changes\":[],\"feed\":[]}", -1, false,
		 0, 0},
		{"a number too large",
		 "{" HEAD
		 "\"no\":9223372036854775807,\"snapshot\":false,\"changes\":[],\"feed\":[]}",
		 -1, false, 0, 0},
		{"a number larger than any",
		 "{" HEAD "\"no\":92233720368547758070,\"changes\":[],\"feed\":[]}", -1, false, 0,
		 0},
		{"a negative number",
		 "{" HEAD "\"no\":-1,\"snapshot\":false,\"changes\":[],\"feed\":[]}", -1, false, 0,
		 0},
		{"a NUL", "{" HEAD "\"no\":4,\"x\":\"a\\u0000b\",\"changes\":[],\"feed\":[]}", -1,
		 false, 0, 0},
		{"an array", "[]", -1, false, 0, 0},
		{"nothing", "", -1, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct answer a;
		char err[200] = "";
		const int result = answer_read(rows[i].text, 4, NOW, &a, err, sizeof err);

		if (result != rows[i].result ||
		    (result == 0 && (a.needs_snapshot != rows[i].needs_snapshot ||
				     a.n_feed != rows[i].n_feed || a.n_bad != rows[i].n_bad)))
			fail_msg("%s: %d %s", rows[i].label, result, err);
		if (result != 0)
			assert_true(err[0] != '\0');
		answer_free(&a);
	}
}

/* Each member of the head, too long or of another type. */
static void no_head_is_believed_in_part(void **state)
{
	static const char *const members[] = {"site", "mark",	 "started", "hash_check", "version",
					      "no",   "feed_no", "pushed",  "now_ms"};
	static const char good[] = "{" HEAD
				   "\"no\":4,\"snapshot\":false,\"changes\":[],\"feed\":[]}";
	char long_text[2000], err[200];
	struct answer a;

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		json_t *o = json_loads(good, 0, NULL);
		char *text;

		assert_non_null(o);
		json_object_set_new(o, members[i], json_string(long_text));
		text = json_dumps(o, 0);
		if (answer_read(text, 4, NOW, &a, err, sizeof err) != -1)
			fail_msg("%s", members[i]);
		free(text);
		json_decref(o);
	}
	assert_int_equal(answer_read(good, 4, NOW, &a, err, sizeof err), 0);
	assert_string_equal(a.feed, "[]");
	answer_free(&a);
}

static int allocations_left; /* before one fails; 0: none does */

static void *allocate(size_t size)
{
	if (allocations_left > 0 && --allocations_left == 0)
		return NULL;
	return malloc(size);
}

/* Each allocation fails once: a pair of the feed that is dropped would be told by nobody again. */
static void without_memory_the_feed_is_whole_or_the_answer_is_none(void **state)
{
	static const char item[] = "[\"pair\",\"a\",\"b\",\"\",5,6]";
	char text[4000] = "{" HEAD "\"no\":4,\"snapshot\":false,\"changes\":[],\"feed\":[";
	char err[200];
	struct answer a;
	unsigned n_failed = 0;
	int left;

	(void)state;
	for (int i = 0; i < 40; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? "," : "",
			 item);
	snprintf(text + strlen(text), sizeof text - strlen(text), "]}");
	json_set_alloc_funcs(allocate, free);
	for (int n = 1;; n++) {
		allocations_left = n;
		if (answer_read(text, 4, NOW, &a, err, sizeof err) == 0) {
			if (a.n_feed != 40 || a.needs_snapshot)
				fail_msg("allocation %d: %zu items", n, a.n_feed);
			answer_free(&a);
		} else {
			n_failed++;
		}
		left = allocations_left;
		allocations_left = 0;
		if (left > 0)
			break;
	}
	json_set_alloc_funcs(malloc, free);
	assert_true(n_failed > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_of_the_feed_is_good_or_left_out),
		cmocka_unit_test(an_answer_is_believed_or_not),
		cmocka_unit_test(no_head_is_believed_in_part),
		cmocka_unit_test(without_memory_the_feed_is_whole_or_the_answer_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "cli/bounce_text.h"

#include "tests/unit/unit.h"

static void finds_what_a_bounce_names(void **state)
{
	static const struct {
		const char *label, *text, *queue_id,
			*message_id; /* the first of each, "" for none */
	} rows[] = {
		{"as Postfix writes it",
		 "550 5.7.1 Reference: 4cDmS64YQkz1Xq (in reply to end of DATA)", "4cDmS64YQkz1Xq",
		 ""},
		{"folded", "550 5.7.1\n    Reference:\n    4cDmS64YQkz1Xq (in reply",
		 "4cDmS64YQkz1Xq", ""},
		{"quoted by a mail program", "> 550 5.7.1 Reference:\r\n> 4cDmS64YQkz1Xq",
		 "4cDmS64YQkz1Xq", ""},
		{"in one line, as from cleanup(8)", "is not encrypted - Reference: 461DBA73B37)",
		 "461DBA73B37", ""},
		{"the returned message", "Message-Id: <20261130.1@example.net>\nSubject: x", "",
		 "<20261130.1@example.net>"},
		{"a header that names others", "References: <1@x.test>\nIn-Reply-To: <2@x.test>",
		 "", ""},
		{"no id", "Reference: please see above", "", ""},
		{"at the end", "Reference:", "", ""},
		{"a Message-ID without end", "Message-ID: <abc", "", ""},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct bounce_text found;

		bounce_text_read(rows[i].text, &found);
		CHECK_ROW_TEXT(rows[i].label, found.n_queue_ids > 0 ? found.queue_ids[0] : "",
			       rows[i].queue_id);
		CHECK_ROW_TEXT(rows[i].label, found.n_message_ids > 0 ? found.message_ids[0] : "",
			       rows[i].message_id);
	}
}

static void keeps_each_once_and_not_too_many(void **state)
{
	static char text[200000];
	struct bounce_text found;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		n += (size_t)snprintf(
			text + n, sizeof text - n,
			"Reference: 4cDmS64YQkz%02d Reference: 4cDmS64YQkz%02d Message-ID: <%d@x> ",
			i, i, i);
	bounce_text_read(text, &found);
	assert_int_equal(found.n_queue_ids, BOUNCE_NAMES_MAX);
	assert_int_equal(found.n_message_ids, BOUNCE_NAMES_MAX);
	assert_string_equal(found.queue_ids[1], "4cDmS64YQkz01");
	memset(text, '7', sizeof text - 1);
	memcpy(text, "Reference: ", 11);
	bounce_text_read(text, &found);
	assert_int_equal(found.n_queue_ids, 0);
}

static void tells_queue_ids_from_domains(void **state)
{
	(void)state;
	assert_true(bounce_is_queue_id("4cDmS64YQkz1Xq"));
	assert_true(bounce_is_queue_id("461DBA73B37"));
	assert_true(bounce_is_queue_id("0BULM2xx012345")); /* Sendmail's */
	assert_false(bounce_is_queue_id("example.org"));
	assert_false(bounce_is_queue_id("localhost"));
	assert_false(bounce_is_queue_id(""));
	assert_false(bounce_is_queue_id("*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_a_bounce_names),
		cmocka_unit_test(keeps_each_once_and_not_too_many),
		cmocka_unit_test(tells_queue_ids_from_domains),
	};

	return cmocka_run_group_tests_name("bounce_text", tests, NULL, NULL);
}

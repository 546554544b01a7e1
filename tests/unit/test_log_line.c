/* SPDX-License-Identifier: ISC */
#include "filter/log_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hashed shown;
static char line[LOG_LINE_MAX];

static struct judgement cleartext(void)
{
	struct judgement j = {.verdict = VERDICT_CLEARTEXT, .form = FORM_NONE};

	strcpy(j.reason, "no-openpgp");
	return j;
}

static struct verdict_recipient recipient(const char *address)
{
	return (struct verdict_recipient){
		.address = address,
		.requirement = REQUIREMENT_ENCRYPTED,
		.source = SOURCE_DEFAULT,
	};
}

static struct verdict_record record(const struct judgement *j, const struct verdict_recipient *r,
				    size_t n)
{
	return (struct verdict_record){
		.queue_id = "4ABC",
		.client = "192.0.2.1",
		.sender = "a@x.test",
		.judgement = j,
		.action = ACTION_REFUSE,
		.would = ACTION_REFUSE,
		.recipients = r,
		.n_recipients = n,
		.size_bytes = 1234,
	};
}

static void log_line_plain_is_as_documented(void **state)
{
	struct judgement j = cleartext();
	struct verdict_recipient to = recipient("b@y.test");
	struct verdict_record r = record(&j, &to, 1);

	(void)state;
	assert_string_equal(log_line_format(&r, &shown, line, sizeof line),
			    "4ABC: verdict=cleartext form=none reason=no-openpgp action=refuse "
			    "from=<a@x.test> to=<b@y.test> requirement=encrypted rule=default "
			    "size=1234 client=192.0.2.1");
}

static void log_line_null_sender_rule_number_and_no_client(void **state)
{
	struct judgement j = cleartext();
	struct verdict_recipient to = recipient("b@y.test");
	struct verdict_record r = record(&j, &to, 1);

	(void)state;
	to.source = SOURCE_RULE;
	to.rule_id = 12;
	to.requirement = REQUIREMENT_EXEMPT;
	r.sender = "<>";
	r.client = "";
	r.queue_id = NULL;
	r.action = ACTION_ACCEPT;
	assert_string_equal(
		log_line_format(&r, &shown, line, sizeof line),
		"NOQUEUE: verdict=cleartext form=none reason=no-openpgp action=accept "
		"would=refuse from=<> to=<b@y.test> requirement=exempt rule=12 size=1234");
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word))
		n++;
	return n;
}

static void log_line_many_recipients_are_counted(void **state)
{
	struct judgement j = cleartext();
	struct verdict_recipient to[9];
	struct verdict_record r;

	(void)state;
	for (size_t i = 0; i < 9; i++)
		to[i] = recipient("b@y.test");
	r = record(&j, to, 8);
	log_line_format(&r, &shown, line, sizeof line);
	assert_int_equal(count(line, " to=<"), 8);
	assert_int_equal(count(line, " nrcpt="), 0);
	r = record(&j, to, 9);
	log_line_format(&r, &shown, line, sizeof line);
	assert_int_equal(count(line, " to=<"), 8);
	assert_int_equal(count(line, " nrcpt=9 size="), 1);
}

static void log_line_nobody_writes_fields_of_his_own(void **state)
{
	static const char *const evil[] = {
		"a> action=accept to=<b@y.test",
		"a\nX: y@y.test",
		"a\r\n@y.test",
		"a\033[2J@y.test",
		"a\xe2\x80\xae@y.test",
		"a\xff@y.test",
	};
	struct judgement j = cleartext();

	(void)state;
	for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
		struct verdict_recipient to = recipient(evil[i]);
		struct verdict_record r = record(&j, &to, 1);

		r.sender = evil[i];
		r.queue_id = evil[i];
		r.client = evil[i];
		log_line_format(&r, &shown, line, sizeof line);
		assert_int_equal(count(line, " action="), 1);
		assert_int_equal(count(line, " to=<"), 1);
		for (const char *p = line; *p != '\0'; p++)
			assert_true((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	}
}

static void log_line_longest_fits(void **state)
{
	struct judgement j = cleartext();
	struct verdict_recipient to[100];
	struct verdict_record r;
	char address[ADDRESS_MAX + 1];

	(void)state;
	memset(address, ' ', sizeof address);
	address[ADDRESS_MAX] = '\0';
	for (size_t i = 0; i < 100; i++) {
		to[i] = recipient(address);
		to[i].rule_id = INT64_MAX;
	}
	r = record(&j, to, 100);
	r.sender = r.client = r.queue_id = address;
	log_line_format(&r, &shown, line, sizeof line);
	assert_non_null(strstr(line, " nrcpt=100 size=1234 client="));
	assert_true(strlen(line) < sizeof line - 1);
}

static void log_line_small_buffer_is_not_overrun(void **state)
{
	struct judgement j = cleartext();
	struct verdict_recipient to = recipient("b@y.test");
	struct verdict_record r = record(&j, &to, 1);

	(void)state;
	for (size_t size = 1; size < 200; size++) {
		memset(line, '#', sizeof line);
		log_line_format(&r, &shown, line, size);
		assert_true(strlen(line) < size);
		assert_int_equal(line[size], '#');
	}
}

static void log_line_hashed_shows_no_address(void **state)
{
	struct hashed hashed = {.is_on = true, .has_key = true};
	struct judgement j = cleartext();
	struct verdict_recipient to = recipient("b@y.test");
	struct verdict_record r = record(&j, &to, 1);

	(void)state;
	log_line_format(&r, &hashed, line, sizeof line);
	assert_null(strstr(line, "x.test"));
	assert_null(strstr(line, "y.test"));
	assert_null(strstr(line, "192.0.2.1"));
	assert_non_null(strstr(line, " from=<h:"));
	assert_non_null(strstr(line, " to=<h:"));
	assert_non_null(strstr(line, " client=h:"));
	r.sender = "<>";
	log_line_format(&r, &hashed, line, sizeof line);
	assert_non_null(strstr(line, " from=<> "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_line_plain_is_as_documented),
		cmocka_unit_test(log_line_null_sender_rule_number_and_no_client),
		cmocka_unit_test(log_line_many_recipients_are_counted),
		cmocka_unit_test(log_line_nobody_writes_fields_of_his_own),
		cmocka_unit_test(log_line_longest_fits),
		cmocka_unit_test(log_line_small_buffer_is_not_overrun),
		cmocka_unit_test(log_line_hashed_shows_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

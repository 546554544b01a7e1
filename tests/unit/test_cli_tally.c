/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/tally.h"

#define DAY 86400

static struct report_row row_at(int64_t time_unix, const char *sender, enum verdict v,
				enum action a, enum action would)
{
	struct report_row row = {.time_unix = time_unix,
				 .sender = sender,
				 .size_bytes = 10,
				 .action = a,
				 .would = would};

	row.judgement.verdict = v;
	return row;
}

static void tally_counts_by_everything(void **state)
{
	struct report_recipient recipients[] = {{.address = "a@x.test"}, {.address = "b@x.test"}};
	struct report_row rows[] = {
		row_at(5 * DAY, "s@one.test", VERDICT_ENCRYPTED, ACTION_ACCEPT, ACTION_ACCEPT),
		row_at(5 * DAY + 9, "t@one.test", VERDICT_CLEARTEXT, ACTION_REFUSE, ACTION_REFUSE),
		row_at(6 * DAY, "<>", VERDICT_CLEARTEXT, ACTION_ACCEPT, ACTION_QUARANTINE),
		row_at(6 * DAY, "<>", VERDICT_CLEARTEXT, ACTION_SPLIT, ACTION_SPLIT),
	};
	struct tally t = {.total = {0}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		rows[i].recipients = recipients;
		rows[i].n_recipients = i == 0 ? 2 : 1;
		tally_add(&t, &rows[i]);
	}
	assert_int_equal(t.total.n_messages, 4);
	assert_int_equal(t.total.n_encrypted, 1);
	assert_int_equal(t.total.n_refused, 1);
	assert_int_equal(t.total.n_would, 1);
	assert_int_equal(t.total.n_deferred, 1);
	assert_int_equal(t.total.bytes, 40);
	assert_int_equal(t.by[TALLY_DAY].n, 2);
	assert_int_equal(sums_get(&t.by[TALLY_DAY], "1970-01-06")->n_messages, 2);
	assert_int_equal(sums_get(&t.by[TALLY_DOMAIN], "one.test")->n_messages, 2);
	assert_int_equal(sums_get(&t.by[TALLY_SENDER], "<>")->n_would, 1);
	assert_int_equal(sums_get(&t.by[TALLY_RECIPIENT], "a@x.test")->n_messages, 4);
	assert_int_equal(sums_get(&t.by[TALLY_RECIPIENT], "b@x.test")->n_messages, 1);
	assert_int_equal(t.by_verdict[VERDICT_CLEARTEXT], 3);
	tally_free(&t);
}

static void tally_counts_by_what_is_wanted(void **state)
{
	struct report_recipient recipient = {.address = "a@x.test"};
	struct report_row row = row_at(5 * DAY, "s@one.test", VERDICT_ENCRYPTED, ACTION_ACCEPT,
				       ACTION_ACCEPT);
	struct tally t = {.only = 1u << TALLY_SENDER | 1u << TALLY_VERDICT};

	(void)state;
	row.recipients = &recipient;
	row.n_recipients = 1;
	tally_add(&t, &row);
	assert_int_equal(t.total.n_messages, 1);
	assert_int_equal(t.by[TALLY_SENDER].n, 1);
	assert_int_equal(t.by[TALLY_VERDICT].n, 1);
	assert_int_equal(t.by[TALLY_DAY].n + t.by[TALLY_RECIPIENT].n + t.by[TALLY_DOMAIN].n, 0);
	tally_free(&t);
}

static void sums_sort_and_limit(void **state)
{
	struct sums s = {.n = 0};
	char key[32];

	(void)state;
	for (int i = 0; i < SUMS_MAX + 100; i++) {
		snprintf(key, sizeof(key), "key%d", i);
		sums_get(&s, key)->n_messages += i % 1000;
	}
	assert_int_equal(s.n, SUMS_MAX + 1); /* and the others */
	assert_int_equal(sums_get(&s, "key7")->n_messages, 7);
	assert_string_equal(sums_get(&s, "one more")->key, SUMS_OTHERS);
	sums_sort(&s, SUMS_BY_MESSAGES);
	for (size_t i = 1; i < s.n; i++)
		assert_true(s.list[i - 1]->n_messages >= s.list[i]->n_messages);
	sums_sort(&s, SUMS_BY_KEY);
	for (size_t i = 1; i < s.n; i++)
		assert_true(strcmp(s.list[i - 1]->key, s.list[i]->key) < 0);
	sums_free(&s);
}

static void tally_domain_and_day(void **state)
{
	char day[TALLY_DAY_MAX];

	(void)state;
	assert_string_equal(tally_domain("a@b@c.test"), "c.test");
	assert_string_equal(tally_domain("<>"), "<>");
	assert_string_equal(tally_day(0, day), "1970-01-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tally_counts_by_everything),
		cmocka_unit_test(tally_counts_by_what_is_wanted),
		cmocka_unit_test(sums_sort_and_limit),
		cmocka_unit_test(tally_domain_and_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

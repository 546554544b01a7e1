/* SPDX-License-Identifier: ISC */
#include "tests/unit/db_fixture.h"

#include "db/record/answer_times.h"
#include "db/verdict_log.h"

static struct histogram read_back(struct db *d)
{
	struct histogram h = {.n = {0}};

	assert_int_equal(db_begin_read(d), 0);
	assert_int_equal(db_end(d, answer_times_read(d, &h)), 0);
	return h;
}

static void write_twice_is_added_up_and_empties(void **state)
{
	static const struct histogram empty;
	struct histogram h = {.n = {0}}, wanted = {.n = {0}}, got;
	struct fixture f;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	for (int round = 0; round < 2; round++) {
		for (int64_t us = 1; us < 100000000; us *= 7) {
			histogram_add(&h, us);
			histogram_add(&wanted, us);
		}
		assert_int_equal(answer_times_write(d, &h), 0);
		assert_memory_equal(&h, &empty, sizeof h);
	}
	assert_int_equal(answer_times_write(d, &h), 0);
	db_close(d);
	d = fixture_open(&f, DB_READ);
	got = read_back(d);
	assert_memory_equal(&got, &wanted, sizeof got);
	db_close(d);
	fixture_end(&f);
}

static void write_that_fails_keeps_what_there_was(void **state)
{
	struct histogram h = {.n = {0}};
	struct fixture f;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_READ);
	histogram_add(&h, 70);
	assert_int_equal(answer_times_write(d, &h), -1);
	assert_int_equal(h.n[1], 1);
	assert_int_equal(h.sum_us[1], 70);
	db_close(d);
	fixture_end(&f);
}

static void bound_of_another_version_counts_with_the_next_greater(void **state)
{
	struct histogram h;
	struct fixture f;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(
		sqlite3_exec(d->handle,
			     "INSERT INTO answer_time VALUES (60, 3, 170), (20000000, 1, 15000000)",
			     NULL, NULL, NULL),
		SQLITE_OK);
	h = read_back(d);
	assert_int_equal(h.n[1], 3); /* up to 100 */
	assert_int_equal(h.sum_us[1], 170);
	assert_int_equal(h.n[HISTOGRAM_BOUNDS], 1);
	db_close(d);
	fixture_end(&f);
}

static void verdict_log_writes_them_at_its_end(void **state)
{
	struct verdict_log *l;
	struct fixture f;
	struct db *d;
	char err[DB_ERROR_MAX];

	(void)state;
	fixture_begin(&f);
	l = verdict_log_start(f.settings, err, sizeof err);
	assert_non_null(l);
	for (int i = 0; i < 5; i++)
		verdict_log_took(l, 3000);
	verdict_log_stop(l);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(read_back(d).n[6], 5);
	assert_int_equal(read_back(d).sum_us[6], 15000);
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_twice_is_added_up_and_empties),
		cmocka_unit_test(write_that_fails_keeps_what_there_was),
		cmocka_unit_test(bound_of_another_version_counts_with_the_next_greater),
		cmocka_unit_test(verdict_log_writes_them_at_its_end),
	};

	return cmocka_run_group_tests_name("answer_times", tests, NULL, NULL);
}

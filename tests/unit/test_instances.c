/* SPDX-License-Identifier: ISC */
#include "policyd/instances.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void mark(struct instances *i, const char *name, int64_t now_s)
{
	instances_get(i, name, now_s)->n = 1;
}

static size_t marks_of(struct instances *i, const char *name, int64_t now_s)
{
	return instances_get(i, name, now_s)->n;
}

static void instances_keeps_what_was_set(void **state)
{
	struct instances *i = instances_new();

	(void)state;
	mark(i, "a", 0);
	assert_int_equal(marks_of(i, "b", 0), 0);
	assert_int_equal(marks_of(i, "a", 1), 1);
	assert_int_equal(instances_count(i), 2);
	instances_free(i);
}

static void instances_unused_for_the_time_expires(void **state)
{
	struct instances *i = instances_new();

	(void)state;
	mark(i, "a", 100);
	mark(i, "b", 100);
	/* a is used in between, b is not */
	assert_int_equal(marks_of(i, "a", 100 + INSTANCES_EXPIRY_S - 1), 1);
	assert_int_equal(marks_of(i, "b", 100 + INSTANCES_EXPIRY_S), 0);
	assert_int_equal(marks_of(i, "a", 100 + INSTANCES_EXPIRY_S), 1);
	instances_free(i);
}

static void instances_when_full_the_oldest_makes_room(void **state)
{
	struct instances *i = instances_new();
	char name[32];

	(void)state;
	mark(i, "first", 0);
	mark(i, "second", 0);
	for (int n = 0; n < INSTANCES_MAX - 2; n++) {
		snprintf(name, sizeof name, "7b.%x.%d", n * 37, n);
		mark(i, name, 1);
	}
	assert_int_equal(instances_count(i), INSTANCES_MAX);
	assert_int_equal(marks_of(i, "first", 2), 1);
	mark(i, "one more", 2);
	assert_int_equal(instances_count(i), INSTANCES_MAX);
	assert_int_equal(marks_of(i, "first", 2), 1);
	assert_int_equal(marks_of(i, "second", 2), 0);
	instances_free(i);
}

/* Against a plain list, under random use. */
static void instances_random_use_agrees_with_a_list(void **state)
{
	struct instances *i = instances_new();
	enum { NAMES = 6000 };
	static int64_t used[NAMES];
	char name[32];

	(void)state;
	srand(1);
	for (int n = 0; n < NAMES; n++)
		used[n] = -1;
	for (int64_t step = 0; step < 20000; step++) {
		int n = rand() % NAMES;
		int64_t now = step / 4;
		struct policy_split *split;
		size_t newer = 0;

		snprintf(name, sizeof name, "%d", n);
		split = instances_get(i, name, now);
		/* used[] holds steps: how many others were used since? */
		for (int k = 0; used[n] >= 0 && k < NAMES; k++)
			newer += used[k] > used[n];
		if (used[n] >= 0 && newer < INSTANCES_MAX && now - used[n] / 4 < INSTANCES_EXPIRY_S)
			assert_int_equal(split->n, 1);
		else
			assert_int_equal(split->n, 0);
		split->n = 1;
		used[n] = step;
		assert_true(instances_count(i) <= INSTANCES_MAX);
	}
	instances_free(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_keeps_what_was_set),
		cmocka_unit_test(instances_unused_for_the_time_expires),
		cmocka_unit_test(instances_when_full_the_oldest_makes_room),
		cmocka_unit_test(instances_random_use_agrees_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/clock_watch.h"

#define NOW INT64_C(1800000000)
#define IN_2106 INT64_C(4294967290)
#define HOUR_MS CLOCK_WATCH_STEADY_MS

static void test_is_believed_after_an_hour_without_a_jump(void **state)
{
	static const struct {
		const char *label;
		int64_t at_ms, now_unix;
		bool is_steady;
	} rows[] = {
		{"the start", 500, NOW, false},
		{"a second later", 1500, NOW + 1, false},
		{"not yet an hour", HOUR_MS, NOW + 3600, false},
		{"an hour", HOUR_MS + 500, NOW + 3600, true},
		{"slewed by some seconds", HOUR_MS + 10500, NOW + 3640, true},
		{"2106", HOUR_MS + 11500, IN_2106, false},
		{"three seconds later", HOUR_MS + 14500, IN_2106 + 3, false},
		{"set right", HOUR_MS + 15500, NOW + 3645, false},
		{"an hour after 2106", 2 * HOUR_MS + 15000, NOW + 7244, false},
		{"an hour after that", 2 * HOUR_MS + 15500, NOW + 7245, true},
		{"back by a day", 2 * HOUR_MS + 16500, NOW + 7246 - 86400, false},
		{"and an hour", 3 * HOUR_MS + 16500, NOW + 10846 - 86400, true},
	};
	struct clock_watch w = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (clock_watch_is_steady(&w, rows[i].now_unix, rows[i].at_ms) != rows[i].is_steady)
			fail_msg("%s", rows[i].label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_believed_after_an_hour_without_a_jump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

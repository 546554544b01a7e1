/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "db/engine/pause_time.h"

#define NOW INT64_C(1800000000)
#define HOUR_S 3600

static void test_ends_in_time_whatever_the_clock_says(void **state)
{
	static const struct {
		const char *label;
		int64_t until_unix, now_unix, boot_s;
		bool is_on;
	} rows[] = {
		{"none", 0, NOW, 100, false},
		{"begun", NOW + HOUR_S, NOW, 100, true},
		{"half an hour", NOW + HOUR_S, NOW + 1800, 1900, true},
		{"the clock goes back by a day", NOW + HOUR_S, NOW + 1801 - 86400, 1901, true},
		{"the hour is not over", NOW + HOUR_S, NOW + 3599 - 86400, 3699, true},
		{"the hour is over", NOW + HOUR_S, NOW + 3600 - 86400, 3700, false},
		{"the clock is right again", NOW + HOUR_S, NOW + 3700, 3800, false},
		{"another one", NOW + 3 * HOUR_S, NOW + 2 * HOUR_S, 7300, true},
		{"made longer", NOW + 4 * HOUR_S, NOW + 2 * HOUR_S, 7300, true},
		{"over by the clock", NOW + 4 * HOUR_S, NOW + 4 * HOUR_S, 7301, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (pause_is_on_at(rows[i].until_unix, rows[i].now_unix, rows[i].boot_s * 1000) !=
		    rows[i].is_on)
			fail_msg("%s", rows[i].label);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends_in_time_whatever_the_clock_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

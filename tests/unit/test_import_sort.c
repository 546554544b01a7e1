/* SPDX-License-Identifier: ISC */
#include "cli/import_sort.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

/* Any order; those of one recipient as they came. */
static void import_sort_is_stable_at_every_length(void **state)
{
	(void)state;
	for (size_t n = 0; n < 2100; n += 1 + n / 6) {
		struct import_sort s = {0};
		char recipient[40], line[40];

		for (size_t i = 0; i < n; i++) {
			const char *kept;

			snprintf(recipient, sizeof(recipient), "user%zu@example.org",
				 i * 7919 % 101);
			snprintf(line, sizeof(line), "%zu", i);
			kept = import_sort_keep(&s, line);
			assert_non_null(kept);
			assert_int_equal(import_sort_add(&s, recipient, kept, (int)(i % 2)), 0);
		}
		import_sort_end(&s);
		assert_int_equal(s.n, n);
		for (size_t i = 0; i < n; i++) {
			const size_t came = strtoul(s.list[i].line, NULL, 10);
			int order;

			snprintf(recipient, sizeof(recipient), "user%zu@example.org",
				 came * 7919 % 101);
			assert_string_equal(s.list[i].recipient, recipient);
			assert_int_equal(s.list[i].which, came % 2);
			if (i == 0)
				continue;
			order = strcmp(s.list[i - 1].recipient, s.list[i].recipient);
			assert_true(order <= 0);
			assert_true(order < 0 || strtoul(s.list[i - 1].line, NULL, 10) < came);
		}
		import_sort_reset(&s);
		assert_int_equal(s.n, 0);
	}
}

static void import_sort_says_when_it_is_full(void **state)
{
	static char line[8000];
	struct import_sort s = {0};
	size_t n = 0;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	while (!import_sort_is_full(&s)) {
		assert_int_equal(import_sort_add(&s, "a@x.test", import_sort_keep(&s, line), 0), 0);
		n++;
	}
	assert_in_range(n * sizeof(line), IMPORT_SORT_BYTES_MAX * 9 / 10, IMPORT_SORT_BYTES_MAX);
	import_sort_reset(&s);
	assert_false(import_sort_is_full(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(import_sort_is_stable_at_every_length),
		cmocka_unit_test(import_sort_says_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "common/verdict.h"

#include "tests/unit/unit.h"

static void every_name_is_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < VERDICT_COUNT; i++) {
		enum verdict v;

		assert_int_equal(verdict_from_name(verdict_name((enum verdict)i), &v), 0);
		assert_int_equal(v, i);
	}
	for (int i = 0; i < FORM_COUNT; i++) {
		enum form f;

		assert_int_equal(form_from_name(form_name((enum form)i), &f), 0);
		assert_int_equal(f, i);
	}
	for (int i = 0; i < REQUIREMENT_COUNT; i++) {
		enum requirement r;

		assert_int_equal(requirement_from_name(requirement_name((enum requirement)i), &r),
				 0);
		assert_int_equal(r, i);
	}
	for (int i = 0; i < ACTION_COUNT; i++) {
		enum action a;

		assert_int_equal(action_from_name(action_name((enum action)i), &a), 0);
		assert_int_equal(a, i);
	}
}

static void unknown_name_leaves_out_untouched(void **state)
{
	static const char *const names[] = {"", "Encrypted", "encrypted ", "pgp", "none at all"};

	(void)state;
	for (size_t i = 0; i < ROWS(names); i++) {
		enum verdict v = VERDICT_PARTIAL;
		enum requirement r = REQUIREMENT_SIGNED;

		CHECK_ROW(names[i], verdict_from_name(names[i], &v) == -1 && v == VERDICT_PARTIAL);
		CHECK_ROW(names[i],
			  requirement_from_name(names[i], &r) == -1 && r == REQUIREMENT_SIGNED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_name_is_read_back),
		cmocka_unit_test(unknown_name_leaves_out_untouched),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}

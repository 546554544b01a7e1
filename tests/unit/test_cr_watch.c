/* SPDX-License-Identifier: ISC */
#include "scan/cr_watch.h"

#include "tests/unit/unit.h"

static void open_level(struct level *l, const char *boundary)
{
	memset(l, 0, sizeof(*l));
	strcpy(l->boundary, boundary);
	l->boundary_len = strlen(boundary);
}

static void cr_watch_finds_a_boundary_after_a_lone_cr(void **state)
{
	static const struct {
		const char *label, *octets;
		bool is_found;
	} rows[] = {
		{"nothing", "", false},
		{"inner", "ab\r--in", true},
		{"outer", "ab\r--outer", true},
		{"goes on", "ab\r--inner", true},
		{"after LF", "ab\n--in", false},
		{"after CR LF", "ab\r\n--in", false},
		{"CR CR", "ab\r\r--in", true},
		{"one dash", "ab\r-in", false},
		{"another boundary", "ab\r--on", false},
		{"cut", "ab\r--i", false},
		{"begun twice", "ab\r--i\r--in", true},
		{"the common beginning of both", "ab\r--o", false},
		{"in front", "--in", false},
	};
	struct level levels[2];

	(void)state;
	open_level(&levels[0], "outer");
	open_level(&levels[1], "in");
	for (size_t i = 0; i < ROWS(rows); i++) {
		const unsigned char *octets = (const unsigned char *)rows[i].octets;
		size_t len = strlen(rows[i].octets);

		for (size_t step = 1; step <= len + 1; step++) {
			struct cr_watch w;
			bool is_found = false;

			cr_watch_begin(&w, true);
			for (size_t at = 0; at < len; at += step)
				is_found |= cr_watch_feed(&w, levels, 2, octets + at,
							  len - at < step ? len - at : step);
			CHECK_ROW(rows[i].label, is_found == rows[i].is_found);
		}
	}
}

static void cr_watch_that_is_off_finds_nothing(void **state)
{
	struct level level;
	struct cr_watch w;

	(void)state;
	open_level(&level, "b");
	cr_watch_begin(&w, false);
	assert_false(cr_watch_feed(&w, &level, 1, (const unsigned char *)"\r--b", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cr_watch_finds_a_boundary_after_a_lone_cr),
		cmocka_unit_test(cr_watch_that_is_off_finds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "common/clock.h"

#include <stdlib.h>
#include <time.h>

#include "tests/unit/unit.h"

#define NOW INT64_C(1795478400) /* 2026-11-24T00:00:00Z */

static void when_right_forms(void **state)
{
	static const struct {
		const char *text;
		bool is_end;
		const char *want;
	} rows[] = {
		{"2026-12-31", false, "2026-12-31T00:00:00Z"},
		{"2026-12-31", true, "2027-01-01T00:00:00Z"},
		{"2024-02-29", true, "2024-03-01T00:00:00Z"},
		{"2026-12-31T23:59:59Z", true, "2026-12-31T23:59:59Z"},
		{"2026-12-31t23:59:59z", false, "2026-12-31T23:59:59Z"},
		{"2026-12-31 23:59:59Z", false, "2026-12-31T23:59:59Z"},
		{"2026-12-31T23:59:60Z", false, "2027-01-01T00:00:00Z"},
		{"2026-12-31T23:59:59.999Z", false, "2026-12-31T23:59:59Z"},
		{"2026-12-31T23:30:00+01:30", false, "2026-12-31T22:00:00Z"},
		{"2026-12-31T23:30:00-01:30", false, "2027-01-01T01:00:00Z"},
		{"1970-01-01", false, "1970-01-01T00:00:00Z"},
		/* 0 means "no end" wherever one is kept */
		{"1970-01-01T00:00:00Z", true, "1969-12-31T23:59:59Z"},
		{"1969-12-31", true, "1969-12-31T23:59:59Z"},
		{"1900-03-01", false, "1900-03-01T00:00:00Z"},
		{"+7d", false, "2026-12-01T00:00:00Z"},
		{"-24h", true, "2026-11-23T00:00:00Z"},
		{"+0", false, "2026-11-24T00:00:00Z"},
		{"-90", false, "2026-11-23T23:58:30Z"},
		{"+1w", false, "2026-12-01T00:00:00Z"},
		{"7d", true, "2026-12-01T00:00:00Z"},
		{"2026-12-31T23:30Z", false, "2026-12-31T23:30:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char got[CLOCK_TEXT_MAX], err[200];
		int64_t t;

		CHECK_ROW(rows[i].text, clock_parse_when(rows[i].text, NOW, rows[i].is_end, &t, err,
							 sizeof(err)) == 0);
		CHECK_ROW_TEXT(rows[i].text, clock_format(t, got), rows[i].want);
	}
}

/* Where nothing else is said: Central Europe, where clocks change on 2026-10-25 and 2027-03-28. */
static void when_is_local_time_without_a_zone(void **state)
{
	static const struct {
		const char *text;
		bool is_end;
		const char *want;
	} rows[] = {
		{"2026-12-04", false, "2026-12-03T23:00:00Z"},
		{"2026-12-04", true, "2026-12-04T23:00:00Z"},
		{"2026-12-04 18:00", true, "2026-12-04T17:00:00Z"},
		{"2026-12-04T18:00:30", false, "2026-12-04T17:00:30Z"},
		{"2026-07-04 18:00", false, "2026-07-04T16:00:00Z"},
		{"2027-03-28", true, "2027-03-28T22:00:00Z"}, /* a day of 23 hours */
		{"2026-12-04 18:00Z", false, "2026-12-04T18:00:00Z"},
		/* now is a Tuesday, 01:00 */
		{"today", false, "2026-11-23T23:00:00Z"},
		{"today", true, "2026-11-24T23:00:00Z"},
		{"Tomorrow", true, "2026-11-25T23:00:00Z"},
		{"yesterday", false, "2026-11-22T23:00:00Z"},
		{"wednesday", false, "2026-11-24T23:00:00Z"},
		{"tuesday", false, "2026-11-30T23:00:00Z"},
		{"friday", true, "2026-11-27T23:00:00Z"},
		{"fri 18:00", true, "2026-11-27T17:00:00Z"},
		{"MONDAY 00:00", false, "2026-11-29T23:00:00Z"},
	};
	char text[CLOCK_TEXT_MAX];

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < ROWS(rows); i++) {
		char got[CLOCK_TEXT_MAX], err[300];
		int64_t t;

		CHECK_ROW(rows[i].text, clock_parse_when(rows[i].text, NOW, rows[i].is_end, &t, err,
							 sizeof(err)) == 0);
		CHECK_ROW_TEXT(rows[i].text, clock_format(t, got), rows[i].want);
	}
	assert_string_equal(clock_format_local(NOW, text), "2026-11-24 01:00:00 CET");
	assert_string_equal(clock_format_local(NOW + 200 * 86400, text),
			    "2027-06-12 02:00:00 CEST");
	setenv("TZ", "UTC0", 1);
	tzset();
}

static void when_anything_else_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"tomorrov",
		"fr",
		"fridays",
		"friday ",
		"friday18:00",
		"7",
		"7x",
		"2026-13-01",
		"2026-00-10",
		"2026-02-29",
		"1900-02-29",
		"2026-11-31",
		"2026-1-1",
		"26-01-01",
		"2026-01-01T",
		"2026-01-01T10",
		"2026-01-01T10:0",
		"2026-01-01T24:00:00Z",
		"2026-01-01T10:60:00Z",
		"2026-01-01T10:00:61Z",
		"2026-01-01T10:00:00.Z",
		"2026-01-01T10:00:00+1:00",
		"2026-01-01T10:00:00+24:00",
		"2026-01-01T10:00:00Zx",
		"2026-01-01x",
		" 2026-01-01",
		"+",
		"+d",
		"+7x",
		"+7dd",
		"+-7d",
		"+99999999999999999999d",
		"+36526d",
		"2026-01-01\n",
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char err[300] = "";
		int64_t t;

		CHECK_ROW(rows[i],
			  clock_parse_when(rows[i], NOW, false, &t, err, sizeof(err)) == -1);
		CHECK_ROW(rows[i], strstr(err, "2026-12-31T18:00:00Z") != NULL);
	}
}

static void duration_units(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} rows[] = {
		{"0", 0},
		{"30", 30},
		{"30s", 30},
		{"5m", 300},
		{"1h", 3600},
		{"90d", 7776000},
		{"2w", 1209600},
		{"36525d", 3155760000},
		{"36526d", -1},
		{"", -1},
		{"d", -1},
		{"-1d", -1},
		{"1.5h", -1},
		{"1 d", -1},
		{"1D", -1},
		{"1y", -1},
		{"0x10", -1},
		{"1dd", -1},
		{"9223372036854775808", -1},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char err[200];
		int64_t s = -1;
		int rc = clock_parse_duration(rows[i].text, &s, err, sizeof(err));

		CHECK_ROW(rows[i].text, rc == (rows[i].seconds < 0 ? -1 : 0));
		CHECK_ROW(rows[i].text, s == rows[i].seconds);
	}
}

/* The calendar, against the C library's. */
static void when_every_day_of_five_centuries_agrees_with_gmtime(void **state)
{
	(void)state;
	for (int64_t t = -8000000000; t < 8000000000; t += 86400 * 3) {
		int64_t day = t - ((t % 86400) + 86400) % 86400;
		char text[CLOCK_TEXT_MAX], err[200];
		int64_t got;

		clock_format(day, text);
		assert_int_equal(clock_parse_when(text, 0, false, &got, err, sizeof(err)), 0);
		assert_true(got == day);
	}
}

static void format_is_clamped_to_four_digit_years(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	assert_string_equal(clock_format(INT64_MAX, text), "9999-12-31T23:59:59Z");
	assert_string_equal(clock_format(INT64_MIN, text), "0000-01-01T00:00:00Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_right_forms),
		cmocka_unit_test(when_is_local_time_without_a_zone),
		cmocka_unit_test(when_anything_else_is_refused),
		cmocka_unit_test(duration_units),
		cmocka_unit_test(when_every_day_of_five_centuries_agrees_with_gmtime),
		cmocka_unit_test(format_is_clamped_to_four_digit_years),
	};

	setenv("TZ", "UTC0", 1); /* what says no zone is local time */
	tzset();
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "common/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/complain.h"

#define DAY_S 86400
#define FIRST_UNIX INT64_C(-62167219200)	/* 0000-01-01T00:00:00Z */
#define LAST_UNIX INT64_C(253402300799)		/* 9999-12-31T23:59:59Z */
#define DURATION_MAX_S (INT64_C(36525) * DAY_S) /* a hundred years: sums with any time fit */

int64_t clock_now_unix(void)
{
	return (int64_t)time(NULL);
}

int64_t clock_monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

char *clock_format(int64_t time_unix, char out[CLOCK_TEXT_MAX])
{
	struct tm tm;
	time_t t;

	if (time_unix < FIRST_UNIX)
		time_unix = FIRST_UNIX;
	if (time_unix > LAST_UNIX)
		time_unix = LAST_UNIX;
	t = (time_t)time_unix;
	gmtime_r(&t, &tm);
	snprintf(out, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		 (unsigned)tm.tm_sec % 100);
	return out;
}

/* Exactly `digits` decimal digits; moves *text behind them. Returns -1 when they are not there. */
static int take_number(const char **text, int digits)
{
	int value = 0;

	for (int i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)**text))
			return -1;
		value = value * 10 + (**text - '0');
		(*text)++;
	}
	return value;
}

static bool take_char(const char **text, char c)
{
	if (**text != c)
		return false;
	(*text)++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

/* Days from 1970-01-01, proleptic Gregorian: the year is counted from March, so that the leap day is the
 * last one, and 400 years are 146,097 days. */
static int64_t days_since_1970(int year, int month, int day)
{
	int64_t y = year - (month <= 2 ? 1 : 0) + 400;
	int64_t month_from_march = (month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468 - 146097;
}

static int take_date(const char **text, int64_t *out_unix)
{
	int year = take_number(text, 4);
	int month = year < 0 || !take_char(text, '-') ? -1 : take_number(text, 2);
	int day = month < 0 || !take_char(text, '-') ? -1 : take_number(text, 2);

	if (day < 1 || month < 1 || month > 12 || day > days_in_month(year, month))
		return -1;
	*out_unix = days_since_1970(year, month, day) * DAY_S;
	return 0;
}

/* "hh:mm:ss", fraction passed over, then "Z" or an offset (RFC 3339 section 5.6). */
static int take_time(const char **text, int64_t *out_s)
{
	int hour = take_number(text, 2);
	int minute = hour < 0 || !take_char(text, ':') ? -1 : take_number(text, 2);
	int second = minute < 0 || !take_char(text, ':') ? -1 : take_number(text, 2);
	int offset_hour, offset_minute, sign;

	if (second < 0 || hour > 23 || minute > 59 || second > 60)
		return -1;
	if (take_char(text, '.')) {
		if (!isdigit((unsigned char)**text))
			return -1;
		while (isdigit((unsigned char)**text))
			(*text)++;
	}
	*out_s = hour * 3600 + minute * 60 + second;
	if (take_char(text, 'Z') || take_char(text, 'z'))
		return 0;
	sign = **text == '-' ? -1 : 1;
	if (!take_char(text, '+') && !take_char(text, '-'))
		return -1;
	offset_hour = take_number(text, 2);
	offset_minute = offset_hour < 0 || !take_char(text, ':') ? -1 : take_number(text, 2);
	if (offset_minute < 0 || offset_hour > 23 || offset_minute > 59)
		return -1;
	*out_s -= sign * (offset_hour * 3600 + offset_minute * 60);
	return 0;
}

int clock_parse_when(const char *text, int64_t now_unix, bool is_end, int64_t *out_unix, char *err,
		     size_t err_size)
{
	static const char forms[] =
		"is no time; write 2026-12-31, 2026-12-31T18:00:00Z, or an offset "
		"to now as +7d or -24h";
	const char *at = text;
	int64_t date, time_of_day;

	if (*text == '+' || *text == '-') {
		if (clock_parse_duration(text + 1, &date, err, err_size) != 0)
			return complain_about(text, forms, err, err_size);
		*out_unix = *text == '-' ? now_unix - date : now_unix + date;
		return 0;
	}
	if (take_date(&at, &date) != 0)
		return complain_about(text, forms, err, err_size);
	if (*at == '\0')
		time_of_day = is_end ? DAY_S : 0;
	else if ((*at != 'T' && *at != 't' && *at != ' ') ||
		 (at++, take_time(&at, &time_of_day)) != 0 || *at != '\0')
		return complain_about(text, forms, err, err_size);
	*out_unix = date + time_of_day;
	if (is_end && *out_unix == 0)
		*out_unix = -1;
	return 0;
}

int clock_parse_duration(const char *text, int64_t *out_s, char *err, size_t err_size)
{
	static const char forms[] =
		"is no duration; write a number and s, m, h, d or w: 90d, 12h, 0";
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', 7 * DAY_S}, {'\0', 1}};
	const char *at = text;
	int64_t value = 0;

	if (!isdigit((unsigned char)*at))
		return complain_about(text, forms, err, err_size);
	for (; isdigit((unsigned char)*at); at++) {
		value = value * 10 + (*at - '0');
		if (value > DURATION_MAX_S)
			return complain_about(text, "is too long; a hundred years at most", err,
					      err_size);
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (*at != units[i].letter || (*at != '\0' && at[1] != '\0'))
			continue;
		if (value > DURATION_MAX_S / units[i].seconds)
			return complain_about(text, "is too long; a hundred years at most", err,
					      err_size);
		*out_s = value * units[i].seconds;
		return 0;
	}
	return complain_about(text, forms, err, err_size);
}

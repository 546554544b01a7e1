/* SPDX-License-Identifier: ISC */
#include "common/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
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

int64_t clock_booted_unix(void)
{
	struct timespec wall, since;

	clock_gettime(CLOCK_REALTIME, &wall);
	clock_gettime(CLOCK_BOOTTIME, &since);
	return wall.tv_sec - since.tv_sec + (wall.tv_nsec - since.tv_nsec >= 500000000) -
	       (wall.tv_nsec - since.tv_nsec < -500000000);
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

char *clock_format_local(int64_t time_unix, char out[CLOCK_TEXT_MAX])
{
	const time_t t = (time_t)time_unix;
	struct tm tm;

	if (time_unix < FIRST_UNIX || time_unix > LAST_UNIX || localtime_r(&t, &tm) == NULL ||
	    strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
		return clock_format(time_unix, out);
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

/* Days from 1970-01-01, proleptic Gregorian: the year is counted from March, so that the leap day
 * is the last one, and 400 years are 146,097 days. */
static int64_t days_since_1970(int year, int month, int day)
{
	int64_t y = year - (month <= 2 ? 1 : 0) + 400;
	int64_t month_from_march = (month + 9) % 12;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468 - 146097;
}

struct when {
	int year, month, day; /* month 1 to 12 */
	int second_of_day;
	bool has_time, has_zone;
	int offset_s; /* with has_zone: east of Greenwich */
};

static int take_date(const char **text, struct when *w)
{
	w->year = take_number(text, 4);
	w->month = w->year < 0 || !take_char(text, '-') ? -1 : take_number(text, 2);
	w->day = w->month < 0 || !take_char(text, '-') ? -1 : take_number(text, 2);
	if (w->day < 1 || w->month < 1 || w->month > 12 ||
	    w->day > days_in_month(w->year, w->month))
		return -1;
	return 0;
}

/* "Z" or an offset (RFC 3339 section 5.6); nothing: local time. */
static int take_zone(const char **text, struct when *w)
{
	int hour, minute, sign;

	if (**text == '\0')
		return 0;
	w->has_zone = true;
	if (take_char(text, 'Z') || take_char(text, 'z'))
		return 0;
	sign = **text == '-' ? -1 : 1;
	if (!take_char(text, '+') && !take_char(text, '-'))
		return -1;
	hour = take_number(text, 2);
	minute = hour < 0 || !take_char(text, ':') ? -1 : take_number(text, 2);
	if (minute < 0 || hour > 23 || minute > 59)
		return -1;
	w->offset_s = sign * (hour * 3600 + minute * 60);
	return 0;
}

/* "hh:mm" or "hh:mm:ss", fraction passed over, then the zone. */
static int take_time(const char **text, struct when *w)
{
	int hour = take_number(text, 2);
	int minute = hour < 0 || !take_char(text, ':') ? -1 : take_number(text, 2);
	int second = 0;

	if (minute >= 0 && take_char(text, ':')) {
		second = take_number(text, 2);
		if (second >= 0 && take_char(text, '.')) {
			if (!isdigit((unsigned char)**text))
				return -1;
			while (isdigit((unsigned char)**text))
				(*text)++;
		}
	}
	if (minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 60)
		return -1;
	w->has_time = true;
	w->second_of_day = hour * 3600 + minute * 60 + second;
	return take_zone(text, w);
}

/* A day that is said in words, as local date. A day of the week is the next one, never today. */
static int take_word(const char **text, int64_t now_unix, struct when *w)
{
	static const char *const words[] = {"sunday",	"monday",   "tuesday",	"wednesday",
					    "thursday", "friday",   "saturday", "today",
					    "tomorrow", "yesterday"};
	static const int days[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, -1};
	const size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	const time_t now = (time_t)now_unix;
	struct tm tm;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strncasecmp(*text, words[i], len) != 0 ||
		    !(strlen(words[i]) == len || (i < 7 && len == 3)) ||
		    localtime_r(&now, &tm) == NULL)
			continue;
		tm.tm_mday += i < 7 ? ((int)i - tm.tm_wday + 6) % 7 + 1 : days[i];
		tm.tm_hour = 12; /* no change of the clocks turns this into another day */
		tm.tm_isdst = -1;
		if (mktime(&tm) == (time_t)-1)
			return -1;
		*w = (struct when){
			.year = tm.tm_year + 1900, .month = tm.tm_mon + 1, .day = tm.tm_mday};
		*text += len;
		return 0;
	}
	return -1;
}

/* The second, where a day alone is its first one, or with is_end the first one after it. */
static int64_t to_unix(const struct when *w, bool is_end)
{
	const int next_day = !w->has_time && is_end ? 1 : 0;
	struct tm tm = {.tm_year = w->year - 1900,
			.tm_mon = w->month - 1,
			.tm_mday = w->day + next_day,
			.tm_hour = w->second_of_day / 3600,
			.tm_min = w->second_of_day / 60 % 60,
			.tm_sec = w->second_of_day % 60,
			.tm_isdst = -1};

	if (w->has_zone)
		return days_since_1970(w->year, w->month, w->day) * DAY_S + w->second_of_day -
		       w->offset_s;
	return (int64_t)mktime(&tm);
}

int clock_parse_when(const char *text, int64_t now_unix, bool is_end, int64_t *out_unix, char *err,
		     size_t err_size)
{
	static const char forms[] = "is no time; write today, tomorrow, friday, 2026-12-31, "
				    "2026-12-31 18:00 (local time), "
				    "2026-12-31T18:00:00Z, or a time from now as 7d, +7d or -24h";
	const char *at = text;
	struct when w = {0};
	int64_t offset;

	if (*text == '+' || *text == '-') {
		if (clock_parse_duration(text + 1, &offset, err, err_size) != 0)
			return complain_about(text, forms, err, err_size);
		*out_unix = *text == '-' ? now_unix - offset : now_unix + offset;
		return 0;
	}
	if (isdigit((unsigned char)*text) && isalpha((unsigned char)text[strlen(text) - 1]) &&
	    clock_parse_duration(text, &offset, err, err_size) == 0) {
		*out_unix = now_unix + offset;
		return 0;
	}
	if (isalpha((unsigned char)*text) ? take_word(&at, now_unix, &w) != 0
					  : take_date(&at, &w) != 0)
		return complain_about(text, forms, err, err_size);
	if (*at != '\0' && ((*at != 'T' && *at != 't' && *at != ' ') ||
			    (at++, take_time(&at, &w)) != 0 || *at != '\0'))
		return complain_about(text, forms, err, err_size);
	*out_unix = to_unix(&w, is_end);
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

/* SPDX-License-Identifier: ISC
 *
 * clock.h: time as the administrator writes and reads it. Times are seconds since 1970-01-01 UTC in
 * int64_t (`_unix`); durations are seconds (`_s`). Nothing here decides anything from the clock:
 * whoever decides gets "now" as an argument, so that tests inject it. Any thread.
 */
#ifndef PGPGATE_COMMON_CLOCK_H
#define PGPGATE_COMMON_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_TEXT_MAX 32

int64_t clock_now_unix(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

/* When the machine was started, by the clock as it is now: another number later says that the clock
 * was set. */
int64_t clock_booted_unix(void);

/* RFC 3339, UTC: "2026-12-31T23:59:59Z". Returns out. */
char *clock_format(int64_t time_unix, char out[CLOCK_TEXT_MAX]);

/* The same for people: local time with its zone, "2026-12-31 18:00:00 CET". Returns out. */
char *clock_format_local(int64_t time_unix, char out[CLOCK_TEXT_MAX]);

/* What people and programs write, local time where no zone is said:
 *   2026-12-31, today, tomorrow, yesterday, friday	the day's first second; with is_end the
 *first second after it, so that an end includes the day. A day of the week is the next one, never
 *today; its first three letters do. 2026-12-31 18:00, friday 18:00:30		of that day
 *   2026-12-31T18:00:00Z, ...+01:00		RFC 3339
 *   7d, +7d, -24h				from now (s, m, h, d, w)
 * An end is never 0, which stands for "no end" wherever one is kept: the second before is taken. 0,
 *or -1 with a sentence in err. */
int clock_parse_when(const char *text, int64_t now_unix, bool is_end, int64_t *out_unix, char *err,
		     size_t err_size);

/* "90d", "1h", "0", "30" (seconds). 0, or -1 with a sentence in err. */
int clock_parse_duration(const char *text, int64_t *out_s, char *err, size_t err_size);

#endif

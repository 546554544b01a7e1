/* SPDX-License-Identifier: ISC
 *
 * clock_watch.h: whether the clock on the wall may be believed by what removes things for good. It
 * is, once it has gone with the monotonic clock for an hour: since the start, and since it was seen
 * to jump in either direction. The battery of a clock is empty, or somebody types a wrong year, and
 * within seconds NTP sets it right. A suspended machine counts as a jump.
 */
#ifndef PGPGATE_COMMON_CLOCK_WATCH_H
#define PGPGATE_COMMON_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_WATCH_STEADY_MS (60 * 60 * 1000)

struct clock_watch { /* begins as zeros */
	bool is_begun;
	int64_t last_unix, last_ms, unsteady_ms;
};

/* To be called every few seconds, with the time of both clocks. One thread a watch. */
bool clock_watch_is_steady(struct clock_watch *w, int64_t now_unix, int64_t now_ms);

#endif

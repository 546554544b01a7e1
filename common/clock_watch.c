/* SPDX-License-Identifier: ISC */
#include "common/clock_watch.h"

#define JUMP_S 60 /* more than slewing and a slow look amount to */

bool clock_watch_is_steady(struct clock_watch *w, int64_t now_unix, int64_t now_ms)
{
	const int64_t expected_unix = w->last_unix + (now_ms - w->last_ms) / 1000;

	if (!w->is_begun || now_unix > expected_unix + JUMP_S || now_unix < expected_unix - JUMP_S)
		w->unsteady_ms = now_ms;
	w->is_begun = true;
	w->last_unix = now_unix;
	w->last_ms = now_ms;
	return now_ms - w->unsteady_ms >= CLOCK_WATCH_STEADY_MS;
}

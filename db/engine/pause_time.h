/* SPDX-License-Identifier: ISC
 *
 * pause_time.h: whether a pause is on. Its end is a time of the clock on the wall; when that goes
 * back, the pause would last longer than was asked for. So each process notes how long a pause
 * still has to last when it first sees it, and ends it when that time is over, whatever the clock
 * says. Any thread. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_PAUSE_TIME_H
#define PGPGATE_DB_ENGINE_PAUSE_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* until_unix: its end, 0 for none. */
bool pause_is_on(int64_t until_unix, int64_t now_unix);

/* The same with the time that passes even while the machine sleeps. */
bool pause_is_on_at(int64_t until_unix, int64_t now_unix, int64_t boot_ms);

#endif

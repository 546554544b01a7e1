/* SPDX-License-Identifier: ISC
 *
 * log_limit.h: a complaint that could come with every message is logged once and then at most once
 * in a while, with the number of those that were left out. One struct a kind of complaint,
 * zero-initialised; any thread; it never blocks and never allocates.
 */
#ifndef PGPGATE_COMMON_LOG_LIMIT_H
#define PGPGATE_COMMON_LOG_LIMIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_LIMIT_INTERVAL_MS 60000 /* one line a minute: seen at once, and no flood */

struct log_limit {
	_Atomic int64_t next_ms; /* no line before this clock_monotonic_ms(); 0: no complaint yet */
	atomic_uint suppressed;
	_Atomic int64_t last_ms; /* the latest complaint, written or not */
};

/* May a line be written now? Then *n_suppressed is how many were left out since the last one.
 * now_ms is clock_monotonic_ms(). */
bool log_limit_allows(struct log_limit *l, int64_t now_ms, unsigned *n_suppressed);

/* What began at since_ms went well. The trouble is over if none came since then: true, once, if
 * there had been any; the next complaint is logged at once. */
bool log_limit_clear(struct log_limit *l, int64_t since_ms);

#endif

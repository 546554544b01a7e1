/* SPDX-License-Identifier: ISC */
#include "filter/running.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "common/clock.h"

#define DRAIN_STEP_MS 10

static atomic_uint n_running;
static atomic_bool is_stopping;

void running_end(void)
{
	atomic_fetch_sub(&n_running, 1);
	errno = 0;
}

/* Counted first and asked afterwards, so that running_drain() either sees the callback or is seen
 * by it. */
bool running_begin(void)
{
	atomic_fetch_add(&n_running, 1);
	if (!atomic_load(&is_stopping))
		return true;
	running_end();
	return false;
}

bool running_drain(int timeout_ms)
{
	static const struct timespec pause = {.tv_nsec = DRAIN_STEP_MS * 1000000L};
	const int64_t until_ms = clock_monotonic_ms() + timeout_ms;

	bool is_idle;

	atomic_store(&is_stopping, true);
	while (!(is_idle = atomic_load(&n_running) == 0) && clock_monotonic_ms() < until_ms)
		nanosleep(&pause, NULL);
	return is_idle;
}

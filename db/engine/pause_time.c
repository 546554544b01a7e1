/* SPDX-License-Identifier: ISC */
#include "db/engine/pause_time.h"

#include <pthread.h>
#include <time.h>

/* A process has one database, with a pause and one of the host's own. What is made longer or
 * shorter is another one. */
#define PAUSES 2
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	int64_t until_unix, ends_ms;
} seen[PAUSES];
static unsigned next;

bool pause_is_on_at(int64_t until_unix, int64_t now_unix, int64_t boot_ms)
{
	bool is_over;
	unsigned i;

	if (until_unix <= now_unix)
		return false;
	pthread_mutex_lock(&lock);
	for (i = 0; i < PAUSES && seen[i].until_unix != until_unix; i++)
		;
	if (i == PAUSES) {
		i = next++ % PAUSES;
		seen[i].until_unix = until_unix;
		seen[i].ends_ms = boot_ms + (until_unix - now_unix) * 1000;
	}
	is_over = boot_ms >= seen[i].ends_ms;
	pthread_mutex_unlock(&lock);
	return !is_over;
}

bool pause_is_on(int64_t until_unix, int64_t now_unix)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return pause_is_on_at(until_unix, now_unix, (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

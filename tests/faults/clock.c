/* SPDX-License-Identifier: ISC
 *
 * clock.c: for LD_PRELOAD: a clock that is wrong. Made by the tests (tests/site/centre.py).
 *
 *   WRONG_CLOCK=FILE    FILE holds one int64_t, shared with the test: the time of day is so many
 * milliseconds later than it is. What only goes on (CLOCK_MONOTONIC) is as it was.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const _Atomic int64_t right;
static const _Atomic int64_t *ahead_ms = &right;

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("WRONG_CLOCK");
	const int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *memory = MAP_FAILED;

	if (fd >= 0) {
		memory = mmap(NULL, sizeof *ahead_ms, PROT_READ, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (memory != MAP_FAILED)
		ahead_ms = memory;
}

int clock_gettime(clockid_t which, struct timespec *out)
{
	const int result = (int)syscall(SYS_clock_gettime, which, out);

	if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
		const int64_t ns = out->tv_sec * INT64_C(1000000000) + out->tv_nsec +
				   *ahead_ms * 1000000;

		out->tv_sec = ns / 1000000000;
		out->tv_nsec = ns % 1000000000;
	}
	return result;
}

time_t time(time_t *out)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	if (out != NULL)
		*out = t.tv_sec;
	return t.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec t;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &t);
	out->tv_sec = t.tv_sec;
	out->tv_usec = t.tv_nsec / 1000;
	return 0;
}

/* SPDX-License-Identifier: ISC */
#include "filter/watchdog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/log.h"
#include "common/socket.h"
#include "filter/milter.h"
#include "filter/stand_in.h"

#define ANSWER_MAX 1024 /* of a negotiation: ours has 100 octets */
#define PROTOCOL 6
#define ACTIONS 0x1ff  /* all that there are */
#define STEPS 0x1fffff /* likewise */

static struct {
	struct socket_address address;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* on the monotonic clock */
	bool is_running, is_stopping;
	atomic_bool has_bitten;
} dog = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* False: watchdog_stop() was called meanwhile. */
static bool sleep_ms(int ms)
{
	struct timespec until;
	bool goes_on;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&dog.lock);
	while (!dog.is_stopping && rc == 0)
		rc = pthread_cond_timedwait(&dog.wake, &dog.lock, &until);
	goes_on = !dog.is_stopping;
	pthread_mutex_unlock(&dog.lock);
	return goes_on;
}

static int take(int fd, unsigned char *out, size_t n)
{
	while (n > 0) {
		ssize_t got = recv(fd, out, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		out += got;
		n -= (size_t)got;
	}
	return 0;
}

/* A packet is its length, in the order of the network, then a command and data. 0, or -1: no
 * negotiation came. */
static int negotiate(int fd)
{
	const uint32_t offer[] = {htonl(PROTOCOL), htonl(ACTIONS), htonl(STEPS)};
	unsigned char packet[5 + sizeof offer] = {0, 0, 0, 1 + sizeof offer, 'O'};
	static const unsigned char quit[] = {0, 0, 0, 1, 'Q'};
	unsigned char answer[ANSWER_MAX];
	uint32_t length;

	memcpy(packet + 5, offer, sizeof offer);
	if (send(fd, packet, sizeof packet, MSG_NOSIGNAL) != (ssize_t)sizeof packet)
		return -1;
	if (take(fd, answer, 4) != 0)
		return -1;
	memcpy(&length, answer, sizeof length);
	length = ntohl(length);
	if (length == 0 || length > sizeof answer || take(fd, answer, length) != 0 ||
	    answer[0] != 'O')
		return -1;
	return send(fd, quit, sizeof quit, MSG_NOSIGNAL) == (ssize_t)sizeof quit ? 0 : -1;
}

/* One visit. 0, or -1 with why in err. */
static int probe(char *err, size_t err_size)
{
	const struct timeval patience = {.tv_sec = WATCHDOG_PATIENCE_MS / 1000};
	int fd = socket_connect(&dog.address, WATCHDOG_PATIENCE_MS, err, err_size);
	int result;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	result = negotiate(fd);
	if (result != 0)
		snprintf(err, err_size, "no answer to a connection of our own");
	close(fd);
	return result;
}

/* Ends the process, in order if libmilter lets it. */
static void bite(const char *why)
{
	log_error("libmilter no longer serves (%s): ends, to be started again", why);
	atomic_store(&dog.has_bitten, true);
	milter_stop();
	if (sleep_ms(WATCHDOG_GRACE_MS)) {
		log_error("libmilter does not stop either");
		_exit(EX_SOFTWARE);
	}
}

static void *watch(void *unused)
{
	const int told_ms = daemon_watchdog_ms();
	const int interval_ms = told_ms > 0 && told_ms / 4 < WATCHDOG_INTERVAL_MS
					? told_ms / 4
					: WATCHDOG_INTERVAL_MS;
	char err[512];
	int n_failures = 0;

	(void)unused;
	while (n_failures < WATCHDOG_FAILURES && sleep_ms(interval_ms)) {
		if (probe(err, sizeof err) == 0 ||
		    stand_in_is_short(WATCHDOG_PATIENCE_MS + 10 * STAND_IN_PAUSE_MS)) {
			n_failures = 0;
			if (told_ms > 0)
				daemon_notify("WATCHDOG=1");
		} else {
			n_failures++;
		}
	}
	if (n_failures == WATCHDOG_FAILURES)
		bite(err);
	return NULL;
}

int watchdog_start(const char *socket)
{
	pthread_condattr_t attributes;
	char err[512];
	int rc;

	if (socket_parse(socket, &dog.address, err, sizeof err) != 0)
		return EINVAL;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&dog.wake, &attributes);
	pthread_condattr_destroy(&attributes);
	rc = pthread_create(&dog.thread, NULL, watch, NULL);
	dog.is_running = rc == 0;
	return rc;
}

void watchdog_stop(void)
{
	if (!dog.is_running)
		return;
	pthread_mutex_lock(&dog.lock);
	dog.is_stopping = true;
	pthread_cond_signal(&dog.wake);
	pthread_mutex_unlock(&dog.lock);
	pthread_join(dog.thread, NULL);
	dog.is_running = false;
}

bool watchdog_has_bitten(void)
{
	return atomic_load(&dog.has_bitten);
}

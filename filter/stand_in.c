/* SPDX-License-Identifier: ISC */
#include "filter/stand_in.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/log_limit.h"

static struct log_limit complaints;
static _Atomic int64_t last_short_ms = INT64_MIN / 2;

static atomic_bool has_ended;

bool stand_in_has_ended(void)
{
	return atomic_load(&has_ended);
}

bool stand_in_is_short(int ms)
{
	return clock_monotonic_ms() - atomic_load(&last_short_ms) <= ms;
}

/* The parameters as the C library declares them: a union of pointers where there are extensions. */
int accept(int fd, __SOCKADDR_ARG address, socklen_t *__restrict length)
{
	static const struct timespec pause = {.tv_nsec = STAND_IN_PAUSE_MS * 1000000L};
	int connection = accept4(fd, address, length, SOCK_CLOEXEC);
	int why = errno;
	unsigned n = 0;

	if (connection >= 0 || (why != EMFILE && why != ENFILE && why != ENOBUFS && why != ENOMEM))
		return connection;
	atomic_store(&last_short_ms, clock_monotonic_ms());
	if (log_limit_allows(&complaints, clock_monotonic_ms(), &n))
		log_error("cannot accept a connection: %s; raise the limit of open files "
			  "(LimitNOFILE=, "
			  "ulimit -n) if it is that (%u more times)",
			  strerror(why), n);
	nanosleep(&pause, NULL);
	errno = why;
	return -1;
}

int sigwait(const sigset_t *__restrict set, int *__restrict number)
{
	sigset_t wanted = *set;
	int got;

	sigdelset(&wanted, SIGHUP);
	do {
		got = sigwaitinfo(&wanted, NULL);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	atomic_store(&has_ended, true);
	*number = got;
	return 0;
}

void __syslog_chk(int priority, int flag, const char *format, ...);

__attribute__((format(printf, 3, 4))) void __syslog_chk(int priority, int flag, const char *format,
							...)
{
	const int saved_errno = errno;
	va_list arguments;

	(void)flag;
	va_start(arguments, format);
	vsyslog(priority, format, arguments);
	va_end(arguments);
	errno = saved_errno;
}

/* The C library's, for all else. */
int inet_pton(int family, const char *__restrict text, void *__restrict address)
{
	static _Atomic(void *) real;
	int (*call)(int, const char *, void *);
	void *found;

	if (family == AF_INET6 && strcmp(text, "unknown") == 0) {
		memset(address, 0, sizeof(struct in6_addr));
		return 1;
	}
	found = atomic_load(&real);
	if (found == NULL) {
		found = dlsym(RTLD_NEXT, "inet_pton");
		atomic_store(&real, found);
	}
	*(void **)&call = found;
	return call(family, text, address);
}

int inet_aton(const char *text, struct in_addr *address)
{
	if (strcmp(text, "unknown") == 0) {
		address->s_addr = htonl(INADDR_ANY);
		return 1;
	}
	return inet_pton(AF_INET, text, address) == 1;
}

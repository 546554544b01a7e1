/* SPDX-License-Identifier: ISC
 *
 * daemon_notify.c: the protocol of sd_notify(3), which its manual publishes for this: one datagram
 * to the unix socket that $NOTIFY_SOCKET names, a path or, after '@', a name in the abstract space.
 */
#include "common/daemon.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/log.h"

int daemon_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	long long us;

	if (text == NULL || (pid != NULL && atoll(pid) != (long long)getpid()))
		return 0;
	us = atoll(text);
	if (us < 1000)
		return 0;
	return us / 1000 < INT_MAX ? (int)(us / 1000) : INT_MAX;
}

void daemon_notify(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t len = name == NULL ? 0 : strlen(name);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	int fd;

	if (len < 2 || len >= sizeof(a.sun_path) || (name[0] != '/' && name[0] != '@'))
		return;
	memcpy(a.sun_path, name, len);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&a, size) < 0)
		log_debug("the service manager was not told %s", state);
	close(fd);
}

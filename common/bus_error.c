/* SPDX-License-Identifier: ISC */
#include "common/bus_error.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#define MAIL_ERR 19 /* facility mail, priority err: RFC 5424 section 6.2.1 */

/* Made beforehand: a handler may do next to nothing. */
static char line[256], syslog_line[280];
static bool is_to_syslog;

static void tell_syslog(void)
{
	static const struct sockaddr_un there = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	sendto(fd, syslog_line, strlen(syslog_line), MSG_DONTWAIT | MSG_NOSIGNAL,
	       (const struct sockaddr *)&there, sizeof there);
	close(fd);
}

static void on_bus_error(int number)
{
	(void)number;
	if (is_to_syslog)
		tell_syslog();
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		_exit(EX_IOERR);
	_exit(EX_IOERR);
}

void bus_error_catch(const char *ident, bool to_syslog)
{
	struct sigaction action = {.sa_handler = on_bus_error, .sa_flags = (int)SA_RESETHAND};

	snprintf(line, sizeof line,
		 "%.60s: a file was cut short while it was in use, probably the database's -shm, "
		 "or its disk failed; "
		 "ending, to begin anew\n",
		 ident);
	snprintf(syslog_line, sizeof syslog_line, "<%d>%.*s", MAIL_ERR, (int)strcspn(line, "\n"),
		 line);
	is_to_syslog = to_syslog;
	sigaction(SIGBUS, &action, NULL);
}

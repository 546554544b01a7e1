/* SPDX-License-Identifier: ISC */
#include "common/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/complain.h"
#include "common/log.h"

#define HOST_MAX 256
#define PORT_MAX 32
#define SOCKET_ERROR_MAX 512
#define RETRY_MS \
	10 /* a full backlog of a unix socket gives EAGAIN, and poll() does not wait for it */

static const char forms[] = "write local:/path, inet:port@host or inet6:port@host";

static int complain_errno(const struct socket_address *a, const char *what, char *err,
			  size_t err_size)
{
	char text[300];
	const char *mend = "";
	int e = errno;

	if (e == ENOENT && a->is_unix)
		mend = "; create its directory";
	else if (e == EACCES)
		mend = a->is_unix ? "; let this user in, and write to its directory"
				  : "; take a port above 1023";
	else if (e == EADDRINUSE)
		mend = "; stop what listens there, or take another port";
	else if (e == EADDRNOTAVAIL)
		mend = "; take an address of this machine";
	snprintf(text, sizeof(text), "%s: %s%s", what, strerror(e), mend);
	return complain_about(a->text, text, err, err_size);
}

static int parse_unix(const char *text, const char *path, struct socket_address *out, char *err,
		      size_t err_size)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->storage;
	size_t len = strlen(path);

	_Static_assert(sizeof(out->path) == sizeof(un->sun_path),
		       "socket_address.path is sun_path");
	if (len == 0)
		return complain_about(text, "has no path; write local:/path", err, err_size);
	if (len >= sizeof(out->path))
		return complain_about(text, "has a path over 107 bytes; choose a shorter one", err,
				      err_size);
	out->is_unix = true;
	memcpy(out->path, path, len + 1);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, len + 1);
	out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
	return 0;
}

static int parse_inet(const char *text, const char *rest, int family, struct socket_address *out,
		      char *err, size_t err_size)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char port[PORT_MAX];
	char host[HOST_MAX];
	const char *at = strchr(rest, '@');
	size_t port_len = at == NULL ? strlen(rest) : (size_t)(at - rest);
	const char *host_text = at == NULL ? (family == AF_INET ? "127.0.0.1" : "::1") : at + 1;
	size_t host_len = strlen(host_text);
	int rc;

	if (host_len > 2 && host_text[0] == '[' && host_text[host_len - 1] == ']') {
		host_text++;
		host_len -= 2;
	}
	if (port_len == 0 || port_len >= sizeof(port) || host_len == 0 ||
	    host_len >= sizeof(host) || memchr(rest, ':', port_len) != NULL)
		return complain_about(text, "is no socket; write inet:port@host (port first)", err,
				      err_size);
	memcpy(port, rest, port_len);
	port[port_len] = '\0';
	memcpy(host, host_text, host_len);
	host[host_len] = '\0';
	/* getaddrinfo() takes 65537 as 1. */
	if (strspn(port, "0123456789") == port_len &&
	    (port_len > 5 || atoi(port) < 1 || atoi(port) > 65535))
		return complain_about(text, "has no port from 1 to 65535", err, err_size);
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc != 0) {
		char what[200];

		snprintf(what, sizeof(what), "has no usable port or host: %s; %s", gai_strerror(rc),
			 forms);
		return complain_about(text, what, err, err_size);
	}
	memcpy(&out->storage, found->ai_addr, found->ai_addrlen);
	out->length = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

void socket_bound_lookups(void)
{
	setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
}

int socket_parse(const char *text, struct socket_address *out, char *err, size_t err_size)
{
	char what[100];

	memset(out, 0, sizeof(*out));
	log_escape(out->text, sizeof(out->text), text, strlen(text));
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return complain_about(text, "has a blank or control character; remove it",
					      err, err_size);
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text, text + 5, out, err, err_size);
	if (strncmp(text, "local:", 6) == 0)
		return parse_unix(text, text + 6, out, err, err_size);
	if (strncmp(text, "inet:", 5) == 0)
		return parse_inet(text, text + 5, AF_INET, out, err, err_size);
	if (strncmp(text, "inet6:", 6) == 0)
		return parse_inet(text, text + 6, AF_INET6, out, err, err_size);
	snprintf(what, sizeof(what), "is no socket; %s", forms);
	return complain_about(text, what, err, err_size);
}

bool socket_is_private(const struct socket_address *a)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a->storage;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->storage;

	if (a->is_unix)
		return true;
	if (a->storage.ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) ||
	       (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr) &&
		in6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}

bool socket_is_same(const char *one, const char *other)
{
	struct socket_address a, b;
	char err[SOCKET_ERROR_MAX];

	return socket_parse(one, &a, err, sizeof(err)) == 0 &&
	       socket_parse(other, &b, err, sizeof(err)) == 0 && a.length == b.length &&
	       memcmp(&a.storage, &b.storage, a.length) == 0;
}

int socket_host(const struct sockaddr_storage *a, socklen_t length, char *out, size_t out_size)
{
	return getnameinfo((const struct sockaddr *)a, length, out, (socklen_t)out_size, NULL, 0,
			   NI_NUMERICHOST) == 0
		       ? 0
		       : -1;
}

int socket_clear_stale(const struct socket_address *a, char *err, size_t err_size)
{
	struct stat st;
	int fd, rc, saved_errno;

	if (!a->is_unix)
		return 0;
	if (lstat(a->path, &st) != 0)
		return errno == ENOENT ? 0
				       : complain_errno(a, "cannot be looked at", err, err_size);
	if (!S_ISSOCK(st.st_mode))
		return complain_about(a->text,
				      "exists and is no socket; remove it or choose another path",
				      err, err_size);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return complain_errno(a, "cannot be tried", err, err_size);
	rc = connect(fd, (const struct sockaddr *)&a->storage, a->length);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	if (rc == 0 || errno == EAGAIN || errno == EINPROGRESS)
		return complain_about(a->text,
				      "is in use: another process listens there; stop it first",
				      err, err_size);
	if (errno != ECONNREFUSED && errno != ENOENT)
		return complain_errno(a, "cannot be tried", err, err_size);
	if (unlink(a->path) != 0 && errno != ENOENT)
		return complain_errno(a, "is stale and cannot be removed", err, err_size);
	return 0;
}

int socket_listen(const struct socket_address *a, mode_t mask, char *err, size_t err_size)
{
	int one = 1;
	mode_t old_mask;
	int fd, rc, saved_errno;

	if (socket_clear_stale(a, err, err_size) != 0)
		return -1;
	fd = socket(a->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return complain_errno(a, "cannot be made", err, err_size);
	if (!a->is_unix)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* The mode of a unix socket comes from the umask alone: chmod() afterwards would leave a
	 * moment in which everybody, or nobody, could connect. */
	old_mask = umask(mask);
	rc = bind(fd, (const struct sockaddr *)&a->storage, a->length);
	saved_errno = errno;
	umask(old_mask);
	errno = saved_errno;
	if (rc == 0)
		rc = listen(fd, SOMAXCONN);
	if (rc != 0) {
		complain_errno(a, "cannot be listened on", err, err_size);
		close(fd);
		return -1;
	}
	return fd;
}

/* Waits until a connection under way is made. 0, or -1 with errno. */
static int finish_connect(int fd, int64_t deadline_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int e = 0;
	socklen_t e_size = sizeof(e);
	int n;

	do {
		int64_t left = deadline_ms - clock_monotonic_ms();

		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		errno = ETIMEDOUT;
	if (n <= 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &e_size) != 0)
		return -1;
	errno = e;
	return e == 0 ? 0 : -1;
}

static int connect_until(int fd, const struct socket_address *a, int64_t deadline_ms)
{
	while (connect(fd, (const struct sockaddr *)&a->storage, a->length) != 0) {
		struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};

		if (errno == EINPROGRESS || errno == EINTR)
			return finish_connect(fd, deadline_ms);
		if (errno != EAGAIN)
			return -1;
		if (clock_monotonic_ms() >= deadline_ms) {
			errno = ETIMEDOUT;
			return -1;
		}
		nanosleep(&pause, NULL);
	}
	return 0;
}

int socket_connect(const struct socket_address *a, int timeout_ms, char *err, size_t err_size)
{
	int fd = socket(a->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int flags;

	if (fd < 0)
		return complain_errno(a, "cannot be made", err, err_size);
	if (connect_until(fd, a, clock_monotonic_ms() + timeout_ms) != 0 ||
	    (flags = fcntl(fd, F_GETFL)) < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
		complain_errno(a, "cannot be connected to", err, err_size);
		close(fd);
		return -1;
	}
	return fd;
}

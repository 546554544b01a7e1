/* SPDX-License-Identifier: ISC */
#include "filter/listen.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/socket.h"

int listen_try(const char *socket, mode_t mask, char *err, size_t err_size)
{
	struct socket_address address;
	int fd;

	if (socket_parse(socket, &address, err, err_size) != 0)
		return -1;
	fd = socket_listen(&address, mask, err, err_size);
	if (fd < 0)
		return -1;
	close(fd);
	if (address.is_unix)
		unlink(address.path);
	return 0;
}

int listen_for_libmilter(const char *socket, char *out, size_t out_size)
{
	const char *host = "";
	int n;

	if (strchr(socket, '@') == NULL && strncmp(socket, "inet:", 5) == 0)
		host = "@127.0.0.1";
	else if (strchr(socket, '@') == NULL && strncmp(socket, "inet6:", 6) == 0)
		host = "@::1";
	n = snprintf(out, out_size, "%s%s", socket, host);
	return n >= 0 && (size_t)n < out_size ? 0 : -1;
}

void listen_warn_of_strangers(const char *socket)
{
	struct socket_address address;
	char err[256];

	if (socket_parse(socket, &address, err, sizeof err) == 0 && !socket_is_private(&address))
		log_warning("filter_socket: %s can be reached from other machines, and whoever "
			    "connects is "
			    "taken for the MTA; let only the MTA in",
			    address.text);
}

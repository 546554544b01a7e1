/* SPDX-License-Identifier: ISC
 *
 * socket.h: sockets as libmilter writes them: "unix:/path", "local:/path", "inet:port@host",
 * "inet6:port@host" (port or service name; no host means 127.0.0.1 or ::1: an administrator who
 * wants every interface writes 0.0.0.0 or ::). Any thread, but for socket_listen(), which sets the
 * umask for a moment.
 */
#ifndef PGPGATE_COMMON_SOCKET_H
#define PGPGATE_COMMON_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

struct socket_address {
	bool is_unix;
	char path[108]; /* unix only */
	char text[160]; /* as written, escaped: for messages */
	struct sockaddr_storage storage;
	socklen_t length;
};

/* Where name servers do not answer, each look-up of this process, and of what it starts, is to end
 * after 4 seconds a name server, not 10 (resolv.conf(5)). Before there are threads. What the
 * environment says already stays. */
void socket_bound_lookups(void);

/* 0, or -1 with a sentence in err. A host's name is looked up, which takes as long as the resolver
 * takes. */
int socket_parse(const char *text, struct socket_address *out, char *err, size_t err_size);

/* Only this machine can connect: a unix socket, or an address of the loopback interface. */
bool socket_is_private(const struct socket_address *a);

/* Do both texts name one socket? "local:/x" is "unix:/x", and a host's name its address. False
 * where either cannot be parsed. */
bool socket_is_same(const char *one, const char *other);

/* The address of an inet or inet6 socket as text. 0, or -1. */
int socket_host(const struct sockaddr_storage *a, socklen_t length, char *out, size_t out_size);

/* Removes a stale unix socket: one that nobody listens on. A live one, or something that is no
 * socket, is an error (-1, err). Nothing there, or an inet socket: 0. */
int socket_clear_stale(const struct socket_address *a, char *err, size_t err_size);

/* Listens (close-on-exec, non-blocking), after socket_clear_stale(); unix sockets get their mode
 * from `mask` (a umask). Returns the descriptor, or -1 with err. */
int socket_listen(const struct socket_address *a, mode_t mask, char *err, size_t err_size);

/* Connects within timeout_ms; blocking descriptor, or -1 with err. */
int socket_connect(const struct socket_address *a, int timeout_ms, char *err, size_t err_size);

#endif

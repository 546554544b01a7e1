/* SPDX-License-Identifier: ISC
 *
 * listen.h: what pgpgate-filter does about its socket before libmilter listens there, which logs to
 * syslog only and says little. `socket` is as in pgpgate.conf.
 *
 * Before there are threads.
 */
#ifndef PGPGATE_FILTER_LISTEN_H
#define PGPGATE_FILTER_LISTEN_H

#include <stddef.h>
#include <sys/types.h>

/* Finds out with our own functions whether libmilter will be able to listen. Stale sockets are gone
 * afterwards. 0, or -1 with a sentence in err. */
int listen_try(const char *socket, mode_t mask, char *err, size_t err_size);

/* The socket as libmilter is to be told: "inet:port" is every interface to it; we mean this host
 * only. 0, or -1: too long. */
int listen_for_libmilter(const char *socket, char *out, size_t out_size);

/* libmilter believes whoever connects, and can be made to fall by a packet (pgpgate-filter(8),
 * CAVEATS): logs a warning where other machines can. */
void listen_warn_of_strangers(const char *socket);

#endif

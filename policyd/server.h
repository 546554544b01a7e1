/* SPDX-License-Identifier: ISC
 *
 * server.h: the policy server: many persistent connections of Postfix's smtpd processes, one
 * request in flight in each, served by one thread with libevent. Look-ups are synchronous: each
 * takes a fraction of a millisecond, and order among connections does not matter.
 *
 * On trouble (malformed request, failing database) the connection is closed without an answer, as
 * Postfix wants it: it tries once more and then answers 451. Nothing unsolicited is ever sent.
 */
#ifndef PGPGATE_POLICYD_SERVER_H
#define PGPGATE_POLICYD_SERVER_H

#include <stddef.h>

#include "common/daemon.h"
#include "common/settings.h"

struct server;

/* Listens on settings->policy_socket and opens the database. Takes a reference to settings; options
 * are borrowed for rereading the configuration. NULL with a sentence in err and a sysexits(3) code
 * in *code. */
struct server *server_new(const struct daemon_options *options, struct settings *settings,
			  int *code, char *err, size_t err_size);

/* Serves until SIGTERM or SIGINT, then lets requests under way end, for SERVER_DRAIN_S at most.
 * SIGHUP and SIGUSR1 reread the configuration. */
#define SERVER_DRAIN_S 5
void server_run(struct server *s);

void server_free(struct server *s);

#endif

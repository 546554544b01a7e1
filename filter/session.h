/* SPDX-License-Identifier: ISC
 *
 * session.h: one SMTP connection, as libmilter hands it about between its threads: who connects,
 * and the transaction that its messages pass through one after the other.
 *
 * One callback at a time.
 */
#ifndef PGPGATE_FILTER_SESSION_H
#define PGPGATE_FILTER_SESSION_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/netaddr.h"
#include "filter/envelope.h"
#include "filter/transaction.h"

struct session {
	struct transaction *transaction;
	char client[NETADDR_TEXT_MAX]; /* "" : unknown */
	bool has_port_zero;
	bool has_no_network; /* no address of the Internet: a pipe, a UNIX-domain socket */
	bool is_sendmail;
	bool expects_macros; /* the MTA was asked for ours, and can send them */
	bool is_begun;	     /* CONNECT has come */
	bool is_lame;	     /* those of CONNECT were lost: every MAIL gets 451 */
	struct envelope_memory sender, recipient; /* of the session, of the message */
	char host[256];
};

/* context is borrowed for as long as the session lives. NULL: no memory. */
struct session *session_new(const struct filter_context *context);
void session_free(struct session *s); /* NULL allowed */

/* Where the client comes from, as the MTA says; NULL: it names no address. Unknown stays "". */
void session_client(struct session *s, const struct sockaddr *address);

#endif

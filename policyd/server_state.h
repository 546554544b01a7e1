/* SPDX-License-Identifier: ISC
 *
 * server_state.h: what is inside the policy server. Private to server.c (the listener, signals, the
 * page, start and end) and client.c (what one connection of Postfix sends and gets); everyone else
 * has server.h.
 *
 * The thread of the event loop, but where a lock is named.
 */
#ifndef PGPGATE_POLICYD_SERVER_STATE_H
#define PGPGATE_POLICYD_SERVER_STATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "common/daemon.h"
#include "common/log_limit.h"
#include "common/socket.h"
#include "db/db.h"
#include "policyd/answer.h"
#include "policyd/counts.h"
#include "policyd/metrics_page.h"
#include "policyd/request.h"
#include "policyd/server.h"

struct client {
	LIST_ENTRY(client) link;
	struct server *server;
	struct bufferevent *stream;
	bool is_at_end; /* the client sends no more, but its last answer is not written yet */
	struct request_parser parser;
};

struct server {
	const struct daemon_options *options;
	struct answer_context answer;
	struct socket_address address;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *signals[4];
	struct event *accept_again;
	struct event *close_idle; /* while stopping: what lies in the sockets has been taken */
	struct event *drained;	  /* while stopping: time is over */
	struct event *look;	  /* at the database, while nobody asks */
	struct event *feed; /* the service manager wants to hear that this loop runs; else NULL */
	LIST_HEAD(, client) clients;
	size_t n_clients;
	bool is_stopping;
	pthread_mutex_t lock; /* over counts, n_clients and answer.settings, which the page's thread
				 reads */
	struct counts counts;
	struct db_pool
		*page_pool; /* one connection, of the page's thread; NULL before its first use */
	struct metrics_page *page; /* NULL: metrics_listen is empty */
	struct log_limit too_many, malformed, database_trouble, no_descriptors;
};

/* Of the listener: a new connection, whose client lives until client_free(). context: the server.
 */
void client_on_connection(struct evconnlistener *listener, evutil_socket_t fd,
			  struct sockaddr *address, int len, void *context);

/* While the server stops the last one ends its loop. */
void client_free(struct client *c);

/* After the listener: nothing half read, nothing half written. */
bool client_is_done(const struct client *c);

#endif

/* SPDX-License-Identifier: ISC */
#include "policyd/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "db/metrics.h"
#include "policyd/instances.h"
#include "policyd/server_state.h"

#define ACCEPT_PAUSE_S 1  /* without free descriptors */
#define IDLE_GRACE_MS 100 /* a request that is in the socket already is served before we stop */

/* accept(2) failed, for want of descriptors as a rule. The connection stays in the queue, and would
 * wake us without end. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
	static const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
	struct server *s = context;
	const char *why = strerror(errno);
	unsigned n = 0;

	if (log_limit_allows(&s->no_descriptors, clock_monotonic_ms(), &n))
		log_error("cannot accept a connection: %s; raise the limit of open files "
			  "(LimitNOFILE=, ulimit -n) if it is that (%u more)",
			  why, n);
	evconnlistener_disable(listener);
	event_add(s->accept_again, &pause);
}

static void on_accept_again(evutil_socket_t fd, short what, void *context)
{
	struct server *s = context;

	(void)fd;
	(void)what;
	if (s->listener != NULL)
		evconnlistener_enable(s->listener);
}

static void on_reload(evutil_socket_t fd, short what, void *context)
{
	struct server *s = context;
	struct settings *new = daemon_reload(s->options, s->answer.settings);

	(void)fd;
	(void)what;
	if (new == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	settings_unref(s->answer.settings);
	s->answer.settings = new;
	pthread_mutex_unlock(&s->lock);
}

/* In the page's thread. The lock is held for a copy only. */
static void write_page(void *context, FILE *out)
{
	struct server *s = context;
	struct settings *settings;
	struct counts counts;
	size_t n_clients;
	struct db *d;
	bool is_up;

	pthread_mutex_lock(&s->lock);
	settings = settings_ref(s->answer.settings);
	counts = s->counts;
	n_clients = s->n_clients;
	pthread_mutex_unlock(&s->lock);
	if (s->page_pool == NULL)
		s->page_pool = db_pool_new(settings, DB_READ, 1);
	d = s->page_pool != NULL ? db_pool_get(s->page_pool) : NULL;
	is_up = d != NULL && metrics_write(d, settings, out) == 0;
	if (d != NULL)
		db_pool_put(s->page_pool, d);
	settings_unref(settings);
	metrics_single(out, "pgpgate_database_up", METRIC_GAUGE, "1 if the database could be read.",
		       is_up);
	counts_write(&counts, n_clients, out);
}

/* metrics_listen. 0 or -1 with err. */
static int open_page(struct server *s, char *err, size_t err_size)
{
	const char *where = s->answer.settings->metrics_listen;

	if (where[0] == '\0')
		return 0;
	s->page = metrics_page_new(where, write_page, s, err, err_size);
	return s->page != NULL ? 0 : -1;
}

static void stop_listening(struct server *s)
{
	metrics_page_free(s->page);
	s->page = NULL;
	if (s->listener == NULL)
		return;
	evconnlistener_free(s->listener);
	s->listener = NULL;
	if (s->address.is_unix)
		unlink(s->address.path);
}

static void on_stop(evutil_socket_t fd, short what, void *context)
{
	static const struct timeval limit = {.tv_sec = SERVER_DRAIN_S};
	static const struct timeval grace = {.tv_usec = IDLE_GRACE_MS * 1000};
	struct server *s = context;

	(void)fd;
	(void)what;
	s->is_stopping = true;
	event_add(s->close_idle, &grace);
	event_add(s->drained, &limit);
}

static void on_close_idle(evutil_socket_t fd, short what, void *context)
{
	struct server *s = context;
	struct client *next;

	(void)fd;
	(void)what;
	stop_listening(s);
	if (s->n_clients == 0)
		event_base_loopbreak(s->base);
	for (struct client *c = LIST_FIRST(&s->clients); c != NULL; c = next) {
		next = LIST_NEXT(c, link);
		if (client_is_done(c))
			client_free(c);
	}
}

static void on_drained(evutil_socket_t fd, short what, void *context)
{
	struct server *s = context;

	(void)fd;
	(void)what;
	event_base_loopbreak(s->base);
}

static void on_feed(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	daemon_notify("WATCHDOG=1");
}

/* Files that were taken away are let go of, so that other programs can go on with new ones. What is
 * wrong is logged by the next answer. */
static void on_look(evutil_socket_t fd, short what, void *context)
{
	struct server *s = context;

	(void)fd;
	(void)what;
	db_look(s->answer.db);
}

/* 0 or -1. */
static int set_up_watchdog(struct server *s)
{
	const int interval_ms = daemon_watchdog_ms() / 4;
	const struct timeval interval = {.tv_sec = interval_ms / 1000,
					 .tv_usec = interval_ms % 1000 * 1000};

	if (interval_ms == 0)
		return 0;
	s->feed = event_new(s->base, -1, EV_PERSIST, on_feed, s);
	return s->feed != NULL ? event_add(s->feed, &interval) : -1;
}

static int set_up_events(struct server *s, int fd)
{
	static const int stops[] = {SIGTERM, SIGINT};
	static const int reloads[] = {SIGHUP, SIGUSR1};
	static const struct timeval look_interval = {.tv_sec = 1};

	for (size_t i = 0; i < 2; i++) {
		s->signals[i] = evsignal_new(s->base, stops[i], on_stop, s);
		s->signals[2 + i] = evsignal_new(s->base, reloads[i], on_reload, s);
	}
	s->accept_again = evtimer_new(s->base, on_accept_again, s);
	s->close_idle = evtimer_new(s->base, on_close_idle, s);
	s->drained = evtimer_new(s->base, on_drained, s);
	s->look = event_new(s->base, -1, EV_PERSIST, on_look, s);
	if (s->accept_again == NULL || s->close_idle == NULL || s->drained == NULL ||
	    s->look == NULL || event_add(s->look, &look_interval) != 0 || set_up_watchdog(s) != 0)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		if (s->signals[i] == NULL || event_add(s->signals[i], NULL) != 0)
			return -1;
	}
	s->listener = evconnlistener_new(s->base, client_on_connection, s,
					 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (s->listener == NULL)
		return -1;
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	return 0;
}

static int open_database(struct server *s, char *err, size_t err_size)
{
	s->answer.db = db_open(s->answer.settings, DB_READ);
	if (s->answer.db == NULL) {
		snprintf(err, err_size, "out of memory");
		return EX_OSERR;
	}
	if (db_failure(s->answer.db) == DB_OK)
		return EX_OK;
	snprintf(err, err_size, "%s", db_error(s->answer.db));
	return db_sysexit(db_failure(s->answer.db));
}

static int begin(struct server *s, char *err, size_t err_size)
{
	int code = open_database(s, err, err_size);
	char why[256];
	int fd;

	if (code != EX_OK)
		return code;
	s->answer.instances = instances_new();
	s->base = event_base_new();
	if (s->answer.instances == NULL || s->base == NULL) {
		snprintf(err, err_size, "out of memory");
		return EX_OSERR;
	}
	if (socket_parse(s->answer.settings->policy_socket, &s->address, why, sizeof why) != 0) {
		snprintf(err, err_size, "policy_socket: %s", why);
		return EX_CONFIG;
	}
	fd = socket_listen(&s->address, s->answer.settings->socket_umask, why, sizeof why);
	if (fd < 0) {
		snprintf(err, err_size, "policy_socket: %s", why);
		return EX_UNAVAILABLE;
	}
	if (set_up_events(s, fd) != 0) {
		if (s->listener == NULL)
			close(fd);
		snprintf(err, err_size, "cannot set up the event loop");
		return EX_OSERR;
	}
	return open_page(s, err, err_size) == 0 ? EX_OK : EX_UNAVAILABLE;
}

struct server *server_new(const struct daemon_options *options, struct settings *settings,
			  int *code, char *err, size_t err_size)
{
	struct server *s = calloc(1, sizeof *s);

	if (s == NULL) {
		snprintf(err, err_size, "out of memory");
		*code = EX_OSERR;
		return NULL;
	}
	LIST_INIT(&s->clients);
	pthread_mutex_init(&s->lock, NULL);
	s->options = options;
	s->answer.settings = settings_ref(settings);
	s->answer.counts = &s->counts;
	s->counts.started_unix = clock_now_unix();
	*code = begin(s, err, err_size);
	if (*code != EX_OK) {
		server_free(s);
		return NULL;
	}
	return s;
}

void server_run(struct server *s)
{
	event_base_dispatch(s->base);
}

void server_free(struct server *s)
{
	if (s == NULL)
		return;
	while (!LIST_EMPTY(&s->clients))
		client_free(LIST_FIRST(&s->clients));
	stop_listening(s);
	for (size_t i = 0; i < 4; i++) {
		if (s->signals[i] != NULL)
			event_free(s->signals[i]);
	}
	if (s->accept_again != NULL)
		event_free(s->accept_again);
	if (s->close_idle != NULL)
		event_free(s->close_idle);
	if (s->drained != NULL)
		event_free(s->drained);
	if (s->look != NULL)
		event_free(s->look);
	if (s->feed != NULL)
		event_free(s->feed);
	if (s->base != NULL)
		event_base_free(s->base);
	instances_free(s->answer.instances);
	db_close(s->answer.db);
	db_pool_free(s->page_pool);
	pthread_mutex_destroy(&s->lock);
	settings_unref(s->answer.settings);
	free(s);
}

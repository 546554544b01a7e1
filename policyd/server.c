/* SPDX-License-Identifier: ISC */
#include "policyd/server.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/log_limit.h"
#include "common/socket.h"
#include "db/db.h"
#include "db/metrics.h"
#include "policyd/answer.h"
#include "policyd/counts.h"
#include "policyd/instances.h"
#include "policyd/metrics_page.h"
#include "policyd/request.h"

/* Longer than Postfix keeps an idle connection (smtpd_policy_service_max_idle, 300 s) or any
 * (smtpd_policy_service_max_ttl, 1000 s). */
#define IDLE_S 1200
#define OUTPUT_MAX (64 * 1024) /* a client that never reads its answers is read no more */
#define ACCEPT_PAUSE_S 1       /* without free descriptors */
#define IDLE_GRACE_MS 100 /* a request that is in the socket already is served before we stop */

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

static void client_free(struct client *c)
{
	struct server *s = c->server;

	LIST_REMOVE(c, link);
	pthread_mutex_lock(&s->lock);
	s->n_clients--;
	pthread_mutex_unlock(&s->lock);
	bufferevent_free(c->stream);
	free(c);
	if (s->is_stopping && s->listener == NULL && s->n_clients == 0)
		event_base_loopbreak(s->base);
}

static void count(struct server *s, int64_t *one)
{
	pthread_mutex_lock(&s->lock);
	(*one)++;
	pthread_mutex_unlock(&s->lock);
}

static bool is_allowed(struct log_limit *l, unsigned *n)
{
	*n = 0;
	return log_limit_allows(l, clock_monotonic_ms(), n);
}

static void database_fails(struct server *s, const char *err)
{
	unsigned n;

	if (is_allowed(&s->database_trouble, &n))
		log_error("the database fails; until it is mended the answer is %s (%u more "
			  "times): %s",
			  s->answer.settings->accept_on_database_error ? "DUNNO" : "none", n, err);
}

/* Straight to the client, where there is nearly always room: three system calls fewer than by way
 * of the event loop, which gets what is left, and finds out what is wrong. */
static int send_answer(struct client *c, const char *answer, size_t len)
{
	ssize_t sent = 0;

	if (evbuffer_get_length(bufferevent_get_output(c->stream)) == 0)
		sent = send(bufferevent_getfd(c->stream), answer, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		sent = 0;
	return (size_t)sent == len
		       ? 0
		       : bufferevent_write(c->stream, answer + sent, len - (size_t)sent);
}

/* One request is whole. 0, or -1: the client is to be closed. */
static int serve(struct client *c)
{
	struct server *s = c->server;
	char answer[ANSWER_MAX];
	char err[DB_ERROR_MAX] = "";
	int result;

	pthread_mutex_lock(&s->lock);
	result = answer_request(&s->answer, &c->parser.request, clock_now_unix(),
				clock_monotonic_ms() / 1000, answer, err, sizeof err);
	pthread_mutex_unlock(&s->lock);
	if (err[0] != '\0')
		database_fails(s, err);
	else if (log_limit_clear(&s->database_trouble, clock_monotonic_ms()))
		log_info("the database answers again");
	if (result != 0)
		return -1;
	return send_answer(c, answer, strlen(answer));
}

static int refuse(struct client *c)
{
	unsigned n;

	count(c->server, &c->server->counts.n_malformed);
	if (is_allowed(&c->server->malformed, &n))
		log_warning(
			"closed a connection without an answer: malformed request: %s (%u more)",
			c->parser.why_malformed, n);
	return -1;
}

/* Takes what has come. 0, or -1: the client is to be closed. */
static int take_input(struct client *c)
{
	struct evbuffer *input = bufferevent_get_input(c->stream);
	struct evbuffer *output = bufferevent_get_output(c->stream);
	struct evbuffer_iovec piece;

	while (evbuffer_get_length(output) < OUTPUT_MAX &&
	       evbuffer_peek(input, -1, NULL, &piece, 1) > 0) {
		size_t used = 0;
		enum request_result result = request_feed(&c->parser, piece.iov_base, piece.iov_len,
							  &used);

		evbuffer_drain(input, used);
		if (result == REQUEST_MALFORMED)
			return refuse(c);
		if (result == REQUEST_COMPLETE) {
			if (serve(c) != 0)
				return -1;
			request_reset(&c->parser);
		}
	}
	if (evbuffer_get_length(output) >= OUTPUT_MAX)
		bufferevent_disable(c->stream, EV_READ);
	return 0;
}

/* After the listener: nothing half read, nothing half written. */
static bool is_done(const struct client *c)
{
	return c->server->is_stopping && c->server->listener == NULL &&
	       request_is_empty(&c->parser) &&
	       evbuffer_get_length(bufferevent_get_output(c->stream)) == 0;
}

static void on_readable(struct bufferevent *stream, void *context)
{
	struct client *c = context;

	(void)stream;
	if (take_input(c) != 0 || is_done(c))
		client_free(c);
}

static void on_written(struct bufferevent *stream, void *context)
{
	struct client *c = context;

	if (c->is_at_end) {
		client_free(c);
		return;
	}
	bufferevent_enable(stream, EV_READ);
	if (take_input(c) != 0 || is_done(c))
		client_free(c);
}

static void on_end(struct bufferevent *stream, short what, void *context)
{
	struct client *c = context;

	if ((what & BEV_EVENT_EOF) && evbuffer_get_length(bufferevent_get_output(stream)) > 0) {
		c->is_at_end = true;
		return;
	}
	client_free(c);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
			  struct sockaddr *address, int len, void *context)
{
	static const struct timeval idle = {.tv_sec = IDLE_S};
	struct server *s = context;
	struct client *c;
	unsigned n;

	(void)listener;
	(void)address;
	(void)len;
	if (s->n_clients >= s->answer.settings->max_connections) {
		close(fd);
		count(s, &s->counts.n_too_many);
		if (is_allowed(&s->too_many, &n))
			log_warning("closed a connection: max_connections (%u) reached; raise it "
				    "to what "
				    "master.cf lets run of smtpd (%u more)",
				    s->answer.settings->max_connections, n);
		return;
	}
	c = calloc(1, sizeof *c);
	if (c == NULL) {
		close(fd);
		return;
	}
	c->server = s;
	c->stream = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->stream == NULL) {
		close(fd);
		free(c);
		return;
	}
	LIST_INSERT_HEAD(&s->clients, c, link);
	pthread_mutex_lock(&s->lock);
	s->n_clients++;
	s->counts.n_connections++;
	pthread_mutex_unlock(&s->lock);
	bufferevent_setcb(c->stream, on_readable, on_written, on_end, c);
	bufferevent_set_timeouts(c->stream, &idle, &idle);
	bufferevent_enable(c->stream, EV_READ | EV_WRITE);
}

/* accept(2) failed, for want of descriptors as a rule. The connection stays in the queue, and would
 * wake us without end. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
	static const struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
	struct server *s = context;
	const char *why = strerror(errno);
	unsigned n;

	if (is_allowed(&s->no_descriptors, &n))
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
		if (is_done(c))
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
	s->listener = evconnlistener_new(s->base, on_connection, s,
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

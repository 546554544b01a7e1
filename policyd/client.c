/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "common/clock.h"
#include "common/log.h"
#include "policyd/server_state.h"

/* Longer than Postfix keeps an idle connection (smtpd_policy_service_max_idle, 300 s) or any
 * (smtpd_policy_service_max_ttl, 1000 s). */
#define IDLE_S 1200
#define OUTPUT_MAX (64 * 1024) /* a client that never reads its answers is read no more */

void client_free(struct client *c)
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

bool client_is_done(const struct client *c)
{
	return c->server->is_stopping && c->server->listener == NULL &&
	       request_is_empty(&c->parser) &&
	       evbuffer_get_length(bufferevent_get_output(c->stream)) == 0;
}

static void on_readable(struct bufferevent *stream, void *context)
{
	struct client *c = context;

	(void)stream;
	if (take_input(c) != 0 || client_is_done(c))
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
	if (take_input(c) != 0 || client_is_done(c))
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

void client_on_connection(struct evconnlistener *listener, evutil_socket_t fd,
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

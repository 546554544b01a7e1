/* SPDX-License-Identifier: ISC */
#include "policyd/metrics_page.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "common/clock.h"
#include "common/metrics.h"

#define HEADERS_MAX 8192 /* bytes of a request: Prometheus sends 300 */
#define HOST_MAX 64
#define BODY_MAX 1024 /* nobody has a reason to send any */

#define SWEEP_MS 100

/* evhttp neither bounds its connections nor how long a slow one may take, so this does: a second reference
 * to each connection's bufferevent, given up when evhttp has done so, or the time is over. */
struct slot {
	struct bufferevent *stream; /* NULL: free */
	int64_t until_ms;
};

struct metrics_page {
	struct evhttp *http;
	struct evconnlistener *listener; /* http's */
	void (*write)(void *context, FILE *out);
	void *context;
	struct slot slots[PAGE_CONNECTIONS];
	struct event *sweep; /* pending while a slot is taken */
	char *text;	     /* as it was at made_at_ms */
	size_t length;
	int64_t made_at_ms;
};

/* ---- what it says ---- */

/* The text in p->text. 0, or -1 when memory is short. */
static int make_text(struct metrics_page *p)
{
	const int64_t now_ms = clock_monotonic_ms();
	FILE *out;

	if (p->text != NULL && now_ms - p->made_at_ms < PAGE_FRESH_MS)
		return 0;
	free(p->text);
	p->text = NULL;
	out = open_memstream(&p->text, &p->length);
	if (out == NULL)
		return -1;
	p->write(p->context, out);
	if (fclose(out) != 0) {
		free(p->text);
		p->text = NULL;
	}
	p->made_at_ms = now_ms;
	return p->text != NULL ? 0 : -1;
}

static void on_request(struct evhttp_request *request, void *context)
{
	struct metrics_page *p = context;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	struct evbuffer *body;

	evhttp_add_header(headers, "Connection", "close");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	if (path == NULL || strcmp(path, "/metrics") != 0) {
		evhttp_send_error(request, HTTP_NOTFOUND, "only /metrics is here");
		return;
	}
	body = evbuffer_new();
	if (body == NULL || make_text(p) != 0 || evbuffer_add(body, p->text, p->length) != 0) {
		evhttp_send_error(request, HTTP_SERVUNAVAIL, "out of memory");
	} else {
		evhttp_add_header(headers, "Content-Type", METRICS_CONTENT_TYPE);
		/* For HEAD too evhttp sends what it is given. */
		evhttp_send_reply(request, HTTP_OK, "OK",
				  evhttp_request_get_command(request) == EVHTTP_REQ_GET ? body : NULL);
	}
	if (body != NULL)
		evbuffer_free(body);
}

/* ---- connections ---- */

/* bufferevent_free() takes the callbacks away first. */
static bool is_given_up(struct bufferevent *stream)
{
	bufferevent_event_cb on_event = NULL;

	bufferevent_getcb(stream, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

static void start_sweep(struct metrics_page *p)
{
	static const struct timeval soon = {.tv_usec = SWEEP_MS * 1000};

	event_add(p->sweep, &soon);
}

static void on_sweep(evutil_socket_t unused, short what, void *context)
{
	struct metrics_page *p = context;
	const int64_t now_ms = clock_monotonic_ms();
	size_t n_taken = 0;

	(void)unused;
	(void)what;
	for (size_t i = 0; i < PAGE_CONNECTIONS; i++) {
		struct slot *s = &p->slots[i];

		if (s->stream == NULL)
			continue;
		if (!is_given_up(s->stream)) {
			n_taken++;
			/* evhttp sees the end, and frees what it has: the slot is free with the next sweep. */
			if (now_ms >= s->until_ms)
				shutdown(bufferevent_getfd(s->stream), SHUT_RDWR);
			continue;
		}
		bufferevent_decref(s->stream);
		s->stream = NULL;
	}
	if (n_taken < PAGE_CONNECTIONS)
		evconnlistener_enable(p->listener);
	if (n_taken > 0)
		start_sweep(p);
}

/* evhttp has accepted a connection and wants a bufferevent for it. */
static struct bufferevent *on_connection(struct event_base *base, void *context)
{
	struct metrics_page *p = context;
	struct bufferevent *stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	size_t i = 0, n_free = 0;

	if (stream == NULL)
		return NULL;
	while (i < PAGE_CONNECTIONS && p->slots[i].stream != NULL)
		i++;
	if (i < PAGE_CONNECTIONS) {
		bufferevent_incref(stream);
		p->slots[i].stream = stream;
		p->slots[i].until_ms = clock_monotonic_ms() + PAGE_CONNECTION_S * 1000;
		start_sweep(p);
	}
	for (i = 0; i < PAGE_CONNECTIONS; i++)
		n_free += p->slots[i].stream == NULL;
	if (n_free == 0)
		evconnlistener_disable(p->listener);
	return stream;
}

/* ---- beginning and end ---- */

static int bind_page(struct metrics_page *p, const char *where, char *err, size_t err_size)
{
	const char *colon = strrchr(where, ':');
	struct evhttp_bound_socket *bound;
	char host[HOST_MAX];
	size_t length;

	if (where[0] == '[' && colon != NULL && colon > where + 1) {
		length = (size_t)(colon - where - 2);
		where++;
	} else {
		length = colon != NULL ? (size_t)(colon - where) : 0;
	}
	if (length == 0 || length >= sizeof host) {
		snprintf(err, err_size, "metrics_listen: no address and port");
		return -1;
	}
	memcpy(host, where, length);
	host[length] = '\0';
	errno = 0;
	bound = evhttp_bind_socket_with_handle(p->http, host, (uint16_t)atoi(colon + 1));
	if (bound == NULL) {
		snprintf(err, err_size,
			 "metrics_listen: cannot listen on %s port %s: %s; choose another port",
			 host, colon + 1, strerror(errno));
		return -1;
	}
	p->listener = evhttp_bound_socket_get_listener(bound);
	return 0;
}

struct metrics_page *metrics_page_new(struct event_base *base, const char *where,
				      void (*write)(void *context, FILE *out), void *context,
				      char *err, size_t err_size)
{
	struct metrics_page *p = calloc(1, sizeof *p);

	if (p != NULL) {
		p->write = write;
		p->context = context;
		p->http = evhttp_new(base);
		p->sweep = evtimer_new(base, on_sweep, p);
	}
	if (p == NULL || p->http == NULL || p->sweep == NULL) {
		snprintf(err, err_size, "metrics_listen: out of memory");
		metrics_page_free(p);
		return NULL;
	}
	evhttp_set_allowed_methods(p->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(p->http, HEADERS_MAX);
	evhttp_set_max_body_size(p->http, BODY_MAX);
	evhttp_set_timeout(p->http, PAGE_CONNECTION_S);
	evhttp_set_bevcb(p->http, on_connection, p);
	evhttp_set_gencb(p->http, on_request, p);
	if (bind_page(p, where, err, err_size) != 0) {
		metrics_page_free(p);
		return NULL;
	}
	return p;
}

void metrics_page_free(struct metrics_page *p)
{
	if (p == NULL)
		return;
	if (p->http != NULL)
		evhttp_free(p->http);
	if (p->sweep != NULL)
		event_free(p->sweep);
	for (size_t i = 0; i < PAGE_CONNECTIONS; i++)
		if (p->slots[i].stream != NULL)
			bufferevent_decref(p->slots[i].stream);
	free(p->text);
	free(p);
}

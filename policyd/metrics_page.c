/* SPDX-License-Identifier: ISC */
#include "policyd/metrics_page.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/metrics.h"
#include "common/netaddr.h"
#include "common/socket.h"

#define REQUEST_MAX 8192 /* bytes with the header: Prometheus sends 300 */
#define HOST_MAX 256
#define ACCEPT_PAUSE_MS 1000 /* without descriptors */
#define HEAD_MAX 512	     /* bytes of the header of an answer */

struct visit {
	int fd;		  /* -1: free */
	int64_t until_ms; /* closed then, whatever its state */
	size_t n_read;
	char request[REQUEST_MAX + 1];
	char *answer; /* NULL while the request comes */
	size_t length, n_sent;
};

struct metrics_page {
	void (*write)(void *context, FILE *out);
	void *context;
	pthread_t thread;
	int listener;
	int wake[2]; /* a pipe: an octet ends the thread */
	int64_t accept_again_ms;
	struct visit visits[PAGE_CONNECTIONS];
	char *text; /* as it was at made_at_ms */
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

/* A page in somebody's browser can have a name of its own point to our address (DNS rebinding), and
 * would then be let read what comes: so only names are answered that are ours without doubt. host:
 * with or without a port. */
static bool is_our_name(const char *host, size_t len)
{
	char name[HOST_MAX], own[HOST_MAX] = "", ignored[200];
	struct netaddr address;
	const char *colon;
	size_t own_len;

	if (len > 0 && host[0] == '[') {
		host++;
		len = strcspn(host, "]") < len ? strcspn(host, "]") : len - 1;
	} else if ((colon = memchr(host, ':', len)) != NULL) {
		len = (size_t)(colon - host);
	}
	if (len == 0 || len >= sizeof name)
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	if (netaddr_parse(name, &address, ignored, sizeof ignored) == 0 ||
	    strcasecmp(name, "localhost") == 0)
		return true;
	if (gethostname(own, sizeof own - 1) != 0)
		return false;
	own_len = strcspn(own, ".");
	return own_len > 0 && strncasecmp(name, own, own_len) == 0 &&
	       (name[own_len] == '\0' || name[own_len] == '.');
}

/* The value of Host, or NULL: none was sent, as by programs of HTTP/1.0. */
static const char *host_of(const char *request, size_t *len)
{
	for (const char *line = strchr(request, '\n'); line != NULL; line = strchr(line, '\n')) {
		line++;
		if (strncasecmp(line, "Host:", 5) != 0)
			continue;
		line += 5 + strspn(line + 5, " \t");
		*len = strcspn(line, " \t\r\n");
		return line;
	}
	return NULL;
}

/* The answer to one request. -1: no memory. */
static int answer(struct visit *v, const char *status, const char *type, const char *body,
		  size_t length, bool with_body)
{
	v->answer = malloc(HEAD_MAX + length);
	if (v->answer == NULL)
		return -1;
	v->length = (size_t)snprintf(v->answer, HEAD_MAX,
				     "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
				     "Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n",
				     status, type, length);
	if (with_body) {
		memcpy(v->answer + v->length, body, length);
		v->length += length;
	}
	return 0;
}

static int refuse(struct visit *v, const char *status)
{
	return answer(v, status, "text/plain", status, strlen(status), true);
}

/* A whole request: "GET /metrics HTTP/1.1" and fields. -1: no memory. */
static int respond(struct metrics_page *p, struct visit *v)
{
	const bool is_head = strncmp(v->request, "HEAD ", 5) == 0;
	const char *target = v->request + (is_head ? 5 : 4);
	const char *host;
	size_t len;

	if (!is_head && strncmp(v->request, "GET ", 4) != 0)
		return refuse(v, "405 Method Not Allowed");
	len = strcspn(target, " ?\r\n");
	if (len != strlen("/metrics") || strncmp(target, "/metrics", len) != 0)
		return answer(v, "404 Not Found", "text/plain", "only /metrics is here", 21,
			      !is_head);
	host = host_of(v->request, &len);
	if (host != NULL && !is_our_name(host, len))
		return refuse(v, "421 Misdirected Request");
	if (make_text(p) != 0)
		return refuse(v, "503 Service Unavailable");
	return answer(v, "200 OK", METRICS_CONTENT_TYPE, p->text, p->length, !is_head);
}

/* ---- connections ---- */

static void end_visit(struct visit *v)
{
	close(v->fd);
	free(v->answer);
	v->answer = NULL;
	v->fd = -1;
}

static void read_request(struct metrics_page *p, struct visit *v)
{
	ssize_t n = recv(v->fd, v->request + v->n_read, REQUEST_MAX - v->n_read, 0);
	int result = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0 || memchr(v->request + v->n_read, '\0', (size_t)n) != NULL) {
		end_visit(v);
		return;
	}
	v->n_read += (size_t)n;
	v->request[v->n_read] = '\0';
	if (strstr(v->request, "\r\n\r\n") != NULL || strstr(v->request, "\n\n") != NULL)
		result = respond(p, v);
	else if (v->n_read == REQUEST_MAX)
		result = refuse(v, "400 Bad Request");
	if (result != 0)
		end_visit(v);
}

/* What the client still sends is read to its end: a reset would take the answer from it. */
static void pass_over(struct visit *v)
{
	ssize_t n = recv(v->fd, v->request, REQUEST_MAX, 0);

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		end_visit(v);
}

static void write_answer(struct visit *v)
{
	ssize_t n = send(v->fd, v->answer + v->n_sent, v->length - v->n_sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		end_visit(v);
		return;
	}
	v->n_sent += (size_t)n;
	if (v->n_sent == v->length)
		shutdown(v->fd, SHUT_WR);
}

/* A free place, or that of the oldest visit: who is silent, or slow, makes room for who comes. */
static struct visit *find_place(struct metrics_page *p)
{
	struct visit *oldest = &p->visits[0];

	for (size_t i = 0; i < PAGE_CONNECTIONS; i++) {
		if (p->visits[i].fd < 0)
			return &p->visits[i];
		if (p->visits[i].until_ms < oldest->until_ms)
			oldest = &p->visits[i];
	}
	end_visit(oldest);
	return oldest;
}

static void take_connection(struct metrics_page *p)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct visit *v;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			p->accept_again_ms = clock_monotonic_ms() + ACCEPT_PAUSE_MS;
		return;
	}
	v = find_place(p);
	v->fd = fd;
	v->until_ms = clock_monotonic_ms() + PAGE_CONNECTION_S * 1000;
	v->n_read = v->length = v->n_sent = 0;
}

static void serve_visit(struct metrics_page *p, struct visit *v, short events)
{
	if (v->fd < 0 || events == 0)
		return;
	if (v->answer == NULL)
		read_request(p, v);
	else if (v->n_sent < v->length)
		write_answer(v);
	else
		pass_over(v);
}

/* What to wait for; returns for how long at most, in milliseconds, or -1. Visits whose time is over
 * end. */
static int prepare(struct metrics_page *p, struct pollfd *fds)
{
	const int64_t now_ms = clock_monotonic_ms();
	int64_t wait_ms = -1;

	fds[0] = (struct pollfd){.fd = p->wake[0], .events = POLLIN};
	fds[1] = (struct pollfd){.fd = now_ms >= p->accept_again_ms ? p->listener : -1,
				 .events = POLLIN};
	if (fds[1].fd < 0)
		wait_ms = p->accept_again_ms - now_ms;
	for (size_t i = 0; i < PAGE_CONNECTIONS; i++) {
		struct visit *v = &p->visits[i];
		const bool writes = v->answer != NULL && v->n_sent < v->length;

		if (v->fd >= 0 && now_ms >= v->until_ms)
			end_visit(v);
		fds[2 + i] = (struct pollfd){.fd = v->fd, .events = writes ? POLLOUT : POLLIN};
		if (v->fd >= 0 && (wait_ms < 0 || v->until_ms - now_ms < wait_ms))
			wait_ms = v->until_ms - now_ms;
	}
	return (int)wait_ms;
}

static void *serve(void *page)
{
	struct metrics_page *p = page;
	struct pollfd fds[2 + PAGE_CONNECTIONS];

	for (;;) {
		int wait_ms = prepare(p, fds);

		if (poll(fds, 2 + PAGE_CONNECTIONS, wait_ms) < 0) {
			/* ENOMEM: the page can wait. */
			if (errno != EINTR)
				poll(NULL, 0, ACCEPT_PAUSE_MS);
			continue;
		}
		if (fds[0].revents != 0)
			return NULL;
		for (size_t i = 0; i < PAGE_CONNECTIONS; i++)
			serve_visit(p, &p->visits[i], fds[2 + i].revents);
		if (fds[1].revents != 0)
			take_connection(p);
	}
}

/* ---- beginning and end ---- */

/* "host:port" as libmilter writes it. 0 or -1 with err. */
static int listen_on(struct metrics_page *p, const char *where, char *err, size_t err_size)
{
	const char *colon = strrchr(where, ':');
	struct socket_address address;
	char text[HOST_MAX], why[512];

	if (colon == NULL || colon == where || (size_t)(colon - where) >= sizeof text / 2) {
		snprintf(err, err_size, "metrics_listen: no address and port");
		return -1;
	}
	snprintf(text, sizeof text, "%s:%.8s@%.*s", where[0] == '[' ? "inet6" : "inet", colon + 1,
		 (int)(colon - where), where);
	if (socket_parse(text, &address, why, sizeof why) == 0)
		p->listener = socket_listen(&address, 0, why, sizeof why);
	if (p->listener >= 0)
		return 0;
	snprintf(err, err_size, "metrics_listen: %s", why);
	return -1;
}

static int start_thread(struct metrics_page *p)
{
	sigset_t all, before;
	int rc;

	/* Signals are for the event loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&p->thread, NULL, serve, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static void release(struct metrics_page *p)
{
	for (size_t i = 0; i < PAGE_CONNECTIONS; i++)
		if (p->visits[i].fd >= 0)
			end_visit(&p->visits[i]);
	if (p->listener >= 0)
		close(p->listener);
	if (p->wake[0] >= 0) {
		close(p->wake[0]);
		close(p->wake[1]);
	}
	free(p->text);
	free(p);
}

struct metrics_page *metrics_page_new(const char *where,
				      void (*write_text)(void *context, FILE *out), void *context,
				      char *err, size_t err_size)
{
	struct metrics_page *p = calloc(1, sizeof *p);

	if (p == NULL) {
		snprintf(err, err_size, "metrics_listen: out of memory");
		return NULL;
	}
	p->write = write_text;
	p->context = context;
	p->listener = p->wake[0] = p->wake[1] = -1;
	for (size_t i = 0; i < PAGE_CONNECTIONS; i++)
		p->visits[i].fd = -1;
	if (listen_on(p, where, err, err_size) != 0) {
		release(p);
		return NULL;
	}
	if (pipe2(p->wake, O_CLOEXEC) != 0 || start_thread(p) != 0) {
		snprintf(err, err_size, "metrics_listen: no descriptors, or no thread");
		release(p);
		return NULL;
	}
	return p;
}

void metrics_page_free(struct metrics_page *p)
{
	if (p == NULL)
		return;
	while (write(p->wake[1], "", 1) < 0 && errno == EINTR)
		;
	pthread_join(p->thread, NULL);
	release(p);
}

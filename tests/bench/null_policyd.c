/* SPDX-License-Identifier: ISC
 *
 * null_policyd: the limit for pgpgate-policyd: the same event library, the same line-buffered
 * reading, one thread, and DUNNO to every request, which it does not look into.
 *
 *   null_policyd SOCKET
 *
 * Stays in the foreground until SIGTERM.
 */
#include <err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "tests/bench/bench_stats.h"

static void on_read(struct bufferevent *b, void *context)
{
	static const char answer[] = "action=DUNNO\n\n";
	struct evbuffer *input = bufferevent_get_input(b);
	size_t len;
	char *line;

	(void)context;
	while ((line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF)) != NULL) {
		free(line);
		if (len == 0)
			bufferevent_write(b, answer, sizeof(answer) - 1);
	}
}

static void on_event(struct bufferevent *b, short what, void *context)
{
	(void)context;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		bufferevent_free(b);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *address,
		      int len, void *context)
{
	struct bufferevent *b;

	(void)l, (void)address, (void)len;
	b = bufferevent_socket_new(context, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!b)
		err(EX_OSERR, "memory");
	bufferevent_setcb(b, on_read, NULL, on_event, NULL);
	bufferevent_enable(b, EV_READ | EV_WRITE);
}

static void on_signal(evutil_socket_t fd, short what, void *context)
{
	(void)fd, (void)what;
	event_base_loopexit(context, NULL);
}

int main(int argc, char **argv)
{
	struct event_base *base;
	int fd;

	if (argc != 2)
		errx(EX_USAGE, "usage: null_policyd SOCKET");
	umask(0);
	fd = stats_listen(argv[1]);
	if (fd < 0)
		err(EX_UNAVAILABLE, "%s", argv[1]);
	base = event_base_new();
	if (!base || !evconnlistener_new(base, on_accept, base, LEV_OPT_CLOSE_ON_FREE, 0, fd))
		errx(EX_OSERR, "event loop");
	signal(SIGPIPE, SIG_IGN);
	event_add(evsignal_new(base, SIGTERM, on_signal, base), NULL);
	return event_base_dispatch(base) < 0 ? EX_SOFTWARE : EX_OK;
}

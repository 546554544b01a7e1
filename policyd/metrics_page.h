/* SPDX-License-Identifier: ISC
 *
 * metrics_page.h: metrics_listen, a page for Prometheus over HTTP, in the event loop of the policy server.
 * GET and HEAD of /metrics, nothing else. Whoever can connect may read it: it holds no personal data.
 *
 * It must never cost mail its answers: of its connections at most PAGE_CONNECTIONS are open at a time, each
 * for PAGE_CONNECTION_S at the longest (more wait in the kernel's queue), and the text is made anew once in
 * PAGE_FRESH_MS at most. One thread.
 */
#ifndef PGPGATE_POLICYD_METRICS_PAGE_H
#define PGPGATE_POLICYD_METRICS_PAGE_H

#include <stddef.h>
#include <stdio.h>

#include <event2/event.h>

#define PAGE_CONNECTIONS 16
#define PAGE_CONNECTION_S 5
#define PAGE_FRESH_MS 1000

struct metrics_page;

/* Listens on where ("host:port", "[::1]:port"), as settings have checked it. write() writes the page. NULL
 * with a sentence in err. */
struct metrics_page *metrics_page_new(struct event_base *base, const char *where,
				      void (*write)(void *context, FILE *out), void *context,
				      char *err, size_t err_size);
void metrics_page_free(struct metrics_page *p); /* NULL allowed */

#endif

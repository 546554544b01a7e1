/* SPDX-License-Identifier: ISC
 *
 * metrics_page.h: metrics_listen, a page for Prometheus over HTTP, in a thread of its own, so that
 * neither its clients nor the database's sums cost mail its answers. GET and HEAD of /metrics,
 * nothing else; whoever can connect may read it: it holds no personal data. A Host that is neither
 * an address nor localhost nor this machine's name is answered 421: a web page can have a name of
 * its own lead here, but not an address.
 *
 * Bounded: PAGE_CONNECTIONS at a time, each for PAGE_CONNECTION_S at the longest; when one more
 * comes the oldest makes room. The text is made anew once in PAGE_FRESH_MS at most.
 */
#ifndef PGPGATE_POLICYD_METRICS_PAGE_H
#define PGPGATE_POLICYD_METRICS_PAGE_H

#include <stddef.h>
#include <stdio.h>

#define PAGE_CONNECTIONS 16
#define PAGE_CONNECTION_S 5
#define PAGE_FRESH_MS 1000

struct metrics_page;

/* Listens on where ("192.0.2.1:port", "[::1]:port"), as settings have checked it. write_text()
 * writes the page, in the thread of the page. NULL with a sentence in err. */
struct metrics_page *metrics_page_new(const char *where,
				      void (*write_text)(void *context, FILE *out), void *context,
				      char *err, size_t err_size);
/* Returns when the thread has ended. */
void metrics_page_free(struct metrics_page *p); /* NULL allowed */

#endif

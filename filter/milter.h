/* SPDX-License-Identifier: ISC
 *
 * milter.h: the libmilter side of the filter; milter.c and milter_answer.c are the only files that
 * see SMFICTX. It turns callbacks into calls of transaction.h, and outcomes into replies and header
 * changes.
 *
 * Negotiates protocol 6 and only what it uses: no HELO, DATA and unknown commands; no replies to
 * connect, header, end of header and body (with them the filter is three times slower; libmilter
 * answers in our place where the MTA does not know that); adding and changing headers and
 * quarantine always, since a reload cannot renegotiate. No SMFIS_SKIP: it would need replies to
 * body chunks.
 *
 * One a process, as libmilter has it.
 */
#ifndef PGPGATE_FILTER_MILTER_H
#define PGPGATE_FILTER_MILTER_H

#include <stddef.h>
#include <sys/types.h>

#include "filter/transaction.h"

/* Registers and listens on `socket` (as in pgpgate.conf); a stale unix socket is replaced, a live
 * one is an error. context is borrowed until running_drain(). 0, or -1 with a sentence in err. */
int milter_listen(const char *socket, mode_t mask, const struct filter_context *context, char *err,
		  size_t err_size);

/* Serves until milter_stop(), SIGTERM or SIGINT, which libmilter takes to itself (SIGHUP it does
 * not get: stand_in.h); it notices at the next connection, or after 5 seconds without one. 0, or
 * -1: libmilter failed. */
int milter_run(void);

/* milter_run() is to return. Any thread. */
void milter_stop(void);

/* Removes the socket of a start that failed after milter_listen(). */
void milter_unlisten(const char *socket);

#endif

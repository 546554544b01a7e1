/* SPDX-License-Identifier: ISC
 *
 * pg.h: a connection to PostgreSQL, the only place that sees libpq. Every call has a deadline: a
 * server that is frozen, or a network that swallows packets, costs that much and the connection,
 * never more. Whatever fails closes the connection; the next call opens it anew.
 *
 * One thread.
 */
#ifndef PGPGATE_SYNC_PG_H
#define PGPGATE_SYNC_PG_H

#include <stdbool.h>
#include <stddef.h>

#define PG_ERROR_MAX 512

struct pg;
/* conninfo: URI or keywords, as libpq takes them; borrowed. NULL: out of memory. */
struct pg *pg_new(const char *conninfo, int timeout_ms);
void pg_free(struct pg *p);

/* Connects, unless that is done. 0 or -1. */
int pg_open(struct pg *p);
bool pg_is_open(const struct pg *p);

/* Runs one statement with n text parameters (NULL: NULL). *out, if out is not NULL: the first
 * column of the first row, malloc()ed, or NULL. What is no UTF-8 in a parameter becomes '?'. 0; -1:
 * see pg_error(). */
int pg_call(struct pg *p, const char *sql, int n, const char *const *parameters, char **out);
/* Several statements without parameters. */
int pg_script(struct pg *p, const char *sql);

const char *pg_error(const struct pg *p); /* one line; "" */
/* The server answered, and refused the statement: trying again does not help. */
bool pg_was_refused(const struct pg *p);
/* Refused, and not for what the statement is: the server is read-only, full, closing, damaged, out
 * of time, or somebody else holds what is wanted. */
bool pg_was_unable(const struct pg *p);
/* What is said on it nobody else on the way reads: a socket of this machine, or encrypted. */
bool pg_is_private(const struct pg *p);
const char *pg_user(const struct pg *p); /* of the connection; NULL when closed */

/* The bell: waits up to timeout_ms for a notification. True: another one rang it, or the connection
 * is lost. */
bool pg_wait(struct pg *p, int timeout_ms);

#endif

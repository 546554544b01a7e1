/* SPDX-License-Identifier: ISC */
#include "sync/pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

#include "common/clock.h"

#define PARAMETERS_MAX 8

struct pg {
	const char *conninfo;
	int timeout_ms;
	PGconn *connection;
	bool was_refused, was_unable, must_close;
	char error[PG_ERROR_MAX];
};

struct pg *pg_new(const char *conninfo, int timeout_ms)
{
	struct pg *p = calloc(1, sizeof *p);

	if (p != NULL) {
		p->conninfo = conninfo;
		p->timeout_ms = timeout_ms;
	}
	return p;
}

static void pg_close(struct pg *p)
{
	p->must_close = false;
	PQfinish(p->connection);
	p->connection = NULL;
}

void pg_free(struct pg *p)
{
	if (p != NULL)
		pg_close(p);
	free(p);
}

bool pg_is_open(const struct pg *p)
{
	return p->connection != NULL;
}

const char *pg_error(const struct pg *p)
{
	return p->error;
}

bool pg_was_refused(const struct pg *p)
{
	return p->was_refused;
}

bool pg_was_unable(const struct pg *p)
{
	return p->was_unable;
}

const char *pg_user(const struct pg *p)
{
	return p->connection != NULL ? PQuser(p->connection) : NULL;
}

bool pg_is_private(const struct pg *p)
{
	const char *host = p->connection != NULL ? PQhost(p->connection) : NULL;

	return host != NULL && (host[0] == '/' || PQsslInUse(p->connection) != 0 ||
				strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
				strcmp(host, "::1") == 0);
}

/* The first line of a message, without what libpq puts before it. */
static int fail(struct pg *p, const char *message)
{
	size_t len;

	if (strncmp(message, "ERROR:  ", 8) == 0)
		message += 8;
	len = strcspn(message, "\n");
	snprintf(p->error, sizeof p->error, "%.*s",
		 (int)(len < sizeof p->error ? len : sizeof p->error - 1),
		 len > 0 ? message : "no answer");
	/* It may go to a terminal. */
	for (char *c = p->error; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return -1;
}

static int fail_closed(struct pg *p, const char *message)
{
	fail(p, message);
	pg_close(p);
	return -1;
}

/* 0: ready, -1: not until then. */
static int wait_for(struct pg *p, short events, int64_t until_ms)
{
	struct pollfd fd = {.fd = PQsocket(p->connection), .events = events};
	int64_t left_ms;
	int n;

	do {
		left_ms = until_ms - clock_monotonic_ms();
		n = left_ms > 0 ? poll(&fd, 1, (int)left_ms) : 0;
	} while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : -1;
}

/* Notices would go to standard error, as they are, in any number. */
static void ignore_notice(void *context, const PGresult *r)
{
	(void)context;
	(void)r;
}

static int connect_once(struct pg *p)
{
	const int64_t until_ms = clock_monotonic_ms() + p->timeout_ms;
	const char *const keys[] = {"dbname",		"fallback_application_name",
				    "keepalives_idle",	"keepalives_interval",
				    "keepalives_count", NULL};
	const char *const values[] = {p->conninfo, "pgpgate", "10", "5", "3", NULL};
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	if (p->connection != NULL)
		return 0;
	p->was_refused = p->was_unable = false;
	p->error[0] = '\0';
	p->connection = PQconnectStartParams(keys, values, 1);
	if (p->connection == NULL)
		return fail(p, "out of memory");
	PQsetNoticeReceiver(p->connection, ignore_notice, NULL);
	if (PQstatus(p->connection) == CONNECTION_BAD)
		return fail_closed(p, PQerrorMessage(p->connection));
	while (status != PGRES_POLLING_OK) {
		if (wait_for(p, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms) != 0)
			return fail_closed(p, "the connection was not made in time");
		status = PQconnectPoll(p->connection);
		if (status == PGRES_POLLING_FAILED)
			return fail_closed(p, PQerrorMessage(p->connection));
	}
	PQsetnonblocking(p->connection, 1);
	/* The functions wait for each other's rows and go on with what is there then. */
	if (pg_script(p, "SET default_transaction_isolation TO 'read committed'") != 0 &&
	    p->connection == NULL)
		return -1;
	p->was_refused = p->was_unable = false;
	p->error[0] = '\0';
	return 0;
}

/* A server that is busy, or a pooler, may hang up on one that it has just let in: that is asked for
 * once more. */
int pg_open(struct pg *p)
{
	if (connect_once(p) == 0)
		return 0;
	return strstr(p->error, "closed the connection") != NULL ? connect_once(p) : -1;
}

static int send_all(struct pg *p, int64_t until_ms)
{
	int left;

	while ((left = PQflush(p->connection)) == 1) {
		if (wait_for(p, POLLIN | POLLOUT, until_ms) != 0)
			return fail_closed(p, "the statement was not sent in time");
		if (PQconsumeInput(p->connection) != 1)
			return fail_closed(p, PQerrorMessage(p->connection));
	}
	return left == 0 ? 0 : fail_closed(p, PQerrorMessage(p->connection));
}

/* By the SQLSTATE: it is the server that cannot, at this time; the statement is all right. */
static bool is_state(const char *code)
{
	static const char *const states[] = {"25006", "53", "55P03", "57", "58", "XX"};

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
		if (strncmp(code, states[i], strlen(states[i])) == 0)
			return true;
	return false;
}

/* What a session has of the settings of its role and database (read-only, limits of time) it keeps
 * until it ends: so it ends, unless somebody else's lock was all. */
static int refused(struct pg *p, const PGresult *r)
{
	const char *code = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	if (code == NULL)
		code = "";
	p->was_refused = true;
	p->was_unable = is_state(code);
	p->must_close = p->was_unable && strcmp(code, "55P03") != 0;
	return fail(p, PQresultErrorMessage(r));
}

/* All results of what was sent; the first value goes to *out. */
static int receive(struct pg *p, int64_t until_ms, char **out)
{
	PGresult *r;
	int result = 0;

	for (;;) {
		while (PQisBusy(p->connection)) {
			if (wait_for(p, POLLIN, until_ms) != 0)
				return fail_closed(p, "no answer in time");
			if (PQconsumeInput(p->connection) != 1)
				return fail_closed(p, PQerrorMessage(p->connection));
		}
		r = PQgetResult(p->connection);
		if (r == NULL)
			break;
		if (PQresultStatus(r) == PGRES_TUPLES_OK && out != NULL && *out == NULL &&
		    PQntuples(r) > 0 && !PQgetisnull(r, 0, 0))
			*out = strdup(PQgetvalue(r, 0, 0));
		/* It would come again and again, without waiting; nothing of ours asks for it. */
		if (PQresultStatus(r) == PGRES_COPY_IN || PQresultStatus(r) == PGRES_COPY_OUT ||
		    PQresultStatus(r) == PGRES_COPY_BOTH) {
			PQclear(r);
			return fail_closed(p, "an answer that is none");
		}
		if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
			result = refused(p, r);
		PQclear(r);
	}
	if (PQstatus(p->connection) == CONNECTION_BAD) {
		p->was_refused = false;
		pg_close(p);
		return result != 0 ? result : fail(p, "the connection was lost");
	}
	if (p->must_close)
		pg_close(p);
	return result;
}

/* A copy with '?' for what is no UTF-8, or NULL when it is all well. */
static char *mended(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char *copy = NULL;

	for (size_t i = 0; s[i] != '\0';) {
		const unsigned char c = s[i];
		size_t n = c < 0x80		    ? 1
			   : c >= 0xc2 && c <= 0xdf ? 2
			   : c >= 0xe0 && c <= 0xef ? 3
			   : c >= 0xf0 && c <= 0xf4 ? 4
						    : 0;

		for (size_t k = 1; k < n; k++)
			if ((s[i + k] & 0xc0) != 0x80)
				n = 0;
		if (n == 3 && ((c == 0xe0 && s[i + 1] < 0xa0) || (c == 0xed && s[i + 1] > 0x9f)))
			n = 0;
		if (n == 4 && ((c == 0xf0 && s[i + 1] < 0x90) || (c == 0xf4 && s[i + 1] > 0x8f)))
			n = 0;
		if (n == 0) {
			if (copy == NULL && (copy = strdup(text)) == NULL)
				return NULL;
			copy[i] = '?';
			n = 1;
		}
		i += n;
	}
	return copy;
}

int pg_call(struct pg *p, const char *sql, int n, const char *const *parameters, char **out)
{
	const int64_t until_ms = clock_monotonic_ms() + p->timeout_ms;
	const char *given[PARAMETERS_MAX];
	char *copies[PARAMETERS_MAX] = {NULL};
	int sent;

	if (out != NULL)
		*out = NULL;
	if (pg_open(p) != 0)
		return -1;
	p->was_refused = p->was_unable = false;
	p->error[0] = '\0';
	for (int i = 0; i < n; i++) {
		copies[i] = parameters[i] != NULL ? mended(parameters[i]) : NULL;
		given[i] = copies[i] != NULL ? copies[i] : parameters[i];
	}
	sent = PQsendQueryParams(p->connection, sql, n, NULL, given, NULL, NULL, 0);
	for (int i = 0; i < n; i++)
		free(copies[i]);
	if (sent != 1)
		return fail_closed(p, PQerrorMessage(p->connection));
	return send_all(p, until_ms) == 0 ? receive(p, until_ms, out) : -1;
}

int pg_script(struct pg *p, const char *sql)
{
	const int64_t until_ms = clock_monotonic_ms() + p->timeout_ms;

	if (pg_open(p) != 0)
		return -1;
	p->was_refused = p->was_unable = false;
	if (PQsendQuery(p->connection, sql) != 1)
		return fail_closed(p, PQerrorMessage(p->connection));
	return send_all(p, until_ms) == 0 ? receive(p, until_ms, NULL) : -1;
}

/* Whether another one rang, among what has been read. */
static bool has_rung(struct pg *p)
{
	bool rang = false;
	PGnotify *n;

	while ((n = PQnotifies(p->connection)) != NULL) {
		rang = rang || n->be_pid != PQbackendPID(p->connection);
		PQfreemem(n);
	}
	return rang;
}

bool pg_wait(struct pg *p, int timeout_ms)
{
	const struct timespec pause = {.tv_sec = timeout_ms / 1000,
				       .tv_nsec = timeout_ms % 1000 * 1000000L};

	if (p->connection == NULL) {
		nanosleep(&pause, NULL);
		return false;
	}
	/* It may have come with the answer to the last call: the socket has nothing more then. */
	if (has_rung(p))
		return true;
	if (wait_for(p, POLLIN, clock_monotonic_ms() + timeout_ms) != 0)
		return false;
	if (PQconsumeInput(p->connection) != 1) {
		fail_closed(p, PQerrorMessage(p->connection));
		return true;
	}
	return has_rung(p);
}

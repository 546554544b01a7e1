/* SPDX-License-Identifier: ISC
 *
 * host.h: this host and its centre: what is pulled and applied, what is pushed. Used by the daemon,
 * and by what the command line starts. One thread; the connections are the caller's.
 */
#ifndef PGPGATE_SYNC_HOST_H
#define PGPGATE_SYNC_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/settings.h"
#include "db/db.h"
#include "db/site.h"
#include "sync/pg.h"

#define HOST_ERROR_MAX 700
#define HOST_TIMEOUT_MS 5000	 /* of one call */
#define HOST_OFFSET_MAX_MS 60000 /* clocks that differ by more: nothing is exchanged */
#define HOST_SCHEMA_VERSION 2	 /* of sql/centre/schema.sql */

struct host {
	struct settings *settings;
	struct db *db;
	struct pg *centre;
	struct site_state state;
	char machine[40], boot[120]; /* this machine since it was started; and this database file */
	int64_t pushed_no;	     /* rows up to here are at the centre, for all that we know */
	char error[HOST_ERROR_MAX];
	int64_t head_no;   /* of the centre, as it said last */
	bool has_told_all; /* of history, to this centre since it was started */
	struct site_walk walk;
	bool needs_feed;   /* a snapshot was taken: the feed is to be read again */
	bool must_sweep;   /* host_sweep() has something to do */
	bool is_refused;   /* it answered, and does not want us */
	bool was_answered; /* it answered, as one of ours: what is here may be pushed, whatever else
			      failed */
	bool told_bad, told_lost;
	int64_t wrong_offset_ms; /* of a clock with which nothing is exchanged; 0: it is none */
	int most_rows;		 /* of the next push, since a larger one failed; 0: any number */
	int most_told;		 /* likewise of host_tell_all() */
	int64_t taken_no; /* the last push: a number that another message has there; 0: none */
	int64_t version;  /* of its schema */
	char snapshot_error[HOST_ERROR_MAX];
	int64_t snapshot_at_ms; /* not before: the last one could not be taken */
};

/* Borrows all. */
void host_init(struct host *h, struct settings *s, struct db *d, struct pg *centre);
void host_look_at_file(struct host *h);		 /* h->boot */
const char *host_name(const struct settings *s); /* static */

/* Reads h->state. 1, 0: belongs to no site, -1. */
int host_read(struct host *h);

/* Asks the centre and applies what it says, until there is no more. 0 or -1 (h->error). */
int host_pull(struct host *h);
/* Pushes one batch. 1: there is more, 0: that was all, -1. */
int host_push(struct host *h, int n_rows);
/* Likewise one step of all history that the centre was not told; for a while after each pull until
 * h->has_told_all. */
int host_tell_all(struct host *h);
/* A step of what takes the centre long; while h->must_sweep. 0 or -1. */
int host_sweep(struct host *h);

/* One call whose answer is text, malloc()ed, or JSON. NULL: failed, or refused; h->error. */
char *host_ask_text(struct host *h, const char *sql, int n, const char *const *parameters);
json_t *host_ask(struct host *h, const char *sql, int n, const char *const *parameters);

/* -1, and the sentence in h->error: that of the database, of the connection, or a new one. */
int host_fail_db(struct host *h);
int host_fail_pg(struct host *h);
int host_fail(struct host *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

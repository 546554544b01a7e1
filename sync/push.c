/* SPDX-License-Identifier: ISC
 *
 * push.c: what is told to the centre (host.h): the record, and what other hosts ask of it.
 */
#include "sync/host.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/clock.h"
#include "common/log.h"
#include "sync/answer.h"

#define TELL_ROWS 2000 /* of all history, at once */

/* Hands a batch over. 0 or -1. */
static int send_batch(struct host *h, const struct site_batch *b)
{
	char to[24];
	const char *const parameters[] = {h->state.host_id, h->boot, to,
					  b->rows,	    b->feed, b->retracted};
	json_t *answer;

	snprintf(to, sizeof to, "%" PRId64, b->to_no);
	h->taken_no = 0;
	answer = host_ask(h, "SELECT pgpgate.push($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb)", 6,
			  parameters);
	if (answer == NULL)
		return -1;
	json_decref(answer);
	return site_batch_done(h->db, b) == 0 ? 0 : host_fail_db(h);
}

/* Numbers of the last ones here were given to other messages once: a backup was put back. Rows from
 * now on belong to another id of this host, and none is lost or taken for another. 1 or -1. */
static int renew(struct host *h)
{
	char kept[24];
	const char *const parameters[] = {h->state.host_id, h->boot, kept};
	const int64_t taken_no = h->taken_no;
	json_t *answer;
	int result;

	snprintf(kept, sizeof kept, "%" PRId64, taken_no - 1);
	answer = host_ask(h, "SELECT pgpgate.renew($1, $2, $3)", 3, parameters);
	if (answer == NULL)
		return -1;
	if (!answer_is_uuid(answer_text(answer, "host"))) {
		json_decref(answer);
		return host_fail(h, "the centre: an answer that cannot be");
	}
	result = site_renew(h->db, answer_text(answer, "host"), taken_no - 1);
	json_decref(answer);
	if (result != 0)
		return host_fail_db(h);
	log_warning("row %" PRId64
		    " of this host was another message once (a backup was put back?): it is a "
		    "host of "
		    "another id from there on",
		    taken_no);
	h->pushed_no = taken_no - 1;
	return host_read(h) == 1 ? 1 : -1;
}

int host_push(struct host *h, int n_rows)
{
	struct site_batch b;
	const int n = h->most_rows > 0 && h->most_rows < n_rows ? h->most_rows : n_rows;
	int result = 0;

	/* A batch that is too much for the time of a call, or for a value of either database, would
	 * be so for ever: until one is through, each is half the one before. */
	h->most_rows = n > 1 ? n / 2 : 1;
	if (site_batch_read(h->db, h->pushed_no, n, clock_now_unix(), &b) != 0)
		return host_fail_db(h);
	if (b.to_no > b.from_no || strcmp(b.feed, "[]") != 0 || b.retracted_to != 0)
		result = send_batch(h, &b);
	if (result == 0) {
		result = b.to_no > b.from_no;
		h->pushed_no = b.to_no;
		h->most_rows = n < n_rows ? n + n / 8 + 1 : 0;
	}
	site_batch_free(&b);
	return result < 0 && h->taken_no > 0 && h->version >= 2 ? renew(h) : result;
}

int host_tell_all(struct host *h)
{
	const int n = h->most_told > 0 && h->most_told < TELL_ROWS ? h->most_told : TELL_ROWS;
	struct site_walk walk = h->walk;
	struct site_batch b;
	const int more = site_walk_read(h->db, &walk, n, &b);
	int result = more;

	if (more < 0)
		return host_fail_db(h);
	/* As in host_push(). */
	h->most_told = n > 1 ? n / 2 : 1;
	if (strcmp(b.feed, "[]") != 0 && send_batch(h, &b) != 0)
		result = -1;
	if (result >= 0) {
		h->walk = walk;
		h->has_told_all = more == 0;
		h->most_told = n < TELL_ROWS ? n + n / 8 + 1 : 0;
	}
	site_batch_free(&b);
	return result;
}

int host_sweep(struct host *h)
{
	char *more = host_ask_text(h, "SELECT pgpgate.sweep(5000)", 0, NULL);

	if (more == NULL)
		return -1;
	h->must_sweep = strcmp(more, "t") == 0;
	free(more);
	return 0;
}

/* SPDX-License-Identifier: ISC
 *
 * policy_bounce.c: is mail from the null sender plausible as a bounce? It is when its recipient
 * wrote to the outside within BOUNCE_WINDOW_S, and BOUNCES_A_DAY have not come today.
 */
#include "db/policy/policy_internal.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "db/engine/key.h"

#define SECONDS_A_DAY 86400

struct window {
	int64_t last_sent_unix; /* 0: never */
	int64_t n_today;
};

/* Under each form in which the address may be stored. 0 or -1. */
static int read_window(struct db *d, const char *ours, int64_t now_unix, struct window *out)
{
	struct hashed forms[2] = {d->hashed, d->hashed};
	char key[KEY_MAX];

	forms[0].is_on = false;
	forms[1].is_on = true;
	memset(out, 0, sizeof *out);
	for (size_t i = 0; i < (d->hashed.has_key ? 2u : 1u); i++) {
		sqlite3_stmt *st = db_statement(d, SQL_POLICY_BOUNCE);
		int got;

		if (st == NULL)
			return -1;
		db_bind_text(st, 1, key_stored(&forms[i], ours, key));
		db_bind_int(st, 2, now_unix / SECONDS_A_DAY);
		got = db_step(d, st);
		if (got < 0)
			return -1;
		if (got == 1) {
			const int64_t sent_unix = sqlite3_column_int64(st, 0);

			if (sent_unix > out->last_sent_unix)
				out->last_sent_unix = sent_unix;
			out->n_today += sqlite3_column_int64(st, 1);
		}
		sqlite3_reset(st);
	}
	return 0;
}

int policy_ask_bounce(struct db *d, const struct settings *s, const struct policy_query *q,
		      struct policy_answer *a)
{
	char when[CLOCK_TEXT_MAX];
	struct window window;
	size_t used;

	if (s->accept_bounces != BOUNCES_REPLY || q->sender->kind != ADDRESS_NULL ||
	    policy_strength(a->demand) <= policy_strength(REQUIREMENT_OBSERVE))
		return 0;
	/* It must be what it seems: this lowers the demand. */
	if (q->recipient->kind != ADDRESS_MAILBOX || !address_is_trustworthy(q->recipient))
		return 0;
	if (read_window(d, q->recipient->text, q->now_unix, &window) != 0)
		return -1;
	if (window.last_sent_unix == 0 ||
	    !policy_is_within(window.last_sent_unix, q->now_unix, BOUNCE_WINDOW_S))
		return 0;
	used = strlen(a->why);
	if (window.n_today >= BOUNCES_A_DAY) {
		snprintf(a->why + used, sizeof a->why - used, "; %d bounces came today",
			 BOUNCES_A_DAY);
		return 0;
	}
	a->expects_bounce = true;
	snprintf(a->why + used, sizeof a->why - used,
		 "; it wrote to the outside on %s, a bounce may come (accept_bounces)",
		 clock_format(window.last_sent_unix, when));
	return 0;
}

int policy_anybody_expects_bounces(struct db *d, int64_t now_unix)
{
	sqlite3_stmt *st;
	int got = -1;

	if (db_begin_read(d) != 0)
		return -1;
	st = db_statement(d, SQL_POLICY_BOUNCE_ANY);
	if (st != NULL) {
		db_bind_int(st, 1, now_unix - BOUNCE_WINDOW_S);
		got = db_step(d, st);
		sqlite3_reset(st);
	}
	return db_end(d, got < 0 ? -1 : 0) == 0 ? got : -1;
}

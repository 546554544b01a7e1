/* SPDX-License-Identifier: ISC
 *
 * verdict_ticket.h: those whose record is in the journal and who wait until it is in the database
 * as well, since the next message's answer may depend on it. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_TICKET_H
#define PGPGATE_DB_VERDICT_TICKET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"

#define TICKETS_LOST 16 /* who comes later comes within microseconds */

struct ticket;
struct tickets {
	pthread_mutex_t lock;
	pthread_cond_t work; /* for the mover: a ticket came, or verdict_tickets_wake() */
	struct ticket *first, **last;
	atomic_size_t n_waiting;
	uint64_t moved; /* who comes for what is up to here is answered at once */
	struct {
		uint64_t first, last; /* 0: none */
		const char *why;
	} lost[TICKETS_LOST]; /* the latest of what the mover passed over */
	size_t next_lost;
	bool is_woken;
};

void tickets_init(struct tickets *t);
void tickets_destroy(struct tickets *t);

/* Any thread: waits until record `sequence` is moved; not at all if it was before. 0; -1 with err
 * as the mover answered it (the mover voids the record, unless it stands unrecorded, or is lost
 * anyway), or with err empty when until_ms (monotonic) has come: then it is the caller's to void.
 */
int tickets_wait(struct tickets *t, uint64_t sequence, int64_t until_ms, char *err);

/* Any thread: the mover has something to do. */
void tickets_wake(struct tickets *t);

/* ---- the mover's ---- */

/* Sleeps until it is woken, a ticket waits that may be had (its sequence is up to `published`), or
 * until_ms. */
void tickets_sleep(struct tickets *t, uint64_t (*published)(void *context), void *context,
		   int64_t until_ms);
bool tickets_has(struct tickets *t, uint64_t published);

/* All tickets up to `moved` are answered with 0, also those that come later. `gone` is called for
 * each whose thread had left. */
void tickets_answer(struct tickets *t, uint64_t moved,
		    void (*gone)(void *context, uint64_t sequence), void *context);
/* What the mover passes over, since it cannot be read or is not taken: those who wait for it, or
 * come for it later, are answered with -1 and a sentence (static); `before` as below. To be called
 * before tickets_answer() for what comes behind. */
void tickets_lose(struct tickets *t, uint64_t first, uint64_t last, const char *why,
		  void (*before)(void *context, uint64_t sequence), void *context);
/* What was moved behind `moved` is no longer there: who comes later waits until it is again. */
void tickets_go_back(struct tickets *t, uint64_t moved);
/* All up to `published` are answered with -1 and a sentence; `before` is called for each, first. */
void tickets_refuse(struct tickets *t, uint64_t published, const char *error,
		    void (*before)(void *context, uint64_t sequence), void *context);

#endif

/* SPDX-License-Identifier: ISC
 *
 * verdict_queue.h: the bounded queue between the threads that judge messages and the journal. A
 * group is what waits when the last one is written, so that many messages share one write, and one
 * sync.
 *
 * Who writes a group: without a writing thread the first of those that wait, for all of them, and
 * then the first of those that came meanwhile: nobody is woken for a message that comes alone. That
 * takes a write(2). Where it takes a sync, which may be long, there is a thread for it
 * (verdict_queue_take), so that nobody's patience depends on the disk.
 *
 * All functions may be called from any thread; take is for the one writing thread. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_QUEUE_H
#define PGPGATE_DB_VERDICT_QUEUE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "db/record/journal.h"
#include "db/record/verdict_write.h"

#define VERDICT_QUEUE_MAX                                                                        \
	4096		      /* waiting messages; more than smtpd processes of any sane Postfix \
			       */
#define VERDICT_GROUP_MAX 256 /* messages a transaction: about 10 ms */

enum submission_state {
	SUBMISSION_WAITS,
	SUBMISSION_ANSWERED,
	SUBMISSION_LEADS,     /* its thread writes the next group, which it is the first of */
	SUBMISSION_ABANDONED, /* its thread has gone: who answers frees it */
};

/* One message's record, from submit to answer. Who finds the other side's mark in `state` frees it.
 */
struct submission {
	struct submission *next;
	_Atomic(enum submission_state) state;
	sem_t answered;
	int64_t until_ms; /* monotonic: when its thread loses patience */
	int result;
	char error[DB_ERROR_MAX];
	bool stands_unrecorded;	    /* as in struct verdict_record */
	struct journal_entry entry; /* owns its payload */
};

struct verdict_queue {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct submission *first, **last;
	size_t n_waiting;
	bool must_stop;
	bool is_led; /* somebody writes a group, and will call the next */
	/* Writes a group and answers it (verdict_queue_answer). NULL: there is a writing thread. */
	void (*lead)(void *context, struct submission *group);
	void *context;
};

/* Zeroed, with until_ms set. NULL when memory is short. */
struct submission *submission_new(int64_t until_ms);
void submission_free(struct submission *s);

void verdict_queue_init(struct verdict_queue *q,
			void (*lead)(void *context, struct submission *group), void *context);
void verdict_queue_destroy(struct verdict_queue *q);

/* Queues s, waits for its answer, and frees it. 0 or -1 as it was answered; -1 too when the queue
 * is full or stopping (err, of DB_ERROR_MAX, says so), or when s->until_ms has come (err is empty).
 * *sequence: where it is in the journal, when 0 is returned. */
int verdict_queue_submit(struct verdict_queue *q, struct submission *s, char *err,
			 uint64_t *sequence);

/* Up to VERDICT_GROUP_MAX submissions, oldest first, waiting until until_ms (monotonic) for the
 * first. NULL: none came; then *must_stop says whether to go on. */
struct submission *verdict_queue_take(struct verdict_queue *q, int64_t until_ms, bool *must_stop);

/* The answer for all of a group. error: NULL or a sentence. Those whose threads had gone are
 * returned, in a list, and are the caller's to free; the others are the queue's again. */
struct submission *verdict_queue_answer(struct submission *group, int result, const char *error);

/* verdict_queue_take() tells the writer to end once nothing waits. */
void verdict_queue_stop(struct verdict_queue *q);

#endif

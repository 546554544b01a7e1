/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/copy.h"

struct submission *submission_new(int64_t until_ms)
{
	struct submission *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	sem_init(&s->answered, 0, 0);
	s->until_ms = until_ms;
	return s;
}

void submission_free(struct submission *s)
{
	free(s->entry.payload);
	sem_destroy(&s->answered);
	free(s);
}

void verdict_queue_init(struct verdict_queue *q,
			void (*lead)(void *context, struct submission *group), void *context)
{
	pthread_condattr_t attributes;

	*q = (struct verdict_queue){.last = &q->first, .lead = lead, .context = context};
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&q->work, &attributes);
	pthread_condattr_destroy(&attributes);
}

void verdict_queue_destroy(struct verdict_queue *q)
{
	pthread_cond_destroy(&q->work);
	pthread_mutex_destroy(&q->lock);
}

static struct timespec timespec_of(int64_t monotonic_ms)
{
	return (struct timespec){.tv_sec = (time_t)(monotonic_ms / 1000),
				 .tv_nsec = (long)(monotonic_ms % 1000) * 1000000L};
}

/* ---- groups ---- */

/* Under the lock. Those whose threads have gone are freed on the way: what was answered with 451 is
 * not written as if it were judged. */
static struct submission *take(struct verdict_queue *q)
{
	struct submission *group = NULL, **end = &group;

	for (size_t n = 0; n < VERDICT_GROUP_MAX && q->first != NULL;) {
		struct submission *s = q->first;

		q->first = s->next;
		q->n_waiting--;
		s->next = NULL;
		if (atomic_load(&s->state) == SUBMISSION_ABANDONED) {
			submission_free(s);
			continue;
		}
		*end = s;
		end = &s->next;
		n++;
	}
	if (q->first == NULL)
		q->last = &q->first;
	return group;
}

/* The next group is for the first of those that still wait, if any. */
static void hand_over(struct verdict_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->is_led = false;
	while (q->first != NULL && !q->is_led) {
		struct submission *s = q->first;
		enum submission_state waits = SUBMISSION_WAITS;

		if (atomic_compare_exchange_strong(&s->state, &waits, SUBMISSION_LEADS)) {
			q->is_led = true;
			sem_post(&s->answered);
			break;
		}
		q->first = s->next;
		q->n_waiting--;
		submission_free(s);
	}
	if (q->first == NULL)
		q->last = &q->first;
	pthread_mutex_unlock(&q->lock);
}

static void lead(struct verdict_queue *q)
{
	struct submission *group;

	pthread_mutex_lock(&q->lock);
	group = take(q);
	pthread_mutex_unlock(&q->lock);
	q->lead(q->context, group);
	hand_over(q);
}

/* ---- the threads that submit ---- */

/* 0, or -1 when it is not taken, for the reason in err. *leads: nobody writes now, so that this one
 * does. */
static int queue_up(struct verdict_queue *q, struct submission *s, bool *leads, char *err)
{
	bool is_taken;

	pthread_mutex_lock(&q->lock);
	is_taken = !q->must_stop && q->n_waiting < VERDICT_QUEUE_MAX;
	*leads = false;
	if (is_taken) {
		*q->last = s;
		q->last = &s->next;
		q->n_waiting++;
		if (q->lead == NULL && q->n_waiting == 1)
			pthread_cond_signal(&q->work);
		*leads = q->lead != NULL && !q->is_led;
		q->is_led = q->is_led || *leads;
	} else {
		snprintf(err, DB_ERROR_MAX,
			 q->must_stop ? "stopping" : "%d messages wait for the journal",
			 VERDICT_QUEUE_MAX);
	}
	pthread_mutex_unlock(&q->lock);
	return is_taken ? 0 : -1;
}

/* Whether an answer, or the lead, came before the time was over. */
static bool wait_for_answer(struct submission *s)
{
	const struct timespec until = timespec_of(s->until_ms);
	enum submission_state waits = SUBMISSION_WAITS;
	int rc;

	do
		rc = sem_clockwait(&s->answered, CLOCK_MONOTONIC, &until);
	while (rc != 0 && errno == EINTR);
	if (rc != 0 && atomic_compare_exchange_strong(&s->state, &waits, SUBMISSION_ABANDONED))
		return false;
	/* In the last moment: whoever answers is about to post, and must have done so before s is
	 * freed. */
	while (rc != 0)
		rc = sem_wait(&s->answered);
	return true;
}

int verdict_queue_submit(struct verdict_queue *q, struct submission *s, char *err,
			 uint64_t *sequence)
{
	bool leads;
	int result;

	if (queue_up(q, s, &leads, err) != 0) {
		submission_free(s);
		return -1;
	}
	if (leads)
		lead(q);
	if (!wait_for_answer(s)) {
		err[0] = '\0';
		return -1;
	}
	/* Loaded also for the order of memory that comes with the semaphore, which ThreadSanitizer
	 * of gcc 12 does not see. */
	while (atomic_load(&s->state) == SUBMISSION_LEADS) {
		lead(q);
		while (sem_wait(&s->answered) != 0)
			;
	}
	result = s->result;
	*sequence = s->entry.sequence;
	copy_text(err, DB_ERROR_MAX, s->error);
	submission_free(s);
	return result;
}

/* ---- the writing thread, and answers ---- */

struct submission *verdict_queue_take(struct verdict_queue *q, int64_t until_ms, bool *must_stop)
{
	const struct timespec until = timespec_of(until_ms);
	struct submission *group;
	int rc = 0;

	pthread_mutex_lock(&q->lock);
	while (q->first == NULL && !q->must_stop && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&q->work, &q->lock, &until);
	group = take(q);
	*must_stop = q->must_stop && group == NULL;
	pthread_mutex_unlock(&q->lock);
	return group;
}

struct submission *verdict_queue_answer(struct submission *group, int result, const char *error)
{
	struct submission *gone = NULL;

	while (group != NULL) {
		struct submission *s = group;

		group = s->next;
		s->result = result;
		if (result != 0)
			snprintf(s->error, sizeof s->error, "%s", error);
		/* Nothing of s may be touched after it was handed over. */
		if (atomic_exchange(&s->state, SUBMISSION_ANSWERED) == SUBMISSION_ABANDONED) {
			s->next = gone;
			gone = s;
		} else {
			sem_post(&s->answered);
		}
	}
	return gone;
}

void verdict_queue_stop(struct verdict_queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->must_stop = true;
	pthread_cond_signal(&q->work);
	pthread_mutex_unlock(&q->lock);
}

/* SPDX-License-Identifier: ISC */
#include "db/record/verdict_ticket.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum ticket_state { TICKET_WAITS, TICKET_ANSWERED, TICKET_ABANDONED };

/* Whoever finds the other's mark in `state` frees it. */
struct ticket {
	struct ticket *next;
	_Atomic(enum ticket_state) state;
	sem_t answered;
	uint64_t sequence;
	int result;
	char error[DB_ERROR_MAX];
};

void tickets_init(struct tickets *t)
{
	pthread_condattr_t attributes;

	memset(t, 0, sizeof *t);
	t->last = &t->first;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&t->work, &attributes);
	pthread_condattr_destroy(&attributes);
}

void tickets_destroy(struct tickets *t)
{
	pthread_cond_destroy(&t->work);
	pthread_mutex_destroy(&t->lock);
}

static void free_ticket(struct ticket *one)
{
	sem_destroy(&one->answered);
	free(one);
}

static struct timespec timespec_of(int64_t monotonic_ms)
{
	return (struct timespec){.tv_sec = (time_t)(monotonic_ms / 1000),
				 .tv_nsec = (long)(monotonic_ms % 1000) * 1000000L};
}

/* Under the lock. NULL: it is not lost. */
static const char *why_lost(const struct tickets *t, uint64_t sequence)
{
	for (size_t i = 0; i < TICKETS_LOST; i++)
		if (t->lost[i].first != 0 && sequence >= t->lost[i].first &&
		    sequence <= t->lost[i].last)
			return t->lost[i].why;
	return NULL;
}

int tickets_wait(struct tickets *t, uint64_t sequence, int64_t until_ms, char *err)
{
	const struct timespec until = timespec_of(until_ms);
	struct ticket *one = calloc(1, sizeof *one);
	enum ticket_state waits = TICKET_WAITS;
	const char *why;
	bool is_known;
	int rc, result;

	err[0] = '\0';
	if (one == NULL)
		return -1;
	sem_init(&one->answered, 0, 0);
	one->sequence = sequence;
	pthread_mutex_lock(&t->lock);
	/* The mover may have had the record before we came: it will not look for us again. */
	why = why_lost(t, sequence);
	is_known = why != NULL || sequence <= t->moved;
	if (!is_known) {
		*t->last = one;
		t->last = &one->next;
		t->n_waiting++;
		pthread_cond_signal(&t->work);
	}
	pthread_mutex_unlock(&t->lock);
	if (is_known) {
		free_ticket(one);
		snprintf(err, DB_ERROR_MAX, "%s", why != NULL ? why : "");
		return why != NULL ? -1 : 0;
	}
	do
		rc = sem_clockwait(&one->answered, CLOCK_MONOTONIC, &until);
	while (rc != 0 && errno == EINTR);
	if (rc != 0 && atomic_compare_exchange_strong(&one->state, &waits, TICKET_ABANDONED))
		return -1;
	while (rc != 0)
		rc = sem_wait(&one->answered);
	result = atomic_load(&one->state) == TICKET_ANSWERED ? one->result : -1;
	snprintf(err, DB_ERROR_MAX, "%s", one->error);
	free_ticket(one);
	return result;
}

void tickets_wake(struct tickets *t)
{
	pthread_mutex_lock(&t->lock);
	t->is_woken = true;
	pthread_cond_signal(&t->work);
	pthread_mutex_unlock(&t->lock);
}

/* ---- the mover's ---- */

/* Under the lock. */
static bool has(const struct tickets *t, uint64_t published)
{
	for (const struct ticket *one = t->first; one != NULL; one = one->next)
		if (one->sequence <= published)
			return true;
	return false;
}

bool tickets_has(struct tickets *t, uint64_t published)
{
	bool result;

	pthread_mutex_lock(&t->lock);
	result = has(t, published);
	pthread_mutex_unlock(&t->lock);
	return result;
}

void tickets_sleep(struct tickets *t, uint64_t (*published)(void *context), void *context,
		   int64_t until_ms)
{
	const struct timespec until = timespec_of(until_ms);
	int rc = 0;

	pthread_mutex_lock(&t->lock);
	while (!t->is_woken && rc != ETIMEDOUT && !has(t, published(context)))
		rc = pthread_cond_timedwait(&t->work, &t->lock, &until);
	t->is_woken = false;
	pthread_mutex_unlock(&t->lock);
}

/* Under the lock: takes those of these sequences off the list. */
static struct ticket *take(struct tickets *t, uint64_t first, uint64_t last)
{
	struct ticket *taken = NULL, **end = &taken, **at = &t->first;

	while (*at != NULL) {
		struct ticket *one = *at;

		if (one->sequence < first || one->sequence > last) {
			at = &one->next;
			continue;
		}
		*at = one->next;
		one->next = NULL;
		*end = one;
		end = &one->next;
		t->n_waiting--;
	}
	t->last = at;
	return taken;
}

/* Whether its thread had left. */
static bool answer(struct ticket *one, int result)
{
	one->result = result;
	if (atomic_exchange(&one->state, TICKET_ANSWERED) != TICKET_ABANDONED) {
		sem_post(&one->answered);
		return false;
	}
	free_ticket(one);
	return true;
}

void tickets_answer(struct tickets *t, uint64_t moved,
		    void (*gone)(void *context, uint64_t sequence), void *context)
{
	struct ticket *next, *one;

	pthread_mutex_lock(&t->lock);
	t->moved = moved;
	one = take(t, 0, moved);
	pthread_mutex_unlock(&t->lock);
	for (; one != NULL; one = next) {
		const uint64_t sequence = one->sequence;

		next = one->next;
		if (answer(one, 0))
			gone(context, sequence);
	}
}

void tickets_go_back(struct tickets *t, uint64_t moved)
{
	pthread_mutex_lock(&t->lock);
	t->moved = moved;
	/* It is read again, perhaps with more luck. */
	memset(t->lost, 0, sizeof t->lost);
	pthread_mutex_unlock(&t->lock);
}

static void refuse(struct ticket *one, const char *error,
		   void (*before)(void *context, uint64_t sequence), void *context)
{
	struct ticket *next;

	for (; one != NULL; one = next) {
		next = one->next;
		before(context, one->sequence);
		snprintf(one->error, sizeof one->error, "%s", error);
		answer(one, -1);
	}
}

void tickets_lose(struct tickets *t, uint64_t first, uint64_t last, const char *why,
		  void (*before)(void *context, uint64_t sequence), void *context)
{
	struct ticket *taken;

	pthread_mutex_lock(&t->lock);
	t->lost[t->next_lost].first = first;
	t->lost[t->next_lost].last = last;
	t->lost[t->next_lost].why = why;
	t->next_lost = (t->next_lost + 1) % TICKETS_LOST;
	taken = take(t, first, last);
	pthread_mutex_unlock(&t->lock);
	refuse(taken, why, before, context);
}

void tickets_refuse(struct tickets *t, uint64_t published, const char *error,
		    void (*before)(void *context, uint64_t sequence), void *context)
{
	struct ticket *taken;

	pthread_mutex_lock(&t->lock);
	taken = take(t, 0, published);
	pthread_mutex_unlock(&t->lock);
	refuse(taken, error, before, context);
}

/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "db/record/verdict_queue.h"

#define N_THREADS 8
#define PATIENCE_MS 20000 /* no test waits so long unless it fails */

struct sender {
	struct verdict_queue *queue;
	int64_t patience_ms;
	int64_t mark; /* in the record, to know it again */
	int result;
	uint64_t sequence;
	char error[DB_ERROR_MAX];
};

static void *send_one(void *context)
{
	struct sender *one = context;
	struct submission *s = submission_new(clock_monotonic_ms() + one->patience_ms);

	s->entry.sequence = (uint64_t)one->mark;
	one->result = verdict_queue_submit(one->queue, s, one->error, &one->sequence);
	return NULL;
}

static size_t count_waiting(struct verdict_queue *q)
{
	size_t n;

	pthread_mutex_lock(&q->lock);
	n = q->n_waiting;
	pthread_mutex_unlock(&q->lock);
	return n;
}

static void wait_until_waiting(struct verdict_queue *q, size_t n)
{
	const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	while (count_waiting(q) != n)
		assert_true(clock_monotonic_ms() < until_ms);
}

static size_t length(const struct submission *s)
{
	size_t n = 0;

	for (; s != NULL; s = s->next)
		n++;
	return n;
}

static void take_of_many_waiting_is_one_group_and_each_gets_the_answer(void **state)
{
	struct verdict_queue q;
	struct sender senders[N_THREADS];
	pthread_t threads[N_THREADS];
	struct submission *group;
	bool must_stop = true;
	int64_t sum = 0;

	(void)state;
	verdict_queue_init(&q, NULL, NULL);
	for (int i = 0; i < N_THREADS; i++) {
		senders[i] = (struct sender){
			.queue = &q, .patience_ms = PATIENCE_MS, .mark = 1 << i};
		assert_int_equal(pthread_create(&threads[i], NULL, send_one, &senders[i]), 0);
		wait_until_waiting(&q, (size_t)i + 1);
	}
	group = verdict_queue_take(&q, clock_monotonic_ms() + PATIENCE_MS, &must_stop);
	assert_false(must_stop);
	assert_int_equal(length(group), N_THREADS);
	for (const struct submission *s = group; s != NULL; s = s->next) {
		assert_true((int64_t)s->entry.sequence > sum); /* oldest first */
		sum += (int64_t)s->entry.sequence;
	}
	assert_int_equal(sum, (1 << N_THREADS) - 1);
	assert_null(verdict_queue_answer(group, -1, "no space left"));
	for (int i = 0; i < N_THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(senders[i].result, -1);
		assert_string_equal(senders[i].error, "no space left");
	}
	verdict_queue_destroy(&q);
}

static void take_after_patience_is_over_leaves_out_who_has_gone(void **state)
{
	struct verdict_queue q;
	struct sender patient, hasty;
	struct submission *group;
	pthread_t thread;
	bool must_stop;

	(void)state;
	verdict_queue_init(&q, NULL, NULL);
	hasty = (struct sender){.queue = &q, .patience_ms = 1, .mark = 1};
	send_one(&hasty);
	assert_int_equal(hasty.result, -1);
	assert_string_equal(hasty.error, "");
	patient = (struct sender){.queue = &q, .patience_ms = PATIENCE_MS, .mark = 2};
	assert_int_equal(pthread_create(&thread, NULL, send_one, &patient), 0);
	wait_until_waiting(&q, 2);
	group = verdict_queue_take(&q, clock_monotonic_ms() + PATIENCE_MS, &must_stop);
	assert_int_equal(length(group), 1);
	assert_int_equal(group->entry.sequence, 2);
	assert_int_equal(count_waiting(&q), 0);
	assert_null(verdict_queue_answer(group, 0, NULL));
	pthread_join(thread, NULL);
	assert_int_equal(patient.result, 0);
	verdict_queue_destroy(&q);
}

static void answer_to_who_went_while_it_was_written_gives_the_record_back(void **state)
{
	struct verdict_queue q;
	struct sender one;
	struct submission *group;
	pthread_t thread;
	bool must_stop;

	(void)state;
	verdict_queue_init(&q, NULL, NULL);
	one = (struct sender){.queue = &q, .patience_ms = 50, .mark = 1};
	assert_int_equal(pthread_create(&thread, NULL, send_one, &one), 0);
	group = verdict_queue_take(&q, clock_monotonic_ms() + PATIENCE_MS, &must_stop);
	pthread_join(thread, NULL);
	/* Too late for take, on a very slow machine: then there is nothing to answer. */
	if (group != NULL)
		assert_int_equal(atomic_load(&group->state), SUBMISSION_ABANDONED);
	assert_int_equal(one.result, -1);
	assert_ptr_equal(verdict_queue_answer(group, 0, NULL), group);
	if (group != NULL)
		submission_free(group);
	verdict_queue_destroy(&q);
}

static void submit_when_full_or_stopping_is_refused_with_the_reason(void **state)
{
	struct verdict_queue q;
	struct sender one;
	bool must_stop = false;

	(void)state;
	verdict_queue_init(&q, NULL, NULL);
	one = (struct sender){.queue = &q, .patience_ms = 0};
	for (size_t i = 0; i < VERDICT_QUEUE_MAX; i++) {
		send_one(&one);
		assert_string_equal(one.error, "");
	}
	send_one(&one);
	assert_int_equal(one.result, -1);
	assert_string_equal(one.error, "4096 messages wait for the journal");
	assert_null(verdict_queue_take(&q, clock_monotonic_ms(), &must_stop));
	assert_false(must_stop);
	verdict_queue_stop(&q);
	send_one(&one);
	assert_string_equal(one.error, "stopping");
	assert_null(verdict_queue_take(&q, clock_monotonic_ms() + PATIENCE_MS, &must_stop));
	assert_true(must_stop);
	verdict_queue_destroy(&q);
}

/* ---- without a writing thread ---- */

#define PER_THREAD 200

struct leading {
	struct verdict_queue queue;
	_Atomic int n_at_once; /* groups that are written: never more than one */
	_Atomic int n_groups;
	uint64_t n_written;
};

static void write_group(void *context, struct submission *group)
{
	struct leading *l = context;

	assert_int_equal(l->n_at_once++, 0);
	for (struct submission *s = group; s != NULL; s = s->next)
		s->entry.sequence = ++l->n_written;
	l->n_groups += group != NULL;
	sched_yield();
	l->n_at_once--;
	assert_null(verdict_queue_answer(group, 0, NULL));
}

static void *send_many(void *context)
{
	struct leading *l = context;
	uint64_t last = 0;

	for (int i = 0; i < PER_THREAD; i++) {
		char err[DB_ERROR_MAX];
		uint64_t sequence = 0;

		assert_int_equal(
			verdict_queue_submit(&l->queue,
					     submission_new(clock_monotonic_ms() + PATIENCE_MS),
					     err, &sequence),
			0);
		assert_true(sequence > last);
		last = sequence;
	}
	return NULL;
}

static void those_who_wait_write_for_each_other_one_group_at_a_time(void **state)
{
	struct leading l = {.n_written = 0};
	pthread_t threads[N_THREADS];

	(void)state;
	verdict_queue_init(&l.queue, write_group, &l);
	for (int i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_many, &l), 0);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(l.n_written, N_THREADS * PER_THREAD);
	assert_true(l.n_groups <= N_THREADS * PER_THREAD);
	assert_false(l.queue.is_led);
	assert_null(l.queue.first);
	verdict_queue_destroy(&l.queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(take_of_many_waiting_is_one_group_and_each_gets_the_answer),
		cmocka_unit_test(take_after_patience_is_over_leaves_out_who_has_gone),
		cmocka_unit_test(answer_to_who_went_while_it_was_written_gives_the_record_back),
		cmocka_unit_test(submit_when_full_or_stopping_is_refused_with_the_reason),
		cmocka_unit_test(those_who_wait_write_for_each_other_one_group_at_a_time),
	};

	return cmocka_run_group_tests_name("verdict_queue", tests, NULL, NULL);
}

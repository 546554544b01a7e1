/* SPDX-License-Identifier: ISC
 *
 * The pool of connections, by many threads at once, while verdicts are written and the settings
 * change: for ThreadSanitizer as much as for its own sake.
 */
#include "tests/unit/db_fixture.h"

#include <pthread.h>

#include "db/policy.h"
#include "db/verdict_log.h"
#include "db/verdicts.h"

#define THREADS 6
#define ROUNDS 60

struct worker {
	pthread_t thread;
	struct fixture *f;
	struct db_pool *pool;
	struct verdict_log *log;
	int n_failed;
};

static int ask(struct worker *w)
{
	struct address sender, recipient;
	struct policy_query query = {.recipient = &recipient,
				     .sender = &sender,
				     .declared_size_bytes = SIZE_NOT_DECLARED,
				     .now_unix = 1800000000};
	struct policy_answer answer;
	struct db *d = db_pool_get(w->pool);
	int result;

	if (d == NULL)
		return -1;
	address_canonical("s@x.test", 8, &sender);
	address_canonical("r@y.test", 8, &recipient);
	memset(&answer, 0, sizeof answer);
	result = policy_decide(d, w->f->settings, &query, &answer);
	if (result == 0 && answer.requirement != REQUIREMENT_ENCRYPTED)
		result = -1;
	db_pool_put(w->pool, d);
	return result;
}

static int submit(struct worker *w)
{
	const struct judgement j = {.verdict = VERDICT_ENCRYPTED, .reason = "pgp-mime"};
	const struct verdict_recipient to = {.address = "r@y.test",
					     .is_trustworthy = true,
					     .requirement = REQUIREMENT_ENCRYPTED,
					     .demand = REQUIREMENT_ENCRYPTED,
					     .source = SOURCE_DEFAULT,
					     .passes = true};
	const struct verdict_record r = {.time_unix = 1800000000,
					 .sender = "s@x.test",
					 .is_sender_trustworthy = true,
					 .declared_size_bytes = SIZE_NOT_DECLARED,
					 .judgement = &j,
					 .recipients = &to,
					 .n_recipients = 1};
	char err[DB_ERROR_MAX];

	return verdict_log_submit(w->log, &r, err);
}

static void *work(void *context)
{
	struct worker *w = context;

	for (int i = 0; i < ROUNDS; i++)
		if (ask(w) != 0 || (i % 4 == 0 && submit(w) != 0))
			w->n_failed++;
	return NULL;
}

static int count_rows(void *context, const struct verdicts_day *day)
{
	*(int64_t *)context += day->n_messages;
	return 0;
}

static void threads_share_connections_and_the_log(void **state)
{
	struct fixture f;
	struct worker worker[THREADS];
	struct db_pool *pool;
	struct verdict_log *l;
	struct settings *other;
	struct db *d;
	char err[DB_ERROR_MAX];
	int64_t n = 0;

	(void)state;
	fixture_begin(&f);
	pool = db_pool_new(f.settings, DB_READ,
			   3); /* fewer than threads: some are closed, some opened */
	l = verdict_log_start(f.settings, err, sizeof err);
	assert_non_null(pool);
	assert_non_null(l);
	for (int i = 0; i < THREADS; i++) {
		worker[i] = (struct worker){.f = &f, .pool = pool, .log = l};
		assert_int_equal(pthread_create(&worker[i].thread, NULL, work, &worker[i]), 0);
	}
	for (int i = 0; i < 20; i++) {
		other = fixture_settings(&f, "verdict_retention=1d", NULL);
		verdict_log_reload(l, other);
		settings_unref(other);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(worker[i].thread, NULL);
		assert_int_equal(worker[i].n_failed, 0);
	}
	verdict_log_stop(l);
	db_pool_free(pool);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(verdicts_daily(d, 0, 30000, count_rows, &n), 0);
	assert_int_equal(n, THREADS * ROUNDS / 4);
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_share_connections_and_the_log),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC
 *
 * The verdict log: threads that submit, a database that fails and is mended, and what follows from
 * a verdict.
 */
#include "tests/unit/verdict_log_fixture.h"

#include <fcntl.h>
#include <pthread.h>

#include "common/clock.h"
#include "db/engine/internal.h"
#include "db/engine/key.h"
#include "db/rules/rule_hits.h"
#include "db/record/upkeep.h"
#include "db/verdict_log.h"
#include "db/pair.h"

/* ---- threads ---- */

#define THREADS 16
#define PER_THREAD 20

struct submitter {
	struct verdict_log *log;
	int number;
	int n_failed;
	_Atomic int n_started, n_answered;
};

static void *submit_many(void *context)
{
	struct submitter *s = context;
	char queue_id[24], sender[40], err[DB_ERROR_MAX];

	for (int i = 0; i < PER_THREAD; i++) {
		struct verdict_record r;

		snprintf(queue_id, sizeof queue_id, "T%dN%d", s->number, i);
		snprintf(sender, sizeof sender, "t%d@x.test", s->number);
		r = record(queue_id, sender, NOW);
		s->n_started++;
		s->n_failed += verdict_log_submit(s->log, &r, err) != 0;
		s->n_answered++;
	}
	return NULL;
}

/* One record that waits for its answer. */
struct single {
	struct verdict_log *log;
	struct verdict_record record;
	int result;
	_Atomic bool is_started;
	pthread_t thread;
};

static void *submit_single(void *context)
{
	struct single *s = context;
	char err[DB_ERROR_MAX];

	s->is_started = true;
	s->result = verdict_log_submit(s->log, &s->record, err);
	return NULL;
}

/* Returns when the record is most likely under way. No test needs it to be. */
static void begin_single(struct single *s, struct verdict_log *l, const char *queue_id)
{
	s->log = l;
	s->record = record(queue_id, "s@x.test", NOW);
	s->result = 99;
	s->is_started = false;
	assert_int_equal(pthread_create(&s->thread, NULL, submit_single, s), 0);
	while (!s->is_started)
		usleep(1000);
	usleep(20000);
}

static void many_threads_lose_nothing(void **state)
{
	struct fixture f;
	struct submitter s[THREADS];
	pthread_t thread[THREADS];
	struct rows rows;
	struct db *d;
	bool seen[THREADS][PER_THREAD] = {{false}};

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	{
		struct verdict_log *l = start(&f);

		for (int i = 0; i < THREADS; i++) {
			s[i] = (struct submitter){.log = l, .number = i};
			assert_int_equal(pthread_create(&thread[i], NULL, submit_many, &s[i]), 0);
		}
		for (int i = 0; i < THREADS; i++) {
			pthread_join(thread[i], NULL);
			assert_int_equal(s[i].n_failed, 0);
		}
		verdict_log_stop(l);
	}
	rows = list(&f, FILTER(0));
	assert_int_equal(rows.n, THREADS * PER_THREAD);
	for (size_t i = 0; i < rows.n; i++) {
		int t, n;

		assert_int_equal(sscanf(rows.queue_id[i], "T%dN%d", &t, &n), 2);
		assert_false(seen[t][n]);
		seen[t][n] = true;
	}
	d = fixture_open(&f, DB_READ);
	{
		struct pair_record pair;

		/* refused mail makes no pair */
		assert_int_equal(pair_get(d, "t1@x.test", "bob@example.org", &pair), 0);
	}
	db_close(d);
	fixture_end(&f);
}

/* ---- faults ---- */

static void a_directory_in_place_of_the_database_holds_up_nothing_and_is_mended(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char away[400], err[DB_ERROR_MAX];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	l = start(&f);
	submit(l, &r);
	snprintf(away, sizeof away, "%s.away", f.path);
	assert_int_equal(rename(f.path, away), 0);
	assert_int_equal(mkdir(f.path, 0755), 0);
	submit(l, &r);
	/* What the next message's answer depends on is not held back. */
	r.action = ACTION_SPLIT;
	assert_int_equal(verdict_log_submit(l, &r, err), -1);
	assert_non_null(strstr(err, "is a directory"));
	rmdir(f.path);
	assert_int_equal(verdict_log_submit(l, &r, err), -1);
	assert_non_null(strstr(err, "no such file"));
	assert_int_equal(rename(away, f.path), 0);
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, 5);
	assert_int_equal(list(&f, FILTER_OF(-1, ACTION_REFUSE, 0)).n, 2);
	assert_int_equal(list(&f, FILTER_OF(-1, ACTION_TEMPFAIL, 0)).n, 2);
	assert_int_equal(list(&f, FILTER_OF(-1, ACTION_SPLIT, 0)).n, 1);
	fixture_end(&f);
}

static void a_log_that_starts_without_a_database_finds_it_later(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char err[DB_ERROR_MAX];

	(void)state;
	fixture_directory(&f);
	f.settings = fixture_settings(&f, "log_addresses=hashed", "verdict_retention=0", NULL);
	l = start(&f);
	assert_int_equal(verdict_log_submit(l, &r, err), -1);
	assert_non_null(strstr(err, "pgpgate db init"));
	db_close(fixture_open(&f, DB_CREATE));
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, 1);
	fixture_end(&f);
}

static void a_row_that_the_schema_refuses_holds_up_no_other(void **state)
{
	static const char *const queue_ids[] = {"FIRST", "GOOD1", "BAD", "GOOD2"};
	struct single s[4];
	struct fixture f;
	struct verdict_log *l;
	struct db *d;
	char *message = NULL;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_WRITE);
	if (sqlite3_exec(d->handle,
			 "CREATE TRIGGER t BEFORE INSERT ON verdict WHEN new.queue_id = 'BAD'"
			 " BEGIN SELECT raise(ABORT, 'no'); END",
			 NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	l = start(&f);
	/* They gather behind this lock. */
	assert_int_equal(db_begin_write(d), 0);
	for (int i = 0; i < 4; i++)
		begin_single(&s[i], l, queue_ids[i]);
	assert_int_equal(db_end(d, 0), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(s[i].thread, NULL);
		assert_int_equal(s[i].result, 0);
	}
	db_close(d);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, 3);
	fixture_end(&f);
}

static void a_lock_that_is_held_holds_up_nothing(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct submitter s;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_WRITE);
	l = start(&f);
	s = (struct submitter){.log = l, .number = 1};
	assert_int_equal(db_begin_write(d), 0);
	submit_many(&s);
	assert_int_equal(s.n_failed, 0);
	/* Who reads sees no difference. */
	assert_int_equal(list(&f, FILTER(0)).n, PER_THREAD);
	assert_int_equal(list(&f, FILTER(.last_n = 7)).n, 7);
	assert_int_equal(list(&f, FILTER(.queue_id = "T1N5")).n, 1);
	assert_int_equal(list(&f, FILTER(.is_stored_only = true)).n, 0);
	assert_int_equal(db_end(d, 0), 0);
	assert_int_equal(verdicts_settle(d, 20000), 1);
	assert_int_equal(list(&f, FILTER(.is_stored_only = true)).n, PER_THREAD);
	assert_int_equal(list(&f, FILTER(0)).n, PER_THREAD);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, PER_THREAD);
	db_close(d);
	fixture_end(&f);
}

static void accepted_mail_makes_pairs_for_both_addresses(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	struct pair_record pair;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "pair_retention=0", NULL));
	l = start(&f);
	r.action = ACTION_ACCEPT;
	submit(l, &r);
	r.time_unix = NOW + 5;
	r.judgement = &encrypted;
	submit(l, &r);
	r.action = ACTION_QUARANTINE; /* may never be delivered */
	submit(l, &r);
	verdict_log_stop(l);
	d = fixture_open(&f, DB_READ);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pair_get(d, i == 0 ? "s@x.test" : "from@header.test",
					  "bob@example.org", &pair),
				 1);
		assert_int_equal(pair.n_cleartext, 1);
		assert_int_equal(pair.n_encrypted, 1);
		assert_int_equal(pair.first_cleartext_unix, NOW);
		assert_int_equal(pair.last_encrypted_unix, NOW + 5);
	}
	db_close(d);
	fixture_end(&f);
}

static int get_rule(void *context, const struct rule *r)
{
	*(struct rule *)context = *r;
	return 0;
}

static void rules_count_their_hits(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	const struct rules_filter all = {0};
	struct rule rule;
	struct db *d;
	char err[200];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(rule_parse("exempt x@y.test", "+", NOW, &rule, err, sizeof err), 0);
	assert_int_equal(rules_add(d, &rule, NOW, NULL, NULL), 0);
	assert_int_equal(rule.id, 1);
	l = start(&f);
	submit(l, &r);
	r.time_unix = NOW + 9;
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(rules_list(d, &all, get_rule, &rule), 0);
	assert_int_equal(rule.hits, 2);
	assert_int_equal(rule.last_hit_at_unix, NOW + 9);
	db_close(d);
	fixture_end(&f);
}

/* One rule more than there is room for; the ids share few slots. */
static void hits_of_many_rules_are_gathered(void **state)
{
	static struct rule_hits hits;
	struct fixture f;
	struct rule rule;
	const struct rules_filter all = {0};
	struct db *d;
	char err[200];

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(rule_parse("exempt x@y.test", "+", NOW, &rule, err, sizeof err), 0);
	assert_int_equal(rules_add(d, &rule, NOW, NULL, NULL), 0);
	for (int64_t i = 0; i < HITS_MAX; i++)
		assert_true(rule_hits_count(&hits, 1 + i * (HITS_SLOTS / 4), NOW));
	assert_false(rule_hits_count(&hits, 2, NOW));
	assert_true(rule_hits_count(&hits, 1, NOW + 5));
	assert_true(rule_hits_count(&hits, 1, NOW + 4));
	assert_int_equal(rule_hits_write(d, &hits), 0);
	assert_int_equal(hits.n, 0);
	assert_true(rule_hits_count(&hits, 1, NOW + 1));
	assert_int_equal(rule_hits_write(d, &hits), 0);
	assert_int_equal(rules_list(d, &all, get_rule, &rule), 0);
	assert_int_equal(rule.hits, 4);
	assert_int_equal(rule.last_hit_at_unix, NOW + 5);
	db_close(d);
	fixture_end(&f);
}

static void attempts_less_than_five_minutes_apart_count_once(void **state)
{
	static const struct {
		int64_t at;
		int before; /* as asked at that moment, before it is recorded */
	} rows[] = {{0, 0}, {240, 0}, {300, 1}, {301, 1}, {599, 1}, {600, 2}, {10000, 3}};
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	struct db *d;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_READ);
	l = start(&f);
	r.action = ACTION_SPLIT;
	r.has_split_digest = r.counts_attempt = true;
	memset(r.attempt_digest, 7, sizeof r.attempt_digest);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(policy_split_attempts(d, r.attempt_digest, NOW + rows[i].at),
				 rows[i].before);
		r.time_unix = NOW + rows[i].at;
		submit(l, &r);
	}
	verdict_log_stop(l);
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_threads_lose_nothing),
		cmocka_unit_test(
			a_directory_in_place_of_the_database_holds_up_nothing_and_is_mended),
		cmocka_unit_test(a_log_that_starts_without_a_database_finds_it_later),
		cmocka_unit_test(a_row_that_the_schema_refuses_holds_up_no_other),
		cmocka_unit_test(a_lock_that_is_held_holds_up_nothing),
		cmocka_unit_test(accepted_mail_makes_pairs_for_both_addresses),
		cmocka_unit_test(rules_count_their_hits),
		cmocka_unit_test(hits_of_many_rules_are_gathered),
		cmocka_unit_test(attempts_less_than_five_minutes_apart_count_once),
	};

	return cmocka_run_group_tests_name("verdict_log", tests, NULL, NULL);
}

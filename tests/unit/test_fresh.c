/* SPDX-License-Identifier: ISC
 *
 * What a connection remembers of the database: never of what another one has changed since, not
 * once in a great many.
 */
#include "tests/unit/verdict_log_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "db/engine/internal.h"
#include "db/engine/wal_index.h"
#include "db/policy.h"
#include "db/record/verdict_urgent.h"

#define CHANGES 3000
#define CHECKPOINT_EACH 50 /* a change is confirmed by a walk through all of the log */
#define READERS 3

static int64_t paused_until(struct db *d)
{
	struct db_state state = {.paused_until_unix = -1};

	assert_int_equal(db_begin_read(d), 0);
	assert_int_equal(db_end(d, db_read_state(d, &state)), 0);
	return state.paused_until_unix;
}

static void run_sql(const struct fixture *f, const char *sql)
{
	sqlite3 *other;

	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
}

static void reader_sees_each_change_in_its_next_transaction(void **state)
{
	struct fixture f;
	struct db *reader, *writer;

	(void)state;
	fixture_begin(&f);
	reader = fixture_open(&f, DB_READ);
	writer = fixture_open(&f, DB_WRITE);
	for (int64_t i = 1; i <= 50; i++) {
		assert_int_equal(db_pause(writer, NOW + i, NOW, "root"), 0);
		for (int again = 0; again < 2; again++)
			assert_int_equal(paused_until(reader), NOW + i);
		/* A writer knows what it did itself, and what others did. */
		run_sql(&f, "UPDATE state SET paused_until_unix = paused_until_unix + 1000");
		assert_int_equal(paused_until(writer), NOW + i + 1000);
		assert_int_equal(paused_until(reader), NOW + i + 1000);
	}
	run_sql(&f, "PRAGMA user_version = 9999");
	assert_int_equal(db_begin_read(reader), -1);
	assert_int_equal(db_failure(reader), DB_TOO_NEW);
	db_close(writer);
	db_close(reader);
	fixture_end(&f);
}

static size_t n_split(struct db *d, const struct fixture *f)
{
	static const char sender_text[] = "s@x.test", recipient_text[] = "bob@example.org";
	struct address sender, recipient;
	struct policy_query q = {.sender = &sender,
				 .recipient = &recipient,
				 .declared_size_bytes = 4321,
				 .client_name = "mail.client.test",
				 .now_unix = NOW};
	struct policy_answer a;

	address_canonical(sender_text, strlen(sender_text), &sender);
	address_canonical(recipient_text, strlen(recipient_text), &recipient);
	assert_int_equal(policy_decide(d, f->settings, &q, &a), 0);
	return a.n_split;
}

/* Nothing is looked for where there is no evidence at all: from the first on it is. */
static void reader_sees_the_first_split(void **state)
{
	struct fixture f;
	struct db *reader;

	(void)state;
	fixture_begin(&f);
	reader = fixture_open(&f, DB_READ);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(n_split(reader, &f), 0);
		assert_int_equal(n_split(reader, &f), 0);
		run_sql(&f, "INSERT INTO split_evidence (sender_key, declared_size_bytes, "
			    "recipient_key, digest, passed, "
			    "yields, time_unix) VALUES ('test.x@s client.test', 4321, "
			    "'org.example@bob', zeroblob(32), 1, "
			    "0, 1799999990)");
		assert_int_equal(n_split(reader, &f), 1);
		assert_int_equal(n_split(reader, &f), 1);
		run_sql(&f, "DELETE FROM split_evidence");
	}
	db_close(reader);
	fixture_end(&f);
}

/* ---- while others write ---- */

struct race {
	const struct fixture *f;
	_Atomic int64_t committed;
	_Atomic int64_t n_read, n_late;
	atomic_bool is_over;
};

/* What was committed before the transaction began is in it. */
static void *read_on(void *context)
{
	struct race *race = context;
	struct db *d = db_open(race->f->settings, DB_READ);

	while (!race->is_over) {
		const int64_t least = race->committed;
		struct db_state state;

		if (db_begin_read(d) != 0 || db_end(d, db_read_state(d, &state)) != 0 ||
		    state.paused_until_unix < least)
			race->n_late++;
		race->n_read++;
	}
	db_close(d);
	return NULL;
}

/* The mark that one takes after a commit is none that was there before it, and stays as long as
 * nothing is committed. */
static void check_marks(struct db *d, struct wal_index_mark *last)
{
	struct wal_index_mark now, again;

	wal_index_take_mark(d, &now);
	wal_index_take_mark(d, &again);
	assert_true(now.is_known);
	assert_true(wal_index_is_same(&now, &again));
	assert_false(wal_index_is_same(&now, last));
	*last = now;
}

static void readers_are_never_late_while_another_writes(void **state)
{
	struct fixture f;
	struct race race = {.f = &f, .committed = NOW};
	struct wal_index_mark last = {.is_known = false};
	pthread_t threads[READERS];
	struct db *writer;

	(void)state;
	fixture_begin(&f);
	writer = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_pause(writer, NOW, NOW - 1, "root"), 0);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &race), 0);
	for (int64_t i = 1; i <= CHANGES; i++) {
		assert_int_equal(db_pause(writer, NOW + i, NOW - 1, "root"), 0);
		race.committed = NOW + i;
		check_marks(writer, &last);
		if (i % CHECKPOINT_EACH == 0)
			assert_true(db_checkpoint(writer, 0) >= 0);
	}
	race.is_over = true;
	for (size_t i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(race.n_late, 0);
	assert_true(race.n_read > CHANGES / 10);
	db_close(writer);
	fixture_end(&f);
}

/* ---- a rule with a ratchet ---- */

static void set_rule(const struct fixture *f, const char *line)
{
	const struct rules_edit_options options = {.author = "root", .now_unix = NOW};
	const struct rule rule = fixture_rule(line, NOW);
	struct rules_result result;
	struct db *d = fixture_open(f, DB_WRITE);
	struct rules_edit *e = rules_edit_begin(d, &options);

	assert_non_null(e);
	assert_int_equal(rules_edit_put(e, &rule), 0);
	assert_int_equal(rules_edit_commit(e, &result), 0);
	db_close(d);
}

static void first_of_a_pair_is_urgent_from_the_first_ratchet_on(void **state)
{
	static struct urgent urgent;
	static const struct hashed no_hash;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	struct stored_verdict v;
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	urgent_init(&urgent, f.settings);
	r.judgement = &encrypted;
	r.action = r.would = ACTION_ACCEPT;
	r.reply = "";
	assert_int_equal(stored_verdict_fill(&v, &no_hash, f.settings, &r), 0);
	for (int i = 0; i < 20; i++) {
		set_rule(&f,
			 i % 2 == 0 ? "encrypted someone@else.test" : "observe someone@else.test");
		assert_false(urgent_is(&urgent, f.settings, &v));
		assert_false(urgent_is(&urgent, f.settings, &v));
		set_rule(&f, "ratchet someone@else.test");
		assert_true(urgent_is(&urgent, f.settings, &v));
		assert_true(urgent_is(&urgent, f.settings, &v));
	}
	arena_reset(&v.arena);
	urgent_destroy(&urgent);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_sees_each_change_in_its_next_transaction),
		cmocka_unit_test(reader_sees_the_first_split),
		cmocka_unit_test(readers_are_never_late_while_another_writes),
		cmocka_unit_test(first_of_a_pair_is_urgent_from_the_first_ratchet_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

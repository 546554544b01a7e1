/* SPDX-License-Identifier: ISC
 *
 * The mover, step by step, without its thread: who waits for a record that is passed over is told
 * so, and what was voided stays so as long as its segment does.
 */
#include "tests/unit/verdict_log_fixture.h"

#include <pthread.h>

#include "common/clock.h"
#include "db/record/checksum.h"
#include "db/record/verdict_cover.h"
#include "db/record/verdict_log_internal.h"
#include "db/record/verdict_mover.h"
#include "db/record/verdict_row.h"

#define N_RECORDS 5
#define N_VOIDED 1400	  /* more than half a journal */
#define PATIENCE_MS 20000 /* no test waits so long unless it fails */

static void ignore_group(void *context, struct submission *group)
{
	(void)context;
	(void)group;
}

/* As verdict_log_start() makes it, but for the threads. */
static void begin(struct verdict_log *l, const struct fixture *f)
{
	memset(l, 0, sizeof *l);
	assert_int_equal(batch_init(&l->batch), 0);
	assert_int_equal(journal_init(&l->journal, f->settings), 0);
	verdict_queue_init(&l->queue, ignore_group, l);
	tickets_init(&l->tickets);
	urgent_init(&l->urgent, f->settings);
	pthread_mutex_init(&l->lock, NULL);
	l->batch_max = BATCH_RECORDS;
	l->settings = settings_ref(f->settings);
	l->mover_settings = settings_ref(f->settings);
	l->db = fixture_open(f, DB_WRITE);
}

static void end(struct verdict_log *l)
{
	db_close(l->db);
	journal_reader_free(&l->reader);
	settings_unref(l->mover_settings);
	settings_unref(l->settings);
	urgent_destroy(&l->urgent);
	tickets_destroy(&l->tickets);
	verdict_queue_destroy(&l->queue);
	journal_destroy(&l->journal);
	batch_free(&l->batch);
	pthread_mutex_destroy(&l->lock);
}

/* Records Q1, Q2... of this many. Where the last one begins in its segment is returned. */
static int64_t append(struct verdict_log *l, int first, int last)
{
	int64_t at = 0;

	for (int i = first; i <= last; i++) {
		struct stored_verdict v = {.arena = {.blocks = NULL}};
		struct journal_entry entry = {.next = NULL};
		struct hashed hashed = {.is_on = false};
		struct verdict_record r;
		char queue_id[24], err[DB_ERROR_MAX];

		snprintf(queue_id, sizeof queue_id, "Q%d", i);
		r = record(queue_id, "s@x.test", NOW);
		assert_int_equal(stored_verdict_fill(&v, &hashed, l->settings, &r), 0);
		entry.payload = journal_record_encode(&v, &entry.payload_len);
		assert_non_null(entry.payload);
		entry.payload_checksum = checksum(0, entry.payload, entry.payload_len);
		at = l->journal.last != NULL ? l->journal.last->bytes : JOURNAL_HEADER_BYTES;
		assert_int_equal(journal_append(&l->journal, l->settings, &entry, err), 0);
		if (l->journal.last->bytes - (int64_t)entry.payload_len - JOURNAL_RECORD_BYTES !=
		    at)
			at = JOURNAL_HEADER_BYTES; /* of a new segment */
		free(entry.payload);
		arena_reset(&v.arena);
	}
	return at;
}

static int64_t int_of(struct db *d, const char *sql)
{
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(sqlite3_prepare_v2(d->handle, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return n;
}

/* ---- who waits ---- */

struct waiter {
	struct verdict_log *log;
	uint64_t sequence;
	int result;
	char error[DB_ERROR_MAX];
};

static void *wait_for(void *context)
{
	struct waiter *w = context;

	w->result = tickets_wait(&w->log->tickets, w->sequence, clock_monotonic_ms() + PATIENCE_MS,
				 w->error);
	return NULL;
}

/* Threads wait for all records; `lost` is passed over by one run of the mover, and the others are
 * stored. */
static void check_all_but_one(struct verdict_log *l, uint64_t lost, const char *why)
{
	pthread_t threads[N_RECORDS];
	struct waiter waiters[N_RECORDS];
	char err[DB_ERROR_MAX];

	journal_publish(&l->journal);
	for (uint64_t i = 0; i < N_RECORDS; i++) {
		waiters[i] = (struct waiter){.log = l, .sequence = i + 1};
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for, &waiters[i]), 0);
	}
	while (atomic_load(&l->tickets.n_waiting) < N_RECORDS)
		usleep(1000);
	for (int i = 0; i < 8; i++) /* some steps fail, and are made smaller */
		verdict_mover_own(l, true);
	for (uint64_t i = 0; i < N_RECORDS; i++) {
		pthread_join(threads[i], NULL);
		if (waiters[i].result != (i + 1 == lost ? -1 : 0))
			fail_msg("record %llu: %d, %s", (unsigned long long)i + 1,
				 waiters[i].result, waiters[i].error);
		assert_string_equal(waiters[i].error, i + 1 == lost ? why : "");
	}
	assert_true(journal_is_voided(&l->journal, lost));
	/* Also who comes later, whatever was moved since. */
	append(l, N_RECORDS + 1, N_RECORDS + 1);
	journal_publish(&l->journal);
	assert_int_equal(verdict_mover_own(l, true), 0);
	for (uint64_t i = 1; i <= l->moved; i++)
		assert_int_equal(tickets_wait(&l->tickets, i, 0, err), i == lost ? -1 : 0);
	assert_int_equal(int_of(l->db, "SELECT count(*) FROM verdict"), N_RECORDS);
	assert_int_equal(atomic_load(&l->tickets.n_waiting), 0);
}

static void who_waits_for_a_damaged_record_is_told_so(void **state)
{
	(void)state;
	for (int lost = 1; lost < N_RECORDS; lost++) {
		struct verdict_log l;
		struct fixture f;
		int64_t at;

		fixture_begin(&f);
		fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
		begin(&l, &f);
		at = append(&l, 1, lost);
		append(&l, lost + 1, N_RECORDS);
		assert_int_equal(
			pwrite(l.journal.last->fd, "damage", 6, at + JOURNAL_RECORD_BYTES + 40), 6);
		check_all_but_one(&l, (uint64_t)lost, "the journal cannot be read");
		end(&l);
		fixture_end(&f);
	}
}

static void who_waits_for_a_record_that_is_left_out_is_told_so(void **state)
{
	struct verdict_log l;
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	begin(&l, &f);
	append(&l, 1, N_RECORDS);
	assert_int_equal(sqlite3_exec(l.db->handle,
				      "CREATE TRIGGER t BEFORE INSERT ON verdict WHEN "
				      "new.queue_id = 'Q3' BEGIN SELECT raise(ABORT, 'no'); END",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	check_all_but_one(&l, 3, "the database does not take the record");
	end(&l);
	fixture_end(&f);
}

/* Sums that hold, and no verdict in them: more of these than one batch tells of. */
static void many_that_are_lost_are_all_told(void **state)
{
	enum { N = 13 };
	unsigned char no_verdict[] = {JOURNAL_VERDICT, '?'};
	struct journal_entry entry = {.payload = no_verdict, .payload_len = sizeof no_verdict};
	pthread_t threads[N + 1];
	struct waiter waiters[N + 1];
	struct verdict_log l;
	struct fixture f;
	char err[DB_ERROR_MAX];

	(void)state;
	fixture_begin(&f);
	begin(&l, &f);
	entry.payload_checksum = checksum(0, entry.payload, entry.payload_len);
	for (int i = 0; i < N; i++)
		assert_int_equal(journal_append(&l.journal, l.settings, &entry, err), 0);
	append(&l, N + 1, N + 1);
	journal_publish(&l.journal);
	for (uint64_t i = 0; i <= N; i++) {
		waiters[i] = (struct waiter){.log = &l, .sequence = i + 1};
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for, &waiters[i]), 0);
	}
	while (atomic_load(&l.tickets.n_waiting) < N + 1)
		usleep(1000);
	assert_int_equal(verdict_mover_own(&l, true), 0);
	for (uint64_t i = 0; i <= N; i++)
		pthread_join(threads[i], NULL);
	for (uint64_t i = 0; i <= N; i++)
		if (waiters[i].result != (i < N ? -1 : 0) ||
		    journal_is_voided(&l.journal, i + 1) != (i < N))
			fail_msg("record %llu: %d", (unsigned long long)i + 1, waiters[i].result);
	assert_int_equal(int_of(l.db, "SELECT count(*) FROM verdict"), 1);
	end(&l);
	fixture_end(&f);
}

/* ---- what was voided ---- */

/* A half-full journal lets segments go before a checkpoint has them. What stays is moved again when
 * the database went back: then still as it was answered. */
static void what_stays_of_a_half_full_journal_keeps_its_voids(void **state)
{
	struct verdict_log l;
	struct db *reader;
	struct fixture f;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "journal_max=1048576", NULL));
	begin(&l, &f);
	l.journal.segment_bytes = 1 << 20; /* one, and it stays */
	reader = fixture_open(&f, DB_READ);
	assert_int_equal(db_begin_read(reader), 0); /* no checkpoint */
	assert_int_equal(int_of(reader, "SELECT count(*) FROM verdict"), 0);
	cover_begin(&l);
	append(&l, 1, N_VOIDED);
	assert_true(journal_bytes(&l.journal) > 524288);
	for (uint64_t i = 1; i <= N_VOIDED; i++)
		journal_void(&l.journal, i);
	journal_publish(&l.journal);
	assert_int_equal(verdict_mover_own(&l, true), 0);
	assert_true(l.moved >= N_VOIDED && l.covered == 0);
	/* The log is lost, but for its beginning. */
	assert_int_equal(sqlite3_exec(l.db->handle,
				      "DELETE FROM verdict WHERE id >= 700; "
				      "UPDATE journal SET moved = 699",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	append(&l, N_VOIDED + 1, N_VOIDED + 1);
	journal_publish(&l.journal);
	assert_int_equal(verdict_mover_own(&l, true), 0);
	assert_int_equal(int_of(l.db, "SELECT count(*) FROM verdict"), N_VOIDED + 1);
	assert_int_equal(int_of(l.db, "SELECT count(*) FROM verdict WHERE action = 'tempfail'"),
			 N_VOIDED);
	/* In the database file they are as they are. */
	assert_int_equal(db_end(reader, 0), 0);
	assert_true(cover_now(&l));
	assert_int_equal(l.covered, l.moved);
	assert_false(journal_is_voided(&l.journal, 700));
	db_close(reader);
	end(&l);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_for_a_damaged_record_is_told_so),
		cmocka_unit_test(who_waits_for_a_record_that_is_left_out_is_told_so),
		cmocka_unit_test(many_that_are_lost_are_all_told),
		cmocka_unit_test(what_stays_of_a_half_full_journal_keeps_its_voids),
	};

	return cmocka_run_group_tests_name("verdict_mover", tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC
 *
 * The verdict log when a commit takes longer than a message waits, when who waits comes after the
 * commit, when the disk loses a record, and when there was no memory for a connection. The sync of
 * the disk is ours here: it lasts until the test lets it end, so that no clock decides. db_open()
 * too (Makefile.am:
 * --wrap).
 */
#include "tests/unit/verdict_log_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "common/clock.h"
#include "db/pair.h"
#include "db/record/verdict_log_internal.h"

#define PATIENCE_MS 50
#define PATIENCE_LATER_MS 20000 /* no test waits so long unless it fails */

/* ---- a sync that takes its time ---- */

static const char *_Atomic slow; /* the next sync of a file with this in its name; NULL: none */
static sem_t sync_began, sync_may_end;
static _Atomic int64_t cut_to; /* the next sync of a segment loses what is behind it; 0: none */

/* In place of libc's, for SQLite too. */
int fdatasync(int fd)
{
	char link[40], path[400];
	const char *wanted = slow;
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	path[len > 0 ? len : 0] = '\0';
	if (cut_to > 0 && strstr(path, ".journal.") != NULL)
		assert_int_equal(ftruncate(fd, atomic_exchange(&cut_to, 0)), 0);
	if (wanted != NULL && strstr(path, wanted) != NULL &&
	    atomic_compare_exchange_strong(&slow, &wanted, NULL)) {
		sem_post(&sync_began);
		sem_wait(&sync_may_end);
	}
	return fsync(fd);
}

/* ---- a database that there is no memory for ---- */

static _Atomic int n_opens_to_fail, n_opened;

/* Names that the linker makes. */
struct db *__real_db_open(struct settings *s, enum db_mode mode);
struct db *__wrap_db_open(struct settings *s, enum db_mode mode);

struct db *__wrap_db_open(struct settings *s, enum db_mode mode)
{
	n_opened++;
	if (n_opens_to_fail > 0) {
		n_opens_to_fail--;
		return NULL;
	}
	return __real_db_open(s, mode);
}

/* ---- */

static int see_whole_row(void *context, const struct verdict_row *row)
{
	struct verdict_row *out = context;

	out->record.action = row->record.action;
	out->record.would = row->record.would;
	assert_non_null(row->record.reply);
	out->record.size_bytes = strncmp(row->record.reply, "451 ", 4) == 0;
	out->id++;
	return 0;
}

static int see_sum(void *context, const struct verdicts_day *day)
{
	int *n = context;

	n[day->action] += (int)day->n_messages;
	return 0;
}

struct late {
	const char *label;
	const char *slow; /* which file's sync takes too long */
	bool stands_unrecorded;
	int n_before; /* messages of the pair that are on record already */
	enum action action;
};

static void check_pair(const struct fixture *f, const struct late *c)
{
	struct pair_record pair;
	struct db *d = fixture_open(f, DB_READ);
	const int n = c->n_before + (c->action == ACTION_ACCEPT);

	assert_int_equal(pair_get(d, "s@x.test", "bob@example.org", &pair), n > 0);
	assert_int_equal(pair.n_encrypted, n);
	assert_int_equal(pair.last_encrypted_unix, n == 0 ? 0 : NOW + n - 1);
	assert_int_equal(pair_get(d, "from@header.test", "bob@example.org", &pair), n > 0);
	db_close(d);
}

#define BEGIN_S \
	20 /* by then a row that the writer has taken is being synced, on the busiest machine */

/* The sync of the last submit has begun; or, where the writer had no time to take the row before
 * patience ended, it never will: nothing was done then. */
static bool has_begun(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += BEGIN_S;
	return sem_timedwait(&sync_began, &until) == 0;
}

static void submit_late(const struct late *c)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("LATE", "s@x.test", NOW);
	struct verdict_row row = {.id = 0};
	struct verdicts_filter of_late = FILTER(.queue_id = "LATE");
	char err[DB_ERROR_MAX];
	struct db *d;
	int sums[ACTION_COUNT] = {0};

	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "verdict_sync=power",
					 "default_requirement=ratchet", NULL));
	l = start(&f);
	r.judgement = &encrypted;
	r.action = r.would = ACTION_ACCEPT;
	r.reply = "";
	for (int i = 0; i < c->n_before; i++) {
		struct verdict_record earlier = r;

		earlier.queue_id = "EARLIER";
		earlier.time_unix = NOW + i;
		submit(l, &earlier);
	}
	if (c->n_before > 0 && strcmp(c->slow, "-wal") == 0)
		urgent_forget(&l->urgent);
	r.time_unix = NOW + c->n_before;
	r.stands_unrecorded = c->stands_unrecorded;
	l->patience_ms = PATIENCE_MS;
	slow = c->slow;
	do
		assert_int_equal(verdict_log_submit(l, &r, err), -1);
	while (!has_begun());
	sem_post(&sync_may_end);
	verdict_log_stop(l);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(verdicts_list(d, &of_late, see_whole_row, &row), 0);
	assert_int_equal(verdicts_daily(d, 0, INT32_MAX, see_sum, sums), 0);
	db_close(d);
	assert_int_equal(row.id, 1);
	assert_int_equal(row.record.action, c->action);
	assert_int_equal(row.record.would, c->action);
	assert_int_equal(row.record.size_bytes, c->action == ACTION_TEMPFAIL);
	assert_int_equal(sums[ACTION_ACCEPT], c->n_before + (c->action == ACTION_ACCEPT));
	assert_int_equal(sums[ACTION_TEMPFAIL], c->action == ACTION_TEMPFAIL);
	check_pair(&f, c);
	fixture_end(&f);
}

static void what_is_committed_too_late_says_what_was_answered(void **state)
{
	static const struct late table[] = {
		{"journal: a new pair", ".journal.", false, 0, ACTION_TEMPFAIL},
		{"journal: a pair that is known", ".journal.", false, 2, ACTION_TEMPFAIL},
		{"journal: on_database_error = accept", ".journal.", true, 2, ACTION_ACCEPT},
		{"database: a new pair", "-wal", false, 0, ACTION_TEMPFAIL},
		{"database: on_database_error = accept", "-wal", true, 0, ACTION_ACCEPT},
	};

	(void)state;
	sem_init(&sync_began, 0, 0);
	sem_init(&sync_may_end, 0, 0);
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		print_message("%s\n", table[i].label);
		submit_late(&table[i]);
	}
}

static void a_writer_without_memory_for_a_connection_tries_again_and_does_not_spin(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	int64_t until_ms;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	n_opened = 0;
	n_opens_to_fail = 2; /* at the start, and a second later */
	l = start(&f);
	until_ms = clock_monotonic_ms() + 20000;
	while (n_opens_to_fail > 0 && clock_monotonic_ms() < until_ms)
		usleep(1000);
	assert_int_equal(n_opens_to_fail, 0);
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(n_opened, 3);
	assert_int_equal(list(&f, FILTER(0)).n, 1);
	fixture_end(&f);
}

/* ---- who waits comes late ---- */

static void note_gone(void *context, uint64_t sequence)
{
	*(uint64_t *)context = sequence;
}

static void a_ticket_for_what_was_moved_before_is_answered_at_once(void **state)
{
	const int64_t past_ms = clock_monotonic_ms() - 1;
	uint64_t gone = 0;
	char err[DB_ERROR_MAX];
	struct tickets t;

	(void)state;
	tickets_init(&t);
	tickets_answer(&t, 5, note_gone, &gone);
	assert_int_equal(tickets_wait(&t, 4, past_ms, err), 0);
	assert_int_equal(tickets_wait(&t, 5, past_ms, err), 0);
	assert_string_equal(err, "");
	assert_false(tickets_has(&t, 5));
	assert_int_equal(tickets_wait(&t, 6, past_ms, err), -1);
	assert_string_equal(err, "");
	assert_true(tickets_has(&t, 6));
	/* What was refused is not moved. */
	tickets_refuse(&t, 6, "refused", note_gone, &gone);
	assert_int_equal(gone, 6);
	assert_int_equal(tickets_wait(&t, 6, past_ms, err), -1);
	/* Nor what was lost. */
	tickets_go_back(&t, 4);
	assert_int_equal(tickets_wait(&t, 4, past_ms, err), 0);
	assert_int_equal(tickets_wait(&t, 5, past_ms, err), -1);
	gone = 0;
	tickets_answer(&t, 5, note_gone, &gone);
	assert_int_equal(gone, 5);
	tickets_answer(&t, 6, note_gone, &gone);
	assert_int_equal(gone, 6);
	assert_int_equal(atomic_load(&t.n_waiting), 0);
	tickets_destroy(&t);
}

/* Of two records in one batch, the thread of the second one gets the processor only after the mover
 * has stored both. */
static void who_waits_after_the_record_was_moved_has_no_wait(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char err[DB_ERROR_MAX];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "default_requirement=ratchet",
					 NULL));
	l = start(&f);
	r.judgement = &encrypted;
	r.action = r.would = ACTION_ACCEPT;
	r.reply = "";
	submit(l, &r); /* urgent: it is moved when this returns */
	assert_int_equal(tickets_wait(&l->tickets, journal_published(&l->journal),
				      clock_monotonic_ms() - 1, err),
			 0);
	assert_false(tickets_has(&l->tickets, journal_published(&l->journal)));
	verdict_log_stop(l);
	fixture_end(&f);
}

/* ---- a record that the disk loses ---- */

static void who_waits_for_what_cannot_be_read_any_more_is_told_so(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("KEPT", "s@x.test", NOW);
	uint64_t lost;
	char err[DB_ERROR_MAX];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "verdict_sync=power",
					 "default_requirement=ratchet", NULL));
	l = start(&f);
	r.judgement = &encrypted;
	r.action = r.would = ACTION_ACCEPT;
	r.reply = "";
	submit(l, &r);
	r.queue_id = "LOST";
	r.sender = "t@x.test"; /* a pair that is not known: urgent */
	lost = journal_published(&l->journal) + 1;
	cut_to = l->journal.first->published_bytes;
	assert_int_equal(verdict_log_submit(l, &r, err), -1);
	assert_int_equal(cut_to, 0);
	assert_string_equal(err, "the journal cannot be read");
	/* Also who comes later. */
	assert_int_equal(
		tickets_wait(&l->tickets, lost, clock_monotonic_ms() + PATIENCE_LATER_MS, err), -1);
	assert_string_equal(err, "the journal cannot be read");
	r.queue_id = "NEXT";
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, 2);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_committed_too_late_says_what_was_answered),
		cmocka_unit_test(a_ticket_for_what_was_moved_before_is_answered_at_once),
		cmocka_unit_test(who_waits_after_the_record_was_moved_has_no_wait),
		cmocka_unit_test(who_waits_for_what_cannot_be_read_any_more_is_told_so),
		cmocka_unit_test(
			a_writer_without_memory_for_a_connection_tries_again_and_does_not_spin),
	};

	return cmocka_run_group_tests_name("verdict_late", tests, NULL, NULL);
}

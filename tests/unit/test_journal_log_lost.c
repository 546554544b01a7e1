/* SPDX-License-Identifier: ISC
 *
 * What was moved from the journal and is in no checkpoint yet is in the write-ahead log, and in a
 * segment: so whatever becomes of the log, at whatever moment, each record that was answered is
 * there once. PGPGATE_KILLS: rounds (default 12).
 */
#include "tests/unit/verdict_log_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "db/record/verdict_log_internal.h"

#define ROUNDS 12
#define PER_ROUND 400	    /* records at the most */
#define CHECKPOINT_EVERY 60 /* of them: by another connection, as others do it too */
#define PATIENCE_MS 120000  /* no test waits so long unless it fails */

static int64_t random_below(int64_t n)
{
	uint32_t r;

	if (n <= 0 || getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r)
		return 0;
	return (int64_t)(r % (uint64_t)n);
}

static void log_path(const struct fixture *f, char out[400])
{
	snprintf(out, 400, "%s-wal", f->path);
}

enum harm { REMOVED, EMPTIED, CUT, OVERWRITTEN, N_HARMS };
static const char *const harm_names[] = {"removed", "emptied", "cut", "overwritten"};

static void harm_log(const struct fixture *f, enum harm harm)
{
	char path[400];
	struct stat st;
	int fd;

	log_path(f, path);
	if (stat(path, &st) != 0)
		return;
	if (harm == REMOVED) {
		unlink(path);
	} else if (harm != OVERWRITTEN) {
		(void)!truncate(path, harm == CUT ? random_below(st.st_size) : 0);
	} else {
		unsigned char octets[4096];

		fd = open(path, O_WRONLY);
		for (off_t at = random_below(st.st_size); fd >= 0 && at < st.st_size;
		     at += (off_t)sizeof octets)
			if (getrandom(octets, sizeof octets, 0) != (ssize_t)sizeof octets ||
			    pwrite(fd, octets,
				   st.st_size - at < (off_t)sizeof octets
					   ? (size_t)(st.st_size - at)
					   : sizeof octets,
				   at) < 0)
				fail_msg("%s", path);
		if (fd >= 0)
			close(fd);
	}
}

/* ---- a filter's life ---- */

static void name_of(int round, int i, char out[24])
{
	snprintf(out, 24, "R%dN%d", round, i);
}

/* Submits, and tells what was answered, until it has submitted n. */
static void submit_some(const struct fixture *f, struct verdict_log *l, int to, int round, int n)
{
	struct db *other = db_open(f->settings, DB_WRITE);

	l->journal.segment_bytes = 4000;
	for (int i = 0; i < n; i++) {
		char queue_id[24], err[DB_ERROR_MAX];
		struct verdict_record r;

		name_of(round, i, queue_id);
		r = record(queue_id, "s@x.test", NOW);
		if (i % 5 == 0) {
			/* Some that go through the database at once. */
			r.action = r.would = ACTION_SPLIT;
			r.has_split_digest = true;
			r.split_digest[0] = (unsigned char)i;
		}
		if (verdict_log_submit(l, &r, err) == 0 &&
		    write(to, &i, sizeof i) != (ssize_t)sizeof i)
			_exit(1);
		if (other != NULL && i % CHECKPOINT_EVERY == CHECKPOINT_EVERY - 1) {
			db_look(other);
			db_checkpoint(other, -1);
		}
	}
}

struct answered {
	bool is[PER_ROUND];
	int n;
};

/* Starts one, and harms the log: when it has been killed, or, alive, while it goes on. */
static void run_one(const struct fixture *f, int round, enum harm harm, bool is_alive,
		    struct answered *a)
{
	const int at = 1 + (int)random_below(PER_ROUND - 1);
	const pid_t parent = getpid();
	int channel[2], one, status;
	pid_t child;

	memset(a, 0, sizeof *a);
	assert_int_equal(pipe(channel), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(channel[0]);
		if (getppid() == parent)
			submit_some(f, start(f), channel[1], round, PER_ROUND);
		raise(SIGKILL);
	}
	close(channel[1]);
	while (read(channel[0], &one, sizeof one) == (ssize_t)sizeof one) {
		assert_true(one >= 0 && one < PER_ROUND);
		a->is[one] = true;
		if (++a->n != at)
			continue;
		if (is_alive)
			harm_log(f, harm);
		else
			kill(child, SIGKILL);
	}
	close(channel[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!is_alive)
		harm_log(f, harm);
}

/* ---- afterwards ---- */

static int64_t int_of(struct db *d, const char *sql)
{
	sqlite3_stmt *st;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(d->handle, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return value;
}

/* What is left of the log may be older than the database: then it is refused, and put aside, as the
 * sentence says. */
static void open_by_hand(const struct fixture *f)
{
	struct db *d = db_open(f->settings, DB_WRITE);
	char path[400], aside[420];

	assert_non_null(d);
	if (db_failure(d) == DB_BROKEN && strstr(db_error(d), "that of another file") != NULL) {
		log_path(f, path);
		snprintf(aside, sizeof aside, "%s.aside", path);
		assert_int_equal(rename(path, aside), 0);
		db_look(d);
	}
	if (db_failure(d) != DB_OK)
		fail_msg("%s", db_error(d));
	db_close(d);
}

static void check(const struct fixture *f, int round, const char *label, const struct answered *a)
{
	struct db *d = fixture_open(f, DB_READ);
	char sql[200], queue_id[24];

	for (int i = 0; i < PER_ROUND; i++) {
		int64_t n;

		name_of(round, i, queue_id);
		snprintf(sql, sizeof sql, "SELECT count(*) FROM verdict WHERE queue_id = '%s'",
			 queue_id);
		n = int_of(d, sql);
		if (n > 1 || (a->is[i] && n != 1))
			fail_msg("%s: %s is there %lld times", label, queue_id, (long long)n);
	}
	assert_int_equal(
		int_of(d, "SELECT (SELECT sum(n_messages) FROM daily) - (SELECT count(*) FROM "
			  "verdict)"),
		0);
	assert_int_equal(db_check(d, NULL, NULL), 0);
	db_close(d);
}

static bool has_segments(const struct fixture *f)
{
	DIR *dir = opendir(f->directory);
	struct dirent *entry;
	bool result = false;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		result |= strstr(entry->d_name, ".journal.") != NULL;
	closedir(dir);
	return result;
}

static void run_rounds(bool is_alive)
{
	const char *often = getenv("PGPGATE_KILLS");
	const int n = often != NULL ? atoi(often) : ROUNDS;

	for (int round = 0; round < n; round++) {
		const enum harm harm = (enum harm)(round % N_HARMS);
		struct answered *a = calloc(1, sizeof *a);
		struct fixture f;
		struct verdict_log *l;

		assert_non_null(a);
		fixture_begin(&f);
		fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
		run_one(&f, round, harm, is_alive, a);
		open_by_hand(&f);
		l = start(&f);
		for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS; has_segments(&f);) {
			if (clock_monotonic_ms() > until_ms)
				fail_msg("%s: segments stay", harm_names[harm]);
			usleep(5000);
		}
		verdict_log_stop(l);
		check(&f, round, harm_names[harm], a);
		fixture_end(&f);
		free(a);
	}
}

static void killed_then_the_log_is_lost(void **state)
{
	(void)state;
	run_rounds(false);
}

static void the_log_is_lost_while_mail_flows(void **state)
{
	(void)state;
	run_rounds(true);
}

/* ---- what stays, and what goes ---- */

static size_t count_segments(const struct fixture *f)
{
	DIR *dir = opendir(f->directory);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		n += strstr(entry->d_name, ".journal.") != NULL;
	closedir(dir);
	return n;
}

static void segments_stay_until_a_checkpoint_has_them(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	struct db *reader;
	size_t n;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	l = start(&f);
	l->journal.segment_bytes = 4000;
	for (int i = 0; i < 100; i++)
		submit(l, &r);
	reader = fixture_open(&f, DB_READ);
	assert_int_equal(verdicts_settle(reader, PATIENCE_MS), 1);
	n = count_segments(&f);
	assert_true(n > 5);
	/* Who reads an older state keeps the checkpoint back, and with it the segments, at the end,
	 * too. */
	assert_int_equal(db_begin_read(reader), 0);
	assert_int_equal(int_of(reader, "SELECT count(*) FROM verdict"), 100);
	submit(l, &r);
	verdict_log_stop(l);
	assert_true(count_segments(&f) >= n);
	assert_int_equal(db_end(reader, 0), 0);
	l = start(&f);
	for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS; count_segments(&f) > 0;)
		assert_true(clock_monotonic_ms() < until_ms);
	verdict_log_stop(l);
	assert_int_equal(int_of(reader, "SELECT count(*) FROM verdict"), 101);
	db_close(reader);
	fixture_end(&f);
}

static void half_a_journal_is_enough_to_keep(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	struct db *reader;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "journal_max=1048576", NULL));
	l = start(&f);
	submit(l, &r);
	reader = fixture_open(&f, DB_READ);
	assert_int_equal(verdicts_settle(reader, PATIENCE_MS), 1);
	assert_int_equal(db_begin_read(reader), 0);
	assert_int_equal(int_of(reader, "SELECT count(*) FROM verdict"), 1);
	/* Several times what it may have: no checkpoint comes, and mail goes on. */
	for (int i = 0; i < 6000; i++) {
		submit(l, &r);
		/* As fast as the mover is, and no faster. */
		for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
		     journal_bytes(&l->journal) > 786432;) {
			assert_true(clock_monotonic_ms() < until_ms);
			usleep(1000);
		}
	}
	assert_int_equal(db_end(reader, 0), 0);
	verdict_log_stop(l);
	assert_int_equal(int_of(reader, "SELECT count(*) FROM verdict"), 6001);
	db_close(reader);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_then_the_log_is_lost),
		cmocka_unit_test(the_log_is_lost_while_mail_flows),
		cmocka_unit_test(segments_stay_until_a_checkpoint_has_them),
		cmocka_unit_test(half_a_journal_is_enough_to_keep),
	};

	return cmocka_run_group_tests_name("journal_log_lost", tests, NULL, NULL);
}

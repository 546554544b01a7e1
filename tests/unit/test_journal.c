/* SPDX-License-Identifier: ISC
 *
 * The journal: what it looks like, what is left by processes that were killed, and that nothing of
 * it is lost or doubled whatever the database does meanwhile.
 */
#include "tests/unit/verdict_log_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "db/record/checksum.h"
#include "db/record/verdict_log_internal.h"
#include "db/record/verdict_mover.h"

#define ROUNDS 20	   /* kills */
#define PER_ROUND 60	   /* answers before the kill, at the most */
#define PATIENCE_MS 120000 /* no test waits so long unless it fails */
#define MANY 3000	   /* records: several segments, several batches */

/* ---- octets ---- */

static void checksum_is_that_of_the_rfc(void **state)
{
	unsigned char octets[32];

	(void)state;
	/* RFC 3720 appendix B.4 */
	memset(octets, 0, sizeof octets);
	assert_int_equal(checksum(0, octets, sizeof octets), 0x8a9136aau);
	memset(octets, 0xff, sizeof octets);
	assert_int_equal(checksum(0, octets, sizeof octets), 0x62a8ab43u);
	for (size_t i = 0; i < sizeof octets; i++)
		octets[i] = (unsigned char)i;
	assert_int_equal(checksum(0, octets, sizeof octets), 0x46dd794eu);
	for (size_t cut = 0; cut <= sizeof octets; cut++)
		assert_int_equal(
			checksum(checksum(0, octets, cut), octets + cut, sizeof octets - cut),
			0x46dd794eu);
}

/* What the log does with a record before it is encoded. */
static unsigned char *encode(const struct verdict_record *r, size_t *len)
{
	const struct hashed off = {.is_on = false};
	char err[512];
	struct settings *s = settings_load("/nonexistent/pgpgate.conf", true, NULL, 0, err,
					   sizeof err);
	struct stored_verdict v;
	unsigned char *out;

	assert_non_null(s);
	assert_int_equal(stored_verdict_fill(&v, &off, s, r), 0);
	out = journal_record_encode(&v, len);
	assert_non_null(out);
	arena_reset(&v.arena);
	settings_unref(s);
	return out;
}

static void a_record_is_read_as_it_was_written(void **state)
{
	struct verdict_record r = record("QUEUE", "s@x.test", NOW);
	struct arena a = {0};
	struct stored_verdict v;
	unsigned char *octets;
	size_t len;

	(void)state;
	r.has_split_digest = r.stands_unrecorded = r.is_local = true;
	memset(r.split_digest, 7, sizeof r.split_digest);
	octets = encode(&r, &len);
	assert_int_equal(octets[0], JOURNAL_VERDICT);
	assert_int_equal(journal_record_decode(octets + 1, len - 1, &a, &v), 0);
	assert_int_equal(v.record.time_unix, NOW);
	assert_int_equal(v.record.declared_size_bytes, 4321);
	assert_int_equal(v.record.size_bytes, 4000);
	assert_int_equal(v.record.action, ACTION_REFUSE);
	assert_string_equal(v.record.queue_id, "QUEUE");
	assert_string_equal(v.record.host, "mx.example.org");
	assert_string_equal(v.record.client, "192.0.2.77");
	assert_string_equal(v.record.authenticated, "login-name");
	assert_string_equal(v.record.sender, "test.x@s");
	assert_string_equal(v.record.header_from, "test.header@from");
	assert_string_equal(v.record.message_id, "<message-id@there.test>");
	assert_string_equal(v.record.reply, r.reply);
	assert_true(v.record.is_sender_trustworthy && v.record.is_local &&
		    v.record.stands_unrecorded);
	assert_true(v.record.has_split_digest);
	assert_memory_equal(v.record.split_digest, r.split_digest, 32);
	assert_int_equal(v.judgement.verdict, VERDICT_CLEARTEXT);
	assert_string_equal(v.judgement.reason, "no-openpgp");
	assert_int_equal(v.judgement.cleartext_bytes, 77);
	assert_int_equal(v.record.n_recipients, 2);
	assert_string_equal(v.recipients[0].key, "org.example.mail@alice");
	assert_int_equal(v.recipients[0].rule_id, 1);
	assert_int_equal(v.recipients[1].source, SOURCE_EXEMPT_RECIPIENTS);
	assert_true(v.recipients[1].passes && !v.recipients[0].passes);
	/* Cut anywhere it is none; with something behind it, it is one. */
	for (size_t cut = 0; cut < len - 1; cut++)
		assert_int_equal(journal_record_decode(octets + 1, cut, &a, &v), -1);
	octets = realloc(octets, len + 3);
	memset(octets + len, 0xee, 3);
	assert_int_equal(journal_record_decode(octets + 1, len + 2, &a, &v), 0);
	/* Whatever octet is another one, nothing is read that is not there (the sanitizers' to
	 * see). */
	for (size_t i = 1; i < len; i++) {
		octets[i] ^= 0xff;
		(void)journal_record_decode(octets + 1, len - 1, &a, &v);
		octets[i] ^= 0xff;
	}
	arena_reset(&a);
	free(octets);
}

/* ---- files ---- */

static size_t segments(const struct fixture *f)
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

/* The only segment's path. */
static void segment_path(const struct fixture *f, char out[700])
{
	DIR *dir = opendir(f->directory);
	struct dirent *entry;

	assert_int_equal(segments(f), 1);
	while ((entry = readdir(dir)) != NULL)
		if (strstr(entry->d_name, ".journal.") != NULL)
			snprintf(out, 700, "%s/%s", f->directory, entry->d_name);
	closedir(dir);
}

static int64_t int_of(const struct fixture *f, const char *sql)
{
	struct db *d = fixture_open(f, DB_READ);
	sqlite3_stmt *st;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(d->handle, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	db_close(d);
	return value;
}

/* A filter's life: submits, tells each answer, and is killed, or ends when it has submitted n. */
static void live(const struct fixture *f, int to, int round, int n)
{
	struct verdict_log *l = start(f);

	l->journal.segment_bytes = 4000;
	for (int i = 0; i < n; i++) {
		char queue_id[24], err[DB_ERROR_MAX];
		struct verdict_record r;

		snprintf(queue_id, sizeof queue_id, "R%dN%d", round, i);
		r = record(queue_id, "s@x.test", NOW);
		if (i % 7 == 0) {
			/* Some that go through the database at once. */
			r.action = r.would = ACTION_SPLIT;
			r.has_split_digest = true;
			r.split_digest[0] = (unsigned char)i;
		}
		/* On a disk that is too busy to commit in time: not answered, so not looked for. */
		if (verdict_log_submit(l, &r, err) != 0)
			break;
		if (write(to, &i, sizeof i) != (ssize_t)sizeof i)
			_exit(1);
	}
	raise(SIGKILL);
}

/* Starts one and kills it after `after` answers. Returns how many answers came. */
static int kill_one(const struct fixture *f, int round, int after)
{
	int channel[2], last = -1, one;
	pid_t child;

	assert_int_equal(pipe(channel), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(channel[0]);
		live(f, channel[1], round, 2 * PER_ROUND);
		_exit(1);
	}
	close(channel[1]);
	while (read(channel[0], &one, sizeof one) == (ssize_t)sizeof one) {
		assert_int_equal(one, last + 1);
		last = one;
		if (one + 1 == after)
			kill(child, SIGKILL);
	}
	close(channel[0]);
	assert_int_equal(waitpid(child, &one, 0), child);
	assert_true(WIFSIGNALED(one));
	return last + 1;
}

static void what_was_answered_is_there_once_after_any_number_of_kills(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	int n_answered[ROUNDS];
	char sql[200];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	for (int round = 0; round < ROUNDS; round++)
		n_answered[round] = kill_one(&f, round, 1 + round * 37 % PER_ROUND);
	assert_true(segments(&f) > 0);
	l = start(&f);
	/* The next start moves what all of them have left, in the background. */
	for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS; segments(&f) > 0;) {
		assert_true(clock_monotonic_ms() < until_ms);
		usleep(20000);
	}
	verdict_log_stop(l);
	for (int round = 0; round < ROUNDS; round++)
		for (int i = 0; i < n_answered[round]; i++) {
			snprintf(sql, sizeof sql,
				 "SELECT count(*) FROM verdict WHERE queue_id = 'R%dN%d'", round,
				 i);
			assert_int_equal(int_of(&f, sql), 1);
		}
	/* One more a round at the most: written, not answered. */
	assert_int_equal(int_of(&f, "SELECT count(*) FROM (SELECT 1 FROM verdict GROUP BY queue_id "
				    "HAVING count(*) > 1)"),
			 0);
	assert_int_equal(int_of(&f, "SELECT (SELECT sum(n_messages) FROM daily) - (SELECT count(*) "
				    "FROM verdict)"),
			 0);
	fixture_end(&f);
}

/* That a message was answered otherwise is kept when memory is short: that is when it is. */
static void voids_of_those_under_way_take_no_memory(void **state)
{
	struct journal j;
	struct fixture f;
	const uint64_t *room;

	(void)state;
	fixture_begin(&f);
	assert_int_equal(journal_init(&j, f.settings), 0);
	room = j.voided;
	assert_non_null(room);
	for (uint64_t i = 1; i <= JOURNAL_VOIDED_ROOM / 2 + 1; i++) {
		journal_void(&j, i);
		if (i <= JOURNAL_VOIDED_ROOM / 2)
			assert_ptr_equal(j.voided, room);
	}
	assert_true(j.voided_room > JOURNAL_VOIDED_ROOM); /* asked for before it is needed */
	for (uint64_t i = 1; i <= JOURNAL_VOIDED_ROOM / 2; i += 97)
		assert_true(journal_is_voided(&j, i));
	journal_destroy(&j);
	fixture_end(&f);
}

/* ---- damage ---- */

/* A journal of 20 records that a process has left, all in one segment, none of them moved. */
static void leave_some(struct fixture *f, int n)
{
	struct journal j;
	char err[DB_ERROR_MAX];

	assert_int_equal(journal_init(&j, f->settings), 0);
	j.segment_bytes = 1 << 20;
	for (int i = 0; i < n; i++) {
		char queue_id[24];
		struct verdict_record r;
		struct journal_entry entry = {.next = NULL};

		snprintf(queue_id, sizeof queue_id, "N%d", i);
		r = record(queue_id, "s@x.test", NOW);
		entry.payload = encode(&r, &entry.payload_len);
		entry.payload_checksum = checksum(0, entry.payload, entry.payload_len);
		assert_int_equal(journal_append(&j, f->settings, &entry, err), 0);
		assert_int_equal(entry.sequence, i + 1);
		free(entry.payload);
	}
	if (n > 10)
		journal_void(&j, 11);
	journal_destroy(&j);
}

struct damage {
	const char *label;
	enum { CUT, APPEND, FLIP, FLIP_HEADER } how;
	int from_end; /* octets */
	int n_rows;
};

static void damage_costs_what_is_damaged_and_nothing_else(void **state)
{
	static const struct damage table[] = {
		{"none", CUT, 0, 20},
		{"the void record is cut", CUT, 5, 20},
		{"the last verdict is cut", CUT, 33 + 200, 19},
		{"half a record behind", APPEND, 100, 20},
		{"less than a header behind", APPEND, 7, 20},
		{"one octet in the middle", FLIP, 4600, 19},
		{"the header", FLIP_HEADER, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const struct damage *c = &table[i];
		char path[700], octets[200];
		struct verdict_log *l;
		struct fixture f;
		struct stat st;
		int fd;

		print_message("%s\n", c->label);
		fixture_begin(&f);
		fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
		leave_some(&f, 20);
		segment_path(&f, path);
		fd = open(path, O_RDWR);
		assert_true(fd >= 0 && fstat(fd, &st) == 0);
		if (c->how == CUT)
			assert_int_equal(ftruncate(fd, st.st_size - c->from_end), 0);
		memset(octets, 'P', sizeof octets);
		if (c->how == APPEND) {
			/* The beginning of a true record. */
			assert_int_equal(pread(fd, octets, sizeof octets, JOURNAL_HEADER_BYTES),
					 sizeof octets);
			assert_int_equal(pwrite(fd, octets, (size_t)c->from_end, st.st_size),
					 c->from_end);
		}
		if (c->how == FLIP || c->how == FLIP_HEADER) {
			const off_t at = c->how == FLIP ? st.st_size - c->from_end : 3;

			assert_int_equal(pread(fd, octets, 1, at), 1);
			octets[0] ^= 1;
			assert_int_equal(pwrite(fd, octets, 1, at), 1);
		}
		close(fd);
		/* Without a filter everybody reads it where it is; then it is moved. */
		if (c->how != FLIP_HEADER)
			assert_int_equal(list(&f, FILTER(0)).n, c->n_rows);
		l = start(&f);
		for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
		     int_of(&f, "SELECT count(*) FROM verdict") < c->n_rows ||
		     (c->how != FLIP_HEADER && segments(&f) > 0);)
			assert_true(clock_monotonic_ms() < until_ms);
		verdict_log_stop(l);
		assert_int_equal(int_of(&f, "SELECT count(*) FROM verdict"), c->n_rows);
		assert_int_equal(int_of(&f, "SELECT count(*) FROM verdict WHERE action = "
					    "'tempfail' AND queue_id = 'N10'"),
				 c->n_rows > 0 && strcmp(c->label, "the void record is cut") != 0 &&
					 strcmp(c->label, "the last verdict is cut") != 0);
		/* What cannot be read at all is kept for a person. */
		assert_int_equal(segments(&f), c->how == FLIP_HEADER);
		fixture_end(&f);
	}
}

/* ---- a database that does not take it ---- */

static void segments_stay_until_all_of_them_is_in(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct db *d;
	char queue_id[24];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_WRITE);
	l = start(&f);
	l->journal.segment_bytes = 65536;
	assert_int_equal(db_begin_write(d), 0);
	for (int i = 0; i < MANY; i++) {
		struct verdict_record r;

		snprintf(queue_id, sizeof queue_id, "N%d", i);
		r = record(queue_id, "s@x.test", NOW);
		submit(l, &r);
	}
	assert_true(segments(&f) > 10);
	assert_int_equal(db_end(d, 0), 0);
	assert_int_equal(verdicts_settle(d, 60000), 1);
	assert_int_equal(int_of(&f, "SELECT count(*) FROM verdict"), MANY);
	assert_int_equal(int_of(&f, "SELECT count(DISTINCT queue_id) FROM verdict"), MANY);
	/* In the order in which they came. */
	assert_int_equal(
		int_of(&f, "SELECT count(*) FROM verdict WHERE queue_id <> 'N' || (id - 1)"), 0);
	verdict_log_stop(l);
	assert_int_equal(segments(&f), 0);
	db_close(d);
	fixture_end(&f);
}

/* What comes after it must not go to a file that nobody finds again. */
static void a_segment_that_is_taken_away_is_noticed(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char path[700];
	struct db *d;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_WRITE);
	l = start(&f);
	assert_int_equal(db_begin_write(d), 0);
	submit(l, &r);
	segment_path(&f, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(segments(&f), 0);
	submit(l, &r);
	submit(l, &r);
	assert_int_equal(segments(&f), 1);
	assert_int_equal(db_end(d, 0), 0);
	verdict_log_stop(l);
	assert_int_equal(segments(&f), 0);
	assert_int_equal(int_of(&f, "SELECT count(*) FROM verdict"), 3);
	db_close(d);
	fixture_end(&f);
}

/* A copy of the folder that was made while the filter ended has a segment that is gone, and a
 * database that has its records. */
static void a_segment_that_comes_back_is_not_moved_again(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char path[700], kept[710];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	l = start(&f);
	submit(l, &r);
	submit(l, &r);
	segment_path(&f, path);
	snprintf(kept, sizeof kept, "%s.kept", path);
	assert_int_equal(link(path, kept), 0);
	verdict_log_stop(l);
	assert_int_equal(segments(&f), 1); /* the other name */
	assert_int_equal(rename(kept, path), 0);
	l = start(&f);
	for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS; segments(&f) > 0;) {
		assert_true(clock_monotonic_ms() < until_ms);
		usleep(20000);
	}
	verdict_log_stop(l);
	assert_int_equal(int_of(&f, "SELECT count(*) FROM verdict"), 2);
	fixture_end(&f);
}

static void a_full_journal_says_so_and_takes_more_when_the_database_does(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char err[DB_ERROR_MAX];
	struct db *d;
	int n = 0;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "journal_max=1048576", NULL));
	d = fixture_open(&f, DB_WRITE);
	l = start(&f);
	assert_int_equal(db_begin_write(d), 0);
	while (verdict_log_submit(l, &r, err) == 0)
		assert_true(++n < 10000);
	assert_non_null(strstr(err, "journal_max"));
	assert_true(n > 500);
	assert_int_equal(db_end(d, 0), 0);
	assert_int_equal(verdicts_settle(d, 60000), 1);
	for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	     verdict_log_submit(l, &r, err) != 0;)
		assert_true(clock_monotonic_ms() < until_ms);
	verdict_log_stop(l);
	assert_int_equal(int_of(&f, "SELECT count(*) FROM verdict"), n + 1);
	db_close(d);
	fixture_end(&f);
}

static void two_logs_at_once_keep_their_own(void **state)
{
	struct fixture f;
	struct verdict_log *l[2];
	struct verdict_record r = record("Q", "s@x.test", NOW);

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	l[0] = start(&f);
	submit(l[0], &r);
	l[1] = start(&f);
	for (int i = 0; i < 20; i++)
		submit(l[i % 2], &r);
	assert_int_equal(list(&f, FILTER(0)).n, 21);
	verdict_log_stop(l[0]);
	submit(l[1], &r);
	verdict_log_stop(l[1]);
	assert_int_equal(int_of(&f, "SELECT count(*) FROM verdict"), 22);
	assert_int_equal(segments(&f), 0);
	fixture_end(&f);
}

/* It has its name when it has its header and its lock. */
static void a_segment_that_nobody_finished_is_removed(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	char path[2][600];
	int fd[2];

	(void)state;
	fixture_begin(&f);
	for (int i = 0; i < 2; i++) {
		snprintf(path[i], sizeof path[i], "%s.journal.000000000000000%d.00000001.new",
			 f.path, i);
		fd[i] = open(path[i], O_RDWR | O_CREAT, 0660);
		assert_true(fd[i] >= 0);
	}
	assert_int_equal(flock(fd[1], LOCK_EX), 0); /* somebody makes it just now */
	close(fd[0]);
	l = start(&f);
	for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS; access(path[0], F_OK) == 0;)
		assert_true(clock_monotonic_ms() < until_ms);
	verdict_log_stop(l);
	assert_int_equal(access(path[1], F_OK), 0);
	close(fd[1]);
	fixture_end(&f);
}

/* A clock that has just begun may be years ahead, and a file of the stream may come back. */
static void how_far_a_stream_was_moved_is_not_forgotten_on_the_word_of_a_new_clock(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	uint64_t moved = 0;
	char path[600];
	struct db *d;
	sqlite3_stmt *st;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_begin_write(d), 0);
	st = db_statement(d, SQL_JOURNAL_SET_MOVED);
	assert_non_null(st);
	db_bind_int(st, 1, 7); /* the stream */
	db_bind_int(st, 2, 12);
	db_bind_int(st, 3, 1); /* when: 1970 */
	assert_int_equal(db_end(d, db_run(d, st)), 0);
	/* When it is gone, the look for what others left has begun; stopping waits for its end. */
	snprintf(path, sizeof path, "%s.journal.0000000000000001.00000001.new", f.path);
	close(open(path, O_RDWR | O_CREAT, 0660));
	l = start(&f);
	for (int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS; access(path, F_OK) == 0;)
		assert_true(clock_monotonic_ms() < until_ms);
	verdict_log_stop(l);
	assert_int_equal(db_begin_read(d), 0);
	assert_int_equal(db_end(d, batch_moved(d, 7, &moved)), 0);
	assert_int_equal(moved, 12);
	db_close(d);
	fixture_end(&f);
}

static void what_is_planted_in_place_of_a_segment_is_left_alone(void **state)
{
	static const char *const names[] = {
		"pgpgate.db.journal.0000000000000001.00000001", /* a symbolic link */
		"pgpgate.db.journal.0000000000000002.00000001", /* a directory */
		"pgpgate.db.journal.0000000000000003.00000001", /* a FIFO */
		"pgpgate.db.journal.0000000000000004.0000000g", /* no name of a segment */
	};
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char path[4][600], target[600];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	for (int i = 0; i < 4; i++)
		snprintf(path[i], sizeof path[i], "%s/%s", f.directory, names[i]);
	snprintf(target, sizeof target, "%s/target", f.directory);
	close(open(target, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(symlink(target, path[0]), 0);
	assert_int_equal(mkdir(path[1], 0700), 0);
	assert_int_equal(mkfifo(path[2], 0600), 0);
	close(open(path[3], O_WRONLY | O_CREAT, 0600));
	l = start(&f);
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(access(path[i], F_OK), 0);
	rmdir(path[1]);
	fixture_end(&f);
}

static bool is_voided(void *context, uint64_t sequence)
{
	(void)context;
	(void)sequence;
	return false;
}

/* Of 20 records the 17th is damaged and the last one is none that the schema takes: the batch with
 * both is read again and again, until that one is found. */
static void damage_is_counted_once_however_often_it_is_read(void **state)
{
	struct verdict_log l = {.batch_max = BATCH_RECORDS};
	struct journal_reader r = {.fd = -1};
	struct journal_header name;
	unsigned char head[JOURNAL_HEADER_BYTES], octet;
	uint64_t stored = 0;
	char path[700];
	struct fixture f;
	struct stat st;
	int fd, got, n_failed = 0;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	leave_some(&f, 20);
	segment_path(&f, path);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	assert_int_equal(pread(fd, head, sizeof head, 0), sizeof head);
	assert_true(journal_read_header(head, sizeof head, &name));
	assert_int_equal(pread(fd, &octet, 1, st.st_size - 1600), 1);
	octet ^= 1;
	assert_int_equal(pwrite(fd, &octet, 1, st.st_size - 1600), 1);
	l.db = fixture_open(&f, DB_WRITE);
	l.mover_settings = f.settings;
	assert_int_equal(batch_init(&l.batch), 0);
	assert_int_equal(sqlite3_exec(l.db->handle,
				      "CREATE TRIGGER t BEFORE INSERT ON verdict WHEN "
				      "new.queue_id = 'N19' BEGIN SELECT raise(ABORT, 'no'); END",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	journal_reader_begin(&r, fd, &name, st.st_size, 0);
	do {
		const int64_t before = r.damaged_bytes;

		got = verdict_mover_step(&l, &r, &stored, is_voided, NULL);
		if (got < 0)
			assert_int_equal(r.damaged_bytes, before);
		n_failed += got < 0;
		assert_true(n_failed < 10);
	} while (got != 0);
	assert_true(n_failed > 0);
	assert_true(r.damaged_bytes > 0 && r.damaged_bytes < 1600);
	db_close(l.db);
	batch_free(&l.batch);
	journal_reader_free(&r);
	close(fd);
	assert_int_equal(int_of(&f, "SELECT count(*) FROM verdict"), 18);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_is_that_of_the_rfc),
		cmocka_unit_test(a_record_is_read_as_it_was_written),
		cmocka_unit_test(what_was_answered_is_there_once_after_any_number_of_kills),
		cmocka_unit_test(voids_of_those_under_way_take_no_memory),
		cmocka_unit_test(damage_costs_what_is_damaged_and_nothing_else),
		cmocka_unit_test(damage_is_counted_once_however_often_it_is_read),
		cmocka_unit_test(segments_stay_until_all_of_them_is_in),
		cmocka_unit_test(a_segment_that_is_taken_away_is_noticed),
		cmocka_unit_test(a_segment_that_comes_back_is_not_moved_again),
		cmocka_unit_test(a_full_journal_says_so_and_takes_more_when_the_database_does),
		cmocka_unit_test(two_logs_at_once_keep_their_own),
		cmocka_unit_test(a_segment_that_nobody_finished_is_removed),
		cmocka_unit_test(
			how_far_a_stream_was_moved_is_not_forgotten_on_the_word_of_a_new_clock),
		cmocka_unit_test(what_is_planted_in_place_of_a_segment_is_left_alone),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}

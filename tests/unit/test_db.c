/* SPDX-License-Identifier: ISC
 *
 * Connections: what is opened, what is refused and why, and that it mends itself.
 */
#include "tests/unit/db_fixture.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "db/engine/file.h"
#include "db/engine/internal.h"
#include "db/engine/wal_frames.h"

#define NOW 1800000000

static mode_t mode_of(const struct fixture *f, const char *suffix)
{
	char path[400];
	struct stat st;

	snprintf(path, sizeof path, "%s%s", f->path, suffix);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void create_makes_files_with_their_modes(void **state)
{
	struct fixture f;
	struct db *d;
	mode_t mask = umask(077);

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
	umask(mask);
	assert_int_equal(mode_of(&f, ""), 0660);
	assert_int_equal(mode_of(&f, "-wal"), 0660);
	assert_int_equal(mode_of(&f, "-shm"), 0660);
	assert_int_equal(mode_of(&f, ".lock"), 0660);
	assert_int_equal(mode_of(&f, ".key"), 0640);
	db_close(d);
	fixture_end(&f);
}

static void create_as_root_gives_files_to_the_owner_of_the_directory(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".key"};
	struct fixture f;
	char path[400];
	struct stat st;
	struct db *d;

	(void)state;
	if (geteuid() != 0)
		skip();
	fixture_directory(&f);
	assert_int_equal(chown(f.directory, 12345, 23456), 0);
	f.settings = fixture_settings(&f, NULL);
	d = fixture_open(&f, DB_CREATE);
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(path, sizeof path, "%s%s", f.path, suffixes[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_uid, 12345);
		assert_int_equal(st.st_gid, 23456);
	}
	db_close(d);
	fixture_end(&f);
}

static void create_again_keeps_everything(void **state)
{
	struct fixture f;
	struct db *d;
	int64_t until;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
	db_close(d);
	d = fixture_open(&f, DB_CREATE);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_int_equal(until, NOW + 60);
	db_close(d);
	fixture_end(&f);
}

static void pragmas_are_as_promised(void **state)
{
	static const struct {
		const char *sql;
		int expected;
	} rows[] = {
		{"PRAGMA wal_autocheckpoint", 0},
		{"PRAGMA foreign_keys", 1},
		{"PRAGMA cell_size_check", 1},
		{"PRAGMA mmap_size", 0},
		{"PRAGMA trusted_schema", 0},
		{"PRAGMA synchronous", 1},
		{"PRAGMA application_id", DB_APPLICATION_ID},
	};
	struct fixture f;
	struct db *d;
	sqlite3_stmt *st;
	int on;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(sqlite3_prepare_v2(d->handle, rows[i].sql, -1, &st, NULL),
				 SQLITE_OK);
		if (sqlite3_step(st) == SQLITE_ROW)
			assert_int_equal(sqlite3_column_int(st, 0), rows[i].expected);
		sqlite3_finalize(st);
	}
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &on);
	assert_int_equal(on, 0);
	sqlite3_db_config(d->handle, SQLITE_DBCONFIG_DEFENSIVE, -1, &on);
	assert_int_equal(on, 1);
	db_close(d);
	fixture_use(&f, fixture_settings(&f, "verdict_sync=power", NULL));
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(sqlite3_prepare_v2(d->handle, "PRAGMA synchronous", -1, &st, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(st, 0), 2);
	sqlite3_finalize(st);
	db_close(d);
	fixture_end(&f);
}

/* ---- what is refused ---- */

static void write_file(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static void run_sql(const struct fixture *f, const char *sql)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(handle);
}

static void expect_refusal(const struct fixture *f, enum db_mode mode, enum db_failure failure,
			   const char *words)
{
	struct db *d = db_open(f->settings, mode);

	assert_non_null(d);
	assert_int_equal(db_failure(d), failure);
	if (strstr(db_error(d), words) == NULL || strstr(db_error(d), f->path) == NULL)
		fail_msg("\"%s\" should name %s and say \"%s\"", db_error(d), f->path, words);
	assert_int_equal(db_begin_read(d), -1);
	db_close(d);
}

static void what_cannot_be_opened_is_refused_with_its_mend(void **state)
{
	static const char garbage[4096] = "this is no database, and long enough to look like one";
	struct fixture f;

	(void)state;
	fixture_directory(&f);
	f.settings = fixture_settings(&f, NULL);
	expect_refusal(&f, DB_READ, DB_ABSENT, "pgpgate db init");
	expect_refusal(&f, DB_WRITE, DB_ABSENT, "pgpgate db init");
	assert_int_equal(mkdir(f.path, 0755), 0);
	expect_refusal(&f, DB_READ, DB_NOT_OURS, "is a directory");
	expect_refusal(&f, DB_CREATE, DB_NOT_OURS, "is a directory");
	rmdir(f.path);
	write_file(f.path, garbage, sizeof garbage);
	expect_refusal(&f, DB_READ, DB_NOT_OURS, "not a database");
	unlink(f.path);
	write_file(f.path, "", 0);
	expect_refusal(&f, DB_WRITE, DB_ABSENT, "empty; run \"pgpgate db init\"");
	run_sql(&f, "CREATE TABLE t (a)");
	expect_refusal(&f, DB_WRITE, DB_NOT_OURS, "another program");
	expect_refusal(&f, DB_CREATE, DB_NOT_OURS, "another program");
	/* Other programs count their schemas too. */
	for (int version = 1; version <= db_schema_current() + 1; version++) {
		char sql[40];

		snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version);
		run_sql(&f, sql);
		expect_refusal(&f, DB_READ, DB_NOT_OURS, "another program");
		expect_refusal(&f, DB_WRITE, DB_NOT_OURS, "another program");
	}
	fixture_end(&f);
}

static void files_beside_it_that_are_none_are_named(void **state)
{
	struct fixture f;
	struct db *d;
	int64_t until;
	char key[400], lock[400], kept[400];

	(void)state;
	fixture_begin(&f);
	snprintf(key, sizeof key, "%s.key", f.path);
	snprintf(lock, sizeof lock, "%s.lock", f.path);
	/* the lock: writers need it, readers do not */
	unlink(lock);
	assert_int_equal(mkdir(lock, 0755), 0);
	expect_refusal(&f, DB_WRITE, DB_NO_PERMISSION, ".lock: is a directory");
	db_close(fixture_open(&f, DB_READ));
	rmdir(lock);
	db_close(fixture_open(&f, DB_WRITE));
	/* the key: only hashed addresses need it, and then all of it */
	snprintf(kept, sizeof kept, "%s.kept", f.path);
	assert_int_equal(rename(key, kept), 0);
	write_file(key, "0123456789abcdef0123456789abcdef", 31);
	db_close(fixture_open(&f, DB_WRITE));
	fixture_use(&f, fixture_settings(&f, "log_addresses=hashed", NULL));
	expect_refusal(&f, DB_READ, DB_ABSENT, "shorter than 32 bytes; restore it");
	d = db_open(f.settings, DB_WRITE);
	assert_int_equal(db_failure(d), DB_ABSENT);
	unlink(key);
	assert_int_equal(db_paused_until(d, NOW, &until), -1);
	assert_non_null(strstr(db_error(d), "is lost"));
	assert_non_null(strstr(db_error(d), "db init --new-key"));
	assert_int_equal(mkdir(key, 0755), 0);
	expect_refusal(&f, DB_READ, DB_ABSENT, "is a directory");
	rmdir(key);
	assert_int_equal(mkfifo(key, 0640), 0);
	expect_refusal(&f, DB_READ, DB_ABSENT, "is no regular file");
	unlink(key);
	write_file(key, "0123456789abcdef0123456789abcdef", 32);
	expect_refusal(&f, DB_READ, DB_ABSENT, "not the key of its hashed addresses");
	assert_int_equal(rename(kept, key), 0);
	assert_int_equal(db_paused_until(d, NOW, &until), 0); /* without a restart */
	db_close(d);
	fixture_end(&f);
}

/* Another process gives up the old key while this one runs. */
static void a_process_has_one_key(void **state)
{
	struct fixture f;
	struct db *d;
	int64_t until;
	int status;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "log_addresses=hashed", NULL));
	d = fixture_open(&f, DB_READ);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	if (fork() == 0) {
		const char *overrides[] = {"log_addresses=hashed", NULL};
		char err[300], database[400];
		struct settings *s;

		snprintf(database, sizeof database, "database=sqlite:%s", f.path);
		overrides[1] = database;
		s = settings_load("/nonexistent/pgpgate.conf", true, overrides, 2, err, sizeof err);
		_exit(s != NULL && db_failure(db_open(s, DB_NEW_KEY)) == DB_OK ? 0 : 1);
	}
	assert_true(wait(&status) > 0 && status == 0);
	expect_refusal(&f, DB_READ, DB_ABSENT, "not the key that this process began with");
	expect_refusal(&f, DB_WRITE, DB_ABSENT, "restart");
	db_close(d);
	fixture_end(&f);
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
	struct fixture f;

	(void)state;
	fixture_directory(&f);
	f.settings = fixture_settings(&f, NULL);
	assert_int_equal(mkfifo(f.path, 0660), 0); /* which would wait for a writer, for ever */
	expect_refusal(&f, DB_READ, DB_NOT_OURS, "no regular file");
	expect_refusal(&f, DB_CREATE, DB_NOT_OURS, "no regular file");
	unlink(f.path);
	assert_int_equal(symlink(f.path, f.path), 0);
	expect_refusal(&f, DB_READ, DB_NOT_OURS, "symbolic link");
	unlink(f.path);
	fixture_end(&f);
}

static void a_missing_directory_is_named(void **state)
{
	struct fixture f;

	(void)state;
	fixture_directory(&f);
	strcat(f.directory, "/below");
	snprintf(f.path, sizeof f.path, "%s/pgpgate.db", f.directory);
	f.settings = fixture_settings(&f, NULL);
	expect_refusal(&f, DB_CREATE, DB_ABSENT, "install -d -m 2770");
	settings_unref(f.settings);
	*strrchr(f.directory, '/') = '\0';
	rmdir(f.directory);
}

static void a_schema_from_the_future_is_refused_also_while_running(void **state)
{
	struct fixture f;
	struct db *old;
	int64_t until;

	(void)state;
	fixture_begin(&f);
	old = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_paused_until(old, NOW, &until), 0);
	run_sql(&f, "PRAGMA user_version = 99");
	expect_refusal(&f, DB_READ, DB_TOO_NEW, "install the newer pgpgate");
	expect_refusal(&f, DB_CREATE, DB_TOO_NEW, "install the newer pgpgate");
	assert_int_equal(db_paused_until(old, NOW, &until), -1);
	assert_int_equal(db_failure(old), DB_TOO_NEW);
	assert_int_equal(db_pause(old, NOW + 1, NOW, "root"), -1);
	assert_int_equal(db_schema_version(old), 99);
	db_close(old);
	fixture_end(&f);
}

static void network_file_systems_are_known(void **state)
{
	(void)state;
	assert_true(file_is_network(0x6969));
	assert_true(file_is_network(0xff534d42));
	assert_true(
		file_is_network((long)(int)0xff534d42)); /* where f_type is 32 bits, and signed */
	assert_false(file_is_network(0xef53));		 /* ext4 */
	assert_false(file_is_network(0x01021994));	 /* tmpfs */
}

static void every_failure_has_its_exit_code(void **state)
{
	(void)state;
	assert_int_equal(db_sysexit(DB_OK), EX_OK);
	assert_int_equal(db_sysexit(DB_ABSENT), EX_NOINPUT);
	assert_int_equal(db_sysexit(DB_NO_PERMISSION), EX_NOPERM);
	assert_int_equal(db_sysexit(DB_NOT_OURS), EX_DATAERR);
	assert_int_equal(db_sysexit(DB_TOO_NEW), EX_CONFIG);
	assert_int_equal(db_sysexit(DB_BUSY), EX_TEMPFAIL);
	assert_int_equal(db_sysexit(DB_BROKEN), EX_IOERR);
}

/* ---- mending itself ---- */

static void a_directory_in_its_place_is_noticed_and_forgotten(void **state)
{
	struct fixture f;
	struct db *d;
	char away[400];
	int64_t until;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_READ);
	snprintf(away, sizeof away, "%s.away", f.path);
	assert_int_equal(rename(f.path, away), 0);
	assert_int_equal(db_paused_until(d, NOW, &until), -1);
	assert_int_equal(db_failure(d), DB_ABSENT);
	assert_int_equal(mkdir(f.path, 0755), 0);
	assert_int_equal(db_paused_until(d, NOW, &until), -1);
	assert_int_equal(db_failure(d), DB_NOT_OURS);
	rmdir(f.path);
	assert_int_equal(rename(away, f.path), 0);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_string_equal(db_error(d), "");
	db_close(d);
	fixture_end(&f);
}

static void a_replaced_file_is_noticed(void **state)
{
	struct fixture f, other;
	struct db *d;
	int64_t until;
	char away[400];

	(void)state;
	fixture_begin(&f);
	fixture_begin(&other);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_int_equal(until, 0);
	snprintf(away, sizeof away, "%s-wal", f.path);
	unlink(away);
	snprintf(away, sizeof away, "%s-shm", f.path);
	unlink(away);
	{
		struct db *o = fixture_open(&other, DB_WRITE);

		assert_int_equal(db_pause(o, NOW + 60, NOW, "root"), 0);
		assert_int_equal(db_checkpoint(o, 0), 1);
		db_close(o);
	}
	assert_int_equal(rename(other.path, f.path), 0);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_int_equal(until, NOW + 60);
	db_close(d);
	fixture_end(&f);
	fixture_end(&other);
}

static void an_unreadable_file_is_refused_until_it_is_readable(void **state)
{
	struct fixture f;
	struct db *d;
	int64_t until;

	(void)state;
	const bool is_root = geteuid() == 0;

	fixture_begin(&f);
	if (is_root) { /* reads everything: become somebody else for a while */
		assert_int_equal(chown(f.path, 65534, 65534), 0);
		assert_int_equal(chown(f.directory, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	d = fixture_open(&f, DB_READ);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	chmod(f.path, 0);
	assert_int_equal(db_paused_until(d, NOW, &until), -1);
	assert_int_equal(db_failure(d), DB_NO_PERMISSION);
	chmod(f.path, 0660);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	db_close(d);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	fixture_end(&f);
}

/* ---- locks ---- */

static bool is_beside(const struct fixture *f, const char *suffix)
{
	char path[400];

	snprintf(path, sizeof path, "%s%s", f->path, suffix);
	return access(path, F_OK) == 0;
}

static void who_closes_last_leaves_one_file(void **state)
{
	struct fixture f;
	struct db *d, *other;
	int64_t until;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	other = fixture_open(&f, DB_READ);
	assert_int_equal(db_paused_until(other, NOW, &until), 0);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
	db_close(d);
	assert_true(is_beside(&f, "-wal"));
	db_close(other);
	assert_false(is_beside(&f, "-wal"));
	assert_false(is_beside(&f, "-shm"));
	d = fixture_open(&f, DB_READ);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_int_equal(until, NOW + 60);
	db_close(d);
	fixture_end(&f);
}

/* Its -wal has the name of another file's by now. */
static void who_lost_the_file_removes_nothing(void **state)
{
	struct fixture f;
	struct db *d;
	char away[400];

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
	snprintf(away, sizeof away, "%s.away", f.path);
	assert_int_equal(rename(f.path, away), 0);
	db_close(d);
	assert_true(is_beside(&f, "-wal"));
	fixture_end(&f);
}

/* Of another process: our own readers end by themselves. */
static void name_who_keeps_the_log(bool is_all_written_back)
{
	struct fixture f;
	struct db *d;
	char holder[80], expected[40], octet;
	int ready[2], end[2], status;
	pid_t child;

	fixture_begin(&f);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
	assert_false(db_wal_holder(d, holder, sizeof holder));
	if (is_all_written_back)
		assert_int_equal(db_checkpoint(d, -1), 1);
	child = fork();
	if (child == 0) {
		struct db *reader = db_open(f.settings, DB_READ);
		int64_t until;

		close(end[1]);
		if (reader == NULL || db_begin_read(reader) != 0 ||
		    db_one(reader, SQL_USER_VERSION, &until) != 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		_exit(read(end[0], &octet, 1) == 0 ? 0 : 1);
	}
	close(ready[1]);
	close(end[0]);
	assert_int_equal(read(ready[0], &octet, 1), 1);
	assert_int_equal(db_pause(d, NOW + 61, NOW, "root"), 0);
	assert_true(db_wal_holder(d, holder, sizeof holder));
	snprintf(expected, sizeof expected, "process %ld (", (long)child);
	assert_int_equal(strncmp(holder, expected, strlen(expected)), 0);
	assert_true(wal_frames_is_read_behind(d));
	assert_int_equal(db_checkpoint(d, -1), 0);
	close(end[1]);
	assert_true(waitpid(child, &status, 0) == child && status == 0);
	assert_false(db_wal_holder(d, holder, sizeof holder));
	assert_false(wal_frames_is_read_behind(d));
	close(ready[0]);
	db_close(d);
	fixture_end(&f);
}

/* Who begins when all of the log is in the database reads nothing of it, and keeps what comes after
 * from being written back all the same. */
static void who_keeps_the_log_is_named(void **state)
{
	(void)state;
	name_who_keeps_the_log(false);
	name_who_keeps_the_log(true);
}

static void a_reader_cannot_write(void **state)
{
	struct fixture f;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), -1);
	assert_int_equal(db_failure(d), DB_NO_PERMISSION);
	db_close(d);
	fixture_end(&f);
}

static void writers_wait_for_a_checkpoint_and_checkpoints_do_not_wait(void **state)
{
	struct fixture f;
	struct db *a, *b;

	(void)state;
	fixture_begin(&f);
	a = fixture_open(&f, DB_WRITE);
	b = fixture_open(&f, DB_WRITE);
	b->busy_ms = 20;
	/* A checkpoint under way: the lock file is held. */
	assert_int_equal(db_begin_read(a), 0);
	assert_int_equal(db_end(a, 0), 0);
	assert_int_equal(flock(a->lock_fd, LOCK_EX), 0);
	assert_int_equal(db_pause(b, NOW + 60, NOW, "root"), -1);
	assert_int_equal(db_failure(b), DB_BUSY);
	assert_int_equal(flock(a->lock_fd, LOCK_UN), 0);
	/* A write transaction under way: no checkpoint now. */
	assert_int_equal(db_pause(b, NOW + 60, NOW, "root"), 0);
	assert_int_equal(db_begin_write(a), 0);
	assert_int_equal(db_checkpoint(b, 0), 0);
	assert_int_equal(db_end(a, 0), 0);
	assert_int_equal(db_checkpoint(b, 0), 1);
	assert_int_equal(db_checkpoint(b, 0), 0); /* nothing left */
	assert_int_equal(db_checkpoint(b, 1 << 20), 0);
	db_close(a);
	db_close(b);
	fixture_end(&f);
}

static void a_failed_transaction_leaves_nothing_and_keeps_its_error(void **state)
{
	struct fixture f;
	struct db *d;
	sqlite3_stmt *st;
	int64_t until;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_begin_write(d), 0);
	st = db_statement(d, SQL_STATE_PAUSE);
	db_bind_int(st, 1, NOW + 60);
	assert_int_equal(db_run(d, st), 0);
	db_fail(d, DB_FULL, "made up");
	assert_int_equal(db_end(d, -1), -1);
	assert_int_equal(db_failure(d), DB_FULL);
	assert_non_null(strstr(db_error(d), "made up"));
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_int_equal(until, 0);
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_makes_files_with_their_modes),
		cmocka_unit_test(create_as_root_gives_files_to_the_owner_of_the_directory),
		cmocka_unit_test(create_again_keeps_everything),
		cmocka_unit_test(pragmas_are_as_promised),
		cmocka_unit_test(what_cannot_be_opened_is_refused_with_its_mend),
		cmocka_unit_test(files_beside_it_that_are_none_are_named),
		cmocka_unit_test(a_process_has_one_key),
		cmocka_unit_test(what_is_no_regular_file_is_not_opened),
		cmocka_unit_test(a_missing_directory_is_named),
		cmocka_unit_test(a_schema_from_the_future_is_refused_also_while_running),
		cmocka_unit_test(network_file_systems_are_known),
		cmocka_unit_test(every_failure_has_its_exit_code),
		cmocka_unit_test(a_directory_in_its_place_is_noticed_and_forgotten),
		cmocka_unit_test(a_replaced_file_is_noticed),
		cmocka_unit_test(an_unreadable_file_is_refused_until_it_is_readable),
		cmocka_unit_test(who_closes_last_leaves_one_file),
		cmocka_unit_test(who_lost_the_file_removes_nothing),
		cmocka_unit_test(who_keeps_the_log_is_named),
		cmocka_unit_test(a_reader_cannot_write),
		cmocka_unit_test(writers_wait_for_a_checkpoint_and_checkpoints_do_not_wait),
		cmocka_unit_test(a_failed_transaction_leaves_nothing_and_keeps_its_error),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}

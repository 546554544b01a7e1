/* SPDX-License-Identifier: ISC
 *
 * What lies beside the database is removed or cut short while connections of this process have it
 * open: each notices, none goes on before all have closed, and what was committed is there.
 */
#include "tests/unit/db_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sysexits.h>
#include <sys/wait.h>

#include "common/bus_error.h"
#include "common/clock.h"
#include "db/engine/internal.h"

#define N_DURING 60	   /* rules: more than a page of each table */
#define IDLE_LOOK_US 20000 /* a daemon does so once a second */
#define PATIENCE_MS 30000  /* no test waits so long unless it fails */

static int count_row(void *context, const struct rule *rule)
{
	(void)rule;
	++*(int *)context;
	return 0;
}

static int n_rules(struct db *d)
{
	const struct rules_filter all = {0};
	int n = 0;

	return rules_list(d, &all, count_row, &n) == 0 ? n : -1;
}

static int add(struct db *d, const char *line)
{
	struct rule r = fixture_rule(line, 1800000000);

	return rules_add(d, &r, 1800000000, NULL, NULL);
}

static void tell_complaint(void *context, const char *complaint)
{
	(void)context;
	print_message("%s\n", complaint);
}

static void beside(const struct fixture *f, const char *suffix, char out[320])
{
	snprintf(out, 320, "%s%s", f->path, suffix);
}

enum harm { REMOVED, CUT };

static const struct {
	const char *label, *suffix;
	enum harm harm;
} rows[] = {
	{"log removed", "-wal", REMOVED},
	{"index removed", "-shm", REMOVED},
	{"index cut", "-shm", CUT},
};

static void test_all_let_go_before_one_goes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f;
		struct db *a, *b, *c;
		struct db_pool *pool;
		char path[320];

		fixture_begin(&f);
		a = fixture_open(&f, DB_WRITE);
		b = fixture_open(&f, DB_READ);
		pool = db_pool_new(f.settings, DB_READ, 2);
		db_pool_put(pool, db_pool_get(pool)); /* one lies idle in it */
		assert_int_equal(add(a, "exempt a@example.org"), 0);
		assert_int_equal(n_rules(b), 1);

		beside(&f, rows[i].suffix, path);
		if ((rows[i].harm == REMOVED ? unlink(path) : truncate(path, 0)) != 0)
			fail_msg("%s: %s", rows[i].label, path);

		/* b still has the old files */
		if (add(a, "exempt b@example.org") != -1 || db_failure(a) != DB_BROKEN)
			fail_msg("%s: written past another connection", rows[i].label);
		c = db_open(f.settings, DB_READ);
		if (c == NULL || db_failure(c) != DB_BROKEN)
			fail_msg("%s: opened beside another connection", rows[i].label);
		db_close(c);
		db_look(b); /* the last: it has closed and opened anew */
		if (n_rules(b) != 1 || add(a, "exempt b@example.org") != 0)
			fail_msg("%s: %s, %s", rows[i].label, db_error(a), db_error(b));
		db_pool_free(pool);
		db_close(b);
		db_close(a);
		a = fixture_open(&f, DB_READ);
		if (n_rules(a) != 2)
			fail_msg("%s: %d rules are left", rows[i].label, n_rules(a));
		db_close(a);
		fixture_end(&f);
	}
}

/* By a file that fits, as a copy does: that the engine has the old one open nothing else shows. */
static void replace_by_copy(const char *path)
{
	static unsigned char octets[1 << 20];
	char other[330];
	int fd = open(path, O_RDONLY);
	const ssize_t n = read(fd, octets, sizeof octets);

	assert_true(n > 0 && close(fd) == 0);
	snprintf(other, sizeof other, "%s.other", path);
	fd = open(other, O_WRONLY | O_CREAT | O_EXCL, 0660);
	assert_int_equal(write(fd, octets, (size_t)n), n);
	close(fd);
	assert_int_equal(rename(other, path), 0);
}

/* The engine gives all connections of a process the index that the first one opened: so a second
 * one has, at its first look, an index that is not the file of that name. */
static void test_index_replaced_before_the_first_look_is_noticed(void **state)
{
	struct fixture f;
	struct db *a, *b;
	char path[320];

	(void)state;
	fixture_begin(&f);
	a = fixture_open(&f, DB_WRITE);
	assert_int_equal(add(a, "exempt a@example.org"), 0);
	beside(&f, "-shm", path);
	replace_by_copy(path);
	b = db_open(f.settings, DB_WRITE);
	assert_non_null(b);
	if (add(b, "exempt b@example.org") != -1 || db_failure(b) != DB_BROKEN)
		fail_msg("confirmed in an index that nobody else has");
	db_look(a);
	assert_int_equal(add(b, "exempt b@example.org"), 0);
	assert_int_equal(n_rules(a), 2);
	db_close(b);
	db_close(a);
	fixture_end(&f);
}

/* What was only there is gone, but nothing is confirmed that is not. */
static void test_log_cut_is_noticed(void **state)
{
	struct fixture f;
	struct db *d;
	char path[320];

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(add(d, "exempt a@example.org"), 0);
	beside(&f, "-wal", path);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(add(d, "exempt b@example.org"), 0);
	db_close(d);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(n_rules(d), 1);
	db_close(d);
	fixture_end(&f);
}

/* ---- its length is kept ---- */

enum confirmed { SECOND = 1, AGAIN = 2, THIRD = 4 };

/* Overwrites a little of the first page in the log, which nothing reads again that is cached. */
static void overwrite_a_page(const char *path)
{
	static const char garbage[] = "garbage";
	const int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, garbage, sizeof garbage, 32 + 24 + 2000), sizeof garbage);
	close(fd);
}

/* Never returns: nothing is put in order. */
static void confirm_and_be_killed(const struct fixture *f, bool is_behind)
{
	struct db *d = db_open(f->settings, DB_WRITE);
	char path[320];
	int confirmed = 0;

	beside(f, "-wal", path);
	if (d == NULL || add(d, "exempt first@example.org") != 0)
		_exit(255);
	overwrite_a_page(path);
	if (is_behind)
		confirmed |= add(d, "exempt second@example.org") == 0 ? SECOND : 0;
	else
		confirmed |= add(d, "exempt first@example.org") == 0 ? AGAIN : 0;
	confirmed |= add(d, "exempt third@example.org") == 0 ? THIRD : 0;
	_exit(confirmed);
}

static void test_what_is_confirmed_behind_garbage_is_there(void **state)
{
	(void)state;
	for (int is_behind = 0; is_behind < 2; is_behind++) {
		struct fixture f;
		struct db *d;
		int status;
		pid_t pid;

		fixture_begin(&f);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			confirm_and_be_killed(&f, is_behind);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		/* The first was confirmed before, and only there. */
		assert_int_equal(WEXITSTATUS(status), THIRD);
		d = fixture_open(&f, DB_READ);
		assert_int_equal(n_rules(d), 1);
		assert_int_equal(db_check(d, tell_complaint, NULL), 0);
		db_close(d);
		fixture_end(&f);
	}
}

/* ---- a disk that does not give what it has ---- */

static const sqlite3_io_methods *real_methods;
static bool is_disk_ill;

static int read_of_ill_disk(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
	return is_disk_ill ? SQLITE_IOERR_READ : real_methods->xRead(file, out, len, at);
}

static void test_disk_that_fails_is_no_harm(void **state)
{
	struct fixture f;
	struct db *d;
	sqlite3_file *log = NULL;
	sqlite3_io_methods methods;
	struct stat before, after;
	char path[320];

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(add(d, "exempt a@example.org"), 0);
	assert_int_equal(
		sqlite3_file_control(d->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log),
		SQLITE_OK);
	real_methods = log->pMethods;
	methods = *real_methods;
	methods.xRead = read_of_ill_disk;
	log->pMethods = &methods;
	beside(&f, "-wal", path);
	assert_int_equal(stat(path, &before), 0);
	is_disk_ill = true;
	assert_int_equal(db_checkpoint(d, -1), -1);
	assert_non_null(strstr(db_error(d), "check the disk"));
	assert_int_equal(stat(path, &after), 0);
	assert_true(after.st_size == before.st_size);
	/* What is in the log already is confirmed: nothing says that it is not there. */
	assert_int_equal(add(d, "exempt b@example.org"), 0);
	is_disk_ill = false;
	assert_int_equal(db_checkpoint(d, -1), 1);
	log->pMethods = real_methods;
	assert_int_equal(n_rules(d), 2);
	db_close(d);
	fixture_end(&f);
}

/* ---- whatever the length, whoever meets it ---- */

/* Another process, as a daemon that nobody asks anything: a connection lies idle, and is looked
 * after. */
static pid_t start_idle(const struct fixture *f)
{
	const pid_t parent = getpid();
	int ready[2];
	char octet;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct db *d = db_open(f->settings, DB_READ);

		if (d == NULL || n_rules(d) < 0 || write(ready[1], "+", 1) != 1)
			_exit(1);
		while (getppid() == parent) {
			db_look(d);
			usleep(IDLE_LOOK_US);
		}
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &octet, 1), 1);
	close(ready[0]);
	return pid;
}

static void end_idle(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* Until a writes and b reads. */
static void wait_for_both(struct db *a, struct db *b, const char *label, int64_t length)
{
	const int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	while (n_rules(b) < 0 || add(a, "exempt after@example.org") != 0) {
		db_look(a);
		db_look(b);
		if (clock_monotonic_ms() > until_ms)
			fail_msg("%s, cut to %lld octets: %s, %s", label, (long long)length,
				 db_error(a), db_error(b));
	}
}

/* The caches of all are older than the log: the first thing that each reads is what is no longer
 * there. */
static void cut_while_caches_are_old(int64_t of_length, int64_t less)
{
	struct fixture f;
	struct db *a, *b, *other;
	char path[320], line[300];
	int64_t length;
	pid_t idle;
	int n;

	fixture_begin(&f);
	a = fixture_open(&f, DB_WRITE);
	b = fixture_open(&f, DB_READ);
	assert_int_equal(add(a, "exempt before@example.org"), 0);
	assert_int_equal(n_rules(b), 1);
	idle = start_idle(&f);
	other = fixture_open(&f, DB_WRITE);
	/* The file grows: its first page, which everybody reads first, is in the log. */
	for (int i = 0; i < N_DURING; i++) {
		snprintf(line, sizeof line, "exempt during%d@%060d.%060d.%060d.example.org", i, i,
			 i, i);
		assert_int_equal(add(other, line), 0);
	}
	db_close(other);
	beside(&f, "-wal", path);
	length = of_length < 0 ? size_of(path) - less : of_length;
	assert_int_equal(truncate(path, length), 0);
	wait_for_both(a, b, "old caches", length);
	/* What was there before what was cut, and what was confirmed since. */
	n = n_rules(b);
	if (n < 1 || n > 2 + N_DURING)
		fail_msg("cut to %lld octets: %d rules", (long long)length, n);
	end_idle(idle);
	db_close(b);
	db_close(a);
	b = fixture_open(&f, DB_READ);
	assert_int_equal(n_rules(b), n);
	assert_int_equal(db_check(b, tell_complaint, NULL), 0);
	db_close(b);
	fixture_end(&f);
}

static void test_log_cut_to_any_length_is_got_over(void **state)
{
	static const int64_t lengths[] = {0, 1, 31, 32, 33, 56, 4151, 4152, 4153, 8272, 20000};
	static const int64_t less[] = {1, 4095, 4096, 4119, 4120, 4121, 12360};

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
		cut_while_caches_are_old(lengths[i], 0);
	for (size_t i = 0; i < sizeof less / sizeof less[0]; i++)
		cut_while_caches_are_old(-1, less[i]);
}

static void test_lock_removed_is_made_anew(void **state)
{
	struct fixture f;
	struct db *d;
	char path[320];

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	beside(&f, ".lock", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(add(d, "exempt a@example.org"), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(n_rules(d), 1);
	db_close(d);
	fixture_end(&f);
}

/* ---- who gives up while another thread comes in ---- */

static struct {
	const struct fixture *f; /* NULL: the clock is as it is */
	pid_t other;
	struct db *d;
} at_look;

/* Names that the linker makes. */
int64_t __real_clock_monotonic_ms(void);
int64_t __wrap_clock_monotonic_ms(void);

/* The first look at the clock sets when to give up. With the second it is time; meanwhile the other
 * process has ended, and another thread has the database open. */
int64_t __wrap_clock_monotonic_ms(void)
{
	static int n_looks;
	const struct fixture *f = at_look.f;

	if (f == NULL || ++n_looks != 2)
		return __real_clock_monotonic_ms();
	at_look.f = NULL;
	end_idle(at_look.other);
	at_look.d = fixture_open(f, DB_READ);
	assert_int_equal(n_rules(at_look.d), 1);
	return __real_clock_monotonic_ms() + PATIENCE_MS;
}

/* As another process sees it: ours are no locks to us. */
static bool is_locked(const char *path)
{
	int status;
	const pid_t pid = fork();

	if (pid == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		const int fd = open(path, O_RDWR);

		if (fd < 0 || fcntl(fd, F_GETLK, &lock) != 0)
			_exit(2);
		_exit(lock.l_type != F_UNLCK);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status) == 1;
}

static void test_who_gives_up_leaves_the_locks_of_others(void **state)
{
	struct fixture f;
	struct db *d;
	char path[320];

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(add(d, "exempt a@example.org"), 0);
	db_close(d);
	at_look.other = start_idle(&f);
	kill(at_look.other, SIGSTOP);
	beside(&f, "-shm", path);
	assert_int_equal(unlink(path), 0);
	at_look.f = &f;
	d = db_open(f.settings, DB_READ);
	assert_non_null(d);
	assert_null(at_look.f);
	assert_int_equal(db_failure(d), DB_BROKEN);
	assert_true(is_locked(path));
	assert_non_null(strstr(db_error(d), "-shm was removed"));
	db_close(d);
	assert_true(is_locked(path));
	db_close(at_look.d);
	fixture_end(&f);
}

static void test_bus_error_ends_in_order(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		bus_error_catch("test", false);
		raise(SIGBUS);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_IOERR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_let_go_before_one_goes_on),
		cmocka_unit_test(test_index_replaced_before_the_first_look_is_noticed),
		cmocka_unit_test(test_log_cut_is_noticed),
		cmocka_unit_test(test_what_is_confirmed_behind_garbage_is_there),
		cmocka_unit_test(test_disk_that_fails_is_no_harm),
		cmocka_unit_test(test_log_cut_to_any_length_is_got_over),
		cmocka_unit_test(test_lock_removed_is_made_anew),
		cmocka_unit_test(test_who_gives_up_leaves_the_locks_of_others),
		cmocka_unit_test(test_bus_error_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

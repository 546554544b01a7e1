/* SPDX-License-Identifier: ISC
 *
 * What lies beside the database is removed or cut short while connections of this process have it open: each notices,
 * none goes on before all have closed, and what was committed is there.
 */
#include "tests/unit/db_fixture.h"

#include <signal.h>
#include <sysexits.h>
#include <sys/wait.h>

#include "common/bus_error.h"

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
	assert_int_equal(add(d, "exempt b@example.org"), -1);
	assert_int_equal(db_failure(d), DB_BROKEN);
	assert_int_equal(add(d, "exempt c@example.org"), 0);
	db_close(d);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(n_rules(d), 1);
	db_close(d);
	fixture_end(&f);
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
		cmocka_unit_test(test_log_cut_is_noticed),
		cmocka_unit_test(test_lock_removed_is_made_anew),
		cmocka_unit_test(test_bus_error_ends_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

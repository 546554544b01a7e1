/* SPDX-License-Identifier: ISC
 *
 * What `pgpgate db` does with a database in order: pause, status, check, backup; and the pool of
 * connections.
 */
#include "tests/unit/db_fixture.h"

#include "db/engine/internal.h"

#define NOW 1800000000

static void run_sql(const struct fixture *f, const char *sql)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(handle);
}

/* ---- pause, status, check, backup ---- */

static void a_pause_ends_by_itself(void **state)
{
	struct fixture f;
	struct db *d;
	int64_t until;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
	assert_int_equal(db_paused_until(d, NOW + 59, &until), 0);
	assert_int_equal(until, NOW + 60);
	assert_int_equal(db_paused_until(d, NOW + 60, &until), 0);
	assert_int_equal(until, 0);
	assert_int_equal(db_pause(d, 0, NOW, "root"), 0);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_int_equal(until, 0);
	db_close(d);
	fixture_end(&f);
}

static void count_complaint(void *context, const char *complaint)
{
	(void)complaint;
	++*(int *)context;
}

static void check_finds_nothing_in_order_and_damage(void **state)
{
	struct fixture f;
	struct db *d;
	int told = 0;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(db_check(d, count_complaint, &told), 0);
	db_close(d);
	run_sql(&f,
		"INSERT INTO pair (sender_key, recipient_key, n_encrypted) VALUES ('a', 'b', 3)");
	d = fixture_open(&f, DB_READ);
	assert_int_equal(db_check(d, count_complaint, &told), 1);
	assert_int_equal(told, 1);
	db_close(d);
	fixture_end(&f);
}

static void backup_is_a_database_and_replaces_nothing(void **state)
{
	struct db_copy *to, *second;
	char err[DB_ERROR_MAX];
	struct fixture f, copy;
	struct db *d, *c;
	int64_t until;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_pause(d, NOW + 60, NOW, "root"), 0);
	copy = f;
	snprintf(copy.path, sizeof copy.path, "%s/copy.db", f.directory);
	copy.settings = fixture_settings(&copy, NULL);
	assert_int_equal(db_copy_begin(copy.path, &to, err), DB_OK);
	assert_int_equal(db_copy_begin(copy.path, &second, err), DB_BUSY);
	assert_null(second);
	assert_int_equal(db_backup(d, to, NULL, NULL), 0);
	assert_int_equal(access(copy.path, F_OK), -1); /* not before it is whole */
	assert_int_equal(db_copy_end(to, err), DB_OK);
	assert_int_equal(db_copy_begin(copy.path, &to, err), DB_NO_PERMISSION);
	assert_non_null(strstr(err, "choose another name"));
	c = fixture_open(&copy, DB_WRITE);
	assert_int_equal(db_paused_until(c, NOW, &until), 0);
	assert_int_equal(until, NOW + 60);
	db_close(c);
	db_close(d);
	settings_unref(copy.settings);
	fixture_end(&f);
}

static void status_counts(void **state)
{
	struct fixture f;
	struct db_status status;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_READ);
	assert_int_equal(db_get_status(d, &status), 0);
	assert_string_equal(status.path, f.path);
	assert_int_equal(status.schema_version, db_schema_current());
	assert_int_equal(status.n_verdicts, 0);
	assert_true(status.file_bytes > 0 || status.wal_bytes > 0);
	db_close(d);
	fixture_end(&f);
}

static void pool_hands_out_what_it_got(void **state)
{
	struct fixture f;
	struct db_pool *p;
	struct db *a, *b;

	(void)state;
	fixture_begin(&f);
	p = db_pool_new(f.settings, DB_READ, 1);
	a = db_pool_get(p);
	b = db_pool_get(p);
	assert_ptr_not_equal(a, b);
	db_pool_put(p, a);
	db_pool_put(p, b); /* one too many: closed */
	assert_ptr_equal(db_pool_get(p), a);
	db_pool_put(p, a);
	db_pool_free(p);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pause_ends_by_itself),
		cmocka_unit_test(check_finds_nothing_in_order_and_damage),
		cmocka_unit_test(backup_is_a_database_and_replaces_nothing),
		cmocka_unit_test(status_counts),
		cmocka_unit_test(pool_hands_out_what_it_got),
	};

	return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}

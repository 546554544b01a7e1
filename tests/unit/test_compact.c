/* SPDX-License-Identifier: ISC
 *
 * Space that nothing uses goes back to the file system, in steps between which others write; a
 * database that an older version made is rebuilt first.
 */
#include "tests/unit/db_fixture.h"

#include "db/engine/internal.h"

#define ROWS 40000
#define NOW 1800000000

static void sql(struct db *d, const char *text)
{
	char *err = NULL;

	if (sqlite3_exec(d->handle, text, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s: %s", text, err);
}

/* Rows, of which most are removed again: what is left lies at the end of the file. */
static void fill(struct db *d)
{
	char text[500];

	assert_int_equal(db_begin_write(d), 0);
	snprintf(text, sizeof text,
		 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
		 "INSERT INTO pair (sender_key, recipient_key, first_encrypted_unix, "
		 "last_encrypted_unix, n_encrypted) "
		 "SELECT printf('%%050d', i), 'r@example.org', 1, 1, 1 FROM n",
		 ROWS);
	sql(d, text);
	assert_int_equal(db_end(d, 0), 0);
	assert_int_equal(db_begin_write(d), 0);
	sql(d, "DELETE FROM pair WHERE sender_key < printf('%050d', 39000)");
	assert_int_equal(db_end(d, 0), 0);
	assert_int_equal(db_checkpoint(d, 0), 1);
}

struct watch {
	struct fixture *f;
	struct db *other;
	int n_calls, n_written;
};

/* Another connection writes between two steps. */
static void write_meanwhile(void *context, int64_t done, int64_t total)
{
	struct watch *w = context;
	struct rule r = fixture_rule(
		w->n_calls % 2 ? "exempt a@example.org" : "require a@example.org", NOW);

	assert_true(done <= total);
	w->n_calls++;
	if (w->other != NULL)
		w->n_written += rules_add(w->other, &r, NOW, NULL, NULL) == 0;
}

static int n_complaints(struct db *d)
{
	return db_check(d, NULL, NULL);
}

static void test_space_goes_back_in_steps(void **state)
{
	struct fixture f;
	struct db_status before, after;
	struct db *d;
	struct watch w;
	struct db_compaction c = {.progress = write_meanwhile, .context = &w};

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	w = (struct watch){.f = &f, .other = fixture_open(&f, DB_WRITE)};
	fill(d);
	assert_int_equal(db_get_status(d, &before), 0);
	assert_true(before.unused_bytes > before.file_bytes / 2);
	assert_int_equal(db_compact(d, &c), 0);
	assert_false(c.must_rebuild);
	assert_true(w.n_calls >= 2); /* before and after: how many steps the time decides */
	assert_int_equal(w.n_written, w.n_calls);
	assert_int_equal(c.before_bytes, before.file_bytes);
	assert_true(c.after_bytes < before.file_bytes / 2);
	assert_int_equal(db_get_status(d, &after), 0);
	assert_int_equal(after.unused_bytes, 0);
	assert_int_equal(after.n_pairs, before.n_pairs);
	assert_int_equal(after.n_rules, 1);
	assert_int_equal(n_complaints(d), 0);
	assert_int_equal(db_compact(d, &c), 0); /* nothing to do */
	assert_int_equal(c.after_bytes, c.before_bytes);
	db_close(w.other);
	db_close(d);
	fixture_end(&f);
}

static void ignore(void *context, int64_t done, int64_t total)
{
	(void)context;
	(void)done;
	(void)total;
}

static void test_an_older_database_is_rebuilt_when_asked_to(void **state)
{
	struct fixture f;
	struct db_compaction c = {.progress = ignore};
	struct db *d;
	int64_t mode;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	sql(d, "PRAGMA auto_vacuum = NONE; VACUUM");
	fill(d);
	assert_int_equal(db_compact(d, &c), 0);
	assert_true(c.must_rebuild);
	assert_int_equal(c.after_bytes, c.before_bytes);
	c.may_rebuild = true;
	assert_int_equal(db_compact(d, &c), 0);
	assert_false(c.must_rebuild);
	assert_true(c.after_bytes < c.before_bytes / 2);
	assert_int_equal(db_one(d, SQL_AUTO_VACUUM, &mode), 0);
	assert_int_equal(mode, 2);
	assert_int_equal(n_complaints(d), 0);
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_space_goes_back_in_steps),
		cmocka_unit_test(test_an_older_database_is_rebuilt_when_asked_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

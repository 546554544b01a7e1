/* SPDX-License-Identifier: ISC
 *
 * Changes of keys (db/keys.h): what is told of them is in force, and of a change that came to
 * nothing nothing is told.
 */
#include "tests/unit/db_fixture.h"

#include "db/engine/internal.h"
#include "db/keys.h"

#define NOW 1800000000
#define N_KEYS 40 /* more than are first kept in memory */

static struct fixture fixture;

static void run_sql(const char *sql)
{
	sqlite3 *handle;
	char *err = NULL;

	assert_int_equal(sqlite3_open(fixture.path, &handle), SQLITE_OK);
	if (sqlite3_exec(handle, sql, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s", err);
	sqlite3_close(handle);
}

static int64_t count_keys(void)
{
	struct db *d = fixture_open(&fixture, DB_READ);
	sqlite3_stmt *st;
	int64_t n;

	assert_int_equal(
		sqlite3_prepare_v2(d->handle, "SELECT count(*) FROM recipient_key", -1, &st, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	db_close(d);
	return n;
}

struct told {
	int n[6];	    /* by enum rule_outcome */
	int64_t n_in_force; /* at the first that was told */
};

static void take_note(void *context, enum rule_outcome o, const struct recipient_key *k)
{
	struct told *told = context;

	if (told->n_in_force < 0)
		told->n_in_force = count_keys();
	assert_int_equal(strncmp(k->pattern, "key", 3), 0);
	told->n[o]++;
}

static void fill(struct recipient_key keys[N_KEYS])
{
	for (int i = 0; i < N_KEYS; i++) {
		memset(&keys[i], 0, sizeof keys[i]);
		snprintf(keys[i].pattern, sizeof keys[i].pattern, "key%d@example.org", i);
		snprintf(keys[i].fingerprint, sizeof keys[i].fingerprint, "%040X", i + 1);
		assert_int_equal(key_id_of(keys[i].fingerprint, &keys[i].key_id), 0);
		snprintf(keys[i].source, sizeof keys[i].source, "add");
	}
}

static void what_is_told_is_in_force(void **state)
{
	static struct recipient_key keys[N_KEYS];
	struct told told = {.n_in_force = -1};
	struct keys_change c = {.author = "root",
				.now_unix = NOW,
				.keys = keys,
				.n_keys = N_KEYS,
				.tell = take_note,
				.context = &told};
	struct keys_result result;
	struct db *d;

	(void)state;
	fixture_begin(&fixture);
	fill(keys);
	d = fixture_open(&fixture, DB_WRITE);
	run_sql("CREATE TRIGGER t BEFORE INSERT ON recipient_key WHEN new.pattern = "
		"'key39@example.org' BEGIN SELECT raise(ABORT, 'no'); END");
	assert_int_equal(keys_put(d, &c, &result), -1);
	assert_int_equal(told.n_in_force, -1);
	assert_int_equal(count_keys(), 0);

	run_sql("DROP TRIGGER t");
	assert_int_equal(keys_put(d, &c, &result), 0);
	assert_int_equal(told.n_in_force, N_KEYS);
	assert_int_equal(told.n[RULE_ADDED], N_KEYS);

	memset(&told, 0, sizeof told);
	told.n_in_force = -1;
	assert_int_equal(keys_forget(d, &c, "key3@example.org", NULL, &result), 0);
	assert_int_equal(told.n_in_force, N_KEYS - 1);
	assert_int_equal(told.n[RULE_REMOVED], 1);

	/* What a dry run would do is told as well. */
	c.is_dry_run = true;
	assert_int_equal(keys_put(d, &c, &result), 0);
	assert_int_equal(told.n[RULE_ADDED], 1);
	assert_int_equal(told.n[RULE_UNCHANGED], N_KEYS - 1);
	assert_int_equal(count_keys(), N_KEYS - 1);
	db_close(d);
	fixture_end(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_in_force),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}

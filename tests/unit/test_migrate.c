/* SPDX-License-Identifier: ISC
 *
 * Migrations: from every earlier version, with data in it, to the current one; and what others see
 * of it.
 */
#include "tests/unit/db_fixture.h"

#include "db/engine/internal.h"
#include "db/rules.h"
#include "db/pair.h"
#include "db/verdicts.h"

#define NOW 1800000000 /* day 20833 */

/* Rows as version 1 wrote them. */
static const char data_of_version_1[] =
	"INSERT INTO rule (generation, recipient, sender, client, requirement, author, "
	"created_at_unix)"
	" VALUES (1, 'a@b.test', '', '', 'exempt', 'root', 5);"
	"INSERT INTO rule_audit (generation, time_unix, author, what, recipient, after)"
	" VALUES (1, 5, 'root', 'add', 'a@b.test', 'exempt a@b.test');"
	/* an import of two, of which one is gone; a pause; and an import that was killed */
	"INSERT INTO rule_audit (generation, time_unix, author, what, recipient, after) VALUES"
	" (2, 6, 'cron', 'import', 'i@b.test', 'exempt i@b.test'),"
	" (2, 6, 'cron', 'import', 'j@b.test', 'exempt j@b.test'),"
	" (2, 7, 'root', 'pause', NULL, '2027-01-15T10:46:39Z'),"
	" (3, 8, 'cron', 'import', 'k@b.test', 'exempt k@b.test');"
	"INSERT INTO rule (generation, recipient, sender, client, requirement, author, "
	"created_at_unix)"
	" VALUES (3, 'k@b.test', '', '', 'exempt', 'cron', 8);"
	"UPDATE state SET live_generation = 2, import_first_rule = 1, import_first_audit = 4;"
	"INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, "
	"is_local,"
	" message_id, size_bytes, verdict, form, reason, detail, cleartext_bytes, returns_readable,"
	" action, would, reply) VALUES"
	" (1800000000, 'Q1', '', '', '', 'test.x@s', 0, '', 100, 'cleartext', 'none', "
	"'no-openpgp', '',"
	" 9, 0, 'refuse', 'refuse', ''),"
	" (1800000001, 'Q2', '', '', '', 'test.x@s', 0, '', 50, 'cleartext', 'none', 'no-openpgp', "
	"'',"
	" 9, 0, 'refuse', 'refuse', ''),"
	" (1800086400, 'Q3', '', '', '', 'test.x@s', 0, '', 7, 'encrypted', 'pgp-mime', "
	"'pgp-mime', '',"
	" 0, 0, 'accept', 'accept', '');"
	"INSERT INTO verdict_recipient (verdict_id, position, recipient_key, is_trustworthy, "
	"requirement,"
	" demand, source, passes) VALUES"
	" (1, 0, 'test.b@a', 1, 'encrypted', 'encrypted', 'default', 0),"
	" (1, 1, 'test.b@c', 1, 'encrypted', 'encrypted', 'default', 0),"
	" (2, 0, 'test.b@a', 1, 'encrypted', 'encrypted', 'default', 0),"
	" (3, 0, 'test.b@a', 1, 'encrypted', 'encrypted', 'default', 1);"
	"INSERT INTO pair (sender_key, recipient_key, first_encrypted_unix, last_encrypted_unix, "
	"n_encrypted)"
	" VALUES ('test.x@s', 'test.b@a', 5, 6, 2);"
	"UPDATE state SET paused_until_unix = 1800009999;";

/* A database as the program of that version made and filled it. */
static void make_version(const struct fixture *f, int version)
{
	sqlite3 *handle;
	char *err = NULL;

	assert_int_equal(sqlite3_open(f->path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL),
			 SQLITE_OK);
	for (int i = 0; i < version; i++) {
		if (sqlite3_exec(handle, sql_migrations[i], NULL, NULL, &err) != SQLITE_OK ||
		    (i == 0 &&
		     sqlite3_exec(handle, data_of_version_1, NULL, NULL, &err) != SQLITE_OK))
			fail_msg("version %d: %s", i + 1, err);
	}
	sqlite3_close(handle);
}

static int see_rule(void *context, const struct rule *r)
{
	++*(int *)context;
	assert_string_equal(r->recipient.text, "a@b.test");
	assert_int_equal(r->requirement, REQUIREMENT_EXEMPT);
	return 0;
}

static int see_verdict(void *context, const struct verdict_row *row)
{
	static const size_t n_recipients[] = {2, 1, 1};
	int *n = context;

	assert_string_equal(row->record.sender, "s@x.test");
	assert_int_equal(row->record.n_recipients, n_recipients[*n]);
	++*n;
	return 0;
}

struct days {
	int n;
	struct verdicts_day day[8];
};

static int see_day(void *context, const struct verdicts_day *day)
{
	struct days *days = context;

	assert_true(days->n < 8);
	days->day[days->n++] = *day;
	return 0;
}

static int see_number(void *context, const struct rule_change *c)
{
	static const struct {
		int64_t no;
		const char *what, *after;
	} expected[] = {{1, "add", "exempt a@b.test"},
			{2, "import", "exempt i@b.test"},
			{2, "import", "exempt j@b.test"},
			{3, "pause", "2027-01-15T10:46:39Z"}};
	int *n = context;

	assert_true(*n < 4);
	assert_int_equal(c->no, expected[*n].no);
	assert_string_equal(c->what, expected[*n].what);
	assert_string_equal(c->after, expected[*n].after);
	++*n;
	return 0;
}

static void check_everything_is_there(struct db *d)
{
	const struct rules_filter all_rules = {0};
	const struct verdicts_filter all = {.verdict = -1, .action = -1};
	struct days days = {0};
	struct pair_record pair;
	int64_t until;
	int n = 0;

	assert_int_equal(db_schema_version(d), db_schema_current());
	assert_int_equal(rules_list(d, &all_rules, see_rule, &n), 0);
	assert_int_equal(n, 1);
	n = 0;
	assert_int_equal(rules_history(d, NULL, see_number, &n), 0);
	assert_int_equal(n, 4);
	n = 0;
	assert_int_equal(verdicts_list(d, &all, see_verdict, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(pair_get(d, "s@x.test", "a@b.test", &pair), 1);
	assert_int_equal(pair.n_encrypted, 2);
	assert_int_equal(db_paused_until(d, NOW, &until), 0);
	assert_int_equal(until, 1800009999);
	assert_int_equal(verdicts_daily(d, 0, 30000, see_day, &days), 0);
	assert_int_equal(days.n, 2);
	assert_int_equal(days.day[0].day, 20833);
	assert_int_equal(days.day[0].verdict, VERDICT_CLEARTEXT);
	assert_int_equal(days.day[0].action, ACTION_REFUSE);
	assert_int_equal(days.day[0].n_messages, 2);
	assert_int_equal(days.day[0].n_recipients, 3);
	assert_int_equal(days.day[0].size_bytes, 150);
	assert_int_equal(days.day[1].day, 20834);
	assert_int_equal(days.day[1].n_messages, 1);
	assert_int_equal(db_check(d, NULL, NULL), 0);
}

struct seen_migration {
	int n, first_version, last_version;
	int64_t n_verdicts;
};

static void see_migration(void *context, int from_version, int64_t n_verdicts)
{
	struct seen_migration *seen = context;

	if (seen->n++ == 0)
		seen->first_version = from_version;
	seen->last_version = from_version;
	seen->n_verdicts = n_verdicts;
}

static void every_earlier_version_is_migrated_with_its_data(void **state)
{
	(void)state;
	for (int version = 1; version < db_schema_current(); version++) {
		struct seen_migration seen = {.n = 0};
		struct fixture f;
		struct db *d;

		fixture_directory(&f);
		f.settings = fixture_settings(&f, NULL);
		make_version(&f, version);
		d = db_open(f.settings, DB_WRITE);
		assert_int_equal(db_failure(d), DB_TOO_OLD);
		assert_non_null(strstr(db_error(d), "pgpgate db migrate"));
		assert_int_equal(db_schema_version(d), version);
		if (db_migrate(d, see_migration, &seen) != 0)
			fail_msg("from %d: %s", version, db_error(d));
		assert_int_equal(seen.first_version, version);
		assert_int_equal(seen.last_version, db_schema_current() - 1);
		assert_int_equal(seen.n_verdicts, 3);
		check_everything_is_there(d);
		assert_int_equal(db_migrate(d, NULL, NULL), 0); /* again does nothing */
		db_close(d);
		d = fixture_open(&f, DB_READ);
		check_everything_is_there(d);
		db_close(d);
		fixture_end(&f);
	}
}

static void a_reader_that_waits_for_the_migration_needs_no_restart(void **state)
{
	struct fixture f;
	struct db *reader, *d;
	int64_t until;

	(void)state;
	fixture_directory(&f);
	f.settings = fixture_settings(&f, NULL);
	make_version(&f, 1);
	reader = db_open(f.settings, DB_READ);
	assert_int_equal(db_failure(reader), DB_TOO_OLD);
	d = db_open(f.settings, DB_WRITE);
	assert_int_equal(db_migrate(d, NULL, NULL), 0);
	assert_int_equal(db_paused_until(reader, NOW, &until), 0);
	db_close(reader);
	db_close(d);
	fixture_end(&f);
}

static void a_migration_that_fails_changes_nothing(void **state)
{
	struct fixture f;
	sqlite3 *handle;
	struct db *d;

	(void)state;
	if (db_schema_current() < 2)
		skip();
	fixture_directory(&f);
	f.settings = fixture_settings(&f, NULL);
	make_version(&f, 1);
	/* In the way of migration 2. */
	assert_int_equal(sqlite3_open(f.path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, "CREATE TABLE daily (a)", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(handle);
	d = db_open(f.settings, DB_WRITE);
	assert_int_equal(db_migrate(d, NULL, NULL), -1);
	assert_non_null(strstr(db_error(d), "daily"));
	assert_int_equal(db_schema_version(d), 1);
	db_close(d);
	fixture_end(&f);
}

/* Whoever goes back to the version before must find the schema of that version, not one between. */
static void a_later_step_that_fails_takes_the_earlier_ones_back(void **state)
{
	struct fixture f;
	sqlite3 *handle;
	struct db *d;

	(void)state;
	fixture_directory(&f);
	f.settings = fixture_settings(&f, NULL);
	make_version(&f, 1);
	/* In the way of migration 3; 2 goes through. */
	assert_int_equal(sqlite3_open(f.path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_exec(handle, "CREATE TABLE answer_time (a)", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(handle);
	d = db_open(f.settings, DB_WRITE);
	assert_int_equal(db_migrate(d, NULL, NULL), -1);
	assert_non_null(strstr(db_error(d), "answer_time"));
	db_close(d);
	d = db_open(f.settings, DB_READ);
	assert_int_equal(db_failure(d), DB_TOO_OLD);
	assert_int_equal(db_schema_version(d), 1);
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_earlier_version_is_migrated_with_its_data),
		cmocka_unit_test(a_reader_that_waits_for_the_migration_needs_no_restart),
		cmocka_unit_test(a_migration_that_fails_changes_nothing),
		cmocka_unit_test(a_later_step_that_fails_takes_the_earlier_ones_back),
	};

	return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}

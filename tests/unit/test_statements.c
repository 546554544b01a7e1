/* SPDX-License-Identifier: ISC
 *
 * Every named statement prepares against the schema, and its query plan scans no table, unless a line
 * "-- scan: why" in sql/ allows it.
 */
#include "tests/unit/db_fixture.h"

#include "db/internal.h"

/* A table that a whole scan of would be felt: all but the one-row state. */
static bool names_a_table(const char *plan)
{
	static const char *const tables[] = {
		"rule",	 "rule_audit",	      "verdict",	"verdict_recipient",
		"pair",	 "outgoing",	      "split_evidence", "split_attempt",
		"newer", "verdict_recipient", "daily"};
	char word[64] = "";

	if (sscanf(plan, "SCAN %63s", word) != 1)
		return false;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		if (strcmp(word, tables[i]) == 0)
			return true;
	return false;
}

/* ORDER BY id LIMIT and min() walk an index or the table from one end and stop: SQLite calls that a scan too.
 * They are told from others by their ORDER BY. */
static bool stops_by_itself(const char *sql)
{
	return strstr(sql, "ORDER BY") != NULL && strstr(sql, "LIMIT") != NULL;
}

static void every_statement_prepares_and_scans_no_table(void **state)
{
	struct fixture f;
	struct db *d;
	char sql[4096];
	size_t n_checked = 0;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	for (size_t i = 0; i < SQL_STATEMENT_COUNT; i++) {
		const struct sql_text *t = &sql_statements[i];
		bool has_scan = false;
		sqlite3_stmt *st;

		if (db_statement(d, (enum sql_statement)i) == NULL)
			fail_msg("%s: %s", t->name, db_error(d));
		snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", t->text);
		if (sqlite3_prepare_v2(d->handle, sql, -1, &st, NULL) != SQLITE_OK)
			fail_msg("%s: %s", t->name, sqlite3_errmsg(d->handle));
		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *plan = (const char *)sqlite3_column_text(st, 3);

			n_checked++;
			if (strstr(plan, "USE TEMP B-TREE") != NULL)
				fail_msg("%s sorts: %s", t->name, plan);
			if (!names_a_table(plan) || stops_by_itself(t->text))
				continue;
			has_scan = true;
			if (t->scan == NULL)
				fail_msg("%s scans: %s", t->name, plan);
		}
		if (t->scan != NULL && !has_scan)
			fail_msg("%s is allowed to scan and does not", t->name);
		sqlite3_finalize(st);
	}
	assert_true(n_checked > 40);
	db_close(d);
	fixture_end(&f);
}

/* What ORDER BY ... LIMIT hides above: these must search, since they begin in the middle. */
static void pages_begin_where_the_last_one_ended(void **state)
{
	static const enum sql_statement pages[] = {
		SQL_RULE_PAGE,
		SQL_RULE_PAGE_OF_RECIPIENT,
		SQL_AUDIT_PAGE,
		SQL_AUDIT_PAGE_OF_RECIPIENT,
		SQL_VERDICT_IDS_AFTER,
		SQL_VERDICT_IDS_FORWARD,
		SQL_VERDICT_IDS_BACKWARD,
		SQL_VERDICT_IDS_OF_QUEUE_ID,
		SQL_VERDICT_IDS_OF_SENDER,
		SQL_VERDICT_IDS_OF_SENDERS,
		SQL_VERDICT_IDS_OF_RECIPIENT,
		SQL_VERDICT_IDS_OF_RECIPIENTS,
		SQL_VERDICT_EXPIRE,
		SQL_SPLIT_EXPIRE,
		SQL_ATTEMPT_EXPIRE,
		SQL_PAIR_SWEEP_END,
		SQL_OUTGOING_SWEEP_END,
		SQL_POLICY_RULE_OF_NETWORK,
		SQL_POLICY_RULE_OF_CLIENT,
	};
	struct fixture f;
	struct db *d;
	char sql[4096];

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		const struct sql_text *t = &sql_statements[pages[i]];
		sqlite3_stmt *st;

		snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", t->text);
		assert_int_equal(sqlite3_prepare_v2(d->handle, sql, -1, &st, NULL), SQLITE_OK);
		while (sqlite3_step(st) == SQLITE_ROW) {
			const char *plan = (const char *)sqlite3_column_text(st, 3);

			if (names_a_table(plan))
				fail_msg("%s scans: %s", t->name, plan);
		}
		sqlite3_finalize(st);
	}
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statement_prepares_and_scans_no_table),
		cmocka_unit_test(pages_begin_where_the_last_one_ended),
	};

	return cmocka_run_group_tests_name("statements", tests, NULL, NULL);
}

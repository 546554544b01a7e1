/* SPDX-License-Identifier: ISC
 *
 * Every named statement prepares against the schema, and its query plan scans no table, unless a
 * line
 * "-- scan: why" in sql/ allows it. The words that columns may hold are those of the program.
 */
#include "tests/unit/db_fixture.h"

#include "db/engine/internal.h"
#include "db/policy.h"

/* A table that a whole scan of would be felt: all but the one-row state. */
static bool names_a_table(const char *plan)
{
	static const char *const tables[] = {"rule",
					     "change",
					     "change_row",
					     "verdict",
					     "verdict_recipient",
					     "pair",
					     "outgoing",
					     "split_evidence",
					     "split_vain",
					     "split_attempt",
					     "newer",
					     "verdict_recipient",
					     "daily"};
	char word[64] = "";

	if (sscanf(plan, "SCAN %63s", word) != 1)
		return false;
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		if (strcmp(word, tables[i]) == 0)
			return true;
	return false;
}

/* ORDER BY id LIMIT and min() walk an index or the table from one end and stop: SQLite calls that a
 * scan too. They are told from others by their ORDER BY. */
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
		SQL_CHANGE_NEXT,
		SQL_CHANGE_BEFORE,
		SQL_CHANGE_ROWS_PAGE,
		SQL_CHANGE_ROWS_PAGE_BACK,
		SQL_CHANGE_ROWS_OF_RECIPIENT,
		SQL_RULE_CLEAN_ENDED,
		SQL_RULE_REVIVE,
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
		SQL_VAIN_EXPIRE,
		SQL_ATTEMPT_EXPIRE,
		SQL_BOUNCE_EXPIRE,
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

/* Adapters to one kind of function. */
static const char *verdict_word(int i)
{
	return verdict_name((enum verdict)i);
}

static const char *form_word(int i)
{
	return form_name((enum form)i);
}

static const char *requirement_word(int i)
{
	return requirement_name((enum requirement)i);
}

static const char *action_word(int i)
{
	return action_name((enum action)i);
}

static const char *source_word(int i)
{
	return policy_source_name((enum policy_source)i);
}

/* How often the CHECK of a column compares it with a word. */
static int count_words(const char *table_sql, const char *column, const char *word)
{
	char wanted[100];
	int n = 0;

	snprintf(wanted, sizeof wanted, "%s = '%s", column, word);
	for (const char *at = table_sql; (at = strstr(at, wanted)) != NULL; at++)
		n += at[-1] == '(' || at[-1] == ' ' || at[-1] == '\t';
	return n;
}

/* A word that the program has and the schema does not would fail every message that is judged so.
 */
static void columns_take_the_words_of_the_program(void **state)
{
	static const struct {
		const char *table, *column;
		const char *(*word)(int i);
		int n;
	} rows[] = {
		{"verdict", "verdict", verdict_word, VERDICT_COUNT},
		{"verdict", "form", form_word, FORM_COUNT},
		{"verdict", "action", action_word, ACTION_COUNT},
		{"verdict", "would", action_word, ACTION_COUNT},
		{"verdict_recipient", "requirement", requirement_word, REQUIREMENT_COUNT},
		{"verdict_recipient", "demand", requirement_word, REQUIREMENT_COUNT},
		{"verdict_recipient", "source", source_word, SOURCE_HISTORY + 1},
		{"rule", "requirement", requirement_word, REQUIREMENT_COUNT},
	};
	struct fixture f;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_READ);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		sqlite3_stmt *st;
		const char *sql;

		assert_int_equal(sqlite3_prepare_v2(d->handle,
						    "SELECT sql FROM sqlite_schema WHERE name = ?",
						    -1, &st, NULL),
				 SQLITE_OK);
		sqlite3_bind_text(st, 1, rows[i].table, -1, SQLITE_STATIC);
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		sql = (const char *)sqlite3_column_text(st, 0);
		for (int k = 0; k < rows[i].n; k++) {
			char quoted[40];

			snprintf(quoted, sizeof quoted, "%s'", rows[i].word(k));
			if (count_words(sql, rows[i].column, quoted) != 1)
				fail_msg("%s.%s does not take '%s", rows[i].table, rows[i].column,
					 quoted);
		}
		if (count_words(sql, rows[i].column, "") != rows[i].n)
			fail_msg("%s.%s takes more than the program's %d words", rows[i].table,
				 rows[i].column, rows[i].n);
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
		cmocka_unit_test(columns_take_the_words_of_the_program),
	};

	return cmocka_run_group_tests_name("statements", tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC
 *
 * Rows that no program of ours writes, since the schema's checks refuse them: a file that somebody
 * else made, or mended by hand. Whatever is asked ends, and what cannot be read is read as the
 * stricter.
 */
#include "tests/unit/db_operations.h"

#define COUNT "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) "

static const struct {
	const char *label, *sql;
} rows[] = {
	{"rule: unknown requirement",
	 "UPDATE rule SET requirement = 'sometimes', expires_at_unix = NULL"},
	{"rule: very long texts", "UPDATE rule SET recipient = hex(zeroblob(5000)) || '@' || id, "
				  "sender = hex(zeroblob(5000)), "
				  "note = hex(zeroblob(50000)), help_url = hex(zeroblob(50001)), "
				  "author = hex(zeroblob(999))"},
	{"rule: no patterns", "UPDATE rule SET recipient = '@', sender = '.', generation = id"},
	{"rule: bytes that are no text", "UPDATE rule SET recipient = CAST(X'FF00C0' AS TEXT) || "
					 "id, note = CAST(X'1B5B00FF' AS TEXT)"},
	{"rule: clients that are none",
	 "UPDATE rule SET client = 'net:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz/999', generation = id"},
	{"rule: prefix too long",
	 "UPDATE rule SET client = 'net:00000000000000000000ffffc0000200/129', generation = id"},
	{"rule: times at the ends",
	 "UPDATE rule SET starts_at_unix = -9223372036854775808, expires_at_unix = "
	 "9223372036854775807, created_at_unix = -9223372036854775808, hits = -1, "
	 "last_hit_at_unix = 9223372036854775807"},
	{"state: every generation is live",
	 "UPDATE state SET live_generation = 9223372036854775807, paused_until_unix = "
	 "-9223372036854775808"},
	{"state: an import before the first rule",
	 "UPDATE state SET import_first_rule = -9223372036854775808, import_change_key = "
	 "-9223372036854775808"},
	{"state: an import after the last rule",
	 "UPDATE state SET import_first_rule = 9223372036854775807, import_change_key = "
	 "9223372036854775807"},
	{"state: none", "DELETE FROM state"},
	{"audit: unknown word, very long texts",
	 "UPDATE change SET what = hex(zeroblob(100)), author = hex(zeroblob(999)), owner = "
	 "hex(zeroblob(999)), time_unix = 9223372036854775807, undoes = -1; UPDATE change_row SET "
	 "before = hex(zeroblob(50000)), after = hex(zeroblob(50000)), rule_id = -1, rule_author = "
	 "hex(zeroblob(999))"},
	{"verdict: unknown words",
	 "UPDATE verdict SET verdict = 'maybe', form = 'other', action = 'laugh', would = ''"},
	{"verdict: very long texts",
	 "UPDATE verdict SET sender_key = hex(zeroblob(50000)) || id, reason = "
	 "hex(zeroblob(5000)), "
	 "detail = hex(zeroblob(5000)), reply = hex(zeroblob(50000)), queue_id = "
	 "hex(zeroblob(5000)), message_id = hex(zeroblob(5000))"},
	{"verdict: keys that are none",
	 "UPDATE verdict SET sender_key = CASE id % 4 WHEN 0 THEN '' WHEN 1 THEN '@' WHEN 2 THEN "
	 "'@@@' ELSE CAST(X'FF40C000' AS TEXT) END, client = 'x', header_from_key = ''"},
	{"verdict: numbers at the ends",
	 "UPDATE verdict SET size_bytes = -9223372036854775808, cleartext_bytes = "
	 "9223372036854775807, declared_size_bytes = -9223372036854775808, is_local = 7, "
	 "returns_readable = -7"},
	{"verdict: times at the end", "UPDATE verdict SET time_unix = 9223372036854775807"},
	{"verdict: times at the beginning", "UPDATE verdict SET time_unix = -9223372036854775808"},
	{"verdict: ids at the ends",
	 "UPDATE verdict SET id = -9223372036854775808 WHERE id = 1; UPDATE verdict SET id = "
	 "9223372036854775807 WHERE id = 2"},
	{"verdict: without recipients", "DELETE FROM verdict_recipient"},
	{"recipients: thousands",
	 "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT "
	 "INTO verdict_recipient SELECT 1, i, 'org.example@bob', 1, 'exempt', 'exempt', 'rule', i, "
	 "1 FROM n"},
	{"recipients: unknown words",
	 "UPDATE verdict_recipient SET requirement = 'x', demand = '', source = 'y', rule_id = -1, "
	 "recipient_key = CASE position WHEN 0 THEN '' ELSE hex(zeroblob(5000)) END"},
	{"pair: impossible",
	 "UPDATE pair SET n_encrypted = -1, last_encrypted_unix = -9223372036854775808, "
	 "first_encrypted_unix = 9223372036854775807, n_cleartext = 9223372036854775807"},
	{"daily: numbers at the ends",
	 "UPDATE daily SET n_messages = 9223372036854775807, n_recipients = 9223372036854775807, "
	 "size_bytes = 9223372036854775807"},
	{"daily: negative numbers",
	 "UPDATE daily SET n_messages = -9223372036854775808, n_recipients = "
	 "-9223372036854775808, size_bytes = -9223372036854775808"},
	{"daily: days at the ends", "UPDATE OR IGNORE daily SET day = CASE WHEN verdict = "
				    "'encrypted' THEN 9223372036854775807 ELSE "
				    "-9223372036854775808 END"},
	/* more than a page of them, which are one where they are cut */
	{"rule: thousands of long senders", COUNT
	 "INSERT INTO rule (generation, recipient, sender, client, requirement, author, "
	 "created_at_unix) SELECT 1, 'example.org', hex(zeroblob(500)) || i, '', 'exempt', 'x', 1 "
	 "FROM n"},
	{"verdict: thousands of long senders",
	 COUNT "INSERT INTO verdict SELECT i, time_unix, queue_id, host, client, authenticated, "
	       "'test.x@' || hex(zeroblob(500)) || i, header_from_key, is_local, message_id, "
	       "declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes, "
	       "returns_readable, action, would, reply, key_ids FROM n, verdict WHERE id = 1"},
	{"recipients: thousands of long ones", COUNT
	 "INSERT INTO verdict_recipient SELECT 1, i, 'org.example@' || hex(zeroblob(500)) || i, "
	 "1, 'exempt', 'exempt', 'rule', 1, 1 FROM n"},
	{"pair: thousands of long ones",
	 COUNT "INSERT INTO pair (sender_key, recipient_key) SELECT hex(zeroblob(500)), "
	       "hex(zeroblob(500)) || i FROM n"},
	{"daily: thousands of unknown words",
	 COUNT "INSERT INTO daily SELECT 1, 'maybe' || i, '', '', 1, 1, 1 FROM n"},
	{"daily: unknown words",
	 "UPDATE OR IGNORE daily SET verdict = 'maybe', action = '', would = 'x'"},
};

/* Without types either: what STRICT refuses. */
static const char untyped[] =
	"PRAGMA writable_schema = ON;"
	"UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE type = 'table';"
	"PRAGMA writable_schema = RESET;"
	"UPDATE verdict SET size_bytes = 'many', time_unix = 'now', sender_key = X'00FF', reply = "
	"7, "
	"verdict = X'656E63', is_local = 'yes';"
	"UPDATE verdict_recipient SET passes = 'yes', recipient_key = X'FF', source = 1.5;"
	"UPDATE OR IGNORE rule SET recipient = X'2A', requirement = 3, starts_at_unix = "
	"'tomorrow', sender = "
	"1e300, hits = 'x', generation = 'y' WHERE id > 1;"
	"UPDATE pair SET n_encrypted = 'x', last_encrypted_unix = X'00';"
	"UPDATE daily SET n_messages = 'x', size_bytes = X'FF';"
	"UPDATE change SET time_unix = 'x', what = X'FF', undoes = 'y';"
	"UPDATE change_row SET after = X'00FF', rule_hits = 'many';"
	"UPDATE state SET paused_until_unix = 'forever'";

static void change(const char *sql)
{
	sqlite3 *handle;
	char *err = NULL;

	assert_int_equal(sqlite3_open(base.path, &handle), SQLITE_OK);
	sqlite3_exec(handle, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL);
	if (sqlite3_exec(handle, sql, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s: %s", sql, err);
	sqlite3_close(handle);
}

static void ask_everything(const char *label)
{
	for (size_t i = 0; i < N_OPERATIONS; i++) {
		struct db *d = db_open(base.settings, operations[i].writes ? DB_WRITE : DB_READ);

		assert_non_null(d);
		if (getenv("VERBOSE") != NULL)
			fprintf(stderr, "%s: %s\n", label, operations[i].name);
		if (operations[i].run(d) == -1 && db_error(d)[0] == '\0')
			fail_msg("%s: %s failed without a sentence", label, operations[i].name);
		db_close(d);
	}
}

static void whatever_is_asked_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fill_base();
		change(rows[i].sql);
		ask_everything(rows[i].label);
		fixture_end(&base);
	}
}

static void without_types_too(void **state)
{
	(void)state;
	fill_base();
	change(untyped);
	ask_everything("untyped");
	fixture_end(&base);
}

static void a_requirement_that_is_none_is_the_strictest(void **state)
{
	struct policy_answer a;
	struct db *d;

	(void)state;
	fill_base();
	d = fixture_open(&base, DB_WRITE);
	assert_int_equal(ask_policy(d, false, &a), 0);
	assert_int_equal(a.source, SOURCE_RULE);
	assert_int_not_equal(a.requirement, REQUIREMENT_ENCRYPTED);
	change("UPDATE rule SET requirement = 'exemp'");
	assert_int_equal(ask_policy(d, false, &a), 0);
	assert_int_equal(a.source, SOURCE_RULE);
	assert_int_equal(a.requirement, REQUIREMENT_ENCRYPTED);
	assert_int_equal(a.demand, REQUIREMENT_ENCRYPTED);
	/* and without the row that says what is live nothing is decided */
	change("DELETE FROM state");
	assert_int_equal(ask_policy(d, false, &a), -1);
	assert_non_null(strstr(db_error(d), "state"));
	db_close(d);
	fixture_end(&base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_is_asked_ends),
		cmocka_unit_test(without_types_too),
		cmocka_unit_test(a_requirement_that_is_none_is_the_strictest),
	};

	return cmocka_run_group_tests_name("db_rows", tests, NULL, NULL);
}

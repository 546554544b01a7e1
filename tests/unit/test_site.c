/* SPDX-License-Identifier: ISC
 *
 * A host of a site as its own database sees it: what other hosts tell, in any order; what is over;
 * keys; the record of all.
 */
#include "tests/unit/db_fixture.h"
#include "tests/unit/unit.h"

#include <sqlite3.h>

#include "db/engine/internal.h"
#include "db/keys.h"
#include "db/policy.h"
#include "db/site.h"
#include "db/verdicts.h"

#define NOW 1800000000 /* day 20833 */
#define MINE "11111111-1111-1111-1111-111111111111"
#define OTHER "22222222-2222-2222-2222-222222222222"
#define DIGEST "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

static struct fixture fixture;
static struct db *db;

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&fixture);
	db = fixture_open(&fixture, DB_WRITE);
	return site_enter(db, OTHER, MINE, 0, "");
}

static int tear_down(void **state)
{
	(void)state;
	db_close(db);
	fixture_end(&fixture);
	return 0;
}

static void run_sql(const char *sql)
{
	sqlite3 *handle;
	char *err = NULL;

	assert_int_equal(sqlite3_open(fixture.path, &handle), SQLITE_OK);
	if (sqlite3_exec(handle, sql, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s", err);
	sqlite3_close(handle);
}

static int64_t ask(const char *sql)
{
	sqlite3 *handle;
	sqlite3_stmt *st;
	int64_t result = -1;

	assert_int_equal(sqlite3_open(fixture.path, &handle), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(handle, sql, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		result = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(handle);
	return result;
}

static void feed(const char *items)
{
	if (site_apply_feed(db, items, 1, NOW) != 0)
		fail_msg("%s: %s", items, db_error(db));
}

static void pairs_are_joined_in_any_order(void **state)
{
	static const char *const items[] = {"[\"pair\",\"net.x@a\",\"org.y@b\",\"\",50,60]",
					    "[\"pair\",\"net.x@a\",\"org.y@b\",\"\",40,45]",
					    "[\"pair\",\"net.x@a\",\"org.y@b\",\"\",55,90]"};
	static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					{1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	char text[300];

	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		run_sql("DELETE FROM pair; DELETE FROM site_known");
		for (int k = 0; k < 3; k++) {
			snprintf(text, sizeof text, "[%s]", items[orders[i][k]]);
			feed(text);
			feed(text); /* sending again is free */
		}
		assert_int_equal(ask("SELECT first_encrypted_unix FROM pair"), 40);
		assert_int_equal(ask("SELECT last_encrypted_unix FROM pair"), 90);
		assert_int_equal(ask("SELECT n_encrypted FROM pair"), 1);
	}
}

/* The evidence, and that it is over, come in any order and more than once; a message that was split
 * once more counts. */
static void a_split_that_is_over_stays_so(void **state)
{
	static const struct {
		const char *label, *items[4];
		int64_t n;
	} rows[] = {
		{"over", {"S50", "O50"}, 0},
		{"twice", {"S50", "S50", "O50", "O50"}, 0},
		{"split once more", {"S50", "O50", "S60"}, 1},
		{"an older end comes late", {"S60", "O50"}, 1},
		{"an end of what is not known", {"O50"}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		run_sql("DELETE FROM split_evidence; DELETE FROM site_known");
		for (size_t k = 0; k < 4 && rows[i].items[k] != NULL; k++) {
			const char *item = rows[i].items[k];
			char text[300];

			snprintf(text, sizeof text,
				 "[[\"split\",\"net.x@a\",\"org.y@b\",\"100:" DIGEST "\",%d,%lld]]",
				 item[0] == 'O' ? 4 : 1, (long long)NOW - 100 + atoi(item + 1));
			feed(text);
		}
		if (ask("SELECT count(*) FROM split_evidence") != rows[i].n)
			fail_msg("%s", rows[i].label);
	}
}

/* Ended here: it is told once, until then an old telling of it does not bring it back. */
static void an_end_is_told_once(void **state)
{
	static const char split[] = "[[\"split\",\"net.x@a\",\"org.y@b\",\"100:" DIGEST
				    "\",1,1799999990]]";
	struct site_batch b;

	(void)state;
	feed(split);
	assert_int_equal(site_batch_read(db, 0, 10, NOW, &b), 0);
	assert_string_equal(b.feed, "[]"); /* of another host, and known */
	site_batch_free(&b);
	run_sql("DELETE FROM split_evidence");
	assert_int_equal(site_note_started(db, "anew"), 0);
	feed(split);
	assert_int_equal(ask("SELECT count(*) FROM split_evidence"), 0);
	assert_int_equal(site_batch_read(db, 0, 10, NOW, &b), 0);
	assert_string_equal(b.feed, "[[\"split\",\"net.x@a\",\"org.y@b\",\"100:" DIGEST
				    "\",4,1799999990,0]]");
	assert_int_equal(site_batch_done(db, &b), 0);
	site_batch_free(&b);
	assert_int_equal(site_batch_read(db, 0, 10, NOW, &b), 0);
	assert_string_equal(b.feed, "[]");
	site_batch_free(&b);
}

static void bounces_of_other_hosts_count(void **state)
{
	struct address sender, recipient;
	struct policy_query q = {.recipient = &recipient,
				 .sender = &sender,
				 .declared_size_bytes = SIZE_NOT_DECLARED,
				 .now_unix = NOW};
	struct policy_answer a;

	(void)state;
	address_canonical("otto@example.org", 16, &recipient);
	address_canonical("<>", 2, &sender);
	run_sql("INSERT INTO bounce_window VALUES ('org.example@otto', 1799999000, 20833, 4)");
	feed("[[\"count\",\"org.example@otto\",\"" OTHER "\",\"20833\",5,1800000000]]");
	feed("[[\"count\",\"org.example@otto\",\"" OTHER "\",\"20833\",3,1800000000]]"); /* late */
	feed("[[\"count\",\"org.example@otto\",\"" OTHER
	     "\",\"20832\",9,1799990000]]"); /* of yesterday */
	feed("[[\"count\",\"org.example@otto\",\"" MINE
	     "\",\"20833\",9,1800000000]]"); /* our own */
	assert_int_equal(policy_decide(db, fixture.settings, &q, &a), 0);
	assert_true(a.expects_bounce);
	feed("[[\"count\",\"org.example@otto\",\"" OTHER "\",\"20833\",6,1800000000]]");
	assert_int_equal(policy_decide(db, fixture.settings, &q, &a), 0);
	assert_false(a.expects_bounce);
	q.now_unix = NOW + 86400;
	assert_int_equal(policy_decide(db, fixture.settings, &q, &a), 0);
	assert_true(a.expects_bounce);
}

static void what_need_not_be_known_is_forgotten(void **state)
{
	struct settings *s = fixture_settings(&fixture, "pair_retention=30d", NULL);
	struct db *d = db_open(s, DB_WRITE);

	(void)state;
	run_sql("INSERT INTO site_known VALUES ('pair', 'a', 'b', '', 1797407000), ('pair', 'c', "
		"'d', '', 1797409000),"
		" ('window', 'a', 'b', '', 1), ('bounce', 'a', '', '', 1799308000), ('bounce', "
		"'b', '', '', 1799400000),"
		" ('split', 'a', 'b', '1:x', 1799827000), ('split', 'a', 'b', '2:x', 1799900000)");
	run_sql("INSERT INTO site_bounce VALUES ('a', 'h', 20831, 1), ('b', 'h', 20832, 1)");
	run_sql("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
		"INSERT INTO site_known SELECT 'split', 'old', i, '', 5 FROM n");
	assert_int_equal(site_expire(d, NOW), 1);
	assert_int_equal(site_expire(d, NOW), 1);
	assert_int_equal(site_expire(d, NOW), 0);
	assert_int_equal(ask("SELECT count(*) FROM site_known"), 3);
	assert_int_equal(ask("SELECT count(*) FROM site_bounce"), 1);
	db_close(d);
	settings_unref(s);
	/* Pairs that are kept for ever are known for ever. */
	run_sql("INSERT INTO site_known VALUES ('pair', 'e', 'f', '', 1)");
	s = fixture_settings(&fixture, "pair_retention=0", NULL);
	d = db_open(s, DB_WRITE);
	assert_int_equal(site_expire(d, NOW), 0);
	assert_int_equal(ask("SELECT count(*) FROM site_known WHERE a = 'e'"), 1);
	db_close(d);
	settings_unref(s);
}

static void tombstones_of_a_snapshot(void **state)
{
	(void)state;
	run_sql("INSERT INTO pair (sender_key, recipient_key, first_encrypted_unix, "
		"last_encrypted_unix, n_encrypted) VALUES"
		" ('before', 'b', 10, 20, 2), ('across', 'b', 10, 40, 2), ('after', 'b', 35, 40, "
		"2), ('other', 'b', 1, 2, 2)");
	assert_int_equal(site_forget_pairs(db, "[[\"before\",\"b\",30],[\"across\",\"b\",30],["
					       "\"after\",\"b\",30],[\"no\",\"b\",30]]"),
			 0);
	assert_int_equal(ask("SELECT count(*) FROM pair WHERE sender_key = 'before'"), 0);
	assert_int_equal(ask("SELECT first_encrypted_unix * 10 + n_encrypted FROM pair WHERE "
			     "sender_key = 'across'"),
			 401);
	assert_int_equal(ask("SELECT first_encrypted_unix * 10 + n_encrypted FROM pair WHERE "
			     "sender_key = 'after'"),
			 352);
	assert_int_equal(ask("SELECT n_encrypted FROM pair WHERE sender_key = 'other'"), 2);
}

static void what_is_retracted_meanwhile_is_told_next(void **state)
{
	struct site_batch b;

	(void)state;
	run_sql("INSERT INTO verdict (id, time_unix, queue_id, host, client, authenticated, "
		"sender_key, is_local, message_id, size_bytes, verdict, form, reason, detail, "
		"cleartext_bytes, returns_readable, action, would, reply) "
		"SELECT value, 5, 'Q', 'h', 'c', '', 's', 0, '', 1, 'cleartext', 'none', '', '', "
		"0, 0, "
		"'refuse', 'refuse', '550' FROM json_each('[1, 2, 3, 4]')");
	run_sql("UPDATE verdict SET action = 'tempfail' WHERE id IN (2, 4)");
	assert_int_equal(site_batch_read(db, 4, 10, NOW, &b), 0);
	/* While it is on its way: one of a lower number, and the verdict of another goes. */
	run_sql("UPDATE verdict SET action = 'tempfail' WHERE id IN (1, 3)");
	run_sql("DELETE FROM verdict WHERE id = 3");
	assert_int_equal(site_batch_done(db, &b), 0);
	site_batch_free(&b);
	assert_int_equal(ask("SELECT group_concat(verdict_id, '') FROM site_retracted"), 1);
	assert_int_equal(site_batch_read(db, 4, 10, NOW, &b), 0);
	assert_string_equal(b.retracted, "[[1,5,\"tempfail\",\"refuse\",\"550\"]]");
	assert_int_equal(site_batch_done(db, &b), 0);
	site_batch_free(&b);
	assert_int_equal(ask("SELECT count(*) FROM site_retracted"), 0);
}

static void changes_that_the_centre_does_not_know_go(void **state)
{
	(void)state;
	run_sql("INSERT INTO change (no, time_unix, author, what, n_rows) VALUES (1, 1, 'a', "
		"'add', 0), (5, 5, 'a', 'add', 0),"
		" (6, 6, 'lost', 'add', 0), (7, 9, 'pgpgate-sync', 'snapshot', 0), (8, 8, 'lost', "
		"'add', 0)");
	assert_int_equal(
		site_drop_unlike(db,
				 "[[7,7,\"b\",\"add\"],[6,6,\"a\",\"add\"],[5,5,\"a\",\"add\"]]"),
		0);
	assert_int_equal(ask("SELECT group_concat(no, '') FROM change"), 157);
}

static void rules_that_cannot_be_are_not_taken(void **state)
{
	static const struct {
		const char *label;
		struct site_rule rule;
		int result;
	} rows[] = {
		{"good",
		 {.text = "exempt a@example.org", .author = "x", .id = 1, .created_at_unix = 5},
		 0},
		{"no words",
		 {.text = "", .author = "x", .id = 1, .created_at_unix = 5},
		 SITE_UNREADABLE},
		{"a requirement to come",
		 {.text = "sesame a@example.org", .author = "x", .id = 1},
		 SITE_UNREADABLE},
		{"no number", {.text = "exempt a@example.org", .author = "x"}, SITE_UNREADABLE},
		{"a huge number",
		 {.text = "exempt a@example.org", .author = "x", .id = INT64_MAX},
		 SITE_UNREADABLE},
		{"before time",
		 {.text = "exempt a@example.org", .author = "x", .id = 1, .created_at_unix = -1},
		 SITE_UNREADABLE},
		{"a removal has no number",
		 {.text = "exempt a@example.org", .author = "x", .is_removal = true},
		 0},
	};
	const struct site_change c = {
		.no = 1, .mark = "m", .author = "a", .what = "rules", .time_unix = NOW};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct site_edit *e = site_edit_begin(db, &c, false);

		assert_non_null(e);
		if (site_edit_row(e, &rows[i].rule) != rows[i].result)
			fail_msg("%s", rows[i].label);
		site_edit_abort(e);
	}
	assert_int_equal(ask("SELECT count(*) FROM rule"), 0);
}

static const char key_item[] =
	"[\"key\",\"a@example.org\",\"0123456789ABCDEF0123456789ABCDEF01234567\",[\"P1\",-"
	"8526495043095935641,null,NULL_OR_END"
	",\"active\",\"add\",null,\"root\",5]]";

static int count_item(void *context, const char *item)
{
	char *all = context;

	strncat(all, item, 3000 - strlen(all) - 1);
	return 0;
}

static void keys_come_and_go_as_they_are(void **state)
{
	char item[400], all[3000] = "";
	const char *items[] = {item, "[\"certificate\",\"P1\",\"\",\"00FF7F\"]",
			       "[\"group\",\"t@example.org\",\"\",[1,[\"a@example.org\",\"b@x\"]]]",
			       "[\"note\",\"a@example.org\",\"\",[\"\",\"key a@example.org\"]]"};
	const char *gone[] = {
		"[\"key\",\"a@example.org\",\"0123456789ABCDEF0123456789ABCDEF01234567\",null]",
		"[\"group\",\"t@example.org\",\"\",null]"};
	const char *bad[] = {"[\"key\",\"b@example.org\",\"F\",[\"P\",1,null,null,\"no "
			     "state\",\"add\",null,\"r\",5]]"};
	const char *hex[] = {"[\"certificate\",\"P1\",\"\",\"0G\"]"};
	struct site_change c = {
		.no = 3, .mark = "m", .author = "a", .what = "keys", .time_unix = NOW};
	char *end;

	(void)state;
	snprintf(item, sizeof item, "%s", key_item);
	end = strstr(item, "NULL_OR_END");
	memmove(end + 4, end + 11, strlen(end + 11) + 1);
	memcpy(end, "null", 4);
	if (site_apply_keys(db, &c, 4, items) != 0)
		fail_msg("%s", db_error(db));
	assert_int_equal(ask("SELECT key_id FROM recipient_key"), -8526495043095935641);
	assert_int_equal(ask("SELECT count(*) FROM key_group WHERE wants_all = 1"), 2);
	assert_int_equal(ask("SELECT hex(packets) = '00FF7F' FROM certificate"), 1);
	assert_int_equal(ask("SELECT count(*) FROM change_row WHERE after = 'key a@example.org'"),
			 1);
	assert_int_equal(ask("SELECT rules_no FROM site"), 3);
	assert_int_equal(site_keys_list(db, count_item, all), 0);
	assert_non_null(strstr(all, item));
	assert_non_null(strstr(all, "[\"certificate\",\"P1\",\"\",\"00FF7F\"]"));
	/* What is sealed under a key that is not here would be missing. */
	run_sql("INSERT INTO certificate (fingerprint, packets) VALUES ('s:AAAA', x'7E00')");
	assert_int_equal(site_keys_list(db, count_item, all), -1);
	assert_non_null(strstr(db_error(db), "key of hashed addresses"));
	run_sql("DELETE FROM certificate WHERE fingerprint = 's:AAAA'");
	/* All or nothing. */
	c.no = 4;
	assert_int_equal(site_apply_keys(db, &c, 1, bad), -1);
	assert_int_equal(site_apply_keys(db, &c, 1, hex), -1);
	assert_int_equal(ask("SELECT rules_no FROM site"), 3);
	assert_int_equal(site_apply_keys(db, &c, 2, gone), 0);
	assert_int_equal(ask("SELECT (SELECT count(*) FROM recipient_key) + (SELECT count(*) FROM "
			     "key_group)"),
			 0);
	/* A snapshot replaces what is there. */
	assert_int_equal(site_apply_keys(db, NULL, 2, items), 0);
	assert_int_equal(site_apply_keys(db, NULL, 0, NULL), 0);
	assert_int_equal(ask("SELECT count(*) FROM recipient_key"), 0);
}

static int count_row(void *context, const struct verdict_row *row)
{
	int *n = context;

	assert_string_equal(row->record.host, "mx2");
	assert_string_equal(row->record.recipients[0].address, "b@y.org");
	return ++*n == 0;
}

static void the_record_of_all_hides_that_of_one(void **state)
{
	static const char page[] =
		"[[\"" OTHER "\",7,1800000000,\"Q1\",\"mx2\",\"\",\"\",\"net.x@a\",null,0,\"\","
		"null,9,\"cleartext\",\"none\","
		"\"no-openpgp\",\"\",9,0,\"refuse\",\"refuse\",\"550 "
		"no\",null,[[\"org.y@b\",1,\"encrypted\",\"encrypted\",\"default\","
		"null,0]]],[\"" OTHER "\",8,1800000001,\"Q2\",\"mx2\",\"\",\"\",\"net.x@a\",null,0,"
		"\"\",null,9,\"a verdict to come\","
		"\"none\",\"x\",\"\",9,0,\"refuse\",\"refuse\",\"\",null,[]]]";
	const struct verdicts_filter all = {.verdict = -1, .action = -1};
	struct db *reader = fixture_open(&fixture, DB_READ);
	int64_t last_id = 0;
	int n = 0;

	(void)state;
	assert_int_equal(site_rows_begin(reader), 0);
	if (site_rows_add(reader, page, &last_id) != 0)
		fail_msg("%s", db_error(reader));
	assert_int_equal(last_id, 1); /* the other one is none of this version's */
	assert_int_equal(site_rows_end(reader), 0);
	assert_int_equal(verdicts_list(reader, &all, count_row, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(ask("SELECT count(*) FROM verdict"), 0);
	/* Opened anew it would be the host's own again: it fails instead. */
	reader->must_reopen = true;
	assert_int_equal(verdicts_list(reader, &all, count_row, &n), -1);
	db_close(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pairs_are_joined_in_any_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_split_that_is_over_stays_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_end_is_told_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounces_of_other_hosts_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_need_not_be_known_is_forgotten, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(tombstones_of_a_snapshot, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_retracted_meanwhile_is_told_next, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(changes_that_the_centre_does_not_know_go, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(rules_that_cannot_be_are_not_taken, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(keys_come_and_go_as_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_record_of_all_hides_that_of_one, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC
 *
 * Is a message for its recipient: keys in a database, messages as their ids.
 */
#include "tests/unit/db_fixture.h"
#include "tests/unit/unit.h"

#include <sqlite3.h>

#include "db/policy.h"
#include "db/record/key_ids.h"

#define NOW 1800000000
#define DAY 86400

static struct fixture fixture;
static struct db *db;

static void run_sql(const char *sql)
{
	sqlite3 *handle;
	char *err = NULL;

	assert_int_equal(sqlite3_open(fixture.path, &handle), SQLITE_OK);
	if (sqlite3_exec(handle, sql, NULL, NULL, &err) != SQLITE_OK)
		fail_msg("%s", err);
	sqlite3_close(handle);
}

static void add_key(const char *pattern, uint64_t id, const char *state, int64_t until_unix)
{
	char sql[600], until[32];

	snprintf(until, sizeof until, "%lld", (long long)until_unix);
	snprintf(sql, sizeof sql,
		 "INSERT INTO recipient_key (pattern, key_id, fingerprint, primary_fingerprint, "
		 "from_unix, "
		 "until_unix, state, source, author, created_at_unix) VALUES ('%s', %lld, "
		 "'00000000000000000000000F%016llX', 'P', %lld, %s, '%s', 'add', 'root', 1)",
		 pattern, (long long)id, (unsigned long long)id, (long long)(id & 0xff),
		 until_unix != 0 ? until : "NULL", state);
	run_sql(sql);
}

static int set_up(void **state)
{
	(void)state;
	fixture_begin(&fixture);
	add_key("alice@example.org", 0xA1, "active", 0);
	add_key("alice@example.org", 0xA2, "active", NOW + 5 * DAY);
	add_key("alice@example.org", 0xA3, "expired", NOW - 10 * DAY);
	add_key("alice@example.org", 0xA4, "active", NOW - 31 * DAY);
	add_key("alice@example.org", 0xA5, "superseded", NOW - 29 * DAY);
	add_key("alice@example.org", 0xA6, "superseded", NOW - 40 * DAY);
	add_key("alice@example.org", 0xA7, "compromised", NOW - 1);
	add_key("bob@example.org", 0xB1, "active", 0);
	add_key("gate.test", 0x91, "active", 0);
	add_key("carol@gate.test", 0xC1, "active", 0);
	run_sql("INSERT INTO key_group VALUES ('team@example.org', 'alice@example.org', 0),"
		" ('team@example.org', 'bob@example.org', 0),"
		" ('all@example.org', 'alice@example.org', 1), ('all@example.org', "
		"'bob@example.org', 1),"
		" ('half@example.org', 'bob@example.org', 1), ('half@example.org', "
		"'dave@example.org', 1),"
		" ('some@example.org', 'bob@example.org', 0), ('some@example.org', "
		"'dave@example.org', 0)");
	db = fixture_open(&fixture, DB_READ);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	db_close(db);
	fixture_end(&fixture);
	return 0;
}

/* "A1,0;B1 +3" */
static struct judgement message_to(const char *ids)
{
	struct judgement j = {.verdict = VERDICT_ENCRYPTED,
			      .form = FORM_PGP_MIME,
			      .reason = "ok",
			      .n_messages = 1};

	while (*ids != '\0' && *ids != ' ') {
		if (*ids == ';' || *ids == ',') {
			j.n_messages += *ids == ';';
			ids++;
			continue;
		}
		j.key_message[j.n_key_ids] = (unsigned char)(j.n_messages - 1);
		j.key_ids[j.n_key_ids++] = strtoull(ids, (char **)&ids, 16);
	}
	j.n_session_keys = j.n_key_ids + (*ids == ' ' ? strtoul(ids + 1, NULL, 10) : 0);
	return j;
}

static enum own_key_state ask(struct settings *s, const char *recipient, const struct judgement *j)
{
	struct address address;
	struct own_key out;

	address_canonical(recipient, strlen(recipient), &address);
	if (policy_own_key(db, s, &address, j, NOW, &out) != 0)
		fail_msg("%s", db_error(db));
	return out.state;
}

static void a_message_is_for_whom_its_session_keys_name(void **state)
{
	static const struct {
		const char *label, *recipient, *ids;
		enum own_key_state is;
	} rows[] = {
		{"her key", "alice@example.org", "A1", OWN_KEY_GOOD},
		{"her second key", "alice@example.org", "A2", OWN_KEY_GOOD},
		{"with an extension", "alice+x@example.org", "A1", OWN_KEY_GOOD},
		{"another's", "alice@example.org", "B1", OWN_KEY_OTHER},
		{"both", "alice@example.org", "B1,A1", OWN_KEY_GOOD},
		{"an archive's beside it", "alice@example.org", "FF,A1", OWN_KEY_GOOD},
		{"two messages, both hers", "alice@example.org", "A1;B1,A2", OWN_KEY_GOOD},
		{"two messages, one hers", "alice@example.org", "A1;B1", OWN_KEY_OTHER},
		{"two messages, the second hers", "alice@example.org", "B1;A1", OWN_KEY_OTHER},
		{"a password's beside it", "alice@example.org", "A1;", OWN_KEY_OTHER},
		{"only a password's", "alice@example.org", "", OWN_KEY_OTHER},
		{"expired, within grace", "alice@example.org", "A3", OWN_KEY_GOOD},
		{"expired, after grace", "alice@example.org", "A4", OWN_KEY_EXPIRED},
		{"replaced, within grace", "alice@example.org", "A5", OWN_KEY_GOOD},
		{"replaced, after grace", "alice@example.org", "A6", OWN_KEY_REVOKED},
		{"compromised", "alice@example.org", "A7", OWN_KEY_REVOKED},
		{"expired and good", "alice@example.org", "A4,A1", OWN_KEY_GOOD},
		{"compromised and good", "alice@example.org", "A7,A1", OWN_KEY_GOOD},
		{"expired, and one good", "alice@example.org", "A1;A4", OWN_KEY_EXPIRED},
		{"hidden", "alice@example.org", "0", OWN_KEY_HIDDEN},
		{"hidden beside another's", "alice@example.org", "B1,0", OWN_KEY_HIDDEN},
		{"hidden beside hers", "alice@example.org", "0,A1", OWN_KEY_GOOD},
		{"hidden in one, another's in one", "alice@example.org", "0;B1", OWN_KEY_OTHER},
		{"more than are kept", "alice@example.org", "B1 5", OWN_KEY_UNKNOWN},
		{"hers, and more than are kept", "alice@example.org", "A1 5", OWN_KEY_GOOD},
		{"no key known", "eve@example.org", "B1", OWN_KEY_UNKNOWN},
		{"the domain's gateway", "dave@gate.test", "91", OWN_KEY_GOOD},
		{"not the domain's gateway", "dave@gate.test", "A1", OWN_KEY_OTHER},
		{"hers besides the gateway's", "carol@gate.test", "C1", OWN_KEY_GOOD},
		{"the gateway's besides hers", "carol@gate.test", "91", OWN_KEY_GOOD},
		{"a group, by one", "team@example.org", "B1", OWN_KEY_GOOD},
		{"a group, by nobody", "team@example.org", "FF", OWN_KEY_OTHER},
		{"a group, by one's old key", "team@example.org", "A4", OWN_KEY_EXPIRED},
		{"a group of all, by one", "all@example.org", "B1", OWN_KEY_OTHER},
		{"a group of all, by both", "all@example.org", "B1,A1", OWN_KEY_GOOD},
		{"all, one without a known key", "half@example.org", "B1", OWN_KEY_UNKNOWN},
		{"all, one without a known key, by nobody", "half@example.org", "FF",
		 OWN_KEY_OTHER},
		{"some, one without a known key", "some@example.org", "FF", OWN_KEY_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct judgement j = message_to(rows[i].ids);
		const enum own_key_state got = ask(fixture.settings, rows[i].recipient, &j);

		if (got != rows[i].is)
			fail_msg("%s: %d", rows[i].label, got);
	}
}

static void grace_is_as_long_as_it_is_set(void **state)
{
	struct settings *none = fixture_settings(&fixture, "key_grace=0", NULL);
	struct settings *year = fixture_settings(&fixture, "key_grace=365d", NULL);
	const struct judgement expired = message_to("A3"), old = message_to("A4"),
			       compromised = message_to("A7");

	(void)state;
	assert_int_equal(ask(none, "alice@example.org", &expired), OWN_KEY_EXPIRED);
	assert_int_equal(ask(year, "alice@example.org", &old), OWN_KEY_GOOD);
	assert_int_equal(ask(year, "alice@example.org", &compromised), OWN_KEY_REVOKED);
	settings_unref(none);
	settings_unref(year);
}

/* The one to tell a sender of can be encrypted to, and is the newest. */
static void the_key_that_is_told_is_usable(void **state)
{
	const struct judgement j = message_to("B1");
	struct address address;
	struct own_key out;

	(void)state;
	address_canonical("alice@example.org", 17, &address);
	assert_int_equal(policy_own_key(db, fixture.settings, &address, &j, NOW, &out), 0);
	assert_int_equal(out.key_id, 0xA2);
	assert_string_equal(out.fingerprint, "00000000000000000000000F00000000000000A2");
	assert_int_equal(policy_own_key(db, fixture.settings, &address, &j, NOW + 6 * DAY, &out),
			 0);
	assert_int_equal(out.key_id, 0xA1);
}

/* Kept under the key of hashed addresses, which is lost, or another one: what cannot be judged is
 * not taken for what no key is known of. */
static void keys_that_cannot_be_read_are_no_answer(void **state)
{
	const struct judgement j = message_to("B1");
	struct address address;
	struct own_key out;
	char key[400];

	(void)state;
	snprintf(key, sizeof key, "%s.key", fixture.path);
	run_sql("INSERT INTO recipient_key (pattern, key_id, fingerprint, primary_fingerprint, "
		"state, source, author, created_at_unix) VALUES ('sealed@example.org', 1, "
		"'s:00', 's:00', 'active', 'add', 'root', 1)");
	assert_int_equal(unlink(key), 0);
	db_close(db);
	db = fixture_open(&fixture, DB_READ);
	address_canonical("sealed@example.org", 18, &address);
	assert_int_equal(policy_own_key(db, fixture.settings, &address, &j, NOW, &out), -1);
	assert_non_null(strstr(db_error(db), "which is not here"));
	assert_int_equal(ask(fixture.settings, "alice@example.org", &j), OWN_KEY_OTHER);
}

static void ids_on_record_are_read_as_they_were_written(void **state)
{
	static const char *const rows[] = {"A1", "A1,0;B1", "A1;", "", "B1 5", ";A1"};
	const struct hashed plain = {.is_on = false};
	const struct hashed on = {.is_on = true, .has_key = true, .key = {7}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct judgement j = message_to(rows[i]), back = {.n_messages = 0};
		char text[KEY_IDS_TEXT_MAX];

		j.containers = 1u << CONTAINER_MDC | 1u << CONTAINER_OCB;
		key_ids_parse(key_ids_format(&j, &plain, text), &back);
		CHECK_ROW(rows[i],
			  back.n_messages == j.n_messages && back.n_key_ids == j.n_key_ids &&
				  back.n_session_keys == j.n_session_keys &&
				  back.containers == j.containers && !back.has_hashed_key_ids);
		CHECK_ROW(rows[i],
			  memcmp(back.key_ids, j.key_ids, sizeof j.key_ids) == 0 &&
				  memcmp(back.key_message, j.key_message, j.n_key_ids) == 0);
		key_ids_parse(key_ids_format(&j, &on, text), &back);
		for (size_t k = 0; k < j.n_key_ids; k++)
			CHECK_ROW(rows[i],
				  back.key_ids[k] == hashed_key_id(&on, j.key_ids[k]) &&
					  (j.key_ids[k] == 0 || back.key_ids[k] != j.key_ids[k]));
	}
}

static void ids_fit_and_nonsense_ends(void **state)
{
	const struct hashed on = {.is_on = true, .has_key = true, .key = {7}};
	static const char *const nonsense[] = {"",
					       "x",
					       "mdc",
					       "mdc ",
					       "mdc ;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;",
					       "mdc 12",
					       "mdc 0123456789ABCDEG",
					       " +",
					       "mdc - +99999999999999999999",
					       "mdc h:h:h:"};
	struct judgement j = {
		.n_messages = 40, .n_session_keys = 70, .n_key_ids = KEY_IDS_MAX, .containers = 15};
	char text[KEY_IDS_TEXT_MAX];

	(void)state;
	for (int i = 0; i < KEY_IDS_MAX; i++) {
		j.key_ids[i] = UINT64_MAX - (unsigned)i;
		j.key_message[i] = (unsigned char)i;
	}
	key_ids_format(&j, &on, text);
	assert_non_null(strstr(text, " +38"));
	for (size_t i = 0; i < ROWS(nonsense); i++) {
		key_ids_parse(nonsense[i], &j);
		assert_true(j.n_key_ids <= KEY_IDS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_for_whom_its_session_keys_name),
		cmocka_unit_test(grace_is_as_long_as_it_is_set),
		cmocka_unit_test(the_key_that_is_told_is_usable),
		cmocka_unit_test(ids_on_record_are_read_as_they_were_written),
		cmocka_unit_test(ids_fit_and_nonsense_ends),
		cmocka_unit_test(keys_that_cannot_be_read_are_no_answer),
	};

	return cmocka_run_group_tests_name("own_key", tests, set_up, tear_down);
}

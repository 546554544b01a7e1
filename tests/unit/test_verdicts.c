/* SPDX-License-Identifier: ISC
 *
 * What the verdict log has stored: read back, found by every filter, removed when it is old, and
 * with log_addresses = hashed readable in no file.
 */
#include "tests/unit/verdict_log_fixture.h"

#include <fcntl.h>
#include <pthread.h>

#include "common/clock.h"
#include "db/engine/internal.h"
#include "db/engine/key.h"
#include "db/rules/rule_hits.h"
#include "db/record/upkeep.h"
#include "db/report.h"
#include "db/verdict_log.h"
#include "db/pair.h"
#include "db/verdicts.h"

/* ---- reading ---- */

static int check_row(void *context, const struct verdict_row *row)
{
	const struct verdict_record *r = &row->record;

	++*(int *)context;
	assert_int_equal(r->time_unix, NOW);
	assert_string_equal(r->queue_id, "Q1");
	assert_string_equal(r->host, "mx.example.org");
	assert_string_equal(r->client, "192.0.2.77");
	assert_string_equal(r->authenticated, "login-name");
	assert_string_equal(r->sender, "s@sender.test");
	assert_string_equal(r->header_from, "from@header.test");
	assert_string_equal(r->message_id, "<message-id@there.test>");
	assert_int_equal(r->declared_size_bytes, 4321);
	assert_int_equal(r->size_bytes, 4000);
	assert_int_equal(r->judgement->verdict, VERDICT_CLEARTEXT);
	assert_string_equal(r->judgement->reason, "no-openpgp");
	assert_string_equal(r->judgement->detail, "no OpenPGP data");
	assert_int_equal(r->judgement->cleartext_bytes, 77);
	assert_int_equal(r->action, ACTION_REFUSE);
	assert_int_equal(r->would, ACTION_REFUSE);
	assert_int_equal(r->n_recipients, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(r->recipients[i].address, to_two[i].address);
		assert_int_equal(r->recipients[i].requirement, to_two[i].requirement);
		assert_int_equal(r->recipients[i].demand, to_two[i].demand);
		assert_int_equal(r->recipients[i].source, to_two[i].source);
		assert_int_equal(r->recipients[i].rule_id, to_two[i].rule_id);
		assert_int_equal(r->recipients[i].passes, to_two[i].passes);
	}
	return 0;
}

static void what_is_submitted_is_read_back(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q1", "s@sender.test", NOW);
	const struct verdicts_filter all = FILTER(0);
	struct db *d;
	int n = 0;

	(void)state;
	fixture_begin(&f);
	l = start(&f);
	submit(l, &r);
	d = fixture_open(&f, DB_READ); /* before the log is stopped: it is on disk already */
	assert_int_equal(verdicts_list(d, &all, check_row, &n), 0);
	assert_int_equal(n, 1);
	db_close(d);
	verdict_log_stop(l);
	fixture_end(&f);
}

static void expect_rows(const struct fixture *f, const char *label, struct verdicts_filter filter,
			const char *expected)
{
	const struct rows rows = list(f, filter);
	char got[400] = "";

	for (size_t i = 0; i < rows.n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i > 0 ? " " : "",
			 rows.queue_id[i]);
	if (strcmp(got, expected) != 0)
		fail_msg("%s: \"%s\", should be \"%s\"", label, got, expected);
}

struct seen {
	int64_t n; /* as it was told last */
	int times;
};

static void note_seen(void *context, int64_t n_seen)
{
	struct seen *s = context;

	s->n = n_seen;
	s->times++;
}

/* Whatever is asked for, those that are looked at by time are counted; an index needs no patience.
 */
static void expect_seen(const struct fixture *f, const char *label, struct verdicts_filter filter,
			int64_t expected)
{
	struct seen s = {0};

	filter.progress = note_seen;
	filter.progress_context = &s;
	list(f, filter);
	if (s.n != expected || (s.times > 0) != (expected > 0))
		fail_msg("%s: %lld told in %d calls, should be %lld", label, (long long)s.n,
			 s.times, (long long)expected);
}

static void check_filters(const char *override)
{
	static const struct verdict_recipient to_other = {
		.address = "carol@other.test", .is_trustworthy = true, .passes = true};
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r;

	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, override, "verdict_retention=0", NULL));
	l = start(&f);
	r = record("A", "one@sender.test", NOW);
	submit(l, &r);
	r = record("B", "two@sender.test", NOW + 10);
	r.judgement = &encrypted;
	r.action = ACTION_ACCEPT;
	submit(l, &r);
	r = record("C", "<>", NOW + 20);
	r.recipients = &to_other;
	r.n_recipients = 1;
	submit(l, &r);
	r = record("A", "one@sub.sender.test", NOW + 30); /* queue ids are used again */
	submit(l, &r);
	verdict_log_stop(l);
	expect_rows(&f, "all", FILTER(0), "A B C A");
	expect_rows(&f, "newest", FILTER(.last_n = 2), "C A");
	expect_rows(&f, "newest before", FILTER(.last_n = 2, .until_unix = NOW + 30), "B C");
	expect_rows(&f, "newest cleartext", FILTER_OF(VERDICT_CLEARTEXT, -1, .last_n = 2), "C A");
	expect_rows(&f, "since", FILTER(.since_unix = NOW + 10), "B C A");
	expect_rows(&f, "until", FILTER(.until_unix = NOW + 20), "A B");
	expect_rows(&f, "verdict", FILTER_OF(VERDICT_ENCRYPTED, -1, 0), "B");
	expect_rows(&f, "action", FILTER_OF(-1, ACTION_REFUSE, 0), "A C A");
	expect_rows(&f, "queue id", FILTER(.queue_id = "A"), "A A");
	expect_rows(&f, "sender", FILTER(.sender = "one@sender.test"), "A");
	expect_rows(&f, "sender null", FILTER(.sender = "<>"), "C");
	expect_rows(&f, "sender domain", FILTER(.sender = "sender.test"), "A B");
	expect_rows(&f, "sender @domain", FILTER(.sender = "@sender.test"), "A B");
	expect_rows(&f, "recipient", FILTER(.recipient = "bob@example.org"), "A B A");
	expect_rows(&f, "recipient domain", FILTER(.recipient = "mail.example.org"), "A B A");
	expect_rows(&f, "recipient other", FILTER(.recipient = "carol@other.test"), "C");
	expect_rows(&f, "recipient none", FILTER(.recipient = "carol@example.org"), "");
	expect_rows(&f, "recipient newest", FILTER(.recipient = "bob@example.org", .last_n = 2),
		    "B A");
	expect_rows(&f, "both", FILTER(.recipient = "bob@example.org", .sender = "two@sender.test"),
		    "B");
	expect_rows(&f, "after", FILTER(.after_id = 2), "C A");
	expect_rows(&f, "after, sender", FILTER(.after_id = 1, .sender = "sender.test"), "B");
	expect_seen(&f, "all", FILTER(0), 4);
	expect_seen(&f, "since", FILTER(.since_unix = NOW + 10), 3);
	expect_seen(&f, "newest cleartext", FILTER_OF(VERDICT_CLEARTEXT, -1, .last_n = 2), 4);
	expect_seen(&f, "queue id", FILTER(.queue_id = "A"), 0);
	if (strstr(override, "hashed") == NULL) {
		expect_rows(&f, "below a domain", FILTER(.recipient = ".example.org"), "A B A");
		expect_rows(&f, "below, not itself", FILTER(.recipient = ".mail.example.org"), "");
		expect_rows(&f, "below, sender", FILTER(.sender = ".sender.test"), "A");
	}
	fixture_end(&f);
}

static void rows_are_found_by_every_filter(void **state)
{
	(void)state;
	check_filters("log_addresses=full");
}

static void rows_are_found_by_every_filter_with_hashes(void **state)
{
	(void)state;
	check_filters("log_addresses=hashed");
}

/* ---- rows to an address ---- */

struct told {
	const struct report_matcher *to;
	char all[100], matching[100]; /* queue ids */
};

static int tell_queue(void *context, const struct report_row *row)
{
	struct told *t = context;
	const size_t all = strlen(t->all), matching = strlen(t->matching);

	snprintf(t->all + all, sizeof t->all - all, "%d ", (int)(row->time_unix - NOW));
	for (size_t i = 0; i < row->n_recipients; i++) {
		if (!report_matches(t->to, row->recipients[i].address))
			continue;
		snprintf(t->matching + matching, sizeof t->matching - matching, "%d ",
			 (int)(row->time_unix - NOW));
		break;
	}
	return 0;
}

/* An index gives all that a pattern of one address matches, in the order of time, and hardly more.
 */
static void check_rows_to(const char *override)
{
	static const char *const to[] = {"bob+x@example.org", "bob@example.org",
					 "bobby@example.org", "carol@other.test",
					 "bob-x@example.org", "bob@example.org"};
	static const struct {
		const char *pattern, *plain, *hashed;
	} rows[] = {
		{"bob@example.org", "20 30 40 ", "20 40 "},
		{"bob+x@example.org", "30 ", "30 "},
		{"nobody@example.org", "", ""},
	};
	const bool is_hashed = strstr(override, "hashed") != NULL;
	struct fixture f;
	struct verdict_log *l;
	struct db *d;

	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, override, "verdict_retention=0",
					 "recipient_delimiter=+", NULL));
	l = start(&f);
	for (int i = 0; i < 6; i++) {
		/* ids are not in the order of time */
		struct verdict_record r = record("Q", "s@x.test", NOW + (i * 10 + 30) % 60);
		struct verdict_recipient one = {
			.address = to[i], .is_trustworthy = true, .passes = true};

		r.recipients = &one;
		r.n_recipients = 1;
		submit(l, &r);
	}
	verdict_log_stop(l);
	d = fixture_open(&f, DB_READ);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct pattern p;
		struct report_matcher m;
		char err[200];
		struct told by_index = {.to = &m}, by_time = {.to = &m};

		assert_int_equal(pattern_parse(rows[i].pattern, "+", false, &p, err, sizeof err),
				 0);
		report_matcher_init(d, &p, "+", &m);
		assert_int_equal(report_rows_to(d, &m, 0, 0, tell_queue, &by_index), 0);
		assert_int_equal(report_rows(d, 0, 0, tell_queue, &by_time), 0);
		assert_string_equal(by_index.matching, by_time.matching);
		assert_string_equal(by_index.all, is_hashed ? rows[i].hashed : rows[i].plain);
		assert_string_equal(by_time.all, "0 10 20 30 40 50 ");
	}
	db_close(d);
	fixture_end(&f);
}

static void rows_to_an_address_come_by_its_index(void **state)
{
	(void)state;
	check_rows_to("log_addresses=full");
	check_rows_to("log_addresses=hashed");
}

/* ---- retention ---- */

static void old_rows_go_in_steps_and_new_ones_stay(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r;
	struct upkeep u = {0};
	struct db *d;
	struct pair_record pair;
	size_t n_left = 120;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "pair_retention=0", NULL));
	l = start(&f);
	for (int i = 0; i < 120; i++) {
		r = record(i < 100 ? "OLD" : "NEW", "s@x.test", i < 100 ? NOW - 8 * 86400 : NOW);
		r.action = ACTION_ACCEPT;
		submit(l, &r);
	}
	verdict_log_stop(l);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=7d", "pair_retention=30d", NULL));
	d = fixture_open(&f, DB_WRITE);
	/* How many a step removes is the clock's business, but never none: there are 100 old ones.
	 */
	while (upkeep_step(d, f.settings, NOW, true, &u) < 1000) {
		const size_t n = list(&f, FILTER(0)).n;

		assert_true(n < n_left && n >= 20);
		n_left = n;
	}
	assert_int_equal(list(&f, FILTER(0)).n, 20);
	/* the pair outlives its verdicts, until its own time comes */
	assert_int_equal(pair_get(d, "s@x.test", "bob@example.org", &pair), 1);
	for (int i = 0; i < 10; i++)
		upkeep_step(d, f.settings, NOW + 29 * 86400, true, &u);
	assert_int_equal(pair_get(d, "s@x.test", "bob@example.org", &pair), 1);
	for (int i = 0; i < 11; i++)
		upkeep_step(d, f.settings, NOW + 31 * 86400, true, &u);
	assert_int_equal(pair_get(d, "s@x.test", "bob@example.org", &pair), 0);
	assert_int_equal(list(&f, FILTER(0)).n, 0);
	db_close(d);
	fixture_end(&f);
}

/* A clock that shows 2106, for as long as it likes before it is believed. */
static void a_clock_that_jumped_takes_three_days_at_most(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct db *d;
	struct verdict_record r;
	struct pair_record pair;
	struct upkeep u = {0};
	const int64_t in_2106 = INT64_C(4294967290);

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "pair_retention=0", NULL));
	l = start(&f);
	for (int i = 0; i < 80; i++) {
		r = record("DAY", "s@x.test", NOW - (79 - i) * 86400);
		r.action = ACTION_ACCEPT;
		submit(l, &r);
	}
	verdict_log_stop(l);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=90d", "pair_retention=30d", NULL));
	d = fixture_open(&f, DB_WRITE);
	for (int i = 0; i < 60; i++)
		upkeep_step(d, f.settings, in_2106 + i, false, &u);
	assert_int_equal(list(&f, FILTER(0)).n, 77);
	assert_int_equal(pair_get(d, "s@x.test", "bob@example.org", &pair), 1);
	upkeep_step(d, f.settings, NOW, true, &u); /* set right */
	assert_int_equal(list(&f, FILTER(0)).n, 77);
	while (upkeep_step(d, f.settings, in_2106, true, &u) < 1000) {
	}
	assert_int_equal(list(&f, FILTER(0)).n, 0);
	db_close(d);
	fixture_end(&f);
}

static void prune_removes_what_is_older(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	l = start(&f);
	for (int i = 0; i < 130; i++) {
		r = record("Q", "s@x.test", NOW + i);
		submit(l, &r);
	}
	verdict_log_stop(l);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(verdicts_prune(d, NOW + 120, NULL, NULL), 120);
	assert_int_equal(list(&f, FILTER(0)).n, 10);
	assert_int_equal(db_check(d, NULL, NULL), 0);
	db_close(d);
	fixture_end(&f);
}

/* The times of four verdicts, and what the clock says. */
static void prune_doubts_a_clock_that_jumped(void **state)
{
	static const int64_t day = 86400, older = 90 * 86400;
	static const struct {
		const char *label;
		int64_t days[4]; /* before the clock */
		int doubt, last_days;
	} rows[] = {
		{"nothing is that old", {80, 60, 40, 1}, 0, 0},
		{"as mail comes", {100, 95, 85, 1}, 0, 95},
		{"some weeks closed", {100, 99, 72, 1}, 0, 99},
		{"a year forward", {365 + 3, 365 + 2, 365 + 1, 365}, 1, 365},
		{"a year forward, mail since", {365 + 3, 365 + 2, 365 + 1, 0}, 1, 366},
		{"none for long", {200, 199, 198, 197}, 1, 197},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fixture f;
		struct verdict_log *l;
		int64_t last_unix;
		struct db *d;
		int got;

		fixture_begin(&f);
		fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
		l = start(&f);
		for (int n = 0; n < 4; n++) {
			struct verdict_record r = record("Q", "s@x.test",
							 NOW - rows[i].days[n] * day);

			submit(l, &r);
		}
		verdict_log_stop(l);
		d = fixture_open(&f, DB_WRITE);
		got = verdicts_prune_doubt(d, NOW - older, NOW, &last_unix);
		if (got != rows[i].doubt ||
		    last_unix != (rows[i].last_days == 0 ? 0 : NOW - rows[i].last_days * day))
			fail_msg("%s: %d, %lld", rows[i].label, got, (long long)last_unix);
		db_close(d);
		fixture_end(&f);
	}
}

/* ---- hashed ---- */

static bool file_holds(const char *path, const char *word)
{
	FILE *file = fopen(path, "rb");
	char *bytes;
	long size;
	bool found;

	if (file == NULL)
		return false;
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	rewind(file);
	bytes = malloc((size_t)size + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
	fclose(file);
	found = memmem(bytes, (size_t)size, word, strlen(word)) != NULL;
	free(bytes);
	return found;
}

static bool any_file_holds(const struct fixture *f, const char *word)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".key"};
	char path[400];

	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(path, sizeof path, "%s%s", f->path, suffixes[i]);
		if (file_holds(path, word))
			return true;
	}
	return false;
}

static void with_hashes_nothing_readable_is_in_any_file(void **state)
{
	static const char *const words[] = {"alice",	   "example.org@", "org.example",
					    "192.0.2.77",  "login-name",   "s@sender",
					    "test.sender", "from@header",  "test.header",
					    "message-id",  "there.test"};
	struct verdict_record r = record("Q", "s@sender.test", NOW);

	(void)state;
	for (int hashed = 0; hashed < 2; hashed++) {
		struct fixture f;
		struct verdict_log *l;
		char out[HASHED_ADDRESS_MAX], err[DB_ERROR_MAX];
		struct hashed h;
		size_t n_found = 0;

		fixture_begin(&f);
		fixture_use(&f, fixture_settings(
					&f, hashed ? "log_addresses=hashed" : "log_addresses=full",
					"reply_window=1d", "verdict_retention=0", NULL));
		l = start(&f);
		r.action = ACTION_SPLIT;
		submit(l, &r);
		r.action = ACTION_ACCEPT;
		r.is_local = true;
		submit(l, &r);
		assert_int_equal(hashed_load(&h, f.settings, err, sizeof err), 0);
		if (hashed) {
			assert_memory_equal(hashed_shown(&h, HASHED_ADDRESS, "alice@x.test", out),
					    "h:", 2);
			assert_int_equal(strlen(out), 2 + 16 + 1 + 2 + 16);
		} else {
			assert_string_equal(hashed_shown(&h, HASHED_ADDRESS, "alice@x.test", out),
					    "alice@x.test");
		}
		verdict_log_stop(l);
		for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
			n_found += any_file_holds(&f, words[i]);
			if (hashed && any_file_holds(&f, words[i]))
				fail_msg("\"%s\" can be read", words[i]);
		}
		if (!hashed)
			assert_true(n_found > 6); /* the search does find */
		fixture_end(&f);
	}
}

static void keys_turn_back_into_addresses(void **state)
{
	static const struct {
		const char *address, *key;
	} rows[] = {
		{"alice@mail.example.org", "org.example.mail@alice"},
		{"a@b", "b@a"},
		{"<>", "<>"},
		{"postmaster", "postmaster"},
		{"x@y@z.test", "test.z@x@y"},
		{"a@[192.0.2.1]", "1].2.0.[192@a"},
		{"a@.b.", ".b.@a"},
		{"h:0123@h:4567", "h:4567@h:0123"},
	};
	char key[KEY_MAX], address[KEY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_string_equal(key_from_address(rows[i].address, key), rows[i].key);
		assert_string_equal(key_to_address(key, address, sizeof address), rows[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_submitted_is_read_back),
		cmocka_unit_test(rows_are_found_by_every_filter),
		cmocka_unit_test(rows_are_found_by_every_filter_with_hashes),
		cmocka_unit_test(rows_to_an_address_come_by_its_index),
		cmocka_unit_test(old_rows_go_in_steps_and_new_ones_stay),
		cmocka_unit_test(a_clock_that_jumped_takes_three_days_at_most),
		cmocka_unit_test(prune_removes_what_is_older),
		cmocka_unit_test(prune_doubts_a_clock_that_jumped),
		cmocka_unit_test(with_hashes_nothing_readable_is_in_any_file),
		cmocka_unit_test(keys_turn_back_into_addresses),
	};

	return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}

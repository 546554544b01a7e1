/* SPDX-License-Identifier: ISC
 *
 * The verdict log: threads that submit, what is stored and read back, a database that fails and is mended, and
 * that with log_addresses = hashed nothing readable is left in any file.
 */
#include "tests/unit/db_fixture.h"

#include <fcntl.h>
#include <pthread.h>

#include "common/clock.h"
#include "db/internal.h"
#include "db/key.h"
#include "db/rule_hits.h"
#include "db/upkeep.h"
#include "db/verdict_log.h"
#include "db/verdicts.h"

#define NOW 1800000000

static const struct judgement cleartext = {.verdict = VERDICT_CLEARTEXT,
					   .form = FORM_NONE,
					   .reason = "no-openpgp",
					   .detail = "no OpenPGP data",
					   .cleartext_bytes = 77};
static const struct judgement encrypted = {
	.verdict = VERDICT_ENCRYPTED, .form = FORM_PGP_MIME, .reason = "pgp-mime"};

static const struct verdict_recipient to_two[] = {
	{.address = "alice@mail.example.org",
	 .is_trustworthy = true,
	 .requirement = REQUIREMENT_RATCHET,
	 .demand = REQUIREMENT_ENCRYPTED,
	 .source = SOURCE_HISTORY,
	 .rule_id = 1,
	 .passes = false},
	{.address = "bob@example.org",
	 .is_trustworthy = true,
	 .requirement = REQUIREMENT_EXEMPT,
	 .demand = REQUIREMENT_EXEMPT,
	 .source = SOURCE_EXEMPT_RECIPIENTS,
	 .passes = true},
};

static struct verdict_record record(const char *queue_id, const char *sender, int64_t time_unix)
{
	return (struct verdict_record){
		.time_unix = time_unix,
		.queue_id = queue_id,
		.host = "mx.example.org",
		.client = "192.0.2.77",
		.authenticated = "login-name",
		.sender = sender,
		.is_sender_trustworthy = true,
		.header_from = "from@header.test",
		.message_id = "<message-id@there.test>",
		.declared_size_bytes = 4321,
		.size_bytes = 4000,
		.judgement = &cleartext,
		.action = ACTION_REFUSE,
		.would = ACTION_REFUSE,
		.reply = "550-5.7.1 OpenPGP-encrypted mail required\n"
			 "550 5.7.1 <alice@mail.example.org> takes only encrypted "
			 "mail",
		.recipients = to_two,
		.n_recipients = 2};
}

static struct verdict_log *start(const struct fixture *f)
{
	char err[DB_ERROR_MAX] = "";
	struct verdict_log *l = verdict_log_start(f->settings, err, sizeof err);

	if (l == NULL)
		fail_msg("%s", err);
	return l;
}

static void submit(struct verdict_log *l, const struct verdict_record *r)
{
	char err[DB_ERROR_MAX] = "";

	if (verdict_log_submit(l, r, err) != 0)
		fail_msg("%s", err);
}

/* ---- reading ---- */

struct rows {
	size_t n;
	char queue_id[400][24];
};

static int gather(void *context, const struct verdict_row *row)
{
	struct rows *rows = context;

	assert_true(rows->n < 400);
	snprintf(rows->queue_id[rows->n++], 24, "%s", row->record.queue_id);
	return 0;
}

static struct rows list(const struct fixture *f, struct verdicts_filter filter)
{
	struct rows rows = {0};
	struct db *d = fixture_open(f, DB_READ);

	assert_int_equal(verdicts_list(d, &filter, gather, &rows), 0);
	db_close(d);
	return rows;
}

#define FILTER_OF(v, a, ...) ((struct verdicts_filter){.verdict = (v), .action = (a), __VA_ARGS__})
#define FILTER(...) FILTER_OF(-1, -1, __VA_ARGS__)

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
	expect_rows(&f, "recipient newest", FILTER(.recipient = "bob@example.org", .last_n = 2), "B A");
	expect_rows(&f, "both", FILTER(.recipient = "bob@example.org", .sender = "two@sender.test"),
		    "B");
	expect_rows(&f, "after", FILTER(.after_id = 2), "C A");
	expect_rows(&f, "after, sender", FILTER(.after_id = 1, .sender = "sender.test"), "B");
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

/* ---- threads ---- */

#define THREADS 16
#define PER_THREAD 20

struct submitter {
	struct verdict_log *log;
	int number;
	int n_failed;
	_Atomic int n_started, n_answered;
};

static void *submit_many(void *context)
{
	struct submitter *s = context;
	char queue_id[24], sender[40], err[DB_ERROR_MAX];

	for (int i = 0; i < PER_THREAD; i++) {
		struct verdict_record r;

		snprintf(queue_id, sizeof queue_id, "T%dN%d", s->number, i);
		snprintf(sender, sizeof sender, "t%d@x.test", s->number);
		r = record(queue_id, sender, NOW);
		s->n_started++;
		s->n_failed += verdict_log_submit(s->log, &r, err) != 0;
		s->n_answered++;
	}
	return NULL;
}

/* One record that waits for its answer. */
struct single {
	struct verdict_log *log;
	struct verdict_record record;
	int result;
	_Atomic bool is_started;
	pthread_t thread;
};

static void *submit_single(void *context)
{
	struct single *s = context;
	char err[DB_ERROR_MAX];

	s->is_started = true;
	s->result = verdict_log_submit(s->log, &s->record, err);
	return NULL;
}

/* Returns when the record is most likely under way. No test needs it to be. */
static void begin_single(struct single *s, struct verdict_log *l, const char *queue_id)
{
	s->log = l;
	s->record = record(queue_id, "s@x.test", NOW);
	s->result = 99;
	s->is_started = false;
	assert_int_equal(pthread_create(&s->thread, NULL, submit_single, s), 0);
	while (!s->is_started)
		usleep(1000);
	usleep(20000);
}

static void many_threads_lose_nothing(void **state)
{
	struct fixture f;
	struct submitter s[THREADS];
	pthread_t thread[THREADS];
	struct rows rows;
	struct db *d;
	bool seen[THREADS][PER_THREAD] = {{false}};

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	{
		struct verdict_log *l = start(&f);

		for (int i = 0; i < THREADS; i++) {
			s[i] = (struct submitter){.log = l, .number = i};
			assert_int_equal(pthread_create(&thread[i], NULL, submit_many, &s[i]), 0);
		}
		for (int i = 0; i < THREADS; i++) {
			pthread_join(thread[i], NULL);
			assert_int_equal(s[i].n_failed, 0);
		}
		verdict_log_stop(l);
	}
	rows = list(&f, FILTER(0));
	assert_int_equal(rows.n, THREADS * PER_THREAD);
	for (size_t i = 0; i < rows.n; i++) {
		int t, n;

		assert_int_equal(sscanf(rows.queue_id[i], "T%dN%d", &t, &n), 2);
		assert_false(seen[t][n]);
		seen[t][n] = true;
	}
	d = fixture_open(&f, DB_READ);
	{
		struct pair_record pair;

		/* refused mail makes no pair */
		assert_int_equal(pair_get(d, "t1@x.test", "bob@example.org", &pair), 0);
	}
	db_close(d);
	fixture_end(&f);
}

/* ---- faults ---- */

static void a_directory_in_place_of_the_database_fails_and_is_mended(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char away[400], err[DB_ERROR_MAX];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	l = start(&f);
	submit(l, &r);
	snprintf(away, sizeof away, "%s.away", f.path);
	assert_int_equal(rename(f.path, away), 0);
	assert_int_equal(mkdir(f.path, 0755), 0);
	assert_int_equal(verdict_log_submit(l, &r, err), -1);
	assert_non_null(strstr(err, "is a directory"));
	rmdir(f.path);
	assert_int_equal(verdict_log_submit(l, &r, err), -1);
	assert_non_null(strstr(err, "no such file"));
	assert_int_equal(rename(away, f.path), 0);
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, 2);
	fixture_end(&f);
}

static void a_log_that_starts_without_a_database_finds_it_later(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	char err[DB_ERROR_MAX];

	(void)state;
	fixture_directory(&f);
	f.settings = fixture_settings(&f, "log_addresses=hashed", "verdict_retention=0", NULL);
	l = start(&f);
	assert_int_equal(verdict_log_submit(l, &r, err), -1);
	assert_non_null(strstr(err, "pgpgate db init"));
	db_close(fixture_open(&f, DB_CREATE));
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, 1);
	fixture_end(&f);
}

static void a_row_that_the_schema_refuses_fails_alone(void **state)
{
	static const char *const queue_ids[] = {"FIRST", "GOOD1", "BAD", "GOOD2"};
	struct single s[4];
	struct fixture f;
	struct verdict_log *l;
	struct db *d;
	char *message = NULL;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_WRITE);
	if (sqlite3_exec(d->handle,
			 "CREATE TRIGGER t BEFORE INSERT ON verdict WHEN new.queue_id = 'BAD'"
			 " BEGIN SELECT raise(ABORT, 'no'); END",
			 NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s", message);
	l = start(&f);
	/* The first waits for this lock, and the others, behind it, come into one group. */
	assert_int_equal(db_begin_write(d), 0);
	for (int i = 0; i < 4; i++)
		begin_single(&s[i], l, queue_ids[i]);
	assert_int_equal(db_end(d, 0), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(s[i].thread, NULL);
		assert_int_equal(s[i].result, strcmp(queue_ids[i], "BAD") == 0 ? -1 : 0);
	}
	db_close(d);
	verdict_log_stop(l);
	assert_int_equal(list(&f, FILTER(0)).n, 3);
	fixture_end(&f);
}

static void a_lock_that_is_held_is_waited_for(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct submitter s;
	pthread_t thread;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_WRITE);
	l = start(&f);
	s = (struct submitter){.log = l, .number = 1};
	assert_int_equal(db_begin_write(d), 0);
	assert_int_equal(pthread_create(&thread, NULL, submit_many, &s), 0);
	while (s.n_started == 0)
		usleep(1000);
	usleep(50000);
	assert_int_equal(s.n_answered, 0);
	assert_int_equal(db_end(d, 0), 0);
	pthread_join(thread, NULL);
	assert_int_equal(s.n_failed, 0);
	assert_int_equal(s.n_answered, PER_THREAD);
	verdict_log_stop(l);
	db_close(d);
	fixture_end(&f);
}

/* ---- what follows from a verdict ---- */

static void accepted_mail_makes_pairs_for_both_addresses(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	struct pair_record pair;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", "pair_retention=0", NULL));
	l = start(&f);
	r.action = ACTION_ACCEPT;
	submit(l, &r);
	r.time_unix = NOW + 5;
	r.judgement = &encrypted;
	submit(l, &r);
	r.action = ACTION_QUARANTINE; /* may never be delivered */
	submit(l, &r);
	verdict_log_stop(l);
	d = fixture_open(&f, DB_READ);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pair_get(d, i == 0 ? "s@x.test" : "from@header.test",
					  "bob@example.org", &pair),
				 1);
		assert_int_equal(pair.n_cleartext, 1);
		assert_int_equal(pair.n_encrypted, 1);
		assert_int_equal(pair.first_cleartext_unix, NOW);
		assert_int_equal(pair.last_encrypted_unix, NOW + 5);
	}
	db_close(d);
	fixture_end(&f);
}

static int get_rule(void *context, const struct rule *r)
{
	*(struct rule *)context = *r;
	return 0;
}

static void rules_count_their_hits(void **state)
{
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	const struct rules_filter all = {0};
	struct rule rule;
	struct db *d;
	char err[200];

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(rule_parse("exempt x@y.test", "+", NOW, &rule, err, sizeof err), 0);
	assert_int_equal(rules_add(d, &rule, NOW, NULL, NULL), 0);
	assert_int_equal(rule.id, 1);
	l = start(&f);
	submit(l, &r);
	r.time_unix = NOW + 9;
	submit(l, &r);
	verdict_log_stop(l);
	assert_int_equal(rules_list(d, &all, get_rule, &rule), 0);
	assert_int_equal(rule.hits, 2);
	assert_int_equal(rule.last_hit_at_unix, NOW + 9);
	db_close(d);
	fixture_end(&f);
}

/* One rule more than there is room for; the ids share few slots. */
static void hits_of_many_rules_are_gathered(void **state)
{
	static struct rule_hits hits;
	struct fixture f;
	struct rule rule;
	const struct rules_filter all = {0};
	struct db *d;
	char err[200];

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(rule_parse("exempt x@y.test", "+", NOW, &rule, err, sizeof err), 0);
	assert_int_equal(rules_add(d, &rule, NOW, NULL, NULL), 0);
	for (int64_t i = 0; i < HITS_MAX; i++)
		assert_true(rule_hits_count(&hits, 1 + i * (HITS_SLOTS / 4), NOW));
	assert_false(rule_hits_count(&hits, 2, NOW));
	assert_true(rule_hits_count(&hits, 1, NOW + 5));
	assert_true(rule_hits_count(&hits, 1, NOW + 4));
	assert_int_equal(rule_hits_write(d, &hits), 0);
	assert_int_equal(hits.n, 0);
	assert_true(rule_hits_count(&hits, 1, NOW + 1));
	assert_int_equal(rule_hits_write(d, &hits), 0);
	assert_int_equal(rules_list(d, &all, get_rule, &rule), 0);
	assert_int_equal(rule.hits, 4);
	assert_int_equal(rule.last_hit_at_unix, NOW + 5);
	db_close(d);
	fixture_end(&f);
}

static void attempts_less_than_five_minutes_apart_count_once(void **state)
{
	static const struct {
		int64_t at;
		int before; /* as asked at that moment, before it is recorded */
	} rows[] = {{0, 0}, {240, 0}, {300, 1}, {301, 1}, {599, 1}, {600, 2}, {10000, 3}};
	struct fixture f;
	struct verdict_log *l;
	struct verdict_record r = record("Q", "s@x.test", NOW);
	struct db *d;

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "verdict_retention=0", NULL));
	d = fixture_open(&f, DB_READ);
	l = start(&f);
	r.action = ACTION_SPLIT;
	r.has_split_digest = true;
	memset(r.split_digest, 7, sizeof r.split_digest);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(verdict_log_attempts(d, r.split_digest, NOW + rows[i].at),
				 rows[i].before);
		r.time_unix = NOW + rows[i].at;
		submit(l, &r);
	}
	verdict_log_stop(l);
	db_close(d);
	fixture_end(&f);
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
	assert_true(upkeep_step(d, f.settings, NOW, &u) < 1000); /* 50 of them: there are more */
	assert_int_equal(list(&f, FILTER(0)).n, 70);
	for (int i = 0; i < 5; i++)
		upkeep_step(d, f.settings, NOW, &u);
	assert_int_equal(upkeep_step(d, f.settings, NOW, &u), 1000);
	assert_int_equal(list(&f, FILTER(0)).n, 20);
	/* the pair outlives its verdicts, until its own time comes */
	assert_int_equal(pair_get(d, "s@x.test", "bob@example.org", &pair), 1);
	for (int i = 0; i < 10; i++)
		upkeep_step(d, f.settings, NOW + 29 * 86400, &u);
	assert_int_equal(pair_get(d, "s@x.test", "bob@example.org", &pair), 1);
	for (int i = 0; i < 11; i++)
		upkeep_step(d, f.settings, NOW + 31 * 86400, &u);
	assert_int_equal(pair_get(d, "s@x.test", "bob@example.org", &pair), 0);
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
		char out[HASHED_ADDRESS_MAX];
		size_t n_found = 0;

		fixture_begin(&f);
		fixture_use(&f, fixture_settings(&f, hashed ? "log_addresses=hashed" : "log_addresses=full",
						 "reply_window=1d", "verdict_retention=0", NULL));
		l = start(&f);
		r.action = ACTION_SPLIT;
		submit(l, &r);
		r.action = ACTION_ACCEPT;
		r.is_local = true;
		submit(l, &r);
		if (hashed) {
			assert_memory_equal(verdict_log_shown(l, HASHED_ADDRESS, "alice@x.test", out),
					    "h:", 2);
			assert_int_equal(strlen(out), 2 + 16 + 1 + 2 + 16);
		} else {
			assert_string_equal(verdict_log_shown(l, HASHED_ADDRESS, "alice@x.test", out),
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
		cmocka_unit_test(many_threads_lose_nothing),
		cmocka_unit_test(a_directory_in_place_of_the_database_fails_and_is_mended),
		cmocka_unit_test(a_log_that_starts_without_a_database_finds_it_later),
		cmocka_unit_test(a_row_that_the_schema_refuses_fails_alone),
		cmocka_unit_test(a_lock_that_is_held_is_waited_for),
		cmocka_unit_test(accepted_mail_makes_pairs_for_both_addresses),
		cmocka_unit_test(rules_count_their_hits),
		cmocka_unit_test(hits_of_many_rules_are_gathered),
		cmocka_unit_test(attempts_less_than_five_minutes_apart_count_once),
		cmocka_unit_test(old_rows_go_in_steps_and_new_ones_stay),
		cmocka_unit_test(prune_removes_what_is_older),
		cmocka_unit_test(with_hashes_nothing_readable_is_in_any_file),
		cmocka_unit_test(keys_turn_back_into_addresses),
	};

	return cmocka_run_group_tests_name("verdict_log", tests, NULL, NULL);
}

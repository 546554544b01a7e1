/* SPDX-License-Identifier: ISC
 *
 * The decision by what was recorded before: ratchet, reply window. Time is given, never waited for.
 */
#include "tests/unit/policy_fixture.h"

#include "common/clock.h"
#include "db/record/upkeep.h"
#include "db/record/verdict_write.h"
#include "db/pair.h"

/* ---- history: verdicts are written as the log's writer does ---- */

struct sent {
	const char *sender, *header_from, *recipient;
	enum verdict verdict;
	enum action action;
	bool is_local, passes, is_bounce;
	int64_t size, time_unix;
};

static void write_verdict(struct fixture *f, struct db *d, const struct sent *m)
{
	struct judgement j = {.verdict = m->verdict, .reason = "test"};
	const struct verdict_recipient to = {.address = m->recipient,
					     .is_trustworthy = true,
					     .requirement = ENCRYPTED,
					     .demand = ENCRYPTED,
					     .source = SOURCE_DEFAULT,
					     .passes = m->passes};
	const struct verdict_record r = {.time_unix = m->time_unix,
					 .queue_id = "Q",
					 .sender = m->sender,
					 .is_sender_trustworthy = true,
					 .header_from = m->header_from,
					 .is_local = m->is_local,
					 .declared_size_bytes = m->size,
					 .judgement = &j,
					 .action = m->action,
					 .would = m->action,
					 .recipients = &to,
					 .n_recipients = 1};
	struct stored_verdict v;
	struct daily_sums daily = {.n = 0};

	if (m->is_bounce)
		strcpy(j.reason, "bounce-expected");
	assert_int_equal(stored_verdict_fill(&v, &d->hashed, f->settings, &r), 0);
	assert_int_equal(db_begin_write(d), 0);
	assert_int_equal(db_end(d, stored_verdict_write(d, &v, &daily)), 0);
	arena_reset(&v.arena);
}

static enum requirement demand_of(struct fixture *f, struct db *d, const char *recipient,
				  const char *sender, const char *header_from, int64_t now)
{
	const struct envelope e = {recipient, sender, STRANGER, false, false};
	struct policy_answer a = ask_at(d, f->settings, &e, header_from, SIZE_NOT_DECLARED, now,
					NULL);

	assert_true((a.source == SOURCE_HISTORY) ==
		    (a.why[0] == 'r' && strchr(a.why, ':') != NULL));
	return a.demand;
}

static void check_ratchet(const char *override, const char *later_override)
{
	struct fixture f;
	struct db *d;
	struct sent m = {.sender = "bob@x.test",
			 .header_from = "",
			 .recipient = "a@b.test",
			 .verdict = VERDICT_CLEARTEXT,
			 .action = ACTION_ACCEPT,
			 .size = SIZE_NOT_DECLARED,
			 .time_unix = NOW - 100};

	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "default_requirement=ratchet", "pair_retention=10d",
					 override, NULL));
	d = fixture_open(&f, DB_WRITE);
	write_verdict(&f, d, &m);
	assert_int_equal(demand_of(&f, d, "a@b.test", "bob@x.test", NULL, NOW), OBSERVE);
	m.verdict = VERDICT_ENCRYPTED;
	m.action = ACTION_REFUSE; /* refused mail proves nothing */
	write_verdict(&f, d, &m);
	assert_int_equal(demand_of(&f, d, "a@b.test", "bob@x.test", NULL, NOW), OBSERVE);
	m.action = ACTION_ACCEPT;
	m.header_from = "carol@y.test";
	write_verdict(&f, d, &m);
	if (later_override != NULL) {
		db_close(d);
		fixture_use(&f, fixture_settings(&f, "default_requirement=ratchet",
						 "pair_retention=10d", later_override, NULL));
		d = fixture_open(&f, DB_WRITE);
	}
	assert_int_equal(demand_of(&f, d, "a@b.test", "bob@x.test", NULL, NOW), ENCRYPTED);
	assert_int_equal(demand_of(&f, d, "A@b.test", "\"Bob\"@X.test", NULL, NOW), ENCRYPTED);
	assert_int_equal(demand_of(&f, d, "a@b.test", "carol@y.test", NULL, NOW), ENCRYPTED);
	/* either address locks */
	assert_int_equal(demand_of(&f, d, "a@b.test", "<>", "bob@x.test", NOW), ENCRYPTED);
	assert_int_equal(demand_of(&f, d, "a@b.test", "new@z.test", "carol@y.test", NOW),
			 ENCRYPTED);
	assert_int_equal(demand_of(&f, d, "a@b.test", "new@z.test", "new@z.test", NOW), OBSERVE);
	assert_int_equal(demand_of(&f, d, "c@b.test", "bob@x.test", NULL, NOW), OBSERVE);
	/* nobody hides behind another author, or behind more of them than are looked at */
	assert_int_equal(
		demand_of(&f, d, "a@b.test", "new@z.test", "new@z.test, Carol <carol@y.test>", NOW),
		ENCRYPTED);
	assert_int_equal(
		demand_of(&f, d, "a@b.test", "<>", "1@z.test, 2@z.test, 3@z.test, 4@z.test", NOW),
		OBSERVE);
	assert_int_equal(demand_of(&f, d, "a@b.test", "<>",
				   "1@z.test, 2@z.test, 3@z.test, 4@z.test, carol@y.test", NOW),
			 ENCRYPTED);
	/* the record ends */
	assert_int_equal(demand_of(&f, d, "a@b.test", "bob@x.test", NULL, NOW - 100 + 864000),
			 ENCRYPTED);
	assert_int_equal(demand_of(&f, d, "a@b.test", "bob@x.test", NULL, NOW - 99 + 864000),
			 OBSERVE);
	/* and is forgotten */
	assert_int_equal(pair_forget(d, "bob@x.test", "a@b.test", NOW, "root"), 1);
	assert_int_equal(pair_forget(d, "bob@x.test", "a@b.test", NOW, "root"), 0);
	assert_int_equal(demand_of(&f, d, "a@b.test", "bob@x.test", NULL, NOW), OBSERVE);
	db_close(d);
	fixture_end(&f);
}

static void ratchet_locks_on_what_was_accepted(void **state)
{
	(void)state;
	check_ratchet("log_addresses=full", NULL);
}

static void ratchet_works_with_hashes_and_over_a_switch(void **state)
{
	(void)state;
	check_ratchet("log_addresses=hashed", NULL);
	check_ratchet("log_addresses=full", "log_addresses=hashed");
	check_ratchet("log_addresses=hashed", "log_addresses=full");
}

static void check_reply_window(const char *override)
{
	struct fixture f;
	struct db *d;
	struct sent m = {.sender = "ours@b.test",
			 .header_from = "",
			 .recipient = "orders@shop.example.co.uk",
			 .verdict = VERDICT_CLEARTEXT,
			 .action = ACTION_ACCEPT,
			 .is_local = true,
			 .size = SIZE_NOT_DECLARED,
			 .time_unix = NOW};

	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "reply_window=7d", override, NULL));
	d = fixture_open(&f, DB_WRITE);
	m.is_local = false; /* a stranger who claims to be one of ours */
	write_verdict(&f, d, &m);
	m.is_local = true;
	m.verdict = VERDICT_ENCRYPTED;
	write_verdict(&f, d, &m);
	m.verdict = VERDICT_CLEARTEXT;
	m.action = ACTION_REFUSE;
	write_verdict(&f, d, &m);
	assert_int_equal(
		demand_of(&f, d, "ours@b.test", "orders@shop.example.co.uk", NULL, NOW + 1),
		ENCRYPTED);
	m.action = ACTION_ACCEPT;
	write_verdict(&f, d, &m);
	assert_int_equal(
		demand_of(&f, d, "ours@b.test", "noreply@mail.example.co.uk", NULL, NOW + 1),
		OBSERVE);
	assert_int_equal(demand_of(&f, d, "ours@b.test", "noreply@other.co.uk", NULL, NOW + 1),
			 ENCRYPTED);
	assert_int_equal(
		demand_of(&f, d, "other@b.test", "orders@shop.example.co.uk", NULL, NOW + 1),
		ENCRYPTED);
	assert_int_equal(demand_of(&f, d, "ours@b.test", "x!y@shop.example.co.uk", NULL, NOW + 1),
			 ENCRYPTED);
	assert_int_equal(demand_of(&f, d, "ours@b.test", "a@example.co.uk", NULL, NOW + 604799),
			 OBSERVE);
	assert_int_equal(demand_of(&f, d, "ours@b.test", "a@example.co.uk", NULL, NOW + 604800),
			 ENCRYPTED);
	fixture_use(&f, fixture_settings(&f, override, NULL));
	assert_int_equal(demand_of(&f, d, "ours@b.test", "a@example.co.uk", NULL, NOW + 1),
			 ENCRYPTED);
	db_close(d);
	fixture_end(&f);
}

static void reply_window_opens_for_the_registrable_domain_and_ends(void **state)
{
	(void)state;
	check_reply_window("log_addresses=full");
	check_reply_window("log_addresses=hashed");
}

/* For some seconds the clock was in 2106, and one of ours wrote: that opens no window for 80 years,
 * nor is it in the way of the next one. */
static void a_clock_that_was_ahead_leaves_no_window_open(void **state)
{
	const int64_t in_2106 = 4294967290, now = clock_now_unix();
	const struct envelope bounce = {"ours@b.test", "<>", STRANGER, false, false};
	struct fixture f;
	struct db *d;
	struct sent m = {.sender = "ours@b.test",
			 .header_from = "",
			 .recipient = "orders@shop.test",
			 .verdict = VERDICT_CLEARTEXT,
			 .action = ACTION_ACCEPT,
			 .is_local = true,
			 .size = SIZE_NOT_DECLARED,
			 .time_unix = in_2106};

	(void)state;
	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, "reply_window=7d", NULL));
	d = fixture_open(&f, DB_WRITE);
	write_verdict(&f, d, &m);
	assert_int_equal(demand_of(&f, d, "ours@b.test", "a@shop.test", NULL, in_2106 + 1),
			 OBSERVE);
	assert_int_equal(demand_of(&f, d, "ours@b.test", "a@shop.test", NULL, now), ENCRYPTED);
	assert_false(
		ask_at(d, f.settings, &bounce, NULL, SIZE_NOT_DECLARED, now, NULL).expects_bounce);
	m.time_unix = now + 1;
	write_verdict(&f, d, &m);
	assert_int_equal(demand_of(&f, d, "ours@b.test", "a@shop.test", NULL, now + 2), OBSERVE);
	assert_true(ask_at(d, f.settings, &bounce, NULL, SIZE_NOT_DECLARED, now + 2, NULL)
			    .expects_bounce);
	/* Set back by a day, which is nobody's fault who wrote before. */
	assert_int_equal(demand_of(&f, d, "ours@b.test", "a@shop.test", NULL, now - 86400),
			 OBSERVE);
	/* What comes late from a journal does not shorten a window. */
	m.time_unix = now - 3 * 86400;
	write_verdict(&f, d, &m);
	assert_int_equal(demand_of(&f, d, "ours@b.test", "a@shop.test", NULL, now + 6 * 86400),
			 OBSERVE);
	db_close(d);
	fixture_end(&f);
}

/* ---- bounces ---- */

static bool expects_bounce(struct fixture *f, struct db *d, const char *recipient,
			   const char *sender, int64_t now)
{
	const struct envelope e = {recipient, sender, STRANGER, false, false};
	struct policy_answer a = ask_at(d, f->settings, &e, NULL, SIZE_NOT_DECLARED, now, NULL);

	assert_int_equal(a.demand, ENCRYPTED);
	return a.expects_bounce;
}

static void write_bounces(struct fixture *f, struct db *d, const char *to, int n, int64_t now)
{
	const struct sent m = {.sender = "<>",
			       .header_from = "",
			       .recipient = to,
			       .verdict = VERDICT_CLEARTEXT,
			       .action = ACTION_ACCEPT,
			       .passes = true,
			       .is_bounce = true,
			       .size = SIZE_NOT_DECLARED,
			       .time_unix = now};

	for (int i = 0; i < n; i++)
		write_verdict(f, d, &m);
}

static void check_bounces(const char *override)
{
	struct fixture f;
	struct db *d;
	const int64_t tomorrow = (NOW / 86400 + 1) * 86400;
	struct sent m = {.sender = "ours@b.test",
			 .header_from = "",
			 .recipient = "inside@b.test",
			 .verdict = VERDICT_ENCRYPTED,
			 .action = ACTION_ACCEPT,
			 .is_local = true,
			 .size = SIZE_NOT_DECLARED,
			 .time_unix = NOW};

	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, override, NULL));
	d = fixture_open(&f, DB_WRITE);
	write_verdict(&f, d, &m); /* not to the outside */
	m.recipient = "x@elsewhere.test";
	m.is_local = false; /* a stranger who claims to be one of ours */
	write_verdict(&f, d, &m);
	m.is_local = true;
	m.action = ACTION_REFUSE;
	write_verdict(&f, d, &m);
	assert_false(expects_bounce(&f, d, "ours@b.test", "<>", NOW + 1));
	m.action = ACTION_ACCEPT;
	write_verdict(&f, d, &m);
	assert_true(expects_bounce(&f, d, "ours@b.test", "<>", NOW + 1));
	assert_false(expects_bounce(&f, d, "ours@b.test", "x@elsewhere.test", NOW + 1));
	assert_false(expects_bounce(&f, d, "other@b.test", "<>", NOW + 1));
	assert_true(expects_bounce(&f, d, "ours@b.test", "<>", NOW + BOUNCE_WINDOW_S - 1));
	assert_false(expects_bounce(&f, d, "ours@b.test", "<>", NOW + BOUNCE_WINDOW_S));
	write_bounces(&f, d, "ours@b.test", BOUNCES_A_DAY - 1, NOW + 2);
	assert_true(expects_bounce(&f, d, "ours@b.test", "<>", NOW + 3));
	write_bounces(&f, d, "ours@b.test", 1, NOW + 3);
	assert_false(expects_bounce(&f, d, "ours@b.test", "<>", NOW + 4));
	assert_true(expects_bounce(&f, d, "ours@b.test", "<>", tomorrow));
	write_bounces(&f, d, "ours@b.test", 1, tomorrow);
	assert_true(expects_bounce(&f, d, "ours@b.test", "<>", tomorrow));
	m.time_unix = tomorrow; /* writing anew does not forget what came */
	write_verdict(&f, d, &m);
	write_bounces(&f, d, "ours@b.test", BOUNCES_A_DAY - 1, tomorrow);
	assert_false(expects_bounce(&f, d, "ours@b.test", "<>", tomorrow + 1));
	assert_true(expects_bounce(&f, d, "ours@b.test", "<>", tomorrow + BOUNCE_WINDOW_S - 1));
	fixture_use(&f, fixture_settings(&f, override, "accept_bounces=report", NULL));
	assert_false(expects_bounce(&f, d, "ours@b.test", "<>", tomorrow + 86400));
	db_close(d);
	fixture_end(&f);
}

/* The window was opened under one form of the address, and the bounces are counted under the other.
 */
static void check_bounce_switch(const char *before, const char *after)
{
	struct fixture f;
	struct db *d;
	const struct sent m = {.sender = "ours@b.test",
			       .header_from = "",
			       .recipient = "x@elsewhere.test",
			       .verdict = VERDICT_ENCRYPTED,
			       .action = ACTION_ACCEPT,
			       .is_local = true,
			       .size = SIZE_NOT_DECLARED,
			       .time_unix = NOW};
	struct upkeep upkeep = {0};

	fixture_begin(&f);
	fixture_use(&f, fixture_settings(&f, before, NULL));
	d = fixture_open(&f, DB_WRITE);
	write_verdict(&f, d, &m);
	db_close(d);
	fixture_use(&f, fixture_settings(&f, after, NULL));
	d = fixture_open(&f, DB_WRITE);
	write_bounces(&f, d, "ours@b.test", BOUNCES_A_DAY - 1, NOW + 2);
	assert_true(expects_bounce(&f, d, "ours@b.test", "<>", NOW + 3));
	write_bounces(&f, d, "ours@b.test", 1, NOW + 3);
	assert_false(expects_bounce(&f, d, "ours@b.test", "<>", NOW + 4));
	upkeep_step(d, f.settings, NOW + 5, true, &upkeep);
	assert_false(expects_bounce(&f, d, "ours@b.test", "<>", NOW + 6));
	assert_true(expects_bounce(&f, d, "ours@b.test", "<>", NOW + 86400));
	db_close(d);
	fixture_end(&f);
}

static void bounces_are_counted_over_a_switch_to_hashes_and_back(void **state)
{
	(void)state;
	check_bounce_switch("log_addresses=full", "log_addresses=hashed");
	check_bounce_switch("log_addresses=hashed", "log_addresses=full");
}

static void bounces_are_expected_by_who_wrote_to_the_outside(void **state)
{
	(void)state;
	check_bounces("log_addresses=full");
	check_bounces("log_addresses=hashed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ratchet_locks_on_what_was_accepted),
		cmocka_unit_test(ratchet_works_with_hashes_and_over_a_switch),
		cmocka_unit_test(bounces_are_expected_by_who_wrote_to_the_outside),
		cmocka_unit_test(bounces_are_counted_over_a_switch_to_hashes_and_back),
		cmocka_unit_test(reply_window_opens_for_the_registrable_domain_and_ends),
		cmocka_unit_test(a_clock_that_was_ahead_leaves_no_window_open),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}

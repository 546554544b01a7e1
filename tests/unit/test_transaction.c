/* SPDX-License-Identifier: ISC
 *
 * The filter's transaction: one message after the other, who asks the policy, faults of database
 * and log, and what becomes of mail when nothing is enforced.
 */
#include "tests/unit/transaction_fixture.h"

/* ---- one message ---- */

static void transaction_cleartext_to_protected_is_refused(void **state)
{
	struct result r = send_to(&cleartext, "encrypted@y.test", NULL);

	(void)state;
	assert_int_equal(r.outcome.action, ACTION_REFUSE);
	assert_string_equal(r.outcome.code, "550");
	assert_string_equal(r.header, "");
	assert_int_equal(fake.n_submitted, 1);
	assert_string_equal(record.queue_id, "4ABC");
	assert_string_equal(record.client, "192.0.2.1");
	assert_string_equal(record.host, "mx.y.test");
	assert_string_equal(record.sender, "bob@x.test");
	assert_string_equal(record.header_from, "bob@x.test");
	assert_string_equal(record.message_id, "<1@x.test>");
	assert_int_equal(record.judgement.verdict, VERDICT_CLEARTEXT);
	assert_int_equal(record.action, ACTION_REFUSE);
	assert_int_equal(record.declared_size_bytes, 500);
	assert_int_equal(record.n_recipients, 1);
	assert_string_equal(record.addresses[0], "encrypted@y.test");
	assert_false(record.recipients[0].passes);
	assert_false(record.is_local);
}

/* As Sendmail gives its local users. */
static void transaction_address_without_a_domain_gets_ours(void **state)
{
	(void)state;
	mail_from("root", 500);
	assert_int_equal(recipient("encrypted"), TRANSACTION_CONTINUE);
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
	assert_string_equal(record.sender, "root@mx.y.test");
	assert_string_equal(record.addresses[0], "encrypted@mx.y.test");
	/* That it was added is known still when the policy is asked again. */
	mail_from("<>", 500);
	assert_int_equal(recipient("bounce"), TRANSACTION_CONTINUE);
	assert_true(fake.has_added_domain);
	fake.has_added_domain = false;
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_ACCEPT);
	assert_true(fake.has_added_domain);
	mail_from("<>", 500);
	assert_int_equal(recipient("bounce@mx.y.test"), TRANSACTION_CONTINUE);
	assert_false(fake.has_added_domain);
}

static void transaction_encrypted_to_protected_is_accepted(void **state)
{
	struct result r = send_to(&encrypted, "encrypted@y.test", NULL);

	(void)state;
	assert_int_equal(record.judgement.verdict, VERDICT_ENCRYPTED);
	assert_int_equal(r.outcome.action, ACTION_ACCEPT);
	assert_true(record.recipients[0].passes);
	assert_string_equal(record.message_id, "<2@x.test>");
}

static void transaction_messages_of_a_session_are_judged_on_their_own(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.action,
				 ACTION_ACCEPT);
		assert_string_equal(record.header_from, "eve@x.test");
		assert_int_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.action,
				 ACTION_REFUSE);
		assert_string_equal(record.header_from, "bob@x.test");
		assert_int_equal(record.n_recipients, 1);
	}
	assert_int_equal(fake.n_submitted, 4);
	assert_int_equal(fake.n_timed, 4);
}

static void transaction_aborted_leaves_nothing_behind(void **state)
{
	struct sample bare = {.body = encrypted.body, .len = encrypted.len};

	(void)state;
	transaction_mail(t, "first@x.test", "login", 99, "mx");
	recipient("exempt@y.test");
	content(&cleartext);
	transaction_reset(t);
	assert_int_equal(fake.n_submitted, 0);
	/* MAIL FROM without an end of the one before: likewise. */
	transaction_mail(t, "second@x.test", "login", 99, "mx");
	recipient("exempt@y.test");
	content(&cleartext);
	send_to(&bare, "encrypted@y.test", NULL);
	assert_int_equal(fake.n_submitted, 1);
	assert_int_equal(record.action, ACTION_ACCEPT);
	assert_int_equal(record.n_recipients, 1);
	assert_string_equal(record.sender, "bob@x.test");
	assert_string_equal(record.authenticated, "");
	assert_string_equal(record.header_from, "");
	assert_string_equal(record.message_id, "");
	assert_false(record.is_local);
}

static void transaction_without_mail_is_deferred(void **state)
{
	struct outcome out;

	(void)state;
	assert_int_equal(transaction_recipient(t, "exempt@y.test", &out), TRANSACTION_TEMPFAIL);
	content(&encrypted);
	assert_string_equal(end().outcome.code, "451");
	assert_int_equal(fake.n_submitted, 0);
	/* An end that comes twice. */
	send_to(&encrypted, "exempt@y.test", NULL);
	assert_string_equal(end().outcome.code, "451");
}

static void transaction_without_content_is_cleartext(void **state)
{
	(void)state;
	mail_from("bob@x.test", SIZE_NOT_DECLARED);
	recipient("encrypted@y.test");
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
	assert_string_equal(record.judgement.reason, "no-body");
}

static void transaction_null_sender_both_ways_written(void **state)
{
	(void)state;
	mail_from("", SIZE_NOT_DECLARED);
	recipient("exempt@y.test");
	assert_string_equal(fake.query_sender, "<>");
	mail_from("<>", SIZE_NOT_DECLARED);
	recipient("exempt@y.test");
	assert_string_equal(fake.query_sender, "<>");
}

/* ---- who asks ---- */

static void transaction_tells_the_policy_who_it_is(void **state)
{
	(void)state;
	mail_from("bob@x.test", 500);
	recipient("exempt@y.test");
	assert_non_null(fake.query.client);
	assert_false(fake.query.is_authenticated);
	assert_false(fake.query.is_submitted_locally);
	assert_int_equal(fake.query.declared_size_bytes, 500);
	assert_null(fake.query.header_from);

	transaction_mail(t, "bob@x.test", "bob", 500, NULL);
	recipient("exempt@y.test");
	assert_true(fake.query.is_authenticated);

	transaction_client(t, "127.0.0.1", true);
	mail_from("bob@x.test", SIZE_NOT_DECLARED);
	recipient("exempt@y.test");
	assert_true(fake.query.is_submitted_locally);
	assert_null(fake.query.client);
	content(&cleartext);
	end();
	assert_true(record.is_local);
	assert_string_equal(record.client, "");
}

static void transaction_ratchet_asks_again_when_from_is_known(void **state)
{
	struct sample locked = cleartext, two_fields = cleartext;

	(void)state;
	assert_int_equal(send_to(&cleartext, "ratchet@y.test", NULL).outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.recipients[0].demand, REQUIREMENT_OBSERVE);
	locked.fields[0][1] = " alice@locked.test";
	assert_int_equal(send_to(&locked, "ratchet@y.test", NULL).outcome.action, ACTION_REFUSE);
	assert_int_equal(record.recipients[0].requirement, REQUIREMENT_RATCHET);
	assert_int_equal(record.recipients[0].demand, REQUIREMENT_ENCRYPTED);
	/* A second field, or a second author, does not hide the one who locks. */
	locked.fields[0][1] = " Bob <bob@x.test>, Alice <alice@locked.test>";
	assert_int_equal(send_to(&locked, "ratchet@y.test", NULL).outcome.action, ACTION_REFUSE);
	assert_string_equal(record.header_from, "");
	two_fields.fields[1][0] = "From";
	two_fields.fields[1][1] = " alice@locked.test";
	assert_int_equal(send_to(&two_fields, "ratchet@y.test", NULL).outcome.action,
			 ACTION_REFUSE);
	/* Two ratchets of which one locks are mixed, which was not to be seen at RCPT. */
	assert_int_equal(send_to(&locked, "ratchet@open.test", "ratchet@y.test").outcome.action,
			 ACTION_SPLIT);
	/* The next message does not inherit it. */
	assert_int_equal(send_to(&cleartext, "ratchet@y.test", NULL).outcome.action, ACTION_ACCEPT);
}

/* ---- faults ---- */

static void transaction_policy_failing_defers_at_rcpt(void **state)
{
	struct outcome out;

	(void)state;
	mail_from("bob@x.test", 500);
	fake.policy_fails = true;
	assert_int_equal(transaction_recipient(t, "exempt@y.test", &out), TRANSACTION_TEMPFAIL);
	assert_string_equal(out.code, "451");
	fake.policy_fails = false;
	assert_int_equal(recipient("encrypted@y.test"), TRANSACTION_CONTINUE);
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
	assert_int_equal(record.n_recipients, 1);
}

static void transaction_policy_failing_and_accept_lets_through(void **state)
{
	(void)state;
	use_settings("on_database_error=accept", NULL);
	fake.policy_fails = true;
	assert_int_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.action,
			 ACTION_ACCEPT);
	assert_int_equal(record.recipients[0].demand, REQUIREMENT_OBSERVE);
}

static void transaction_log_failing_defers(void **state)
{
	(void)state;
	fake.log_fails = true;
	assert_string_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.code, "451");
	assert_string_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.code, "451");
	use_settings("add_header=yes", NULL);
	assert_string_equal(send_to(&encrypted, "encrypted@y.test", NULL).header, "");
	fake.log_fails = false;
	assert_int_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.action,
			 ACTION_ACCEPT);
}

static void transaction_log_failing_and_accept_keeps_the_answer(void **state)
{
	(void)state;
	use_settings("on_database_error=accept", NULL);
	fake.log_fails = true;
	assert_int_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.action,
			 ACTION_ACCEPT);
	assert_int_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.action,
			 ACTION_REFUSE);
}

static void transaction_ratchet_failing_at_the_end_defers(void **state)
{
	(void)state;
	mail_from("bob@x.test", 500);
	recipient("ratchet@y.test");
	content(&cleartext);
	fake.policy_fails = true;
	assert_string_equal(end().outcome.code, "451");
	assert_int_equal(fake.n_submitted, 0);
}

static void transaction_attempts_failing_defers_without_a_record(void **state)
{
	(void)state;
	fake.attempts = -1;
	assert_string_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.code,
			    "451");
	assert_int_equal(fake.n_submitted, 0);
}

/* ---- enforcement off, header ---- */

static void transaction_enforce_no_says_what_would_be(void **state)
{
	struct result r;

	(void)state;
	use_settings("enforce=no", NULL);
	r = send_to(&cleartext, "encrypted@y.test", NULL);
	assert_int_equal(r.outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.would, ACTION_REFUSE);
	use_settings(NULL, NULL);
	fake.is_paused = true;
	r = send_to(&cleartext, "encrypted@y.test", NULL);
	assert_int_equal(r.outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.would, ACTION_REFUSE);
}

static void transaction_header_is_added_and_forged_ones_are_counted(void **state)
{
	struct sample m = encrypted;
	struct result r;

	(void)state;
	m.fields[2][0] = "X-PGP-Gate";
	m.fields[3][0] = "x-pgp-GATE \t";
	m.fields[4][0] = "X-PGP-Gateway";
	m.fields[5][0] = "X-PGP-Gate";
	for (int i = 2; i < 6; i++)
		m.fields[i][1] = " verdict=encrypted";

	r = send_to(&m, "encrypted@y.test", NULL);
	assert_string_equal(r.header, "");
	assert_int_equal(r.n_forged, 0); /* a mode that adds none leaves them */
	use_settings("add_header=yes", NULL);
	r = send_to(&m, "encrypted@y.test", NULL);
	assert_string_equal(r.header, "verdict=encrypted; form=pgp-inline");
	assert_int_equal(r.n_forged, 3);
	r = send_to(&encrypted, "encrypted@y.test", NULL);
	assert_int_equal(r.n_forged, 0);
}

static void transaction_tag_and_quarantine_carry_the_reason(void **state)
{
	struct result r;

	(void)state;
	use_settings("on_refusal=tag", NULL);
	r = send_to(&cleartext, "encrypted@y.test", NULL);
	assert_int_equal(r.outcome.action, ACTION_TAG);
	assert_non_null(strstr(r.header, "verdict=cleartext; form=none; reason="));
	use_settings("on_refusal=quarantine", NULL);
	r = send_to(&cleartext, "encrypted@y.test", NULL);
	assert_int_equal(r.outcome.action, ACTION_QUARANTINE);
	assert_non_null(strstr(r.header, "verdict=cleartext; form=none; reason="));
	/* What passes gets none, but loses a forged one. */
	r = send_to(&encrypted, "encrypted@y.test", NULL);
	assert_string_equal(r.header, "");
}

static void transaction_recipients_are_bounded(void **state)
{
	struct outcome out;
	char address[64];

	(void)state;
	mail_from("bob@x.test", 500);
	for (int i = 0; i < 10000; i++) {
		snprintf(address, sizeof address, "r%d@y.test", i);
		assert_int_equal(recipient(address), TRANSACTION_CONTINUE);
	}
	assert_int_equal(transaction_recipient(t, "one.more@y.test", &out), TRANSACTION_DEFER);
	assert_string_equal(out.code, "452");
	assert_string_equal(out.enhanced, "4.5.3");
}

/* What came between RCPT and the end of the content counts, too: of many at once no more pass than
 * may. */
static void transaction_bounce_is_asked_about_again_at_its_end(void **state)
{
	(void)state;
	for (int came = 0; came < 2; came++) {
		fake.expects_no_bounce = false;
		mail_from("<>", 500);
		assert_int_equal(recipient("bounce@y.test"), TRANSACTION_CONTINUE);
		fake.expects_no_bounce = came != 0;
		content(&cleartext);
		assert_int_equal(end().outcome.action, came ? ACTION_REFUSE : ACTION_ACCEPT);
		assert_string_equal(record.judgement.reason,
				    came ? "no-openpgp" : "bounce-expected");
	}
	/* Encrypted, it asks for nothing. */
	fake.expects_no_bounce = false;
	fake.n_policy = 0;
	assert_int_equal(send_to(&encrypted, "bounce@y.test", NULL).outcome.action, ACTION_ACCEPT);
	assert_int_equal(fake.n_policy, 1);
	/* The question fails: what it is about comes again, and keeps no other. */
	mail_from("<>", 500);
	assert_int_equal(recipient("bounce@y.test"), TRANSACTION_CONTINUE);
	fake.policy_fails = true;
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_TEMPFAIL);
	fake.policy_fails = false;
	assert_int_equal(send_to(&cleartext, "bounce@y.test", NULL).outcome.action, ACTION_ACCEPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transaction_cleartext_to_protected_is_refused),
		TEST(transaction_address_without_a_domain_gets_ours),
		TEST(transaction_encrypted_to_protected_is_accepted),
		TEST(transaction_messages_of_a_session_are_judged_on_their_own),
		TEST(transaction_aborted_leaves_nothing_behind),
		TEST(transaction_without_mail_is_deferred),
		TEST(transaction_without_content_is_cleartext),
		TEST(transaction_null_sender_both_ways_written),
		TEST(transaction_tells_the_policy_who_it_is),
		TEST(transaction_ratchet_asks_again_when_from_is_known),
		TEST(transaction_bounce_is_asked_about_again_at_its_end),
		TEST(transaction_policy_failing_defers_at_rcpt),
		TEST(transaction_policy_failing_and_accept_lets_through),
		TEST(transaction_log_failing_defers),
		TEST(transaction_log_failing_and_accept_keeps_the_answer),
		TEST(transaction_ratchet_failing_at_the_end_defers),
		TEST(transaction_attempts_failing_defers_without_a_record),
		TEST(transaction_enforce_no_says_what_would_be),
		TEST(transaction_header_is_added_and_forged_ones_are_counted),
		TEST(transaction_tag_and_quarantine_carry_the_reason),
		TEST(transaction_recipients_are_bounded),
	};

	return run_transaction_tests("test_transaction", tests, sizeof(tests) / sizeof(tests[0]));
}

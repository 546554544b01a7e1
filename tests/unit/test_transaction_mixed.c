/* SPDX-License-Identifier: ISC
 *
 * The filter's transaction with recipients that want different things.
 */
#include "tests/unit/transaction_fixture.h"

/* ---- mixed recipients ---- */

static void transaction_mixed_is_split(void **state)
{
	struct result r = send_to(&cleartext, "exempt@y.test", "encrypted@y.test");

	(void)state;
	assert_int_equal(r.outcome.action, ACTION_SPLIT);
	assert_string_equal(r.outcome.code, "451");
	assert_int_equal(record.action, ACTION_SPLIT);
	assert_true(record.has_split_digest);
	assert_true(record.recipients[0].passes);
	assert_false(record.recipients[1].passes);
}

static void transaction_mixed_encrypted_is_accepted(void **state)
{
	(void)state;
	assert_int_equal(send_to(&encrypted, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_ACCEPT);
	assert_false(record.has_split_digest);
}

static void transaction_mixed_a_third_time_is_refused_with_names(void **state)
{
	struct result r;

	(void)state;
	fake.attempts = 1;
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_SPLIT);
	fake.attempts = 2;
	r = send_to(&cleartext, "exempt@y.test", "encrypted@y.test");
	assert_int_equal(r.outcome.action, ACTION_REFUSE);
	assert_non_null(strstr(record.reply, "<encrypted@y.test>"));
	assert_null(strstr(record.reply, "<exempt@y.test>"));
}

static void transaction_mixed_from_our_own_is_refused_at_once(void **state)
{
	(void)state;
	transaction_client(t, "127.0.0.1", false);
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_REFUSE);
	transaction_client(t, "127.0.0.1", true);
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_REFUSE);
	transaction_client(t, "192.0.2.1", false);
	transaction_mail(t, "bob@x.test", "bob", 500, NULL);
	recipient("exempt@y.test");
	recipient("encrypted@y.test");
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
}

static void transaction_mixed_refuse_is_refused_at_once(void **state)
{
	(void)state;
	use_settings("mixed_recipients=refuse", NULL);
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_REFUSE);
}

static void transaction_recipient_of_the_other_class_is_deferred(void **state)
{
	struct outcome out;

	(void)state;
	mail_from("bob@x.test", 500);
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(transaction_recipient(t, "passed.exempt@y.test", &out), TRANSACTION_DEFER);
	assert_string_equal(out.code, "450");
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(recipient("exempt@y.test"), TRANSACTION_CONTINUE);
	transaction_reset(t);
	/* The other way round, in a transaction of its own. */
	mail_from("bob@x.test", 500);
	assert_int_equal(recipient("passed.exempt@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_DEFER);
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.n_recipients, 1);
}

static void transaction_sendmail_is_never_deferred_at_rcpt(void **state)
{
	(void)state;
	transaction_client(t, "127.0.0.1", true);
	mail_from("bob@x.test", 500);
	assert_int_equal(recipient("passed.exempt@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_CONTINUE);
	fake.policy_fails = true;
	assert_int_equal(recipient("exempt@y.test"), TRANSACTION_CONTINUE);
	fake.policy_fails = false;
	assert_int_equal(recipient("exempt@y.test"), TRANSACTION_CONTINUE);
	content(&encrypted);
	assert_string_equal(end().outcome.code, "451");
	assert_int_equal(fake.n_submitted, 0);
}

/* The digest of a message to two recipients with one thing changed. */
static void digest_of(const struct sample *m, const char *sender, const char *one, const char *two,
		      unsigned char out[32])
{
	mail_from(sender, 500);
	recipient(one);
	recipient(two);
	content(m);
	assert_int_equal(end().outcome.action, ACTION_SPLIT);
	memcpy(out, record.split_digest, 32);
}

static void transaction_digest_knows_a_message_again(void **state)
{
	static char body[200 * 1024];
	struct sample m = {.fields = {{"From", " a@b"}, {"Subject", " x"}}, .body = body};
	struct sample other = m;
	unsigned char first[32], second[32];

	(void)state;
	memset(body, 'x', sizeof body);
	m.len = other.len = sizeof body;
	digest_of(&m, "a@x.test", "exempt@y.test", "encrypted@y.test", first);
	digest_of(&m, "a@x.test", "encrypted@y.test", "exempt@y.test", second);
	assert_memory_equal(first, second, 32); /* order of recipients */
	other.fields[2][0] = "Received";
	other.fields[2][1] = " by another relay";
	digest_of(&other, "a@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_equal(first, second, 32); /* what relays add */
	digest_of(&m, "b@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_not_equal(first, second, 32);
	digest_of(&m, "a@x.test", "exempt@y.test", "encrypted@z.test", second);
	assert_memory_not_equal(first, second, 32);
	other = m;
	other.fields[1][1] = " y";
	digest_of(&other, "a@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_not_equal(first, second, 32);
	body[64 * 1024] = 'y';
	digest_of(&m, "a@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_equal(first, second, 32); /* beyond the first 64 KiB */
	body[64 * 1024 - 1] = 'y';
	digest_of(&m, "a@x.test", "exempt@y.test", "encrypted@y.test", second);
	assert_memory_not_equal(first, second, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transaction_mixed_is_split),
		TEST(transaction_mixed_encrypted_is_accepted),
		TEST(transaction_mixed_a_third_time_is_refused_with_names),
		TEST(transaction_mixed_from_our_own_is_refused_at_once),
		TEST(transaction_mixed_refuse_is_refused_at_once),
		TEST(transaction_recipient_of_the_other_class_is_deferred),
		TEST(transaction_sendmail_is_never_deferred_at_rcpt),
		TEST(transaction_digest_knows_a_message_again),
	};

	return run_transaction_tests("test_transaction_mixed", tests, sizeof(tests) / sizeof(tests[0]));
}

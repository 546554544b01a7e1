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
	assert_true(record.counts_attempt);
	fake.attempts = 2;
	r = send_to(&cleartext, "exempt@y.test", "encrypted@y.test");
	assert_int_equal(r.outcome.action, ACTION_REFUSE);
	assert_non_null(strstr(record.reply, "<encrypted@y.test>"));
	assert_null(strstr(record.reply, "<exempt@y.test>"));
}

/* Both want mail to their own keys, and the message is for one of them. */
static void transaction_for_one_key_is_split(void **state)
{
	struct result r;

	(void)state;
	fake.own_key = OWN_KEY_GOOD;
	assert_int_equal(send_to(&encrypted, "own-key@y.test", "own-key@z.test").outcome.action,
			 ACTION_ACCEPT);
	fake.own_key = OWN_KEY_OTHER;
	fake.other_key = "own-key@z.test";
	r = send_to(&encrypted, "own-key@y.test", "own-key@z.test");
	assert_int_equal(r.outcome.action, ACTION_SPLIT);
	assert_true(record.recipients[0].passes);
	assert_false(record.recipients[1].passes);
	assert_string_equal(record.judgement.reason, "other-key");
}

/* A client that is known again by what it declares may come as often as it likes. */
static void transaction_mixed_is_not_counted_where_size_works(void **state)
{
	(void)state;
	fake.attempts = 9;
	assert_int_equal(
		send_to(&cleartext, "passed.exempt@y.test", "encrypted@y.test").outcome.action,
		ACTION_SPLIT);
	assert_false(record.counts_attempt);
	mail_from("bob@x.test", SIZE_NOT_DECLARED);
	recipient("passed.exempt@y.test");
	recipient("encrypted@y.test");
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
}

static void transaction_answer_to_a_split_message_names_it(void **state)
{
	unsigned char digest[32];

	(void)state;
	assert_int_equal(send_to(&cleartext, "exempt@y.test", "encrypted@y.test").outcome.action,
			 ACTION_SPLIT);
	memcpy(digest, record.split_digest, 32);
	assert_int_equal(send_to(&cleartext, "passed.exempt@y.test", NULL).outcome.action,
			 ACTION_ACCEPT);
	assert_true(record.has_split_digest);
	assert_memory_equal(record.split_digest, digest, 32);
	assert_int_equal(send_to(&cleartext, "failed.encrypted@y.test", NULL).outcome.action,
			 ACTION_REFUSE);
	assert_memory_equal(record.split_digest, digest, 32);
}

static void transaction_mixed_too_many_of_both_are_refused_at_once(void **state)
{
	static const struct {
		int n_exempt, n_encrypted;
		enum action expected;
	} rows[] = {{8, 8, ACTION_SPLIT},   {8, 9, ACTION_SPLIT},   {9, 8, ACTION_SPLIT},
		    {1, 100, ACTION_SPLIT}, {100, 1, ACTION_SPLIT}, {9, 9, ACTION_REFUSE}};
	char address[32];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		mail_from("bob@x.test", 500);
		for (int n = 0; n < rows[i].n_exempt + rows[i].n_encrypted; n++) {
			snprintf(address, sizeof address, "%s@y%d.test",
				 n < rows[i].n_exempt ? "exempt" : "encrypted", n);
			assert_int_equal(recipient(address), TRANSACTION_CONTINUE);
		}
		content(&cleartext);
		assert_int_equal(end().outcome.action, rows[i].expected);
	}
}

static void transaction_mixed_is_refused_where_deferring_leads_nowhere(void **state)
{
	(void)state;
	fake.is_split_vain = true;
	assert_int_equal(send_to(&cleartext, "passed.exempt@y.test", "failed.encrypted@y.test")
				 .outcome.action,
			 ACTION_REFUSE);
}

/* How it ends before its content, and what is on record then. */
static void transaction_that_came_to_nothing_is_on_record(void **state)
{
	static const struct {
		const char *label, *one, *two;
		int64_t size;
		bool with_content;
		unsigned fails_at; /* which question; 9: what the transaction is not told of */
		unsigned n_vain;
	} rows[] = {
		{"of a split message", "passed.exempt@y.test", NULL, 500, false, 0, 1},
		{"one was deferred", "failed.encrypted@y.test", "passed.exempt@y.test", 500, false,
		 0, 1},
		{"nobody", NULL, NULL, 500, false, 0, 0},
		{"of no split message", "exempt@y.test", NULL, 500, false, 0, 0},
		{"content came", "passed.exempt@y.test", NULL, 500, true, 0, 0},
		{"our failure before", "passed.exempt@y.test", "passed.exempt@y.test", 500, false,
		 1, 0},
		{"our failure after", "failed.encrypted@y.test", "passed.exempt@y.test", 500, false,
		 2, 0},
		{"a failure of libmilter", "failed.encrypted@y.test", "passed.exempt@y.test", 500,
		 false, 9, 0},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
		const size_t k = i / 2;

		memset(&record, 0, sizeof record);
		fake.n_submitted = fake.n_asked = 0;
		fake.fails_at = rows[k].fails_at;
		mail_from("bob@x.test", rows[k].size);
		if (rows[k].one != NULL)
			recipient(rows[k].one);
		if (rows[k].two != NULL)
			recipient(rows[k].two);
		if (rows[k].with_content)
			content(&cleartext);
		fake.fails_at = 0;
		if (rows[k].fails_at == 9)
			transaction_hinder(t);
		if (i % 2 == 0)
			transaction_reset(t);
		else
			mail_from("bob@x.test", 7);
		if (fake.n_submitted != rows[k].n_vain || record.is_vain != (rows[k].n_vain == 1))
			fail_msg("%s: %u on record", rows[k].label, fake.n_submitted);
		if (rows[k].n_vain == 1)
			assert_int_equal(record.declared_size_bytes, rows[k].size);
		transaction_reset(t);
	}
}

/* The daemon ends, or the connection of the MTA does: that says nothing of the client. */
static void transaction_that_ends_because_of_us_is_not_on_record(void **state)
{
	(void)state;
	fake.n_submitted = 0;
	mail_from("bob@x.test", 500);
	recipient("failed.encrypted@y.test");
	transaction_forget(t);
	transaction_reset(t);
	assert_int_equal(fake.n_submitted, 0);
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

/* The digests of a message to two recipients with one thing changed: of the content, and with the
 * recipients. */
struct digests {
	unsigned char content[32], together[32];
};

static struct digests digests_of(const struct sample *m, const char *sender, const char *one,
				 const char *two)
{
	struct digests d;

	mail_from(sender, 500);
	recipient(one);
	recipient(two);
	content(m);
	assert_int_equal(end().outcome.action, ACTION_SPLIT);
	memcpy(d.content, record.split_digest, 32);
	memcpy(d.together, record.attempt_digest, 32);
	return d;
}

#define A "a@x.test"
#define EXEMPT "exempt@y.test"
#define ENCRYPTED "encrypted@y.test"

static void transaction_digest_knows_a_message_again(void **state)
{
	static char body[200 * 1024];
	struct sample m = {.fields = {{"From", " a@b"}, {"Subject", " x"}}, .body = body};
	struct sample other = m;
	struct digests first, second;

	(void)state;
	memset(body, 'x', sizeof body);
	m.len = other.len = sizeof body;
	first = digests_of(&m, A, EXEMPT, ENCRYPTED);
	assert_memory_not_equal(first.content, first.together, 32);
	second = digests_of(&m, A, ENCRYPTED, EXEMPT); /* order of recipients */
	assert_memory_equal(&first, &second, sizeof first);
	other.fields[2][0] = "Received";
	other.fields[2][1] = " by another relay";
	second = digests_of(&other, A, EXEMPT, ENCRYPTED); /* what relays add */
	assert_memory_equal(&first, &second, sizeof first);
	second = digests_of(&m, "bounce-17@x.test", EXEMPT, ENCRYPTED); /* VERP */
	assert_memory_equal(&first, &second, sizeof first);
	second = digests_of(&m, A, EXEMPT, "encrypted@z.test");
	assert_memory_equal(first.content, second.content, 32);
	assert_memory_not_equal(first.together, second.together, 32);
	other = m;
	other.fields[1][1] = " y";
	second = digests_of(&other, A, EXEMPT, ENCRYPTED);
	assert_memory_not_equal(first.content, second.content, 32);
	assert_memory_not_equal(first.together, second.together, 32);
	body[64 * 1024] = 'y';
	second = digests_of(&m, A, EXEMPT, ENCRYPTED); /* beyond the first 64 KiB */
	assert_memory_equal(&first, &second, sizeof first);
	body[64 * 1024 - 1] = 'y';
	second = digests_of(&m, A, EXEMPT, ENCRYPTED);
	assert_memory_not_equal(first.content, second.content, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transaction_for_one_key_is_split),
		TEST(transaction_mixed_is_split),
		TEST(transaction_mixed_encrypted_is_accepted),
		TEST(transaction_mixed_a_third_time_is_refused_with_names),
		TEST(transaction_mixed_is_not_counted_where_size_works),
		TEST(transaction_answer_to_a_split_message_names_it),
		TEST(transaction_mixed_too_many_of_both_are_refused_at_once),
		TEST(transaction_mixed_is_refused_where_deferring_leads_nowhere),
		TEST(transaction_that_came_to_nothing_is_on_record),
		TEST(transaction_that_ends_because_of_us_is_not_on_record),
		TEST(transaction_mixed_from_our_own_is_refused_at_once),
		TEST(transaction_mixed_refuse_is_refused_at_once),
		TEST(transaction_recipient_of_the_other_class_is_deferred),
		TEST(transaction_sendmail_is_never_deferred_at_rcpt),
		TEST(transaction_digest_knows_a_message_again),
	};

	return run_transaction_tests("test_transaction_mixed", tests,
				     sizeof(tests) / sizeof(tests[0]));
}

/* SPDX-License-Identifier: ISC
 *
 * A failure of ours in the middle of a message: each question to the database fails once, for each
 * kind of message, and what is known of the message is only ever made milder by it, or kept.
 */
#include "tests/unit/transaction_fixture.h"

#include "filter/transaction_state.h"

/* Stands in for the C library's, by which the list of recipients grows. */
static bool is_memory_short;

void *reallocarray(void *memory, size_t n, size_t size)
{
	return is_memory_short ? NULL : realloc(memory, n * size);
}

/* How hard an answer is: mail that gets through, mail that comes again, mail that is lost to its
 * sender. */
static int hardness(const char *code)
{
	return code[0] == '5' ? 2 : code[0] == '4' ? 1 : 0;
}

/* What became of a message to up to three recipients. */
struct answer {
	int hardness;	      /* of the hardest reply after RCPT */
	unsigned turned_away; /* bit i: recipient i was not taken, and is not in the message */
	unsigned n_questions; /* that the database was asked */
};

/* Sends it to those recipients that are not in `without`; question number fails_at (0: none) fails.
 */
static struct answer answer_to(const struct sample *m, const char *const recipients[3],
			       bool is_submitted_locally, unsigned without, unsigned fails_at)
{
	struct answer a = {0};
	struct outcome out;

	transaction_client(t, is_submitted_locally ? "127.0.0.1" : "192.0.2.1",
			   is_submitted_locally);
	fake.n_asked = 0;
	fake.fails_at = fails_at;
	mail_from("bob@x.test", 500);
	for (unsigned i = 0; i < 3 && recipients[i] != NULL; i++) {
		if ((without & 1u << i) != 0 ||
		    transaction_recipient(t, recipients[i], &out) == TRANSACTION_CONTINUE)
			continue;
		assert_int_equal(hardness(out.code), 1);
		a.turned_away |= 1u << i;
	}
	if (t->mail.recipients.n > 0) {
		content(m);
		a.hardness = hardness(end().outcome.code);
	}
	fake.fails_at = 0;
	a.n_questions = fake.n_asked;
	return a;
}

static const char *const recipient_lists[][3] = {
	{"exempt@y.test"},
	{"encrypted@y.test"},
	{"ratchet@y.test"},
	{"exempt@y.test", "encrypted@y.test"},
	{"encrypted@y.test", "exempt@y.test"},
	{"encrypted@y.test", "signed@y.test", "exempt@y.test"},
	{"ratchet@y.test", "ratchet@open.test"},
	{"ratchet@open.test", "ratchet@y.test", "exempt@y.test"},
	{"passed.exempt@y.test", "passed.observe@y.test"},
	{"failed.encrypted@y.test", "failed.signed@y.test", "exempt@y.test"},
	{"bounce@y.test"},
	{"own-key@y.test", "exempt@y.test"},
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Every question of every message, once. With `accept` nobody is turned away for it, and no answer
 * gets harder; with `tempfail` no answer gets harder than 451, where a recipient that was turned
 * away is one that was never named. Returns how many failures were tried. */
static unsigned fail_each(bool accepts)
{
	struct sample locked = cleartext;
	const struct sample *const samples[] = {&cleartext, &encrypted, &locked};
	unsigned n_tried = 0;

	locked.fields[0][1] = " alice@locked.test";
	for (size_t i = 0; i < COUNT(recipient_lists) * COUNT(samples) * 3 * 2; i++) {
		const char *const *list = recipient_lists[i / 18];
		const struct sample *m = samples[i / 6 % 3];
		const bool is_local = i % 2 == 1;
		struct answer healthy, hurt, rest;

		fake.attempts = (int)(i / 2 % 3);
		healthy = answer_to(m, list, is_local, 0, 0);
		for (unsigned k = 1; k <= healthy.n_questions; k++, n_tried++) {
			hurt = answer_to(m, list, is_local, 0, k);
			rest = answer_to(m, list, is_local, hurt.turned_away, 0);
			if (hurt.hardness > (accepts || rest.hardness == 2 ? rest.hardness : 1) ||
			    (accepts && hurt.turned_away != healthy.turned_away))
				fail_msg("list %zu, sample %zu, attempts %d, local %d, paused %d, "
					 "stale %d, question %u: %d, not %d",
					 i / 18, i / 6 % 3, fake.attempts, is_local, fake.is_paused,
					 fake.is_stale, k, hurt.hardness, rest.hardness);
		}
	}
	return n_tried;
}

static void transaction_no_failure_makes_an_answer_harder(void **state)
{
	static const char *const fates[] = {"on_database_error=accept",
					    "on_database_error=tempfail"};
	static const char *const modes[] = {"mixed_recipients=split", "mixed_recipients=refuse",
					    "on_refusal=quarantine", "enforce=no"};
	unsigned n_tried = 0;

	(void)state;
	for (size_t f = 0; f < COUNT(fates); f++) {
		for (size_t i = 0; i < COUNT(modes) * 3; i++) {
			use_settings(fates[f], modes[i / 3]);
			fake.is_paused = i % 3 == 1;
			fake.is_stale = i % 3 == 2;
			n_tried += fail_each(f == 0);
		}
	}
	/* Had a loop been empty, nothing would have been shown. */
	assert_true(n_tried > 5000);
}

static void transaction_paused_stays_paused_when_a_look_up_fails(void **state)
{
	static const char *const modes[] = {"mixed_recipients=split", "mixed_recipients=refuse"};
	struct result r;

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		use_settings("on_database_error=accept", modes[i]);
		fake.is_paused = true;
		mail_from("bob@x.test", 500);
		assert_int_equal(recipient("encrypted@y.test"), TRANSACTION_CONTINUE);
		fake.policy_fails = true;
		assert_int_equal(recipient("exempt@y.test"), TRANSACTION_CONTINUE);
		fake.policy_fails = false;
		content(&cleartext);
		r = end();
		assert_int_equal(r.outcome.action, ACTION_ACCEPT);
		assert_int_not_equal(r.outcome.would, ACTION_ACCEPT);
	}
}

static void transaction_pause_that_ends_is_believed(void **state)
{
	(void)state;
	use_settings("on_database_error=accept", NULL);
	fake.is_paused = true;
	mail_from("bob@x.test", 500);
	recipient("encrypted@y.test");
	fake.is_paused = false;
	recipient("signed@y.test");
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_REFUSE);
}

static void transaction_failed_look_up_sets_no_class(void **state)
{
	(void)state;
	use_settings("on_database_error=accept", NULL);
	mail_from("bob@x.test", 500);
	fake.policy_fails = true;
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_CONTINUE);
	fake.policy_fails = false;
	assert_int_equal(recipient("passed.exempt@y.test"), TRANSACTION_CONTINUE);
	assert_int_equal(recipient("failed.signed@y.test"), TRANSACTION_DEFER);
	/* Nor does it take one back. */
	fake.policy_fails = true;
	assert_int_equal(recipient("passed.observe@y.test"), TRANSACTION_CONTINUE);
	fake.policy_fails = false;
	assert_int_equal(recipient("failed.signed@y.test"), TRANSACTION_DEFER);
	assert_int_equal(recipient("passed.exempt@y.test"), TRANSACTION_CONTINUE);
}

static void transaction_recipient_without_memory_sets_no_class(void **state)
{
	(void)state;
	mail_from("bob@x.test", 500);
	is_memory_short = true;
	assert_int_equal(recipient("failed.encrypted@y.test"), TRANSACTION_TEMPFAIL);
	is_memory_short = false;
	assert_int_equal(recipient("passed.exempt@y.test"), TRANSACTION_CONTINUE);
	content(&cleartext);
	assert_int_equal(end().outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.n_recipients, 1);
}

static void transaction_failed_look_up_keeps_earlier_recipients(void **state)
{
	static const char *const fates[] = {"on_database_error=accept",
					    "on_database_error=tempfail"};

	(void)state;
	for (size_t i = 0; i < COUNT(fates); i++) {
		use_settings(fates[i], NULL);
		mail_from("bob@x.test", 500);
		recipient("encrypted@y.test");
		fake.policy_fails = true;
		recipient("signed@y.test");
		fake.policy_fails = false;
		recipient("exempt@y.test");
		content(&encrypted);
		assert_int_equal(end().outcome.action, ACTION_ACCEPT);
		assert_int_equal(record.n_recipients, i == 0 ? 3 : 2);
		assert_int_equal(record.recipients[0].demand, REQUIREMENT_ENCRYPTED);
		assert_string_equal(record.addresses[0], "encrypted@y.test");
		assert_string_equal(record.sender, "bob@x.test");
		/* The next message starts from nothing. */
		assert_int_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.action,
				 ACTION_REFUSE);
	}
}

/* A ratchet that could not be asked again keeps what it said at RCPT. */
static void transaction_failed_second_question_keeps_the_first_answer(void **state)
{
	(void)state;
	use_settings("on_database_error=accept", NULL);
	mail_from("bob@x.test", 500);
	recipient("ratchet@y.test");
	content(&cleartext);
	fake.policy_fails = true;
	assert_int_equal(end().outcome.action, ACTION_ACCEPT);
	assert_int_equal(record.recipients[0].requirement, REQUIREMENT_RATCHET);
	assert_int_equal(record.recipients[0].demand, REQUIREMENT_OBSERVE);
}

static void transaction_answer_that_cannot_be_given_is_not_on_record(void **state)
{
	(void)state;
	fake.hand_over_fails = true;
	assert_string_equal(send_to(&encrypted, "encrypted@y.test", NULL).outcome.code, "451");
	assert_string_equal(send_to(&cleartext, "encrypted@y.test", NULL).outcome.code, "451");
	assert_int_equal(fake.n_submitted, 0);
}

static void transaction_without_recipients_is_deferred(void **state)
{
	(void)state;
	mail_from("bob@x.test", 500);
	content(&encrypted);
	assert_string_equal(end().outcome.code, "451");
	mail_from("bob@x.test", 500);
	fake.policy_fails = true;
	recipient("exempt@y.test");
	fake.policy_fails = false;
	content(&encrypted);
	assert_string_equal(end().outcome.code, "451");
	assert_int_equal(fake.n_submitted, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transaction_no_failure_makes_an_answer_harder),
		TEST(transaction_paused_stays_paused_when_a_look_up_fails),
		TEST(transaction_pause_that_ends_is_believed),
		TEST(transaction_failed_look_up_sets_no_class),
		TEST(transaction_recipient_without_memory_sets_no_class),
		TEST(transaction_failed_look_up_keeps_earlier_recipients),
		TEST(transaction_failed_second_question_keeps_the_first_answer),
		TEST(transaction_answer_that_cannot_be_given_is_not_on_record),
		TEST(transaction_without_recipients_is_deferred),
	};

	return run_transaction_tests("test_transaction_faults", tests,
				     sizeof(tests) / sizeof(tests[0]));
}

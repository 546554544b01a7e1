/* SPDX-License-Identifier: ISC
 *
 * answer_request() with a policy of the test's own instead of the database's.
 */
#include "policyd/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/policy.h"

/* ---- what the policy says, and what it was asked ---- */

static struct policy_answer next;
static bool is_failing;
static unsigned n_asked;
static struct {
	char recipient[400], sender[400];
	bool has_client, is_authenticated;
	int64_t size;
	int64_t now_unix;
} asked;

int policy_decide(struct db *d, const struct settings *s, const struct policy_query *q,
		  struct policy_answer *a)
{
	(void)d;
	(void)s;
	n_asked++;
	snprintf(asked.recipient, sizeof asked.recipient, "%s", q->recipient->text);
	snprintf(asked.sender, sizeof asked.sender, "%s", q->sender->text);
	asked.has_client = q->client != NULL;
	asked.is_authenticated = q->is_authenticated;
	asked.size = q->declared_size_bytes;
	asked.now_unix = q->now_unix;
	assert_null(q->header_from);
	assert_false(q->is_submitted_locally);
	if (is_failing)
		return -1;
	*a = next;
	/* The classes of the test's recipients. */
	a->split[0].passed = strncmp(q->recipient->text, "passed", 6) == 0;
	a->n_split = a->split[0].passed || strncmp(q->recipient->text, "failed", 6) == 0 ? 1 : 0;
	return 0;
}

bool policy_split_defers(struct policy_split *t, const struct policy_answer *a)
{
	if (a->n_split == 0)
		return false;
	if (t->n == 0)
		t->seen[t->n++] = a->split[0];
	return t->seen[0].passed != a->split[0].passed;
}

const char *db_error(const struct db *d)
{
	(void)d;
	return "the disk is on fire";
}

/* ---- the fixture ---- */

static struct counts counts;
static struct answer_context context = {.counts = &counts};
static char answer[ANSWER_MAX];
static char err[200];

static void use_settings_two(const char *one, const char *two)
{
	const char *overrides[] = {one, two};

	settings_unref(context.settings);
	context.settings = settings_load("/nonexistent", true, overrides,
					 (one != NULL) + (two != NULL), err, sizeof err);
	if (context.settings == NULL)
		fail_msg("%s", err);
}

static void use_settings(const char *one)
{
	use_settings_two(one, NULL);
}

static int set_up(void **state)
{
	(void)state;
	memset(&next, 0, sizeof next);
	is_failing = false;
	n_asked = 0;
	err[0] = '\0';
	context.instances = instances_new();
	use_settings(NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	instances_free(context.instances);
	settings_unref(context.settings);
	context.settings = NULL;
	return 0;
}

static struct request request_to(const char *recipient)
{
	struct request r = {
		.type = "smtpd_access_policy",
		.protocol_state = "RCPT",
		.instance = "7b.1",
		.sender = "bob@x.test",
		.client_address = "192.0.2.1",
		.size = "100",
	};

	snprintf(r.recipient, sizeof r.recipient, "%s", recipient);
	return r;
}

static const char *ask(const struct request *r)
{
	assert_int_equal(answer_request(&context, r, 1000, 1, answer, err, sizeof err), 0);
	return answer;
}

static const char *ask_about(const char *recipient)
{
	struct request r = request_to(recipient);

	return ask(&r);
}

/* ---- tests ---- */

static void answer_by_requirement_is_what_policy_actions_says(void **state)
{
	(void)state;
	use_settings("policy_actions=exempt=greylist, encrypted=PREPEND X-Pgp: must");
	next.requirement = REQUIREMENT_EXEMPT;
	assert_string_equal(ask_about("a@y.test"), "action=greylist\n\n");
	next.requirement = REQUIREMENT_ENCRYPTED;
	assert_string_equal(ask_about("a@y.test"), "action=PREPEND X-Pgp: must\n\n");
	next.requirement = REQUIREMENT_OBSERVE;
	assert_string_equal(ask_about("a@y.test"), "action=DUNNO\n\n");
}

static void answer_default_is_dunno(void **state)
{
	(void)state;
	for (int r = 0; r < REQUIREMENT_COUNT; r++) {
		next.requirement = (enum requirement)r;
		assert_string_equal(ask_about("a@y.test"), "action=DUNNO\n\n");
	}
}

static void answer_at_other_states_is_dunno_unasked(void **state)
{
	static const char *const states[] = {"",     "CONNECT",	       "EHLO", "HELO", "MAIL",
					     "DATA", "END-OF-MESSAGE", "VRFY", "ETRN", "rcpt"};

	(void)state;
	is_failing = true;
	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct request r = request_to("a@y.test");

		snprintf(r.protocol_state, sizeof r.protocol_state, "%s", states[i]);
		assert_string_equal(ask(&r), "action=DUNNO\n\n");
	}
	assert_int_equal(n_asked, 0);
}

static void answer_without_instance_is_dunno_unasked(void **state)
{
	struct request r = request_to("a@y.test");

	(void)state;
	r.instance[0] = '\0';
	assert_string_equal(ask(&r), "action=DUNNO\n\n");
	assert_int_equal(n_asked, 0);
}

static void answer_asks_with_the_request(void **state)
{
	struct request r = request_to("Alice@Example.ORG");

	(void)state;
	ask(&r);
	assert_string_equal(asked.recipient, "alice@example.org");
	assert_string_equal(asked.sender, "bob@x.test");
	assert_true(asked.has_client);
	assert_false(asked.is_authenticated);
	assert_int_equal(asked.size, 100);
	assert_int_equal(asked.now_unix, 1000);

	r.sender[0] = '\0';
	strcpy(r.client_address, "unknown");
	strcpy(r.sasl_username, "carol");
	ask(&r);
	assert_string_equal(asked.sender, "<>");
	assert_false(asked.has_client);
	assert_true(asked.is_authenticated);
}

static void answer_refuses_nothing_while_nothing_is_refused(void **state)
{
	static const struct {
		const char *actions, *answer;
	} rows[] = {
		{"policy_actions=encrypted=REJECT go away", "action=DUNNO\n\n"},
		{"policy_actions=encrypted=reject", "action=DUNNO\n\n"},
		{"policy_actions=encrypted=DEFER", "action=DUNNO\n\n"},
		{"policy_actions=encrypted=defer_if_permit later", "action=DUNNO\n\n"},
		{"policy_actions=encrypted=DISCARD", "action=DUNNO\n\n"},
		{"policy_actions=encrypted=550 5.7.1 no", "action=DUNNO\n\n"},
		{"policy_actions=encrypted=421 no", "action=DUNNO\n\n"},
		{"policy_actions=encrypted=450", "action=DUNNO\n\n"},
		{"policy_actions=encrypted=rejected_here", "action=rejected_here\n\n"},
		{"policy_actions=encrypted=greylist", "action=greylist\n\n"},
		{"policy_actions=encrypted=PREPEND X-A: REJECT", "action=PREPEND X-A: REJECT\n\n"},
		{"policy_actions=encrypted=WARN", "action=WARN\n\n"},
	};

	(void)state;
	next.requirement = REQUIREMENT_ENCRYPTED;
	next.is_paused = true;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		use_settings(rows[i].actions);
		assert_string_equal(ask_about("a@y.test"), rows[i].answer);
	}
	next.is_paused = false;
	use_settings("policy_actions=encrypted=REJECT");
	assert_string_equal(ask_about("a@y.test"), "action=REJECT\n\n");
	use_settings_two("policy_actions=encrypted=REJECT", "enforce=no");
	assert_string_equal(ask_about("a@y.test"), "action=DUNNO\n\n");
}

static void answer_size_zero_or_odd_is_not_declared(void **state)
{
	static const char *const sizes[] = {"0", "", "-1", "1x", "99999999999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct request r = request_to("a@y.test");

		strcpy(r.size, sizes[i]);
		ask(&r);
		assert_int_equal(asked.size, SIZE_NOT_DECLARED);
	}
}

static void answer_database_failing_is_none(void **state)
{
	struct request r = request_to("a@y.test");

	(void)state;
	is_failing = true;
	assert_int_equal(answer_request(&context, &r, 0, 0, answer, err, sizeof err), -1);
	assert_string_equal(err, "the disk is on fire");
}

static void answer_database_failing_and_accept_is_dunno(void **state)
{
	(void)state;
	is_failing = true;
	use_settings("on_database_error=accept");
	assert_string_equal(ask_about("a@y.test"), "action=DUNNO\n\n");
	assert_string_equal(err, "the disk is on fire");
}

static void answer_other_class_is_deferred_and_repeats_change_nothing(void **state)
{
	(void)state;
	for (int repeat = 0; repeat < 5; repeat++)
		assert_string_equal(ask_about("passed1@y.test"), "action=DUNNO\n\n");
	for (int repeat = 0; repeat < 5; repeat++) {
		assert_int_equal(strncmp(ask_about("failed@y.test"), "action=450 4.7.1 ", 17), 0);
		/* Log summaries group by the text. */
		assert_null(strpbrk(answer + 17, "@,"));
		assert_string_equal(answer + strlen(answer) - 2, "\n\n");
		assert_string_equal(ask_about("passed1@y.test"), "action=DUNNO\n\n");
	}
	assert_string_equal(ask_about("passed2@y.test"), "action=DUNNO\n\n");
	assert_string_equal(ask_about("unknown@y.test"), "action=DUNNO\n\n");
}

static void answer_classes_belong_to_the_instance(void **state)
{
	struct request other = request_to("failed@y.test");

	(void)state;
	strcpy(other.instance, "7b.2");
	assert_string_equal(ask_about("passed@y.test"), "action=DUNNO\n\n");
	assert_string_equal(ask(&other), "action=DUNNO\n\n");
	assert_int_equal(strncmp(ask_about("failed@y.test"), "action=450 ", 11), 0);
}

static void answer_without_class_remembers_nothing(void **state)
{
	(void)state;
	ask_about("a@y.test");
	assert_int_equal(instances_count(context.instances), 0);
}

static void answer_to_one_that_yields_is_the_filters(void **state)
{
	(void)state;
	next.split_yields = true;
	assert_string_equal(ask_about("passed@y.test"), "action=DUNNO\n\n");
	next.split_yields = false;
	/* It set no class. */
	assert_string_equal(ask_about("failed@y.test"), "action=DUNNO\n\n");
	assert_int_equal(strncmp(ask_about("passed@y.test"), "action=450 ", 11), 0);
}

/* As the filter is told by Postfix, which completes them. */
static void answer_without_a_domain_is_that_of_ours(void **state)
{
	struct request r = request_to("alice");

	(void)state;
	strcpy(r.sender, "root");
	ask(&r);
	assert_string_equal(asked.recipient, "alice"); /* Postfix was not asked */
	strcpy(context.settings->postfix->origin, "y.test");
	ask(&r);
	assert_string_equal(asked.recipient, "alice@y.test");
	assert_string_equal(asked.sender, "root@y.test");
	use_settings("unqualified_domain=z.test");
	strcpy(context.settings->postfix->origin, "y.test");
	ask(&r);
	assert_string_equal(asked.recipient, "alice@z.test");
	strcpy(r.recipient, "alice@x.test");
	r.sender[0] = '\0';
	ask(&r);
	assert_string_equal(asked.recipient, "alice@x.test");
	assert_string_equal(asked.sender, "<>");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(answer_by_requirement_is_what_policy_actions_says),
		TEST(answer_default_is_dunno),
		TEST(answer_at_other_states_is_dunno_unasked),
		TEST(answer_without_instance_is_dunno_unasked),
		TEST(answer_asks_with_the_request),
		TEST(answer_refuses_nothing_while_nothing_is_refused),
		TEST(answer_size_zero_or_odd_is_not_declared),
		TEST(answer_database_failing_is_none),
		TEST(answer_database_failing_and_accept_is_dunno),
		TEST(answer_other_class_is_deferred_and_repeats_change_nothing),
		TEST(answer_classes_belong_to_the_instance),
		TEST(answer_without_class_remembers_nothing),
		TEST(answer_to_one_that_yields_is_the_filters),
		TEST(answer_without_a_domain_is_that_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

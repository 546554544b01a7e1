/* SPDX-License-Identifier: ISC
 *
 * Mixed recipients: what is kept of a message that was split, and whom it defers. Time is given,
 * never waited for.
 */
#include "tests/unit/policy_fixture.h"

#include "db/policy/split.h"
#include "db/record/verdict_write.h"

#define SENDER "bob@x.test"
#define RECIPIENTS_MAX_HERE 40

/* A message: "a+b-c-" went to a, whose demand it met, and to b and c, whose it failed. */
struct sent {
	const char *who;
	unsigned char digest;
	enum action action;
	int64_t size, time_unix;
	const char *sender;
	bool is_vain, counts_attempt;
};

/* Who sends it, and asks. */
static const char *client = STRANGER;

static void write_message(struct fixture *f, struct db *d, const struct sent *m)
{
	const struct judgement j = {.verdict = VERDICT_CLEARTEXT, .reason = "test"};
	struct verdict_recipient to[RECIPIENTS_MAX_HERE];
	char address[RECIPIENTS_MAX_HERE][16];
	struct verdict_record r = {.time_unix = m->time_unix,
				   .queue_id = "Q",
				   .sender = m->sender != NULL ? m->sender : SENDER,
				   .is_sender_trustworthy = true,
				   .client = client,
				   .client_name = fixture_client_name,
				   .declared_size_bytes = m->size,
				   .judgement = &j,
				   .action = m->action,
				   .would = m->action,
				   .recipients = to,
				   .has_split_digest = true,
				   .counts_attempt = m->counts_attempt,
				   .is_vain = m->is_vain};
	struct stored_verdict v;
	struct daily_sums daily = {.n = 0};

	memset(r.split_digest, m->digest, sizeof r.split_digest);
	for (const char *p = m->who; *p != '\0'; p += 2) {
		snprintf(address[r.n_recipients], sizeof address[0], "%c@y.test", *p);
		to[r.n_recipients] = (struct verdict_recipient){.address = address[r.n_recipients],
								.is_trustworthy = true,
								.requirement = ENCRYPTED,
								.demand = ENCRYPTED,
								.source = SOURCE_DEFAULT,
								.passes = p[1] == '+'};
		r.n_recipients++;
	}
	assert_int_equal(stored_verdict_fill(&v, &d->hashed, f->settings, &r), 0);
	assert_int_equal(db_begin_write(d), 0);
	assert_int_equal(db_end(d, stored_verdict_write(d, &v, &daily)), 0);
	arena_reset(&v.arena);
}

/* RCPT of each one in turn: '.' taken, 'd' deferred. */
static const char *transaction(struct fixture *f, struct db *d, const char *who, const char *sender,
			       int64_t size, int64_t now)
{
	static char out[RECIPIENTS_MAX_HERE + 1];
	struct policy_split t = {.n = 0};
	size_t n = 0;

	for (; *who != '\0'; who++) {
		char address[16];
		struct envelope e = {address, sender, client, false, false};
		struct policy_answer a;

		snprintf(address, sizeof address, "%c@y.test", *who);
		a = ask_at(d, f->settings, &e, NULL, size, now, NULL);
		out[n++] = policy_split_defers(&t, &a) ? 'd' : '.';
	}
	out[n] = '\0';
	return out;
}

struct fresh {
	struct fixture f;
	struct db *d;
};

static void begin(struct fresh *x, const char *mode)
{
	fixture_begin(&x->f);
	fixture_use(&x->f, fixture_settings(&x->f, mode, NULL));
	x->d = fixture_open(&x->f, DB_WRITE);
}

static void end(struct fresh *x)
{
	db_close(x->d);
	fixture_end(&x->f);
}

static void expect(struct fresh *x, const char *who, int64_t size, int64_t now,
		   const char *expected)
{
	assert_string_equal(transaction(&x->f, x->d, who, SENDER, size, now), expected);
}

static void split_each_class_comes_on_its_own_for_a_day(void **state)
{
	static const char *const modes[] = {"log_addresses=full", "log_addresses=hashed"};
	static const int64_t sizes[] = {1234, SIZE_NOT_DECLARED};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const int64_t size = sizes[i / 2];
		const struct sent m = {"a+b-c-", 1, ACTION_SPLIT, size, NOW, NULL, false, false};
		struct fresh x;

		begin(&x, modes[i % 2]);
		write_message(&x.f, x.d, &m);
		expect(&x, "abc", size, NOW + 1, ".dd");
		expect(&x, "bac", size, NOW + 1, ".d.");
		expect(&x, "babab", size, NOW + 1, ".d.d."); /* asked again */
		expect(&x, "eba", size, NOW + 1, "..d");     /* e was in no such message */
		expect(&x, "ab", 1235, NOW + 1, "..");
		expect(&x, "ab", size == 1234 ? SIZE_NOT_DECLARED : 1234, NOW + 1, "..");
		assert_string_equal(transaction(&x.f, x.d, "ab", "eve@x.test", size, NOW + 1),
				    "..");
		expect(&x, "ab", size, NOW + 86399, ".d");
		expect(&x, "ab", size, NOW + 86400, "..");
		end(&x);
	}
}

static void split_zero_is_no_size(void **state)
{
	const struct sent m = {"a+b-", 1, ACTION_SPLIT, 0, NOW, NULL, false, false};
	struct fresh x;

	(void)state;
	begin(&x, "log_addresses=full");
	write_message(&x.f, x.d, &m);
	expect(&x, "ab", SIZE_NOT_DECLARED, NOW + 1, ".d");
	end(&x);
}

static void split_ends_with_the_last_answer(void **state)
{
	static const enum action final[] = {ACTION_ACCEPT, ACTION_REFUSE, ACTION_QUARANTINE,
					    ACTION_TAG};
	struct sent m = {"a+b-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct fresh x;

		begin(&x, "log_addresses=full");
		m = (struct sent){"a+b-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
		write_message(&x.f, x.d, &m);
		m.who = "a+";
		m.action = ACTION_TEMPFAIL; /* no answer */
		write_message(&x.f, x.d, &m);
		expect(&x, "ab", 1234, NOW + 1, ".d");
		m.action = final[i];
		m.digest = 2; /* another message */
		write_message(&x.f, x.d, &m);
		expect(&x, "ab", 1234, NOW + 1, ".d");
		m.digest = 1;
		write_message(&x.f, x.d, &m);
		expect(&x, "ab", 1234, NOW + 1, "..");
		expect(&x, "ba", 1234, NOW + 1, "..");
		end(&x);
	}
}

/* Cleartext and signed mail of one sender and size, on their way together: c takes what is signed.
 */
static void split_two_messages_of_one_size_are_told_apart(void **state)
{
	const struct sent cleartext = {"a+b-c-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	const struct sent is_signed = {"a+b-c+", 2, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	struct sent answered = is_signed;
	struct fresh x;

	(void)state;
	for (int order = 0; order < 2; order++) {
		begin(&x, "log_addresses=full");
		write_message(&x.f, x.d, order == 0 ? &cleartext : &is_signed);
		write_message(&x.f, x.d, order == 0 ? &is_signed : &cleartext);
		/* Whichever of the two it is, nobody comes with one who wants another answer. */
		expect(&x, "abc", 1234, NOW + 1, ".dd");
		expect(&x, "bca", 1234, NOW + 1, ".dd");
		expect(&x, "cab", 1234, NOW + 1, ".dd");
		answered.action = ACTION_ACCEPT;
		answered.who = "a+c+";
		write_message(&x.f, x.d, &answered);
		expect(&x, "bca", 1234, NOW + 1, "..d"); /* only the cleartext is left */
		end(&x);
	}
}

/* Two messages that have nobody in common to be told apart for do not hold up a third one. */
static void split_defers_only_for_a_message_that_both_were_in(void **state)
{
	const struct sent one = {"a+b-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	const struct sent two = {"c-d+", 2, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	struct fresh x;

	(void)state;
	begin(&x, "log_addresses=full");
	write_message(&x.f, x.d, &one);
	write_message(&x.f, x.d, &two);
	expect(&x, "acbd", 1234, NOW + 1, "..dd");
	end(&x);
}

static void split_the_smaller_class_waits_where_the_other_is_large(void **state)
{
	static const struct {
		const char *label, *sent, *who, *expected, *answered, *afterwards;
	} rows[] = {
		{"8 and 8: the first", "a-1+2+3+4+5+6+7+8+b-c-d-e-f-g-h-", "a1b2", ".d.d",
		 "a-b-c-d-e-f-g-h-", "12"},
		{"1 protected first, 9", "a-1+2+3+4+5+6+7+8+9+", "a123456789", "d.........",
		 "1+2+3+4+5+6+7+8+9+", "a"},
		{"1 exempt last, 9", "a-b-c-d-e-f-g-h-i-1+", "abcdefghi1", ".........d",
		 "a-b-c-d-e-f-g-h-i-", "1"},
		{"8 first, 9", "1+2+3+4+5+6+7+8+a-b-c-d-e-f-g-h-i-", "12345678abcdefghi",
		 "dddddddd.........", "a-b-c-d-e-f-g-h-i-", "12345678"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sent m = {rows[i].sent, 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
		const char *got;
		struct fresh x;

		begin(&x, "log_addresses=full");
		write_message(&x.f, x.d, &m);
		got = transaction(&x.f, x.d, rows[i].who, SENDER, 1234, NOW + 1);
		if (strcmp(got, rows[i].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].label, got, rows[i].expected);
		m.who = rows[i].answered;
		m.action = ACTION_REFUSE;
		write_message(&x.f, x.d, &m);
		got = transaction(&x.f, x.d, rows[i].afterwards, SENDER, 1234, NOW + 1);
		if (strchr(got, 'd') != NULL)
			fail_msg("%s: afterwards %s", rows[i].label, got);
		end(&x);
	}
}

/* Each has one class that would wait for the other message's: the transaction must not come to
 * nothing. */
static void split_two_messages_do_not_wait_for_each_other(void **state)
{
	const struct sent one = {
		"a+b-c-d-e-f-g-h-i-j-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	const struct sent two = {
		"b-a+1+2+3+4+5+6+7+8+", 2, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	struct fresh x;

	(void)state;
	begin(&x, "log_addresses=full");
	write_message(&x.f, x.d, &one);
	write_message(&x.f, x.d, &two);
	expect(&x, "ab", 1234, NOW + 1, "d.");
	end(&x);
}

static void split_that_leads_nowhere_is_given_up(void **state)
{
	struct sent m = {"a+b-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	struct sent vain = {"", 0, ACTION_TEMPFAIL, 1234, NOW + 1, NULL, true, false};
	const struct envelope to_b = {"b@y.test", SENDER, STRANGER, false, false};
	struct fresh x;

	(void)state;
	begin(&x, "log_addresses=full");
	write_message(&x.f, x.d, &m);
	for (int i = 0; i < 2; i++) {
		write_message(&x.f, x.d, &vain);
		expect(&x, "ab", 1234, NOW + 1, ".d");
	}
	vain.size = 1235; /* another message's */
	write_message(&x.f, x.d, &vain);
	expect(&x, "ab", 1234, NOW + 1, ".d");
	vain.size = 1234;
	write_message(&x.f, x.d, &vain);
	expect(&x, "ab", 1234, NOW + 1, "..");
	assert_true(ask_at(x.d, x.f.settings, &to_b, NULL, 1234, NOW + 1, NULL).is_split_vain);
	/* An answer shows that it leads somewhere. */
	m.who = "z+";
	m.action = ACTION_ACCEPT;
	write_message(&x.f, x.d, &m);
	expect(&x, "ab", 1234, NOW + 1, ".d");
	end(&x);
}

/* Those of the smaller class who come by themselves, since their time has come, must not be what
 * refuses the message. */
static void split_whoever_waits_alone_waits_three_times_only(void **state)
{
	const struct sent m = {
		"a+1-2-3-4-5-6-7-8-9-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	const struct sent vain = {"", 0, ACTION_TEMPFAIL, 1234, NOW + 1, NULL, true, false};
	const struct envelope to_a = {"a@y.test", SENDER, STRANGER, false, false};
	const struct envelope to_1 = {"1@y.test", SENDER, STRANGER, false, false};
	struct fresh x;

	(void)state;
	begin(&x, "log_addresses=full");
	write_message(&x.f, x.d, &m);
	for (int n = 0; n < 6; n++) {
		expect(&x, "a", 1234, NOW + 1, n < 3 ? "d" : ".");
		expect(&x, "1a2", 1234, NOW + 1, ".d.");
		expect(&x, "a1", 1234, NOW + 1, n < 3 ? "d." : ".d");
		write_message(&x.f, x.d, &vain);
	}
	expect(&x, "1a2", 1234, NOW + 1, "...");
	assert_true(ask_at(x.d, x.f.settings, &to_a, NULL, 1234, NOW + 1, NULL).is_split_vain);
	assert_true(ask_at(x.d, x.f.settings, &to_1, NULL, 1234, NOW + 1, NULL).is_split_vain);
	end(&x);
}

static void split_is_known_by_a_sender_with_another_tag(void **state)
{
	const struct sent m = {"a+b-", 1,    ACTION_SPLIT, 1234, NOW, "prvs=0123abcdef=bob@x.test",
			       false,  false};
	struct fresh x;

	(void)state;
	begin(&x, "log_addresses=full");
	write_message(&x.f, x.d, &m);
	assert_string_equal(
		transaction(&x.f, x.d, "ab", "prvs=1123abcdee=bob@x.test", 1234, NOW + 1), ".d");
	end(&x);
}

static void split_sender_is_known_again(void **state)
{
	static const struct {
		const char *sender, *expected;
	} rows[] = {
		{"bob@x.test", "bob@x.test"},
		{"<>", "<>"},
		{"prvs=0123abcdef=bob@x.test", "bob@x.test"},
		{"prvs=0123abcde=bob@x.test", "prvs=0123abcde=bob@x.test"},
		{"prvs=0123abcdef@x.test", "prvs=0123abcdef@x.test"},
		{"btv1==0123abcdef==bob@x.test", "bob@x.test"},
		{"btv1==0123abcdef=bob@x.test", "btv1==0123abcdef=bob@x.test"},
		{"srs0=abcd=5x=x.test=bob@fwd.test", "srs0=x.test=bob@fwd.test"},
		{"srs0+abcd=5x=x.test=bob@fwd.test", "srs0=x.test=bob@fwd.test"},
		{"srs0=abcd=5x@fwd.test", "srs0=abcd=5x@fwd.test"},
		{"srs0", "srs0"},
		{"srs0=", "srs0="},
		{"srs1=ab=fwd.test==cd=5x=x.test=bob@two.test",
		 "srs1=fwd.test=x.test=bob@two.test"},
		{"srs1=ab=fwd.test=+cd=5x=x.test=bob@two.test",
		 "srs1=fwd.test=x.test=bob@two.test"},
		{"srs1=ab=fwd.test=x@two.test", "srs1=ab=fwd.test=x@two.test"},
		{"srs1=ab=@two.test", "srs1=ab=@two.test"},
		{"srs1=ab=f=", "srs1=ab=f="},
		{"srs2=abcd=5x=x.test=bob@fwd.test", "srs2=abcd=5x=x.test=bob@fwd.test"},
	};
	char out[ADDRESS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(split_sender(rows[i].sender, out), rows[i].expected);
}

/* As Sendmail does: what its first attempt left behind is nobody's. */
static void split_again_with_another_size_is_the_same_message(void **state)
{
	struct sent m = {"a+b-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	const struct sent another = {"a+b-", 2, ACTION_SPLIT, 1234, NOW, NULL, false, false};
	struct fresh x;

	(void)state;
	begin(&x, "log_addresses=full");
	write_message(&x.f, x.d, &m);
	expect(&x, "ab", 1234, NOW + 1, ".d");
	m.size = 1300;
	write_message(&x.f, x.d, &m);
	expect(&x, "ab", 1234, NOW + 1, "..");
	expect(&x, "ab", 1300, NOW + 1, ".d");
	write_message(&x.f, x.d, &another);
	expect(&x, "ab", 1234, NOW + 1, ".d");
	expect(&x, "ab", 1300, NOW + 1, ".d");
	end(&x);
}

/* An address may be anybody's: what a stranger leaves behind under a partner's must not delay the
 * partner. */
static void split_counts_for_the_client_that_was_there_only(void **state)
{
	static const struct {
		const char *client, *name, *again, *again_name, *expected;
	} rows[] = {
		{"192.0.2.1", NULL, "192.0.2.1", NULL, ".d"},
		{"192.0.2.1", NULL, "192.0.2.254", "unknown", ".d"},
		{"192.0.2.1", NULL, "192.0.3.1", NULL, ".."},
		{"2001:db8:1:2::1", "", "2001:db8:1:2:ffff::9", NULL, ".d"},
		{"2001:db8:1:2::1", "", "2001:db8:1:3::1", NULL, ".."},
		{"192.0.2.1", "a1.out.pool.test", "203.0.113.9", "B2.in.Pool.Test.", ".d"},
		{"192.0.2.1", "a1.out.pool.test", "192.0.2.1", "a1.out.other.test", ".."},
		{"192.0.2.1", "a1.out.pool.test", "192.0.2.1", NULL, ".."},
		{"192.0.2.1", "a.one.co.uk", "192.0.2.1", "a.two.co.uk", ".."},
		{"192.0.2.1", "[192.0.2.1]", "192.0.2.7", "localhost", ".d"},
		{"192.0.2.1", "192.0.2.1", "192.0.2.7", NULL, ".d"},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
		const size_t k = i / 2;
		const struct sent m = {"a+b-", 1, ACTION_SPLIT, 1234, NOW, NULL, false, false};
		const char *got;
		struct fresh x;

		begin(&x, i % 2 == 0 ? "log_addresses=full" : "log_addresses=hashed");
		client = rows[k].client;
		fixture_client_name = rows[k].name;
		write_message(&x.f, x.d, &m);
		client = rows[k].again;
		fixture_client_name = rows[k].again_name;
		got = transaction(&x.f, x.d, "ab", SENDER, 1234, NOW + 1);
		if (strcmp(got, rows[k].expected) != 0)
			fail_msg("%s %s, then %s %s: %s", rows[k].client,
				 rows[k].name != NULL ? rows[k].name : "", rows[k].again,
				 rows[k].again_name != NULL ? rows[k].again_name : "", got);
		end(&x);
	}
	client = STRANGER;
	fixture_client_name = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_each_class_comes_on_its_own_for_a_day),
		cmocka_unit_test(split_zero_is_no_size),
		cmocka_unit_test(split_ends_with_the_last_answer),
		cmocka_unit_test(split_two_messages_of_one_size_are_told_apart),
		cmocka_unit_test(split_defers_only_for_a_message_that_both_were_in),
		cmocka_unit_test(split_the_smaller_class_waits_where_the_other_is_large),
		cmocka_unit_test(split_two_messages_do_not_wait_for_each_other),
		cmocka_unit_test(split_that_leads_nowhere_is_given_up),
		cmocka_unit_test(split_whoever_waits_alone_waits_three_times_only),
		cmocka_unit_test(split_again_with_another_size_is_the_same_message),
		cmocka_unit_test(split_counts_for_the_client_that_was_there_only),
		cmocka_unit_test(split_is_known_by_a_sender_with_another_tag),
		cmocka_unit_test(split_sender_is_known_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

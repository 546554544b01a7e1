/* SPDX-License-Identifier: ISC
 *
 * Mixed recipients in numbers: clients that bring messages for up to a thousand recipients again
 * and again, several messages of one sender and size at once, to the policy as the filter and the
 * policy server ask it. No transaction has more than eight deferred recipients, and each recipient
 * of each message gets one answer, the right one. PGPGATE_SPLIT=all: every number.
 */
#include "tests/unit/policy_fixture.h"

#include "db/policy/policy_internal.h"
#include "db/policy/split.h"
#include "db/record/verdict_write.h"

#define SIZE 1234
#define PEOPLE_MAX 1000
#define MESSAGES_MAX 4
#define ROUND_S 400 /* longer than ATTEMPT_INTERVAL_S: each attempt would count */
#define SPLIT_ATTEMPTS_MAX 2

/* How a client and the server before us behave. */
struct world {
	bool has_policyd;
	bool is_stressed; /* the first error hangs up */
	int batch;	  /* recipients in a transaction */
};

struct message {
	int n_people;
	int person[PEOPLE_MAX];	 /* in its client's order */
	bool passes[PEOPLE_MAX]; /* by person */
	bool is_open[PEOPLE_MAX], was_refused[PEOPLE_MAX];
	int n_open, n_rounds;
	int pause;	  /* between attempts, in rounds, about; below 2: it comes in each */
	bool is_too_many; /* of both: in a transaction together it could not be split */
};

struct play {
	struct fixture f;
	struct db *d;
	struct world world;
	int64_t now;
	int n_messages, most_deferred;
	struct message message[MESSAGES_MAX];
	const char *label;
};

static struct play play;

static const char *address_of(int person, char out[32])
{
	snprintf(out, 32, "p%d@y.test", person);
	return out;
}

static void ask(int person, struct policy_answer *a)
{
	struct address recipient, sender;
	struct netaddr client;
	char text[32], err[200];
	const struct policy_query q = {.recipient = &recipient,
				       .sender = &sender,
				       .client = &client,
				       .declared_size_bytes = SIZE,
				       .now_unix = play.now};

	address_of(person, text);
	address_canonical(text, strlen(text), &recipient);
	address_canonical("bob@x.test", 10, &sender);
	assert_int_equal(netaddr_parse(STRANGER, &client, err, sizeof err), 0);
	memset(a, 0, sizeof *a);
	assert_int_equal(policy_ask_split(play.d, &q, a), 0);
}

static void put(int which, enum action action, const int *person, int n, bool is_vain, bool counts)
{
	static const struct judgement j = {.verdict = VERDICT_CLEARTEXT, .reason = "test"};
	static struct verdict_recipient to[PEOPLE_MAX];
	static char address[PEOPLE_MAX][32];
	struct verdict_record r = {.time_unix = play.now,
				   .queue_id = "Q",
				   .sender = "bob@x.test",
				   .is_sender_trustworthy = true,
				   .client = STRANGER,
				   .declared_size_bytes = SIZE,
				   .judgement = &j,
				   .action = action,
				   .would = action,
				   .recipients = to,
				   .n_recipients = (size_t)n,
				   .has_split_digest = !is_vain,
				   .counts_attempt = counts,
				   .is_vain = is_vain};
	struct stored_verdict v;

	memset(r.split_digest, 'a' + which, sizeof r.split_digest);
	memset(r.attempt_digest, 'a' + which, sizeof r.attempt_digest);
	for (int i = 0; i < n; i++)
		to[i] = (struct verdict_recipient){.address = address_of(person[i], address[i]),
						   .is_trustworthy = true,
						   .passes = play.message[which].passes[person[i]]};
	assert_int_equal(stored_verdict_fill(&v, &play.d->hashed, play.f.settings, &r), 0);
	assert_int_equal(db_begin_write(play.d), 0);
	assert_int_equal(db_end(play.d, stored_verdict_split(play.d, &v)), 0);
	arena_reset(&v.arena);
}

/* What filter/ending.c makes of those who were taken. */
static void content(int which, const struct policy_split *split, const int *taken, int n,
		    bool has_evidence, bool is_vain)
{
	struct message *m = &play.message[which];
	unsigned char digest[32];
	int n_passed = 0;
	bool counts;

	memset(digest, 'a' + which, sizeof digest);
	for (int i = 0; i < n; i++)
		n_passed += m->passes[taken[i]];
	if (n_passed > 0 && n_passed < n && !(is_vain && policy_split_may_be(split, digest)) &&
	    (n_passed <= SPLIT_DEFER_MAX || n - n_passed <= SPLIT_DEFER_MAX)) {
		counts = !has_evidence || policy_split_is_over(split, digest);
		if (!counts ||
		    policy_split_attempts(play.d, digest, play.now) < SPLIT_ATTEMPTS_MAX) {
			put(which, ACTION_SPLIT, taken, n, false, counts);
			return;
		}
	}
	for (int i = 0; i < n; i++) {
		m->is_open[taken[i]] = false;
		m->was_refused[taken[i]] = n_passed < n;
	}
	m->n_open -= n;
	put(which, n_passed < n ? ACTION_REFUSE : ACTION_ACCEPT, taken, n, false, false);
}

static void transaction(int which, const int *person, int n)
{
	static int taken[PEOPLE_MAX];
	struct policy_split filter = {.n = 0}, policyd = {.n = 0};
	int n_taken = 0, n_deferred = 0;
	bool has_evidence = false, is_vain = false;

	assert_int_equal(db_begin_read(play.d), 0);
	for (int i = 0; i < n; i++) {
		struct policy_answer a;
		bool defers = false;

		ask(person[i], &a);
		for (int repeat = 0; play.world.has_policyd && repeat < 2; repeat++)
			defers = policy_split_defers(&policyd, &a) && policy_split_is_small(&a);
		if (!defers) {
			has_evidence = has_evidence || a.n_split > 0;
			is_vain = is_vain || a.is_split_vain;
			defers = policy_split_defers(&filter, &a);
		}
		if (!defers) {
			taken[n_taken++] = person[i];
			continue;
		}
		n_deferred++;
		if (play.world.is_stressed) {
			n_taken = 0;
			break;
		}
	}
	assert_int_equal(db_end(play.d, 0), 0);
	if (n_deferred > play.most_deferred)
		play.most_deferred = n_deferred;
	if (n_deferred > SPLIT_DEFER_MAX)
		fail_msg("%s: %d deferred", play.label, n_deferred);
	if (n_taken > 0)
		content(which, &filter, taken, n_taken, has_evidence, is_vain);
	else if (has_evidence)
		put(which, ACTION_TEMPFAIL, taken, 0, true, false);
}

static void bring(int which)
{
	struct message *m = &play.message[which];
	static int left[PEOPLE_MAX];
	int n = 0;

	for (int i = 0; i < m->n_people; i++)
		if (m->is_open[m->person[i]])
			left[n++] = m->person[i];
	if (n > 0)
		m->n_rounds++;
	for (int i = 0; i < n; i += play.world.batch)
		transaction(which, left + i, n - i < play.world.batch ? n - i : play.world.batch);
}

static uint64_t seed;
static int chance(int n) /* the same numbers everywhere */
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((seed >> 33) % (uint64_t)n);
}

/* A message to n people, of whom n_failing take no such mail; order: 0 those first, 1 last, 2 as it
 * comes. */
static void write_letter(int which, int n, int n_failing, int order)
{
	struct message *m = &play.message[which];

	memset(m, 0, sizeof *m);
	m->n_people = m->n_open = n;
	m->is_too_many = n_failing > SPLIT_DEFER_MAX && n - n_failing > SPLIT_DEFER_MAX;
	for (int i = 0; i < n; i++) {
		m->person[i] = i;
		m->is_open[i] = true;
		m->passes[i] = order == 1 ? i < n - n_failing : i >= n_failing;
	}
	for (int i = n - 1; order == 2 && i > 0; i--) {
		const int k = chance(i + 1), one = m->person[i];

		m->person[i] = m->person[k];
		m->person[k] = one;
	}
}

static void begin(const char *label, struct world world)
{
	memset(&play, 0, sizeof play);
	play.label = label;
	play.world = world;
	play.now = NOW;
	fixture_begin(&play.f);
	fixture_use(&play.f, fixture_settings(&play.f, "log_addresses=full", NULL));
	play.d = fixture_open(&play.f, DB_WRITE);
}

static void again(void)
{
	assert_int_equal(db_begin_write(play.d), 0);
	assert_int_equal(sqlite3_exec(play.d->handle,
				      "DELETE FROM split_evidence; DELETE FROM split_vain;"
				      "DELETE FROM split_attempt",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(db_end(play.d, 0), 0);
}

static void finish(void)
{
	db_close(play.d);
	fixture_end(&play.f);
}

/* All messages again and again until everybody has an answer; then whether it is the right one. A
 * message comes in one round of its pause, by chance. most: rounds. */
static void run(int n_messages, int most, const char *what)
{
	int n_open = 1;

	for (int round = 0; n_open > 0; round++, play.now += ROUND_S) {
		if (round == most)
			fail_msg("%s, %s: %d without an answer after %d rounds", play.label, what,
				 n_open, most);
		n_open = 0;
		for (int k = 0; k < n_messages; k++)
			if (play.message[k].pause < 2 || chance(play.message[k].pause) == 0)
				bring(k);
		for (int k = 0; k < n_messages; k++)
			n_open += play.message[k].n_open;
	}
	for (int k = 0; k < n_messages; k++) {
		const struct message *m = &play.message[k];

		for (int i = 0; i < m->n_people; i++) {
			const int one = m->person[i];

			if (!m->passes[one] && !m->was_refused[one])
				fail_msg("%s, %s: delivered to one who refuses", play.label, what);
			if (m->passes[one] && m->was_refused[one] && !m->is_too_many &&
			    !play.world.is_stressed)
				fail_msg("%s, %s: message %d of %d: refused for the sake of others",
					 play.label, what, k, m->n_people);
		}
	}
	again();
}

static const struct {
	const char *label;
	struct world world;
} worlds[] = {
	{"filter alone", {false, false, PEOPLE_MAX}},
	{"both", {true, false, PEOPLE_MAX}},
	{"stress", {false, true, PEOPLE_MAX}},
	{"stress, both", {true, true, PEOPLE_MAX}},
};

static bool is_chosen(int n, int n_messages, int order)
{
	static const int few[] = {2, 3, 9, 16, 17, 21}, many[] = {10, 18, 20, 51, 100};
	const char *all = getenv("PGPGATE_SPLIT");
	bool found = n == PEOPLE_MAX && n_messages == 1 && order == 2;

	if (all != NULL && strcmp(all, "all") == 0)
		return n_messages == 1 || n <= 40 || n % 97 == 0 || n == PEOPLE_MAX;
	for (size_t i = 0; i < sizeof few / sizeof few[0]; i++)
		found = found || n == few[i] || (n_messages <= 2 && i < 5 && n == many[i]);
	return found;
}

/* 1, half, all but one of the first; of the others, which are for the same people, as many or as it
 * comes. */
static void split_cap_holds_for_any_number(void **state)
{
	char what[100];

	(void)state;
	for (size_t w = 0; w < sizeof worlds / sizeof worlds[0]; w++) {
		begin(worlds[w].label, worlds[w].world);
		for (int k = 1; k <= MESSAGES_MAX; k++)
			for (int n = 2; n <= PEOPLE_MAX; n++) {
				const int shares[] = {1, n / 2, n - 1};

				for (int s = 0; s < 3; s++)
					for (int order = 0; order < 3; order++) {
						if (!is_chosen(n, k, order))
							continue;
						snprintf(what, sizeof what,
							 "%d messages, %d of %d, order %d", k,
							 shares[s], n, order);
						seed = (uint64_t)(n * 9 + s * 3 + order);
						write_letter(0, n, shares[s], order);
						for (int i = 1; i < k; i++)
							write_letter(i, n,
								     i % 2 == 1
									     ? shares[(s + i) % 3]
									     : chance(n + 1),
								     chance(3));
						run(k,
						    worlds[w].world.is_stressed ? 6 + 8 * k
										: 3 + 2 * k,
						    what);
					}
			}
		print_message("%s: at most %d deferred in a transaction\n", worlds[w].label,
			      play.most_deferred);
		finish();
	}
}

static void give_up(int which)
{
	memset(&play.message[which], 0, sizeof play.message[which]);
}

/* A message that is given up by its client, and comes first: the others go on without it. */
static void split_cap_does_not_wait_for_what_never_comes(void **state)
{
	(void)state;
	begin("given up", worlds[1].world);
	for (int order = 0; order < 3; order++)
		for (int n = 10; n <= 40; n += 3) {
			write_letter(0, n, 8, order);
			bring(0);
			write_letter(1, n, n / 3, (order + 1) % 3);
			write_letter(2, n, 7, (order + 2) % 3);
			give_up(0);
			play.now += ROUND_S;
			run(3, 12, "one never comes again");
		}
	finish();
}

/* Each client has its own pauses, and some give up: none stands in the way of another for long. Of
 * some thousand such plays one ends with what rule 5 of MIXED RECIPIENTS says: a refusal for all.
 */
static void split_cap_lets_everybody_through_at_any_pace(void **state)
{
	char what[100];

	(void)state;
	begin("at any pace", worlds[1].world);
	for (unsigned s = 1; s <= 400; s++) {
		const int n = (seed = s, 2 + chance(29)), k = 2 + chance(MESSAGES_MAX - 1);

		for (int i = 0; i < k; i++) {
			write_letter(i, n, chance(n + 1), chance(3));
			play.message[i].pause = 1 + chance(8);
		}
		for (int i = 0; i < k; i++) {
			bring(i);
			play.now += 100;
			if (chance(4) == 0)
				give_up(i);
		}
		snprintf(what, sizeof what, "seed %u, %d messages to %d", s, k, n);
		run(k, 1000, what);
		for (int i = 0; i < k; i++)
			if (play.message[i].n_rounds > 12 * k)
				fail_msg("%s: message %d came %d times", what, i,
					 play.message[i].n_rounds);
	}
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_cap_holds_for_any_number),
		cmocka_unit_test(split_cap_lets_everybody_through_at_any_pace),
		cmocka_unit_test(split_cap_does_not_wait_for_what_never_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

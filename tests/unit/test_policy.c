/* SPDX-License-Identifier: ISC
 *
 * The decision by rules: tables of rules, envelope, and what holds. Time is given, never waited
 * for.
 */
#include "tests/unit/policy_fixture.h"

#define RULES_MAX 8

struct row {
	const char *label;
	const char *rules[RULES_MAX]; /* numbered from 1, as rule ids */
	struct envelope envelope;
	enum requirement requirement;
	enum policy_source source;
	int64_t rule; /* index into rules, from 1; 0: none */
};

static void run_rows(const struct row *rows, size_t n, const char *override, const char *override2)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct fixture f;
		struct policy_answer a;
		struct db *d;

		fixture_begin(&f);
		if (override != NULL)
			fixture_use(&f, fixture_settings(&f, override, override2, NULL));
		d = fixture_open(&f, DB_WRITE);
		for (size_t r = 0; r < RULES_MAX && row->rules[r] != NULL; r++) {
			struct rule rule = fixture_rule(row->rules[r], NOW);

			assert_int_equal(rules_add(d, &rule, NOW - 1000, NULL, NULL), 0);
			assert_int_equal(rule.id, r + 1);
		}
		a = ask_at(d, f.settings, &row->envelope, NULL, SIZE_NOT_DECLARED, NOW, NULL);
		if (a.requirement != row->requirement || a.source != row->source ||
		    a.rule_id != row->rule)
			fail_msg("%s: got %s from %s, rule %lld (%s)", row->label,
				 requirement_name(a.requirement), policy_source_name(a.source),
				 (long long)a.rule_id, a.why);
		db_close(d);
		fixture_end(&f);
	}
}

static const struct row precedence[] = {
	/* recipients, most specific first */
	{"no rule", {0}, TO("a@b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"other recipient", {"exempt c@b.test"}, TO("a@b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"mailbox", {"exempt a@b.test"}, TO("a@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"mailbox, case", {"exempt a@b.test"}, TO("A@B.Test"), EXEMPT, SOURCE_RULE, 1},
	{"mailbox, trailing dot", {"exempt a@b.test"}, TO("a@b.test."), EXEMPT, SOURCE_RULE, 1},
	{"mailbox, quoted", {"exempt a@b.test"}, TO("\"a\"@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"extension, mailbox rule", {"exempt a@b.test"}, TO("a+x@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"extension before mailbox",
	 {"exempt a@b.test", "signed a+x@b.test"},
	 TO("a+x@b.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"extension rule, no extension",
	 {"signed a+x@b.test"},
	 TO("a@b.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"mailbox before domain",
	 {"exempt b.test", "signed a@b.test"},
	 TO("a@b.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"domain", {"exempt b.test"}, TO("a@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"domain, not below", {"exempt b.test"}, TO("a@c.b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"domain, @ form", {"exempt @b.test"}, TO("a@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"domain before subdomains",
	 {"exempt .b.test", "signed c.b.test"},
	 TO("a@c.b.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"subdomains, deep", {"exempt .b.test"}, TO("a@d.c.b.test"), EXEMPT, SOURCE_RULE, 1},
	{"subdomains, not itself",
	 {"exempt .b.test"},
	 TO("a@b.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"longest subdomains",
	 {"exempt .b.test", "signed .c.b.test", "observe .test"},
	 TO("a@d.c.b.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"subdomains before user",
	 {"exempt a@", "signed .test"},
	 TO("a@b.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"user", {"exempt a@"}, TO("a@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"user before any", {"exempt *", "signed a@"}, TO("a@b.test"), SIGNED, SOURCE_RULE, 2},
	{"any", {"exempt *"}, TO("a@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"idn", {"exempt bücher.test"}, TO("a@xn--bcher-kva.test"), EXEMPT, SOURCE_RULE, 1},
	{"homoglyph is another",
	 {"exempt paypal.test"},
	 TO("a@p\xd0\xb0ypal.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"literal", {"exempt a@[192.0.2.1]"}, TO("a@[192.0.2.1]"), EXEMPT, SOURCE_RULE, 1},
	/* a less specific recipient never wins by a more specific sender */
	{"recipient before sender",
	 {"exempt .example.org sender=s@sender.test", "signed alice@mail.example.org"},
	 FROM("s@sender.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	/* senders */
	{"sender matches",
	 {"exempt * sender=sender.test"},
	 FROM("s@sender.test"),
	 EXEMPT,
	 SOURCE_RULE,
	 1},
	{"sender does not",
	 {"exempt * sender=other.test"},
	 FROM("s@sender.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"narrowed before plain",
	 {"exempt *", "signed * sender=*"},
	 FROM("s@sender.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"sender mailbox before domain",
	 {"exempt * sender=sender.test", "signed * sender=s@sender.test"},
	 FROM("s@sender.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"sender domain before subdomains",
	 {"exempt * sender=.test", "signed * sender=sender.test"},
	 FROM("s@sender.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"null sender", {"exempt * sender=<>"}, FROM("<>"), EXEMPT, SOURCE_RULE, 1},
	{"null sender, empty", {"exempt * sender=<>"}, FROM(""), EXEMPT, SOURCE_RULE, 1},
	{"null sender is in *", {"exempt * sender=*"}, FROM("<>"), EXEMPT, SOURCE_RULE, 1},
	{"null sender is none else",
	 {"exempt * sender=<>"},
	 FROM("s@sender.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"narrowed that does not match is not there",
	 {"exempt alice@mail.example.org sender=other.test", "signed *"},
	 FROM("s@sender.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	/* clients */
	{"client address", {"exempt * client=203.0.113.9"}, BY(STRANGER), EXEMPT, SOURCE_RULE, 1},
	{"client network",
	 {"exempt * client=203.0.113.0/24"},
	 BY(STRANGER),
	 EXEMPT,
	 SOURCE_RULE,
	 1},
	{"client elsewhere",
	 {"exempt * client=203.0.112.0/24"},
	 BY(STRANGER),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"client unknown",
	 {"exempt * client=203.0.113.0/24"},
	 BY(NULL),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"longest prefix",
	 {"exempt * client=203.0.0.0/16", "signed * client=203.0.113.0/24",
	  "observe * client=203.0.113.0/28", "observe * client=203.0.113.128/25"},
	 BY("203.0.113.77"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"neighbours on both sides",
	 {"exempt * client=203.0.113.64/26", "signed * client=203.0.113.96/27",
	  "observe * client=203.0.113.78/32", "observe * client=203.0.113.76/32",
	  "ratchet * client=203.0.113.72/29"},
	 BY("203.0.113.77"),
	 RATCHET,
	 SOURCE_RULE,
	 5},
	{"everything v4 and v6",
	 {"exempt * client=::/0"},
	 BY("203.0.113.77"),
	 EXEMPT,
	 SOURCE_RULE,
	 1},
	{"v4 only", {"exempt * client=0.0.0.0/0"}, BY("2001:db8::1"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"v6", {"exempt * client=2001:db8::/32"}, BY("2001:db8:1::2"), EXEMPT, SOURCE_RULE, 1},
	{"network before any client",
	 {"exempt *", "signed * client=203.0.113.0/24"},
	 BY(STRANGER),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"authenticated",
	 {"signed * client=authenticated"},
	 {"a@b.test", "s@sender.test", STRANGER, true, false},
	 SIGNED,
	 SOURCE_RULE,
	 1},
	{"not authenticated",
	 {"signed * client=authenticated"},
	 BY(STRANGER),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"authenticated before network",
	 {"exempt * client=203.0.113.9", "signed * client=authenticated"},
	 {"a@b.test", "s@sender.test", STRANGER, true, false},
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"sender before client",
	 {"exempt * client=203.0.113.9", "signed * sender=sender.test"},
	 BY(STRANGER),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	/* defaults and exempt_recipients */
	{"authenticated is ours",
	 {0},
	 {"a@b.test", "s@sender.test", STRANGER, true, false},
	 OBSERVE,
	 SOURCE_DEFAULT,
	 0},
	{"local client is ours", {0}, BY("127.0.0.1"), OBSERVE, SOURCE_DEFAULT, 0},
	{"sendmail is ours",
	 {0},
	 {"a@b.test", "s@sender.test", NULL, false, true},
	 OBSERVE,
	 SOURCE_DEFAULT,
	 0},
	{"a rule comes before local",
	 {"encrypted b.test"},
	 {"a@b.test", "s@x.test", "127.0.0.1", false, false},
	 ENCRYPTED,
	 SOURCE_RULE,
	 1},
	{"postmaster",
	 {"encrypted *"},
	 TO("postmaster@b.test"),
	 EXEMPT,
	 SOURCE_EXEMPT_RECIPIENTS,
	 0},
	{"postmaster alone",
	 {"encrypted *"},
	 TO("postmaster"),
	 EXEMPT,
	 SOURCE_EXEMPT_RECIPIENTS,
	 0},
	{"abuse",
	 {"encrypted abuse@b.test"},
	 TO("Abuse@b.test"),
	 EXEMPT,
	 SOURCE_EXEMPT_RECIPIENTS,
	 0},
	{"postmaster is no suffix", {0}, TO("xpostmaster@b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	/* schedules: NOW is 2027-01-15T08:00:00Z */
	{"started", {"exempt * starts=2027-01-15"}, TO("a@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"starts now",
	 {"exempt * starts=2027-01-15T08:00:00Z"},
	 TO("a@b.test"),
	 EXEMPT,
	 SOURCE_RULE,
	 1},
	{"not yet",
	 {"exempt * starts=2027-01-15T08:00:01Z"},
	 TO("a@b.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"last day", {"exempt * expires=2027-01-15"}, TO("a@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"expired", {"exempt * expires=2027-01-14"}, TO("a@b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"expires now",
	 {"exempt * expires=2027-01-15T08:00:00Z"},
	 TO("a@b.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"expired gives way",
	 {"exempt a@b.test expires=2027-01-14", "signed b.test"},
	 TO("a@b.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"expired network gives way",
	 {"exempt * client=203.0.113.9 expires=2027-01-14", "signed * client=203.0.113.0/24"},
	 BY(STRANGER),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	/* addresses that could be somebody else's */
	{"quoted at",
	 {"exempt exempt@x.test", "exempt *"},
	 TO("\"exempt@x.test\"@b.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"percent route", {"exempt b.test"}, TO("a%x.test@b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"bang route", {"exempt *"}, TO("x!a@b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"invalid utf-8", {"exempt *"}, TO("a\xff@b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"source route", {"exempt a@b.test"}, TO("@x.test:a@b.test"), EXEMPT, SOURCE_RULE, 1},
	{"doubtful postmaster", {0}, TO("\"postmaster@x\"@b.test"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"doubtful, by our own",
	 {0},
	 {"a%x.test@b.test", "s@x.test", "127.0.0.1", false, false},
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"doubtful sender, rule for it",
	 {"exempt * sender=*"},
	 FROM("x!s@sender.test"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"doubtful sender, rule for all",
	 {"exempt *"},
	 FROM("x!s@sender.test"),
	 EXEMPT,
	 SOURCE_RULE,
	 1},
	{"doubtful sender falls to the next",
	 {"exempt alice@mail.example.org sender=*", "signed *"},
	 FROM("x!s@sender.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"doubtful sender may raise",
	 {"encrypted alice@mail.example.org sender=*", "exempt *"},
	 FROM("x!s@sender.test"),
	 ENCRYPTED,
	 SOURCE_RULE,
	 1},
};

static void precedence_is_as_in_the_manual(void **state)
{
	(void)state;
	run_rows(precedence, sizeof precedence / sizeof precedence[0], NULL, NULL);
}

static const struct row mild_default[] = {
	{"default", {0}, TO("a@b.test"), OBSERVE, SOURCE_DEFAULT, 0},
	{"a doubtful recipient may be raised",
	 {"encrypted *"},
	 TO("x!a@b.test"),
	 ENCRYPTED,
	 SOURCE_RULE,
	 1},
	{"and not lowered", {"exempt *"}, TO("x!a@b.test"), OBSERVE, SOURCE_DEFAULT, 0},
	{"by a rule for its domain",
	 {"encrypted b.test"},
	 TO("\"x@y\"@b.test"),
	 ENCRYPTED,
	 SOURCE_RULE,
	 1},
	{"by a rule for its mailbox",
	 {"exempt *", "signed a@b.test"},
	 TO("a+%x@b.test"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"by the strictest of them",
	 {"signed a@b.test", "encrypted b.test"},
	 TO("a+!x@b.test"),
	 ENCRYPTED,
	 SOURCE_RULE,
	 2},
	{"invalid utf-8 too", {"encrypted b.test"}, TO("a\xff@b.test"), ENCRYPTED, SOURCE_RULE, 1},
	{"not lowered by a rule for its domain",
	 {"exempt b.test"},
	 TO("x!a@b.test"),
	 OBSERVE,
	 SOURCE_DEFAULT,
	 0},
	{"a doubtful sender may raise by its domain",
	 {"encrypted * sender=sender.test"},
	 FROM("x!s@sender.test"),
	 ENCRYPTED,
	 SOURCE_RULE,
	 1},
};

static void a_mild_default_holds_where_no_rule_does(void **state)
{
	(void)state;
	run_rows(mild_default, sizeof mild_default / sizeof mild_default[0],
		 "default_requirement=observe", NULL);
}

static const struct row added_domain[] = {
	{"no rule", {0}, TO("bob"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"with its domain", {0}, TO("bob@mail.test"), OBSERVE, SOURCE_DEFAULT, 0},
	{"with it, a rule", {"exempt mail.test"}, TO("bob@mail.test"), EXEMPT, SOURCE_RULE, 1},
	{"not lowered by the domain",
	 {"exempt mail.test"},
	 TO("bob"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"nor by what is above it", {"exempt .test"}, TO("bob"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"nor by the mailbox", {"exempt bob@mail.test"}, TO("bob"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"nor by the extension",
	 {"exempt bob+x@mail.test"},
	 TO("bob+x"),
	 ENCRYPTED,
	 SOURCE_DEFAULT,
	 0},
	{"lowered by the user", {"exempt bob@"}, TO("bob"), EXEMPT, SOURCE_RULE, 1},
	{"raised by the mailbox",
	 {"exempt *", "encrypted bob@mail.test"},
	 TO("bob"),
	 ENCRYPTED,
	 SOURCE_RULE,
	 2},
	{"raised by the domain",
	 {"encrypted mail.test", "exempt bob@"},
	 TO("bob"),
	 ENCRYPTED,
	 SOURCE_RULE,
	 1},
	{"a milder one of the mailbox",
	 {"signed bob@mail.test", "encrypted *"},
	 TO("bob"),
	 ENCRYPTED,
	 SOURCE_RULE,
	 2},
	{"the strictest of its domain",
	 {"exempt bob@mail.test", "signed mail.test", "observe bob@"},
	 TO("bob"),
	 SIGNED,
	 SOURCE_RULE,
	 2},
	{"exempt as a user", {0}, TO("postmaster"), EXEMPT, SOURCE_EXEMPT_RECIPIENTS, 0},
	{"exempt with a domain", {0}, TO("shop"), ENCRYPTED, SOURCE_DEFAULT, 0},
	{"exempt, with its domain", {0}, TO("shop@mail.test"), EXEMPT, SOURCE_EXEMPT_RECIPIENTS, 0},
};

/* A local user of Sendmail, say, whose domain is not the one that was added. */
static void a_domain_that_was_added_lowers_nothing(void **state)
{
	(void)state;
	fixture_added_domain = "mail.test";
	run_rows(added_domain, sizeof added_domain / sizeof added_domain[0],
		 "protected_domains=example.org", "exempt_recipients=postmaster@, shop@mail.test");
	fixture_added_domain = NULL;
}

/* Postfix folds what IDNA keeps when it looks for a mailbox. */
static void of_two_domains_that_postfix_does_not_tell_apart_the_stricter_holds(void **state)
{
	static const struct row rows[] = {
		{"protected under the folded name",
		 {0},
		 TO("alice@stra\u00dfe.test"),
		 ENCRYPTED,
		 SOURCE_DEFAULT,
		 0},
		{"protected under the other name",
		 {0},
		 TO("alice@weiss.test"),
		 ENCRYPTED,
		 SOURCE_DEFAULT,
		 0},
		{"a rule for the folded name",
		 {"exempt *", "signed alice@strasse.test"},
		 TO("alice@stra\u00dfe.test"),
		 SIGNED,
		 SOURCE_RULE,
		 2},
		{"a rule for the name that was given",
		 {"exempt *", "signed alice@stra\u00dfe.test"},
		 TO("Alice@STRA\u00dfE.test"),
		 SIGNED,
		 SOURCE_RULE,
		 2},
		{"its A-label",
		 {"exempt *", "signed strasse.test"},
		 TO("alice@xn--strae-oqa.test"),
		 SIGNED,
		 SOURCE_RULE,
		 2},
		{"exempt under one name",
		 {"exempt alice@stra\u00dfe.test"},
		 TO("alice@stra\u00dfe.test"),
		 ENCRYPTED,
		 SOURCE_DEFAULT,
		 0},
		{"exempt under both",
		 {"exempt alice@stra\u00dfe.test", "exempt strasse.test"},
		 TO("alice@stra\u00dfe.test"),
		 EXEMPT,
		 SOURCE_RULE,
		 1},
		{"exempt by the settings under one name",
		 {0},
		 TO("shop@stra\u00dfe.test"),
		 ENCRYPTED,
		 SOURCE_DEFAULT,
		 0},
		{"a final sigma",
		 {"exempt *", "signed \u03b2\u03c3.test"},
		 TO("alice@\u03b2\u03c2.test"),
		 SIGNED,
		 SOURCE_RULE,
		 2},
		{"another IDN",
		 {"exempt m\u00fcller.test"},
		 TO("a@m\u00fcller.test"),
		 EXEMPT,
		 SOURCE_RULE,
		 1},
		{"neither", {0}, TO("a@fremd.test"), OBSERVE, SOURCE_DEFAULT, 0},
	};

	(void)state;
	run_rows(rows, sizeof rows / sizeof rows[0],
		 "protected_domains=strasse.test, wei\u00df.test, m\u00fcller.test",
		 "exempt_recipients=shop@stra\u00dfe.test");
}

/* Rules that an import has staged decide nothing, beside a live one and alone. */
static void staged_rules_do_not_decide(void **state)
{
	const struct envelope shadowed = {"a@b.test", "s@x.test", NULL, false, false};
	const struct envelope alone = {"c@b.test", "s@x.test", NULL, false, false};
	struct rule rule = fixture_rule("observe a@b.test", NOW);
	struct policy_answer a;
	struct fixture f;
	struct db *d;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(rules_add(d, &rule, NOW, NULL, NULL), 0);
	assert_int_equal(
		sqlite3_exec(d->handle,
			     "INSERT INTO rule (generation, recipient, sender, client, requirement,"
			     " author, created_at_unix) VALUES (99, 'a@b.test', '', '', 'exempt', "
			     "'x', 1),"
			     " (99, 'c@b.test', '', '', 'exempt', 'x', 1);",
			     NULL, NULL, NULL),
		SQLITE_OK);
	a = ask_at(d, f.settings, &shadowed, NULL, SIZE_NOT_DECLARED, NOW, NULL);
	assert_int_equal(a.requirement, REQUIREMENT_OBSERVE);
	assert_int_equal(a.rule_id, rule.id);
	a = ask_at(d, f.settings, &alone, NULL, SIZE_NOT_DECLARED, NOW, NULL);
	assert_int_equal(a.source, SOURCE_DEFAULT);
	db_close(d);
	fixture_end(&f);
}

static void losers_are_told_with_the_reason(void **state)
{
	static const char *const rules[] = {
		"signed alice@mail.example.org",
		"exempt alice@mail.example.org sender=other.test",
		"exempt alice@mail.example.org client=192.0.2.0/24",
		"exempt alice@mail.example.org client=203.0.113.0/24 expires=2027-01-14",
		"exempt alice@mail.example.org client=authenticated starts=2027-02-01",
		"exempt *",
	};
	static const struct envelope e = BY(STRANGER);
	static const struct {
		int64_t id;
		const char *why;
	} expected[] = {
		{1, ""},
		{2, "the sender does not match"},
		{3, "the client does not match"},
		{4, "it has expired"},
		{5, "the client does not match"},
		{6, "rule 1 has a more specific recipient pattern"},
	};
	struct fixture f;
	struct db *d;
	struct told told;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		struct rule r = fixture_rule(rules[i], NOW);

		assert_int_equal(rules_add(d, &r, NOW - 1000, NULL, NULL), 0);
	}
	ask_at(d, f.settings, &e, NULL, SIZE_NOT_DECLARED, NOW, &told);
	assert_int_equal(told.n, 6);
	for (size_t i = 0; i < told.n; i++) {
		assert_int_equal(told.id[i], expected[i].id);
		assert_string_equal(told.why[i], expected[i].why);
	}
	db_close(d);
	fixture_end(&f);
}

static void a_pause_is_told_and_changes_no_demand(void **state)
{
	static const struct envelope e = TO("a@b.test");
	struct fixture f;
	struct db *d;
	struct policy_answer a;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	assert_int_equal(db_pause(d, NOW + 10, NOW, "root"), 0);
	a = ask_at(d, f.settings, &e, NULL, SIZE_NOT_DECLARED, NOW + 9, NULL);
	assert_true(a.is_paused);
	assert_int_equal(a.demand, ENCRYPTED);
	a = ask_at(d, f.settings, &e, NULL, SIZE_NOT_DECLARED, NOW + 10, NULL);
	assert_false(a.is_paused);
	db_close(d);
	fixture_end(&f);
}

/* Against the plainest reading of the manual, over random networks: the longest prefix that
 * contains. */
static void the_longest_prefix_is_found_among_random_networks(void **state)
{
	struct fixture f;
	struct db *d;
	struct rule rules[120];
	unsigned seed = 4711;

	(void)state;
	fixture_begin(&f);
	d = fixture_open(&f, DB_WRITE);
	for (size_t i = 0; i < 120; i++) {
		char line[100];
		const unsigned bits = 24 + (unsigned)rand_r(&seed) % 9;
		const unsigned host = (unsigned)rand_r(&seed) % 256 & ~((1u << (32 - bits)) - 1);

		snprintf(line, sizeof line, "exempt * client=192.0.2.%u/%u", host, bits);
		rules[i] = fixture_rule(line, NOW);
		assert_int_equal(rules_add(d, &rules[i], NOW, NULL, NULL), 0);
	}
	for (unsigned host = 0; host < 256; host++) {
		char client[32], err[100];
		const struct envelope e = {"a@b.test", "s@x.test", client, false, false};
		struct netaddr address;
		struct policy_answer a;
		unsigned best = 0;
		int64_t best_id = 0;

		snprintf(client, sizeof client, "192.0.2.%u", host);
		assert_int_equal(netaddr_parse(client, &address, err, sizeof err), 0);
		for (size_t i = 0; i < 120; i++) /* a later one with the same network replaced it */
			if (netaddr_contains(&rules[i].client, &address) &&
			    rules[i].client.prefix_bits >= best) {
				best = rules[i].client.prefix_bits;
				best_id = rules[i].id;
			}
		{
			struct address to, from;
			struct policy_query q = {.recipient = &to,
						 .sender = &from,
						 .client = &address,
						 .declared_size_bytes = SIZE_NOT_DECLARED,
						 .now_unix = NOW};

			address_canonical(e.recipient, strlen(e.recipient), &to);
			address_canonical(e.sender, strlen(e.sender), &from);
			assert_int_equal(policy_decide(d, f.settings, &q, &a), 0);
		}
		if (a.rule_id != best_id)
			fail_msg("%s: rule %lld, should be %lld", client, (long long)a.rule_id,
				 (long long)best_id);
	}
	db_close(d);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(precedence_is_as_in_the_manual),
		cmocka_unit_test(a_mild_default_holds_where_no_rule_does),
		cmocka_unit_test(a_domain_that_was_added_lowers_nothing),
		cmocka_unit_test(
			of_two_domains_that_postfix_does_not_tell_apart_the_stricter_holds),
		cmocka_unit_test(staged_rules_do_not_decide),
		cmocka_unit_test(losers_are_told_with_the_reason),
		cmocka_unit_test(a_pause_is_told_and_changes_no_demand),
		cmocka_unit_test(the_longest_prefix_is_found_among_random_networks),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}

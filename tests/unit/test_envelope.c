/* SPDX-License-Identifier: ISC */
#include "filter/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define POSTFIX false
#define SENDMAIL true

struct envelope_case {
	const char *label;
	bool is_sendmail;
	const char *macro, *argument, *expected;
};

static const struct envelope_case cases[] = {
	{"no macro", POSTFIX, NULL, "<alice@example.org>", "<alice@example.org>"},
	{"empty macro", POSTFIX, "", "<alice@example.org>", "<alice@example.org>"},
	{"null sender", POSTFIX, "", "<>", "<>"},
	{"null sender, in brackets", SENDMAIL, "<>", "<>", "<>"},
	{"the domain is completed", POSTFIX, "postmaster@mx.example.org", "<postmaster>",
	 "postmaster@mx.example.org"},
	{"the way it is routed", POSTFIX, "alice@example.org", "<alice%example.org@mx.test>",
	 "alice@example.org"},
	{"a mailer that takes the domain off", POSTFIX, "alice", "<alice@example.org>",
	 "<alice@example.org>"},
	{"local mailer", SENDMAIL, "alice", "<alice@example.org>", "<alice@example.org>"},
	{"local mailer, other case", SENDMAIL, "alice", "<ALICE@Example.ORG>",
	 "<ALICE@Example.ORG>"},
	{"local mailer, extension", SENDMAIL, "alice+ext", "<alice+ext@example.org>",
	 "<alice+ext@example.org>"},
	{"virtusertable, local target", SENDMAIL, "joe", "<sales@example.org>",
	 "<sales@example.org>"},
	{"virtusertable, target elsewhere", SENDMAIL, "joe@other.test", "<sales@example.org>",
	 "<sales@example.org>"},
	{"a quoted '@' in the macro", SENDMAIL, "al@ice", "<\"al@ice\"@example.org>",
	 "<\"al@ice\"@example.org>"},
	{"a quoted '@' is no domain", POSTFIX, "\"al@ice\"", "<\"al@ice\"@example.org>",
	 "<\"al@ice\"@example.org>"},
	{"no domain anywhere", SENDMAIL, "root", "<Root>", "root"},
	{"only the macro has one", SENDMAIL, "root@mx.example.org", "<root>",
	 "root@mx.example.org"},
	{"a domain that was folded", POSTFIX, "alice@strasse.test", "<Alice@stra\u00dfe.test>",
	 "<Alice@stra\u00dfe.test>"},
	{"a final sigma that was folded", POSTFIX, "alice@\u03b2\u03c3.test",
	 "<alice@\u03b2\u03c2.test>", "<alice@\u03b2\u03c2.test>"},
	{"folded and completed", POSTFIX, "m\u00fcller@mx.strasse.test", "<m\u00fcller>",
	 "m\u00fcller@mx.strasse.test"},
	{"folded and routed", POSTFIX, "alice@strasse.test", "<alice%stra\u00dfe.test@mx.test>",
	 "alice@strasse.test"},
	{"one that was not folded to it", POSTFIX, "alice@other.test", "<alice@stra\u00dfe.test>",
	 "alice@other.test"},
	{"empty domain", POSTFIX, "alice@", "<alice@example.org>", "<alice@example.org>"},
	{"cannot be canonical, has a domain", POSTFIX, "al\001ice@example.org",
	 "<alice@other.test>", "al\001ice@example.org"},
};

static void envelope_address_that_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct envelope_case *c = &cases[i];
		const char *got = envelope_address(c->macro, c->argument, c->is_sendmail);

		if (strcmp(got, c->expected) != 0)
			fail_msg("%s: %s, expected %s", c->label, got, c->expected);
	}
}

static void envelope_sendmail_is_known_by_its_version(void **state)
{
	(void)state;
	assert_true(envelope_is_sendmail("8.17.1.9"));
	assert_false(envelope_is_sendmail("Postfix 3.7.11"));
	assert_false(envelope_is_sendmail(""));
	assert_false(envelope_is_sendmail(NULL));
}

/* is_old: libmilter still has the packet that macro_before was in. */
struct lost_case {
	const char *label;
	const char *macro, *argument;
	const char *macro_before, *argument_before;
	bool is_sendmail, is_expected, is_old, is_lost;
};

static const struct lost_case lost_cases[] = {
	{"the first", "a@x.test", "<a@x.test>", NULL, NULL, POSTFIX, true, false, false},
	{"resolved by the MTA", "a@x.test", "<a>", NULL, NULL, POSTFIX, true, false, false},
	{"another", "b@x.test", "<b@x.test>", "a@x.test", "<a@x.test>", POSTFIX, true, false,
	 false},
	{"the same again", "a@x.test", "<a@x.test>", "a@x.test", "<a@x.test>", POSTFIX, true, false,
	 false},
	{"the same, and the packet is old", "a@x.test", "<A@X.test>", "a@x.test", "<a@x.test>",
	 POSTFIX, true, true, false},
	{"the same, completed now", "a@x.test", "<a@x.test>", "a@x.test", "<a>", POSTFIX, true,
	 true, false},
	{"without its domain now", "a@x.test", "<a>", "a@x.test", "<a@x.test>", POSTFIX, true,
	 false, false},
	{"without its domain, old", "a@x.test", "<a>", "a@x.test", "<a@x.test>", POSTFIX, true,
	 true, true},
	{"routed to the same", "a@x.test", "<a%x.test@mx.test>", "a@x.test", "<a@x.test>", POSTFIX,
	 true, false, false},
	{"the null sender", "", "<>", "a@x.test", "<a@x.test>", POSTFIX, true, false, false},
	{"the null sender again", "", "<>", "", "<>", POSTFIX, true, false, false},
	{"old", "a@x.test", "<b@x.test>", "a@x.test", "<a@x.test>", POSTFIX, true, true, true},
	{"old, not negotiated", "a@x.test", "<b@x.test>", "a@x.test", "<a@x.test>", POSTFIX, false,
	 true, true},
	{"old before the null sender", "a@x.test", "<>", "a@x.test", "<a@x.test>", POSTFIX, true,
	 true, true},
	{"empty, old: the argument counts", "", "<a@x.test>", "", "<>", POSTFIX, true, true, false},
	{"absent", NULL, "<a@x.test>", NULL, NULL, POSTFIX, true, false, true},
	{"absent after one", NULL, "<b@x.test>", "a@x.test", "<a@x.test>", POSTFIX, true, false,
	 true},
	{"absent, not negotiated", NULL, "<a@x.test>", NULL, NULL, POSTFIX, false, false, false},
	{"there again", "a@x.test", "<b@x.test>", NULL, "<a@x.test>", POSTFIX, false, false, false},
	{"two addresses of one mailbox", "joe", "<sales@x.test>", "joe", "<info@x.test>", SENDMAIL,
	 true, false, false},
	{"two addresses of one mailbox, old", "joe", "<sales@x.test>", "joe", "<info@x.test>",
	 SENDMAIL, true, true, false},
	{"local part alone, then whole", "joe", "<joe>", "joe", "<joe@x.test>", SENDMAIL, true,
	 false, false},
	{"two aliases of one mailbox", "joe", "<sales>", "joe", "<info>", SENDMAIL, true, false,
	 false},
	{"two aliases, old", "joe", "<sales>", "joe", "<info>", SENDMAIL, true, true, true},
	{"two addresses, one target", "joe@y.test", "<sales@x.test>", "joe@y.test", "<info@x.test>",
	 SENDMAIL, true, false, false},
	{"absent from Sendmail", NULL, "<a@x.test>", NULL, NULL, SENDMAIL, true, false, true},
};

static void envelope_macros_that_were_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lost_cases / sizeof lost_cases[0]; i++) {
		const struct lost_case *c = &lost_cases[i];
		struct envelope_memory before = {0};
		char packet[2][64] = {"", ""}; /* as libmilter has them */
		const char *macro = NULL;

		if (c->argument_before != NULL) {
			if (c->macro_before != NULL)
				macro = strcpy(packet[0], c->macro_before);
			envelope_is_lost(&before, macro, c->argument_before, c->is_sendmail, false);
		}
		if (!c->is_old)
			macro = c->macro != NULL ? strcpy(packet[1], c->macro) : NULL;
		if (envelope_is_lost(&before, macro, c->argument, c->is_sendmail, c->is_expected) !=
		    c->is_lost)
			fail_msg("%s", c->label);
	}
}

/* What the old macro is of is the address that it came with, whatever was lost since. */
static void envelope_macro_lost_again_and_again(void **state)
{
	static const struct {
		const char *argument;
		bool is_lost;
	} calls[] = {
		{"<postmaster@x.test>", false}, {"<alice@x.test>", true}, {"<alice@x.test>", true},
		{"<ALICE@x.test>", true},	{"<bob@x.test>", true},	  {"<alice@x.test>", true},
		{"<postmaster@x.test>", false}, {"<alice@x.test>", true},
	};
	static const char old[] = "postmaster@x.test", come[] = "alice@x.test";
	struct envelope_memory before = {0};

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (envelope_is_lost(&before, old, calls[i].argument, POSTFIX, true) !=
		    calls[i].is_lost)
			fail_msg("call %zu: %s", i, calls[i].argument);
	assert_false(envelope_is_lost(&before, come, "<alice@x.test>", POSTFIX, true));
	assert_false(envelope_is_lost(&before, come, "<alice@x.test>", POSTFIX, true));
	assert_true(envelope_is_lost(&before, NULL, "<alice@x.test>", POSTFIX, true));
	assert_true(envelope_is_lost(&before, NULL, "<alice@x.test>", POSTFIX, true));
	assert_false(envelope_is_lost(&before, old, "<postmaster@x.test>", POSTFIX, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelope_macro_lost_again_and_again),
		cmocka_unit_test(envelope_address_that_is_judged),
		cmocka_unit_test(envelope_sendmail_is_known_by_its_version),
		cmocka_unit_test(envelope_macros_that_were_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: ISC */
#include "filter/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
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
	{"local mailer, other case", SENDMAIL, "alice", "<ALICE@Example.ORG>", "<ALICE@Example.ORG>"},
	{"local mailer, extension", SENDMAIL, "alice+ext", "<alice+ext@example.org>",
	 "<alice+ext@example.org>"},
	{"virtusertable, local target", SENDMAIL, "joe", "<sales@example.org>", "<sales@example.org>"},
	{"virtusertable, target elsewhere", SENDMAIL, "joe@other.test", "<sales@example.org>",
	 "<sales@example.org>"},
	{"a quoted '@' in the macro", SENDMAIL, "al@ice", "<\"al@ice\"@example.org>",
	 "<\"al@ice\"@example.org>"},
	{"a quoted '@' is no domain", POSTFIX, "\"al@ice\"", "<\"al@ice\"@example.org>",
	 "<\"al@ice\"@example.org>"},
	{"no domain anywhere", SENDMAIL, "root", "<Root>", "root"},
	{"only the macro has one", SENDMAIL, "root@mx.example.org", "<root>", "root@mx.example.org"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelope_address_that_is_judged),
		cmocka_unit_test(envelope_sendmail_is_known_by_its_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

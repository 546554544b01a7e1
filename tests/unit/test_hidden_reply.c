/* SPDX-License-Identifier: ISC
 *
 * What a reply keeps of addresses with log_addresses = hashed.
 */
#include "db/record/hidden_reply.h"

#include "tests/unit/unit.h"

#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *label, *recipient, *reply, *want; /* HASH stands for the recipient's */
} rows[] = {
	{"none", "a@x.test", "250 ", "250 "},
	{"in brackets", "a@x.test", "550 5.7.1 <a@x.test> takes only",
	 "550 5.7.1 <HASH> takes only"},
	{"as a word", "a@x.test", "550 for a@x.test, and a@x.test", "550 for HASH, and HASH"},
	{"in a URL", "a b@x.test", "550 See https://y.test/?a%20b@x.test#a",
	 "550 See https://y.test/?HASH#a"},
	{"escaped", "a\\b@x.test", "550 for a\\\\b@x.test", "550 for HASH"},
	{"cut off at a line's end", LONG "@x.test", "550-for " LONG "\n550 more",
	 "550-for HASH\n550 more"},
	{"its beginning", LONG "@x.test", "550 for " LONG " more", "550 for " LONG " more"},
	{"no domain", "a", "550 a message", "550 a message"},
	{"another's", "a@x.test", "550 postmaster@x.test", "550 postmaster@x.test"},
};

static void replies_name_nobody(void **state)
{
	struct hashed h = {
		.is_on = true, .has_key = true, .key = "0123456789abcdef0123456789abcde"};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct verdict_recipient to[] = {{.address = "p@x.test", .passes = true},
						       {.address = rows[i].recipient}};
		const struct verdict_record r = {
			.reply = rows[i].reply, .recipients = to, .n_recipients = 2};
		char hash[HASHED_ADDRESS_MAX], out[HIDDEN_REPLY_MAX], want[HIDDEN_REPLY_MAX] = "";
		const char *rest = rows[i].want;

		hashed_address(&h, rows[i].recipient, hash);
		for (const char *at; (at = strstr(rest, "HASH")) != NULL; rest = at + 4) {
			strncat(want, rest, (size_t)(at - rest));
			strcat(want, hash);
		}
		strcat(want, rest);
		print_message("%s\n", rows[i].label);
		assert_string_equal(hidden_reply(&h, &r, out), want);
	}
}

/* Hashes are longer than what they stand for: what does not fit is cut. */
static void replies_stay_within_their_bound(void **state)
{
	struct hashed h = {.is_on = true, .has_key = true};
	const struct verdict_recipient to = {.address = "@x"};
	char reply[HIDDEN_REPLY_MAX], out[HIDDEN_REPLY_MAX];
	const struct verdict_record r = {.reply = reply, .recipients = &to, .n_recipients = 1};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof reply; i++)
		reply[i] = i % 2 == 0 ? '@' : 'x';
	reply[sizeof reply - 1] = '\0';
	assert_true(strlen(hidden_reply(&h, &r, out)) < HIDDEN_REPLY_MAX);
	assert_null(strstr(out, "@x@x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_name_nobody),
		cmocka_unit_test(replies_stay_within_their_bound),
	};

	return cmocka_run_group_tests_name("hidden_reply", tests, NULL, NULL);
}

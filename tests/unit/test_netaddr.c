/* SPDX-License-Identifier: ISC */
#include "common/netaddr.h"

#include "tests/unit/unit.h"

static void parse_right_forms_print_canonically(void **state)
{
	static const char *const rows[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.0/24", "192.0.2.0/24"},
		{"192.0.2.1/32", "192.0.2.1"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"[192.0.2.1]", "192.0.2.1"},
		{"::1", "::1"},
		{"2001:DB8::/32", "2001:db8::/32"},
		{"[2001:db8::1]", "2001:db8::1"},
		{"[2001:db8::]/32", "2001:db8::/32"},
		{"[2001:db8::/32]", "2001:db8::/32"},
		{"IPv6:2001:db8::1", "2001:db8::1"},
		{"[IPv6:2001:db8::1]", "2001:db8::1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"::ffff:192.0.2.0/120", "192.0.2.0/24"},
		{"::/0", "::/0"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char text[NETADDR_TEXT_MAX], err[200];
		struct netaddr a;

		CHECK_ROW(rows[i][0], netaddr_parse(rows[i][0], &a, err, sizeof(err)) == 0);
		CHECK_ROW_TEXT(rows[i][0], netaddr_format(&a, text), rows[i][1]);
	}
}

static void parse_bad_text_says_what_to_write(void **state)
{
	static const char *const rows[][2] = {
		{"", "192.0.2.1"},
		{"unknown", "192.0.2.1"},
		{"192.0.2", "192.0.2.1"},
		{"192.0.2.256", "192.0.2.1"},
		{"192.0.2.1 ", "192.0.2.1"},
		{"192.0.2.1/33", "0 to 32"},
		{"192.0.2.1/", "0 to 32"},
		{"192.0.2.1/-1", "0 to 32"},
		{"192.0.2.0/024", "0 to 32"},
		{"192.0.2.0/24/24", "0 to 32"},
		{"2001:db8::/129", "0 to 128"},
		{"192.0.2.1/24", "write 192.0.2.0/24"},
		{"2001:db8::1/32", "write 2001:db8::/32"},
		{"[192.0.2.1", "192.0.2.1"},
		{"[192.0.2.1]x", "192.0.2.1"},
		{"fe80::1%eth0", "192.0.2.1"},
		{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee",
		 "192.0.2.1"},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		char err[300] = "";
		struct netaddr a;

		CHECK_ROW(rows[i][0], netaddr_parse(rows[i][0], &a, err, sizeof(err)) == -1);
		CHECK_ROW(rows[i][0], strstr(err, rows[i][1]) != NULL);
	}
}

static void contains_compares_the_prefix(void **state)
{
	static const struct {
		const char *network, *address;
		bool is_within;
	} rows[] = {
		{"192.0.2.0/24", "192.0.2.255", true},
		{"192.0.2.0/24", "192.0.3.0", false},
		{"192.0.2.128/25", "192.0.2.127", false},
		{"192.0.2.128/25", "192.0.2.128", true},
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"0.0.0.0/0", "203.0.113.9", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},
		{"::/0", "203.0.113.9", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true},
		{"2001:db8::/33", "2001:db8:8000::1", false},
		{"192.0.2.0/24", "192.0.0.0/16", false},
		{"192.0.0.0/16", "192.0.2.0/24", true},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct netaddr network, address;
		char err[200];

		assert_int_equal(netaddr_parse(rows[i].network, &network, err, sizeof(err)), 0);
		assert_int_equal(netaddr_parse(rows[i].address, &address, err, sizeof(err)), 0);
		CHECK_ROW(rows[i].address,
			  netaddr_contains(&network, &address) == rows[i].is_within);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_right_forms_print_canonically),
		cmocka_unit_test(parse_bad_text_says_what_to_write),
		cmocka_unit_test(contains_compares_the_prefix),
	};

	return cmocka_run_group_tests_name("netaddr", tests, NULL, NULL);
}

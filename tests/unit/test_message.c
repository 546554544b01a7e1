/* SPDX-License-Identifier: ISC */
#include "scan/message.h"

#include "scan/judge.h"
#include "tests/unit/unit.h"

struct row {
	const char *label, *raw, *fields; /* names that were told */
	int64_t body_bytes, cleartext_bytes;
};

static const struct row rows[] = {
	{"header and body", "A: b\nC: d\n\nxyz\n", "A C ", 4, 3},
	{"CR LF", "A: b\r\nC: d\r\n\r\nxyz\r\n", "A C ", 5, 3},
	{"folded", "A: b\n c\nD: e\n\nx", "A D ", 1, 1},
	{"mbox line", "From me Mon Jan  1 00:00:00 2026\nA: b\n\nx", "A ", 1, 1},
	{"quoted mbox line", ">From me Mon Jan  1 00:00:00 2026\nA: b\n\nx", "A ", 1, 1},
	{"mbox line later is the body", "A: b\nFrom me to you\nC: d\n\nx", "A ", 22, 15},
	{"no header", "hello there\nx: y\n", "", 17, 13},
	{"empty header", "\nhello\n", "", 6, 5},
	{"header only", "A: b\n", "A ", 0, 0},
	{"header without line end", "A: b", "A ", 0, 0},
	{"nothing", "", "", 0, 0},
	{"no field ends the header", "A: b\nhello\n\nx", "A ", 8, 6},
	{"blank before the colon", "A : b\n\nx", "A  ", 1, 1},
	{"two blank words before the colon", "A b : c\n\nx", "", 10, 5},
	{"tab in a name", "A\tb: c\n\nx", "", 9, 5},
	{"8-bit name", "\xc3\xa4: c\n\nx", "", 8, 5},
	{"white line in the header", "A: b\n \nC: d\n\nx", "A C ", 1, 1},
	{"CR CR LF", "A: b\r\r\n\r\nx", "A ", 1, 1},
	{"a lone CR is no empty line", "A: b\n\rx\n", "A ", 3, 1},
	{"colon first", ": b\n\nx", "", 6, 3},
};

static void add_name(void *context, const char *name, size_t name_len, const char *value,
		     size_t value_len)
{
	(void)value;
	(void)value_len;
	strncat(context, name, name_len);
	strcat(context, " ");
}

static void message_is_split_the_same_however_it_is_cut(void **state)
{
	char names[256];
	struct scan *scan = scan_new();
	struct message *m = message_new(scan, add_name, names);

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t step = 1; step < 50; step += step < 6 ? 1 : 20) {
			size_t len = strlen(rows[i].raw);
			struct scan_facts facts;

			names[0] = '\0';
			scan_reset(scan);
			message_reset(m);
			for (size_t at = 0; at < len; at += step)
				message_feed(m, (const unsigned char *)rows[i].raw + at,
					     len - at < step ? len - at : step);
			message_finish(m, &facts);
			CHECK_ROW_TEXT(rows[i].label, names, rows[i].fields);
			CHECK_ROW(rows[i].label, facts.size_bytes == rows[i].body_bytes);
			CHECK_ROW(rows[i].label, facts.cleartext_bytes == rows[i].cleartext_bytes);
		}
	}
	message_free(m);
	scan_free(scan);
}

static void message_field_of_a_megabyte_costs_no_megabyte(void **state)
{
	static unsigned char filler[1000];
	struct scan *scan = scan_new();
	struct message *m = message_new(scan, NULL, NULL);
	struct scan_facts facts;

	(void)state;
	memset(filler, 'x', sizeof(filler));
	message_feed(m, (const unsigned char *)"Content-Type: text/plain; a=", 28);
	for (int i = 0; i < 1000; i++)
		message_feed(m, filler, sizeof(filler));
	message_feed(m, (const unsigned char *)"\n\nhello", 7);
	message_finish(m, &facts);
	assert_int_equal(facts.size_bytes, 5);
	assert_string_equal(facts.fault.reason, "ambiguous-mime");
	message_free(m);
	scan_free(scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_is_split_the_same_however_it_is_cut),
		cmocka_unit_test(message_field_of_a_megabyte_costs_no_megabyte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

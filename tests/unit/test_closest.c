/* SPDX-License-Identifier: ISC */
#include "common/closest.h"

#include "tests/unit/unit.h"

static const char *const words[] = {
	"db", "log", "rules", "metrics", "max_connections", "max_cleartext_bytes"};

static const char *word(size_t index)
{
	return words[index];
}

static void closest_word_is_near_or_none(void **state)
{
	static const struct {
		const char *label, *misspelt, *expected;
	} rows[] = {
		{"the word itself", "rules", "rules"},
		{"a letter missing", "rles", "rules"},
		{"a letter too many", "ruules", "rules"},
		{"two letters exchanged", "metrcis", "metrics"},
		{"three letters of a short word", "rulxyz", NULL},
		{"a third of a long word", "max_conections_no", "max_connections"},
		{"as many changes as letters", "xy", NULL},
		{"the nearer of two", "max_cleartxt_byte", "max_cleartext_bytes"},
		{"empty", "", NULL},
		{"too long for anything",
		 "rulesrulesrulesrulesrulesrulesrulesrulesrulesrulesrulesrulesrulesrules", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *found = closest_word(rows[i].misspelt, word, ROWS(words));

		CHECK_ROW(rows[i].label, (found == NULL) == (rows[i].expected == NULL));
		if (found != NULL)
			CHECK_ROW(rows[i].label, strcmp(found, rows[i].expected) == 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(closest_word_is_near_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

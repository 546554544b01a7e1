/* SPDX-License-Identifier: ISC
 *
 * unit.h: cmocka with what it wants included before it, and rows with labels: a table's row that
 * fails is named.
 */
#ifndef PGPGATE_TESTS_UNIT_UNIT_H
#define PGPGATE_TESTS_UNIT_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* Fails the test with the row's label unless the condition holds. */
#define CHECK_ROW(label, condition)                                      \
	do {                                                             \
		if (!(condition))                                        \
			fail_msg("row \"%s\": %s", (label), #condition); \
	} while (0)

#define CHECK_ROW_TEXT(label, got, want)                                                       \
	do {                                                                                   \
		const char *got_ = (got), *want_ = (want);                                     \
		if (strcmp(got_, want_) != 0)                                                  \
			fail_msg("row \"%s\": got \"%s\", want \"%s\"", (label), got_, want_); \
	} while (0)

#endif

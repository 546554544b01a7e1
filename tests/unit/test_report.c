/* SPDX-License-Identifier: ISC */
#include "scan/report.h"

#include "tests/unit/unit.h"

#define STATUS                                                                      \
	"Reporting-MTA: dns; a.test\n\nFinal-Recipient: rfc822; b@c.test\nAction: " \
	"failed\nStatus: 5.0.0\n"
#define DISPOSITION \
	"Final-Recipient: rfc822; b@c.test\nDisposition: manual-action/MDN-sent; displayed\n"

static void report_fields_are_required_and_must_be_fields(void **state)
{
	static const struct {
		const char *label, *lines;
		enum report_kind kind;
		bool is_good;
	} rows[] = {
		{"delivery status", STATUS, REPORT_DELIVERY_STATUS, true},
		{"delivery status, folded", STATUS "Diagnostic-Code: smtp;\n 550 no\n",
		 REPORT_DELIVERY_STATUS, true},
		{"delivery status for a disposition", STATUS, REPORT_DISPOSITION, false},
		{"disposition", DISPOSITION, REPORT_DISPOSITION, true},
		{"disposition for a status", DISPOSITION, REPORT_DELIVERY_STATUS, false},
		{"text line", STATUS "and some words\n", REPORT_DELIVERY_STATUS, false},
		{"name with a blank", STATUS "My secret: x\n", REPORT_DELIVERY_STATUS, false},
		{"continuation first", " x\n" STATUS, REPORT_DELIVERY_STATUS, false},
		{"continuation after a blank line", STATUS "\n x\n", REPORT_DELIVERY_STATUS, false},
		{"no status", "Final-Recipient: rfc822; b\nAction: failed\n",
		 REPORT_DELIVERY_STATUS, false},
		{"empty", "", REPORT_DELIVERY_STATUS, false},
		{"none", STATUS, REPORT_NONE, false},
	};
	struct report r;

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *lines = rows[i].lines;

		report_reset(&r);
		while (*lines) {
			size_t len = strcspn(lines, "\n");

			report_line(&r, (const unsigned char *)lines, len);
			lines += len + 1;
		}
		CHECK_ROW(rows[i].label,
			  report_is_well_formed(&r, rows[i].kind) == rows[i].is_good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(report_fields_are_required_and_must_be_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

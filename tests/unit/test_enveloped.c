/* SPDX-License-Identifier: ISC */
#include "scan/enveloped.h"

#include "tests/unit/octets.h"
#include "tests/unit/unit.h"

#define OID "06 09 2a864886f70d010703 "
#define HEAD "30 80 " OID "a0 80 30 80 02 01 00 "
#define TO "31 05 30 03 02 01 00 "
#define ALGORITHM "30 80 06 01 2a 30 03 06 01 60 "

static void enveloped_is_read_up_to_its_content(void **state)
{
	static const struct {
		const char *label, *octets;
		bool is_proper;
	} rows[] = {
		{"proper", HEAD TO ALGORITHM "80 28 *40", true},
		{"definite lengths",
		 "30 7f " OID "a0 7f 30 7f 02 01 00 " TO "30 7f 06 01 2a 30 03 06 01 60 80 28 *40",
		 true},
		{"long lengths",
		 "30 82 0100 " OID "a0 83 000100 30 84 00000100 02 01 00 " TO ALGORITHM "80 28 *40",
		 true},
		{"chunks", HEAD TO ALGORITHM "a0 80 04 28 *40", true},
		{"an originator", HEAD "a0 03 020100 " TO ALGORITHM "80 28 *40", true},
		{"two originators", HEAD "a0 03 020100 a0 03 020100 " TO ALGORITHM "80 28 *40",
		 false},
		{"no recipients", HEAD "31 00 " ALGORITHM "80 28 *40", false},
		{"recipients of indefinite length",
		 HEAD "31 80 30 03 02 01 00 0000 " ALGORITHM "80 28 *40", false},
		{"too many recipients", HEAD "31 84 00200000 " ALGORITHM "80 28 *40", false},
		{"no algorithm", HEAD TO "30 80 06 01 2a 80 28 *40", false},
		{"no content", HEAD TO ALGORITHM, false},
		{"empty content", HEAD TO ALGORITHM "80 00", false},
		{"primitive content of indefinite length", HEAD TO ALGORITHM "80 80 *40", false},
		{"text for content",
		 HEAD TO ALGORITHM
		 "80 28 "
		 "4d656574206d652061742074686520206f6c6420636875726368206174206569676874206f6e6365",
		 false},
		{"an octet string for the data", "30 80 " OID "a0 80 04 28 *40", false},
		{"a length of five octets", "30 85 0000000100 " OID "a0 80", false},
		{"nothing", "", false},
	};
	unsigned char octets[512];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t len = octets_build(rows[i].octets, octets);

		for (size_t step = 1; step <= 512; step *= 8) {
			struct enveloped e;

			enveloped_reset(&e);
			for (size_t at = 0; at < len; at += step)
				enveloped_feed(&e, octets + at, len - at < step ? len - at : step);
			CHECK_ROW(rows[i].label, enveloped_is_proper(&e) == rows[i].is_proper);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(enveloped_is_read_up_to_its_content)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

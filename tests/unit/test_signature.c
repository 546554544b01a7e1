/* SPDX-License-Identifier: ISC */
#include "scan/signature.h"

#include "tests/unit/octets.h"
#include "tests/unit/unit.h"

#define V4 "04 00 16 08 "
#define V6 "06 00 1b 08 "
#define TIME "05 02 60000000 "
#define TAIL "abcd *64"

static void signature_text_is_counted(void **state)
{
	static const struct {
		const char *label, *octets;
		size_t readable;
	} rows[] = {
		{"version 3", "03 05 00 60000000 *30", 0},
		{"no subpackets", V4 "0000 0000 " TAIL, 0},
		{"a time", V4 "0006 " TIME "0000 " TAIL, 0},
		{"version 6", V6 "00000006 " TIME "00000000 " TAIL, 0},
		{"an address", V4 "0005 04 1c 614062 0000 " TAIL, 0},
		{"a name", V4 "0005 04 1c 616263 0000 " TAIL, 3},
		{"an address with a blank", V4 "0006 05 1c 61406220 0000 " TAIL, 4},
		{"a policy", V4 "0006 05 1a 61626364 0000 " TAIL, 4},
		{"a policy in the second area", V4 "0000 0006 05 1a 61626364 " TAIL, 4},
		{"a critical policy", V4 "0006 05 9a 61626364 0000 " TAIL, 4},
		{"an unknown one", V4 "0006 05 64 61626364 0000 " TAIL, 4},
		{"a notation", V4 "000c 0b 14 80000000 0001 0001 61 62 0000 " TAIL, 10},
		{"a notation whose lengths do not agree",
		 V4 "000c 0b 14 80000000 0001 0002 61 62 0000 " TAIL, 10},
		{"a long fingerprint", V4 "0046 45 21 *68 0000 " TAIL, 68},
		{"a subpacket beyond its area", V4 "0003 05 02 60 0000 " TAIL, 3},
		{"an area beyond the packet", V4 "ffff 05 02", 8},
		{"cut", "04 00 16", 3},
		{"a length of two octets", V4 "00c2 c000 1a *191 0000 " TAIL, 191},
		{"a length of five octets", V4 "000a ff 00000005 1a 61626364 0000 " TAIL, 4},
		{"an empty subpacket", V4 "0001 00 0000 " TAIL, 1},
	};
	unsigned char octets[1024];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t len = octets_build(rows[i].octets, octets), got;

		got = signature_readable_bytes(octets, len, len);
		if (got != rows[i].readable)
			fail_msg("row \"%s\": %zu", rows[i].label, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(signature_text_is_counted)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

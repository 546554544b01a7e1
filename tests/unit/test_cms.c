/* SPDX-License-Identifier: ISC */
#include "scan/cms.h"

#include "tests/unit/octets.h"
#include "tests/unit/unit.h"

#define ENVELOPED "06 09 2a864886f70d010703 "
#define AUTH_ENVELOPED "06 0b 2a864886f70d0109100117 "
#define SIGNED "06 09 2a864886f70d010702 "
#define DATA "06 09 2a864886f70d010701 "

static void cms_type_reads_content_info(void **state)
{
	static const struct {
		const char *label, *octets;
		enum cms_type type;
	} rows[] = {
		{"enveloped", "30 32 " ENVELOPED "a0 *38", CMS_ENVELOPED},
		{"enveloped, long length", "30 82 0100 " ENVELOPED "a0 82 *243", CMS_ENVELOPED},
		{"enveloped, indefinite", "30 80 " ENVELOPED "a0 80 *50", CMS_ENVELOPED},
		{"authEnveloped", "30 32 " AUTH_ENVELOPED "a0 *36", CMS_AUTH_ENVELOPED},
		{"signed", "30 32 " SIGNED "a0 *38", CMS_SIGNED},
		{"data", "30 32 " DATA "a0 *38", CMS_OTHER},
		{"length beyond the data", "30 33 " ENVELOPED "a0 *38", CMS_NONE},
		{"data beyond the length", "30 31 " ENVELOPED "a0 *38", CMS_NONE},
		{"no content", "30 32 " ENVELOPED "04 *38", CMS_NONE},
		{"no sequence", "31 32 " ENVELOPED "a0 *38", CMS_NONE},
		{"text", "44554d4d59", CMS_NONE},
		{"nothing", "", CMS_NONE},
		{"no object identifier", "30 32 04 09 2a864886f70d010703 a0 *38", CMS_NONE},
		{"cut length", "30 84 0000", CMS_NONE},
		{"one octet", "30", CMS_NONE},
		{"head only", "30 0b " ENVELOPED, CMS_NONE},
		{"length of seven octets", "30 87 00000000000032 " ENVELOPED "a0 *38", CMS_NONE},
	};
	unsigned char octets[512];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t len = octets_build(rows[i].octets, octets);
		size_t head = len < CMS_HEAD ? len : CMS_HEAD;

		CHECK_ROW(rows[i].label, cms_type(octets, head, (int64_t)len) == rows[i].type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cms_type_reads_content_info)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

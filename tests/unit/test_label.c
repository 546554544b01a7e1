/* SPDX-License-Identifier: ISC */
#include "scan/label.h"

#include "tests/unit/unit.h"

static void label_is_by_the_ending_of_a_name(void **state)
{
	static const struct {
		const char *name;
		enum label label;
	} rows[] = {
		{"", LABEL_NONE},
		{"\"\"", LABEL_NONE},
		{" ", LABEL_NONE},
		{"a.pgp", LABEL_PGP},
		{"\"a b.GPG\"", LABEL_PGP},
		{".gpg", LABEL_OTHER},
		{"a.sig", LABEL_SIGNATURE},
		{"a.pdf.asc", LABEL_SIGNATURE},
		{"a.txt", LABEL_OTHER},
		{"a.pgp.txt", LABEL_OTHER},
		{"a.pgp.", LABEL_OTHER},
		{"pgp", LABEL_OTHER},
		{"utf-8''%C3%BC.pgp", LABEL_PGP},
		{"=?utf-8?Q?a=20b.pgp?=", LABEL_PGP},
		{"=?utf-8?q?a.txt?=", LABEL_OTHER},
		{"=?utf-8?B?YS5wZ3A=?=", LABEL_PGP},
		{"=?utf-8?B?YS50eHQ=?=", LABEL_OTHER},
		{"=?utf-8?B?YS5wZ3A?=", LABEL_OTHER},
		{"=?utf-8?B?!?=", LABEL_OTHER},
		{"=?utf-8?X?a.pgp?=", LABEL_OTHER},
		{"=?utf-8?Q?a?= =?utf-8?Q?b.gpg?=", LABEL_PGP},
		{"=?utf-8?Q?a?=\r\n =?utf-8?Q?b.gpg?=", LABEL_PGP},
		{"=?utf-8?B?YS50eHQA?= =?utf-8?B?LnBncA==?=", LABEL_OTHER}, /* a.txt NUL */
		{"=?utf-8?Q?a.txt=00?= =?utf-8?Q?.pgp?=", LABEL_OTHER},
		{"=?utf-8?B?YS50eHQ?= =?utf-8?B?LnBncA==?=", LABEL_OTHER}, /* no whole base64 */
		{"a.txt =?utf-8\001?Q?.pgp?=", LABEL_OTHER},
		{"a.txt\001 =?utf-8?Q?.pgp?=", LABEL_OTHER},
		{"=?utf-8?Q?b.gpg?= =?utf-8?Q?.txt?=", LABEL_OTHER},
		{"a.pgp?=", LABEL_OTHER},
		{"?=", LABEL_OTHER},

		{"=?a?Q?=", LABEL_OTHER},
		{"=?utf-8?B?YS50eHQALnBncA==?=", LABEL_OTHER},
		{"=?utf-8?Q?a.txt=00.pgp?=", LABEL_OTHER},
		{"utf-8''a.txt%00.pgp", LABEL_OTHER},
		{"a.txt\n.pgp", LABEL_OTHER},

	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(rows[i].name, label_of_name((const unsigned char *)rows[i].name,
						      strlen(rows[i].name)) == rows[i].label);
}

static void label_descriptions_are_of_known_words(void **state)
{
	static const struct {
		const char *text;
		bool is_usual;
	} rows[] = {
		{"", true},
		{" PGP/MIME version identification", true},
		{"OpenPGP encrypted message.asc", true},
		{"PGP/MIME Versions Identification", true},
		{"OpenPGP digital signature", true},
		{"version code", true},
		{"PGP Encrypted Data", true},
		{"Message signed with OpenPGP", true},
		{"This is a digitally signed\n message part.", true},
		{"meet me", false},
		{"OpenPGP encrypted message: meet me", false},
		{"message 8", false},
		{"zqcanary", false},
		{"=?utf-8?q?message?=", false},
		{"m\xc3\xa9ssage", false},
		{"message message message message message message message message message message "
		 "message",
		 false},
	};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK_ROW(rows[i].text,
			  label_is_usual_description((const unsigned char *)rows[i].text,
						     strlen(rows[i].text)) == rows[i].is_usual);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(label_is_by_the_ending_of_a_name),
		cmocka_unit_test(label_descriptions_are_of_known_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

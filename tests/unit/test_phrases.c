/* SPDX-License-Identifier: ISC */
#include "scan/phrases.h"

#include "tests/unit/unit.h"

static const char *const preambles[] = {
	"This is a multi-part message in MIME format.",
	"This is a multi-part message in MIME format...",
	"This is a multipart message in MIME format",
	"This is a message with multiple parts in MIME format.",
	"This is a MIME-encapsulated message",
	"This is a MIME-encapsulated message.\n",
	"This is a multi-part MIME message.",
	"This is a multi-part MIME message sent by reportbug.\n\n",
	"This is an S/MIME signed message",
	"This is a cryptographically signed message in MIME format.",
	"This is an OpenPGP/MIME encrypted message (RFC 4880 and 3156)",
	"This is an OpenPGP/MIME signed message (RFC 9580 and 3156)",
	"OpenPGP/MIME message (Automatically encrypted by Stalwart)\r\n",
	"This message is in MIME format and has been PGP encrypted.",
	"  This message is in MIME format.  The first part should be readable text,\n"
	"  while the remaining parts are likely unreadable without MIME-aware tools.\n",
	"  This message is in MIME format.  The first part should be readable text,\n"
	"  while the remaining parts are likely unreadable without MIME-aware software.\n"
	"  Send mail to mime@docserver.cac.washington.edu for more info.\n",
	"This message is in MIME format. Since your mail reader does not understand\n"
	"this format, some or all of this message may not be legible.\n",
	"This is a MIME message. If you are reading this text, you may want to \n"
	"consider changing to a mail reader or gateway that understands how to \n"
	"properly handle MIME multipart messages.\n",
	"This is a MIME-formatted message.  If you see this text it means that your\n"
	"E-mail software does not support MIME-formatted messages.\n",
	"This is a MIME formatted message.  If you see this text it means that your email software "
	"does not support "
	"MIME formatted messages.",
	"This is a message in Mime Format.  If you see this, your mail reader does not support "
	"this format.",
	"This is a multi-part message in MIME format.\nYour email application may not support this "
	"format.",
	"This is a multi-part message in MIME format. To properly display this message you need a "
	"MIME-Version 1.0 "
	"compliant Email program.",
	"This is a MIME-formatted message.  \n"
	"Portions of this message may be unreadable without a MIME-capable mail program.\n",
	"The following data may contain sections which represent BASE64 encoded\n"
	"file attachments. These sections will be unreadable without MIME aware\n"
	"tools. Seek your system administrator if you need help extracting any\n"
	"files which may be embedded within this message.\n",
	"This is MULTIPART MIME message.\n",
	"This is a MIME encoded message.  Decode it with \"munpack\"\n"
	"or any other MIME reading software.  Mpack/munpack is available\n"
	"via anonymous FTP in ftp.andrew.cmu.edu:pub/mpack/",
	"This is a MIME GnuPG-encrypted message.  If you see this text, it means\n"
	"that your E-mail or Usenet software does not support MIME encrypted messages.\n"
	"The Internet standard for MIME PGP messages, RFC 2015, was published in 1996.\n"
	"To open this message correctly you will need to install E-mail or Usenet\n"
	"software that supports modern Internet standards.\n",
};

static const char *const others[] = {
	"",
	"8",
	"This is",
	"This is a",
	"This is a multi-part message in MIME format. Meet me at eight.",
	"This is a multi-part message in MIME format..",
	"This is a multi-part message in MIME format.This is a MIME message.",
	"Bob! This is a multi-part message in MIME format.",
	"This is a multi-part message in MIME format. This is a multi-part message in MIME format.",
	"This is a multi-part message in MIME format. This is a MIME message.",
	"This is an OpenPGP/MIME encrypted message <RFC 4880 and 3156>",
	"This is an OpenPGP/MIME encrypted message (RFC 1234 and 3156)",
	"This is a multi-part message in MIME format\x01.",
	"This is a multi-part message in MIME format\xc2\xa0.",
	"(a|b|)",
	"| | |",
};

static const struct {
	const char *text;
	bool is_control;
} controls[] = {
	{"Version: 1", true},
	{"Version: 1\r\n\r\n", true},
	{"Content-Description: PGP/MIME Versions Identification\n\nVersion: 1\n", true},
	{"Content-Type: application/pgp-encrypted\nContent-Transfer-Encoding: 7bit\n\nVersion: 1",
	 true},
	{"Version: 1\nContent-Description: PGP/MIME version identification", true},
	{"", false},
	{"Version: 2", false},
	{"Version: 11", false},
	{"Version: 1 1", false},
	{"Version: 1\nVersion: 1", false},
	{"Content-Description: PGP/MIME Versions Identification", false},
	{"Content-Description: Meet me\n\nVersion: 1", false},
	{"Content-Description: PGP/MIME version identification at eight\n\nVersion: 1", false},
	{"Subject: x\n\nVersion: 1", false},
	{"Content-Type: text/plain\n\nVersion: 1", false},
};

static bool is_preamble(const char *text)
{
	return phrases_is_preamble((const unsigned char *)text, strlen(text));
}

static void phrases_know_what_programs_write(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(preambles); i++) {
		CHECK_ROW(preambles[i], is_preamble(preambles[i]));
		CHECK_ROW(preambles[i], strlen(preambles[i]) < PHRASES_MAX);
	}
	for (size_t i = 0; i < ROWS(others); i++)
		CHECK_ROW(others[i], !is_preamble(others[i]));
	for (size_t i = 0; i < ROWS(controls); i++)
		CHECK_ROW(controls[i].text,
			  phrases_is_control((const unsigned char *)controls[i].text,
					     strlen(controls[i].text)) == controls[i].is_control);
}

/* Wherever it is put: another word, or a letter, makes it a text that nobody knows. */
static void phrases_leave_no_room_for_a_word(void **state)
{
	static const char *const words[] = {"zqcanary", " zqcanary ", "8", " meet me ", " not "};

	(void)state;
	for (size_t i = 0; i < ROWS(preambles); i++) {
		const size_t len = strlen(preambles[i]);

		for (size_t at = 0; at <= len; at++) {
			for (size_t w = 0; w < ROWS(words); w++) {
				char text[PHRASES_MAX + 100];

				snprintf(text, sizeof(text), "%.*s%s%s", (int)at, preambles[i],
					 words[w], preambles[i] + at);
				CHECK_ROW(text, !is_preamble(text));
			}
		}
	}
}

static void phrases_of_any_length_are_bounded(void **state)
{
	char text[3000];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text + 2000, "This is a MIME message.", 23);
	assert_true(phrases_is_preamble((const unsigned char *)text, sizeof(text)));
	memset(text, 'a', sizeof(text));
	assert_false(phrases_is_preamble((const unsigned char *)text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phrases_know_what_programs_write),
		cmocka_unit_test(phrases_leave_no_room_for_a_word),
		cmocka_unit_test(phrases_of_any_length_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

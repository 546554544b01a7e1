/* SPDX-License-Identifier: ISC */
#include "scan/charset.h"

#include <string.h>

#include "scan/text.h"

#define CR_MAX 2 /* of a line: Exchange doubles the one before LF */

static const struct family {
	const char *name;
	unsigned first, last; /* numbers that follow it */
	unsigned missing;     /* one of them that there is not */
	bool is_read;	      /* by all: others some programs take for an unknown one */
} families[] = {
	{"iso-8859-", 1, 16, 12, true}, {"iso8859-", 1, 16, 12, true},
	{"iso_8859-", 1, 16, 12, true}, {"iso-8859", 1, 16, 12, false},
	{"iso8859_", 1, 16, 12, false}, {"iso_8859_", 1, 16, 12, false},
	{"windows-125", 0, 8, 9, true}, {"cp125", 0, 8, 9, true},
	{"win-125", 0, 8, 9, false},
};

/* exists: one that there is and that all programs know, whose no-break space is A0. */
static bool is_of_family(const char *name, bool exists)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct family *f = &families[i];
		const size_t prefix = strlen(f->name);
		const char *digit = name + prefix;
		unsigned number = 0;
		bool is_padded;

		if (strncmp(name, f->name, prefix) != 0 || *digit == '\0' || strlen(digit) > 2 ||
		    digit[strspn(digit, "0123456789")] != '\0')
			continue;
		is_padded = digit[0] == '0' && digit[1] != '\0';
		for (; *digit; digit++)
			number = number * 10 + (unsigned)(*digit - '0');
		if (!exists || (f->is_read && !is_padded && number >= f->first &&
				number <= f->last && number != f->missing))
			return true;
	}
	return false;
}

bool charset_is_known(const char *name)
{
	static const char *const names[] = {
		"", "us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "utf-8", "utf8", "latin1",
		"latin-1", "latin9", "koi8-r", "koi8-u", "koi8-ru", "gb2312", "gbk", "cp936",
		"gb18030", "big5", "big5-hkscs", "euc-jp", "euc-kr", "euc-cn", "euc-tw",
		"ks_c_5601-1987", "uhc", "cp949", "shift_jis", "shift-jis", "sjis", "cp932",
		"windows-31j", "iso-2022-jp", "tis-620", "tis620", "macintosh", "x-mac-roman",
		"iso-8859-8-i", "windows-874", "windows-936", "windows-949", "cp437", "ibm437",
		"cp850", "ibm850", "cp852", "ibm852", "cp866", "ibm866", "x-unknown",
		"unknown-8bit", "unknown", "us_ascii", "usascii", "x-user-defined", "l1",
		"csisolatin1", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms",
		"x-gbk", "cp950", "big5hkscs", "viscii", "armscii-8", "macroman", "x-macroman",
		"mac-roman",
		/* names of old Windows, Mac and Unix programs */
		"x-sjis", "ms_kanji", "csshiftjis", "x-euc-jp", "eucjp", "euckr", "cseuckr",
		"ks_c_5601", "cp65001", "utf-8-mac", "unicode-1-1-utf-8", "csutf8", "iso-ir-100",
		"latin2", "latin5", "csisolatin2", "x-mac-ce", "x-mac-cyrillic", "x-mac-greek",
		"cp775", "cp855", "cp862", "ibm775", "ibm855", "ibm862",
		"binary", /* what file(1) says of a file */
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return is_of_family(name, false);
}

enum charset_spaces charset_spaces_of(const char *name)
{
	static const char *const latin[] = {"latin1", "l1", "csisolatin1", "windows-874"};

	if (strcmp(name, "utf-8") == 0 || strcmp(name, "utf8") == 0)
		return CHARSET_SPACES_UTF8;
	for (size_t i = 0; i < sizeof(latin) / sizeof(latin[0]); i++)
		if (strcmp(name, latin[i]) == 0)
			return CHARSET_SPACES_LATIN;
	return is_of_family(name, true) ? CHARSET_SPACES_LATIN : CHARSET_SPACES_UNSURE;
}

/* U+200B to U+200D, U+2060, U+FEFF, of which a terminal shows the number. */
static bool has_no_width(const unsigned char *t)
{
	return (t[1] == 0x80 && t[2] >= 0x8b && t[2] <= 0x8d) || (t[1] == 0x81 && t[2] == 0xa0) ||
	       t[0] == 0xef;
}

size_t charset_odd_octets(enum charset_spaces spaces, const unsigned char *text, size_t len)
{
	size_t n = 0, n_cr = 0;

	for (size_t i = 0; i < len; i++) {
		const size_t wide = text[i] < 0x80 ? 0 : text_wide_space(text + i, len - i);

		if (text[i] < 0x80) {
			n_cr += text[i] == '\r';
			n += text[i] == '\v' || text[i] == '\f' ||
			     (text[i] == '\r' && n_cr > CR_MAX);
		} else if (spaces == CHARSET_SPACES_UTF8 && wide > 1) {
			n += has_no_width(text + i) ? wide : 0;
			i += wide - 1;
		} else {
			n += spaces != CHARSET_SPACES_LATIN || text[i] != 0xa0;
		}
	}
	return n;
}

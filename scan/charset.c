/* SPDX-License-Identifier: ISC */
#include "scan/charset.h"

#include <stddef.h>
#include <string.h>

bool charset_is_known(const char *name)
{
	static const char *const names[] = {
		"",
		"us-ascii",
		"ascii",
		"ansi_x3.4-1968",
		"iso646-us",
		"utf-8",
		"utf8",
		"latin1",
		"latin-1",
		"latin9",
		"koi8-r",
		"koi8-u",
		"koi8-ru",
		"gb2312",
		"gbk",
		"cp936",
		"gb18030",
		"big5",
		"big5-hkscs",
		"euc-jp",
		"euc-kr",
		"euc-cn",
		"euc-tw",
		"ks_c_5601-1987",
		"uhc",
		"cp949",
		"shift_jis",
		"shift-jis",
		"sjis",
		"cp932",
		"windows-31j",
		"iso-2022-jp",
		"tis-620",
		"tis620",
		"macintosh",
		"x-mac-roman",
		"iso-8859-8-i",
		"windows-874",
		"windows-936",
		"windows-949",
		"cp437",
		"ibm437",
		"cp850",
		"ibm850",
		"cp852",
		"ibm852",
		"cp866",
		"ibm866",
		"x-unknown",
		"unknown-8bit",
		"unknown",
		"us_ascii",
		"usascii",
		"x-user-defined",
		"l1",
		"csisolatin1",
		"iso-2022-jp-1",
		"iso-2022-jp-2",
		"iso-2022-jp-3",
		"iso-2022-jp-ms",
		"x-gbk",
		"cp950",
		"big5hkscs",
		"viscii",
		"armscii-8",
		"macroman",
		"x-macroman",
		"mac-roman",
	};
	static const char *const families[] = {
		/* and one or two digits */
		"iso-8859-", "iso8859-",    "iso_8859-", "iso-8859", "iso8859_",
		"iso_8859_", "windows-125", "cp125",	 "win-125",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const char *number = name + strlen(families[i]);

		if (strncmp(name, families[i], strlen(families[i])) == 0 && *number &&
		    strspn(number, "0123456789") == strlen(number) && strlen(number) <= 2)
			return true;
	}
	return false;
}

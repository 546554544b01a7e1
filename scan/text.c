/* SPDX-License-Identifier: ISC */
#include "scan/text.h"

#include <string.h>

bool text_is_same(const unsigned char *text, size_t len, const char *want)
{
	for (size_t i = 0; i < len; i++)
		if (text_lower(text[i]) != text_lower((unsigned char)want[i]))
			return false;
	return true;
}

bool text_begins(const unsigned char *text, size_t len, const char *want)
{
	size_t n = strlen(want);

	return len >= n && memcmp(text, want, n) == 0;
}

size_t text_trimmed(const unsigned char *text, size_t len)
{
	for (;;) {
		if (len > 0 && text_is_space(text[len - 1]))
			len--;
		else if (len > 1 && text[len - 1] == 0xa0 && text[len - 2] == 0xc2)
			len -= 2;
		else if (len > 0 && text[len - 1] == 0xa0)
			len--;
		else
			return len;
	}
}

size_t text_wide_space(const unsigned char *t, size_t len)
{
	if (t[0] == 0xa0)
		return 1;
	if (len >= 2 && t[0] == 0xc2 && t[1] == 0xa0)
		return 2;
	if (len < 3)
		return 0;
	if (t[0] == 0xe2 && t[1] == 0x80 && ((t[2] >= 0x80 && t[2] <= 0x8d) || t[2] == 0xaf))
		return 3;
	if (t[0] == 0xe2 && t[1] == 0x81 && (t[2] == 0x9f || t[2] == 0xa0))
		return 3;
	if ((t[0] == 0xe3 && t[1] == 0x80 && t[2] == 0x80) ||
	    (t[0] == 0xef && t[1] == 0xbb && t[2] == 0xbf))
		return 3;
	return 0;
}

bool text_is_blank_line(const unsigned char *line, size_t len)
{
	while (len > 0) {
		size_t n = text_is_space(*line) ? 1 : text_wide_space(line, len);

		if (n == 0)
			return false;
		line += n;
		len -= n;
	}
	return true;
}

size_t text_count_visible(const unsigned char *text, size_t len)
{
	size_t n = 0;

	/* text_is_space() in a form without branches, of which compilers make vector code. */
	for (size_t i = 0; i < len; i++)
		n += !(text[i] == ' ' || (unsigned char)(text[i] - '\t') < 5);
	return n;
}

/* SPDX-License-Identifier: ISC */
#include "scan/text.h"

#include <string.h>

bool text_is(const unsigned char *text, size_t len, const char *want)
{
	if (strlen(want) != len)
		return false;
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

size_t text_count_visible(const unsigned char *text, size_t len)
{
	size_t n = 0;

	/* text_is_space() in a form without branches, of which compilers make vector code. */
	for (size_t i = 0; i < len; i++)
		n += !(text[i] == ' ' || (unsigned char)(text[i] - '\t') < 5);
	return n;
}

/* SPDX-License-Identifier: ISC */
#include "scan/html_sheet.h"

#include <string.h>

#include "scan/text.h"

#define END_TAG "</style>"

/* Are they the same, but for white space in text? */
static bool is_spaced(const char *text, size_t len, const char *known)
{
	for (size_t i = 0; i < len; i++) {
		if (text_is_space((unsigned char)text[i]))
			continue;
		if (text[i] != *known)
			return false;
		known++;
	}
	return *known == '\0';
}

bool html_sheet_is_begun(const char *tag)
{
	return strncmp(tag, "style", 5) == 0 &&
	       (is_spaced(tag + 5, strlen(tag + 5), "type=\"text/css\"style=\"display:none;\"") ||
		is_spaced(tag + 5, strlen(tag + 5), "type=\"text/css\"style=\"display:none\"") ||
		is_spaced(tag + 5, strlen(tag + 5), "type=\"text/css\""));
}

bool html_sheet_is_ended(const char *text, size_t len)
{
	const size_t n = sizeof(END_TAG) - 1;

	return len >= n && memcmp(text + len - n, END_TAG, n) == 0;
}

bool html_sheet_is_known(const char *text, size_t len)
{
	return is_spaced(text, len, "p{margin-top:0;margin-bottom:0;}" END_TAG) ||
	       is_spaced(text, len, "<!--p{margin-top:0;margin-bottom:0;}-->" END_TAG);
}

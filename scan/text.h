/* SPDX-License-Identifier: ISC
 *
 * text.h: small questions about octets that several parsers ask. No memory, any thread, never a
 * locale.
 */
#ifndef PGPGATE_SCAN_TEXT_H
#define PGPGATE_SCAN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static inline bool text_is_blank(unsigned char c) /* linear white space */
{
	return c == ' ' || c == '\t';
}

static inline bool text_is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline unsigned char text_lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

/* Is text (len octets) the string `want`, letter case apart? text_is_same(): it is as long. */
bool text_is_same(const unsigned char *text, size_t len, const char *want);

static inline bool text_is(const unsigned char *text, size_t len, const char *want)
{
	return strlen(want) == len && text_is_same(text, len, want);
}

bool text_begins(const unsigned char *text, size_t len, const char *want); /* exact case */

/* The length without trailing white space: blanks, CR, LF, VT, FF, and the no-break space in UTF-8
 * or Latin-1, which mail programs put behind armor lines. */
size_t text_trimmed(const unsigned char *text, size_t len);

/* Is a line nothing to any reader: white space, and the space characters of Unicode, those of no
 * width too, in UTF-8; or the no-break space in Latin-1? */
bool text_is_blank_line(const unsigned char *line, size_t len);

/* Octets of the space character beyond ASCII that begins here, 0 for none: U+00A0, U+2000 to
 * U+200D, U+202F, U+205F, U+2060, U+3000, U+FEFF in UTF-8, U+00A0 in ISO 8859. len is not 0. */
size_t text_wide_space(const unsigned char *t, size_t len);

/* Octets that are not white space (text_is_space()). */
size_t text_count_visible(const unsigned char *text, size_t len);

#endif

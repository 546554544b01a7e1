/* SPDX-License-Identifier: ISC
 *
 * charset.h: character sets of mail in which base64 and what surrounds it is nothing but what it is
 * in ASCII. A list of those that are good, for iconv, Qt and Python read odd names in many ways
 * ("+utf-7", "ut f-7"), and in UTF-7, UTF-16, HZ (RFC 1843), or IMAP's own armor is other text.
 * ISO-2022-JP shifts by an octet that armor may not have. Any thread.
 */
#ifndef PGPGATE_SCAN_CHARSET_H
#define PGPGATE_SCAN_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

/* name: in small letters; "" is ASCII. */
bool charset_is_known(const char *name);

/* How the space characters beyond ASCII are written. In KOI8-R the octet of the no-break space is a
 * bar, in UTF-8 it is shown as a mark of its own, in Latin-1 a letter stands before it: lines of
 * them are pictures. */
enum charset_spaces {
	CHARSET_SPACES_UNSURE, /* programs differ, or none is known */
	CHARSET_SPACES_LATIN,  /* A0 */
	CHARSET_SPACES_UTF8
};
enum charset_spaces charset_spaces_of(const char *name);

/* Octets that may be seen, of a line that is nothing but white space (text_is_blank_line()): those
 * beyond ASCII, and what terminals show as signs: form feeds, carriage returns, spaces without a
 * width. */
size_t charset_odd_octets(enum charset_spaces spaces, const unsigned char *text, size_t len);

#endif

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

/* name: in small letters; "" is ASCII. */
bool charset_is_known(const char *name);

#endif

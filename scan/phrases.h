/* SPDX-License-Identifier: ISC
 *
 * phrases.h: is a short text one that mail programs write where nobody with MIME looks: before the
 * first part of a multipart, or in the control part of PGP/MIME? Such a text is made of known
 * sentences. Each sentence has a few places where programs differ, and for each place the words
 * that they write there; each sentence comes once at most. So a new program's text is mostly known
 * before it is met, and no word that is not in a sentence can stand in one.
 *
 * Letter case and white space do not matter. Pure functions of a text of PHRASES_MAX octets at
 * most; any thread.
 */
#ifndef PGPGATE_SCAN_PHRASES_H
#define PGPGATE_SCAN_PHRASES_H

#include <stdbool.h>
#include <stddef.h>

#define PHRASES_MAX 400 /* octets: the longest known, Courier's, has 330 */

/* Before the first part: one sentence or several. */
bool phrases_is_preamble(const unsigned char *text, size_t len);

/* The control part (RFC 3156 section 4): "Version: 1", and perhaps lines that belong to its header
 * (Facebook). */
bool phrases_is_control(const unsigned char *text, size_t len);

#endif

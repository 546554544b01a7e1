/* SPDX-License-Identifier: ISC
 *
 * utf8.h: strict UTF-8 (RFC 3629): no overlong form, no surrogate, nothing beyond U+10FFFF. Pure;
 * any thread.
 */
#ifndef PGPGATE_COMMON_UTF8_H
#define PGPGATE_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the character at the start of len bytes. Returns its length (1..4) and sets *codepoint,
 * or 0 when there is none (*codepoint is untouched). */
size_t utf8_decode(const unsigned char *bytes, size_t len, uint32_t *codepoint);

/* Are all len bytes well-formed? */
bool utf8_is_valid(const char *text, size_t len);

/* Where text was cut within a character, what is left of that goes, too. Returns text. */
char *utf8_trim_end(char *text);

/* Characters that change how the text around them is shown, or that end a line: C0, DEL, C1, line
 * and paragraph separators, bidirectional controls, zero-width characters, tags. */
bool utf8_is_deceptive(uint32_t codepoint);

#endif

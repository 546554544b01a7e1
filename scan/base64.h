/* SPDX-License-Identifier: ISC
 *
 * base64.h: strict base64 (RFC 4648 section 4) in pieces: for transfer encoding and for armor. It
 * decodes alphabet and padding and stops at anything else; its caller knows what else may stand
 * there. Fixed memory, one thread.
 */
#ifndef PGPGATE_SCAN_BASE64_H
#define PGPGATE_SCAN_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct base64 {
	uint32_t bits;	    /* of the group under way */
	unsigned n_chars;   /* characters of the group under way, 0 to 3, padding not counted */
	unsigned n_padding; /* '=' seen, 0 to 2 */
	bool is_ended;	    /* a padded group was completed: no more data may come */
};

void base64_reset(struct base64 *b);

/* Decodes from in until the end or the first character that may not stand there; returns how many
 * characters it took. out needs len / 4 * 3 + 3 octets; *out_len is set to what was written. */
size_t base64_decode(struct base64 *b, const unsigned char *in, size_t len, unsigned char *out,
		     size_t *out_len);

/* No group is under way: the data may end here. */
bool base64_is_complete(const struct base64 *b);

bool base64_is_char(unsigned char c); /* of the alphabet, without '=' */

/* Are these all characters of the alphabet? For data that is counted, not decoded. */
bool base64_is_all_chars(const unsigned char *in, size_t len);

/* How many of the n_lines lines at in are n_chars characters of the alphabet and then their line
 * end, LF or CR LF? Each is stride octets long. */
size_t base64_count_lines(const unsigned char *in, size_t n_lines, size_t n_chars, size_t stride);

#endif

/* SPDX-License-Identifier: ISC
 *
 * spread.h: are the characters of base64 as evenly spread as those of ciphertext? Dark ones and
 * light ones draw letters over lines of armor. Weighed are windows of two halves, each half with
 * the one before, and what is left at the end likewise.
 *
 * The measure is Pearson's chi-square over 64 characters: 63 on average, deviation 11.2. Noise
 * passes SPREAD_BOUND with a chance of less than 6e-13 in a window, 4e-11 in the smallest block
 * that is looked at (Chernoff's bound). Half a window of lines of 22 different characters has 244,
 * a whole one of 43 has 250.
 *
 * Fixed memory, any chunking, one thread.
 */
#ifndef PGPGATE_SCAN_SPREAD_H
#define PGPGATE_SCAN_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPREAD_HALF 256	  /* characters: four lines */
#define SPREAD_ENOUGH 256 /* of a whole block: five lines make letters */
#define SPREAD_BOUND 240

struct spread {
	unsigned n; /* characters in the present half */
	bool has_last, is_uneven;
	uint16_t n_of[256], last[128]; /* by character */
};

/* Ready for the first character. */
void spread_reset(struct spread *s);

/* Characters of the base64 alphabet, n_chars in each of n_lines lines that begin every stride
 * octets; padding counts nothing. is_plain: of ciphertext; else "A" counts nothing, for it stands
 * for the zeros of hidden recipients. */
void spread_feed(struct spread *s, const unsigned char *chars, size_t n_lines, size_t n_chars,
		 size_t stride, bool is_plain);

/* The end. True: they are not evenly spread somewhere. */
bool spread_finish(struct spread *s);

#endif

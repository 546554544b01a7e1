/* SPDX-License-Identifier: ISC
 *
 * wording_gain.h: how much likelier a character of base64 is in English than in noise, by itself
 * and the one before it. A table that is filled before main() and never changes; for wording.c
 * alone.
 */
#ifndef PGPGATE_SCAN_WORDING_GAIN_H
#define PGPGATE_SCAN_WORDING_GAIN_H

#include <stdint.h>
#include <string.h>

#define WORDING_NAT 16	 /* logarithms are in sixteenths of a nat */
#define WORDING_BIAS 100 /* is added to each, so that none is negative: the least is -80 - 20 */

/* For text in lower case, and in upper. */
struct wording_gain {
	unsigned char of[2];
};

/* By wording_pair() of two characters of the alphabet; one more, so that two at once may be read.
 */
extern struct wording_gain wording_gain[(1 << 16) + 1];

/* Of two characters that follow each other in memory. */
static inline unsigned wording_pair_at(const unsigned char *two)
{
	uint16_t pair;

	memcpy(&pair, two, sizeof(pair));
	return pair;
}

/* The same of two that do not. */
static inline unsigned wording_pair(unsigned char previous, unsigned char next)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return previous | (unsigned)next << 8;
#else
	return (unsigned)previous << 8 | next;
#endif
}

#endif

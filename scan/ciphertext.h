/* SPDX-License-Identifier: ISC
 *
 * ciphertext.h: is what stands in the place of ciphertext really text? Counts over the first
 * CIPHERTEXT_SAMPLE octets. Real ciphertext is uniform; the chance that it is taken for text is below
 * 1e-9 at 64 octets and falls fast with more. One thread a sample; no memory of its own.
 */
#ifndef PGPGATE_SCAN_CIPHERTEXT_H
#define PGPGATE_SCAN_CIPHERTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CIPHERTEXT_SAMPLE 4096 /* octets looked at */

struct ciphertext {
	uint16_t n;	    /* octets counted */
	uint16_t n_of[256]; /* by value */
};

void ciphertext_reset(struct ciphertext *c);

/* Counts; what lies beyond the sample is ignored. */
void ciphertext_feed(struct ciphertext *c, const unsigned char *bytes, size_t len);

/* The sample is full: nothing more will be looked at. */
bool ciphertext_is_full(const struct ciphertext *c);

/* NULL if it may be ciphertext, else what it looks like, in words. */
const char *ciphertext_looks_like(const struct ciphertext *c);

#endif

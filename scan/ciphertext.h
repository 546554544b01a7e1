/* SPDX-License-Identifier: ISC
 *
 * ciphertext.h: is what stands in the place of ciphertext really text? Counts over up to
 * CIPHERTEXT_SAMPLE octets, and the longest run of text octets. Text is printable ASCII and white
 * space (blank, HT, LF, VT, FF, CR).
 *
 * Real ciphertext is uniform. The chance that a sample of it is taken for text is below 1e-10 at
 * any length, for each of the four questions, and far below with most lengths; the chance of a run
 * of CIPHERTEXT_RUN text octets is 5e-17 for each octet: 5e-8 for a gigabyte. One thread a sample;
 * no memory of its own.
 */
#ifndef PGPGATE_SCAN_CIPHERTEXT_H
#define PGPGATE_SCAN_CIPHERTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CIPHERTEXT_SAMPLE 4096 /* octets counted */
#define CIPHERTEXT_RUN 40      /* text octets in a row that make a text: (100 / 256)^40 = 5e-17 */
#define CIPHERTEXT_SHORT 16    /* octets from which ciphertext_is_short_text() says something */

struct ciphertext {
	uint16_t n;	    /* octets counted */
	uint16_t run;	    /* text octets in a row up to here */
	bool has_run;	    /* CIPHERTEXT_RUN of them, anywhere */
	uint16_t n_of[256]; /* by value */
};

void ciphertext_reset(struct ciphertext *c);

/* Begins the next sample; a run goes on. */
void ciphertext_next(struct ciphertext *c);

/* Counts; what lies beyond the sample is ignored. Returns how many octets were counted. */
size_t ciphertext_feed(struct ciphertext *c, const unsigned char *bytes, size_t len);

/* The sample is full: nothing more will be looked at. */
bool ciphertext_is_full(const struct ciphertext *c);

/* NULL if it may be ciphertext, else what it looks like, in words. */
const char *ciphertext_looks_like(const struct ciphertext *c);

/* The same for what holds some text by right, as signatures and certificates do. */
const char *ciphertext_is_prose(const struct ciphertext *c);

/* Seven eighths of at least CIPHERTEXT_SHORT octets are text. Chance: 8e-6 at 16 octets, 2e-9
 * at 32. */
bool ciphertext_is_short_text(const struct ciphertext *c);

#endif

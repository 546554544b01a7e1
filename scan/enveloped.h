/* SPDX-License-Identifier: ISC
 *
 * enveloped.h: is a CMS ContentInfo's content built as EnvelopedData (RFC 5652 section 6.1) or
 * AuthEnvelopedData (RFC 5083 section 2.1) is, up to the encrypted content, and is that no text?
 * Reads DER, and BER's indefinite lengths where streaming writers use them, that is on what
 * encloses the content. Recipients and algorithm are passed over by their lengths.
 *
 * Octets of the whole go in, in pieces of any size; all of the content is sampled (ciphertext.h).
 * Fixed memory, one thread.
 */
#ifndef PGPGATE_SCAN_ENVELOPED_H
#define PGPGATE_SCAN_ENVELOPED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/ciphertext.h"

#define ENVELOPED_RECIPIENTS_MAX (1024 * 1024) /* octets: more than 2,000 of RSA-4096 */
#define ENVELOPED_ALGORITHM_MAX                                          \
	256 /* octets of an object identifier or algorithm: GCM's has 30 \
	     */

struct enveloped {
	bool is_wrong;
	bool has_content;
	/* private */
	unsigned step;	       /* which element comes next */
	unsigned char head[6]; /* tag and length of the present one */
	size_t head_have;
	uint64_t skip; /* octets to pass over */
	struct ciphertext sample;
};

void enveloped_reset(struct enveloped *e);
void enveloped_feed(struct enveloped *e, const unsigned char *bytes, size_t len);

/* After all octets. */
bool enveloped_is_proper(const struct enveloped *e);

#endif

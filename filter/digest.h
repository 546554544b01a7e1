/* SPDX-License-Identifier: ISC
 *
 * digest.h: by which we know a message again when its client tries once more (mixed recipients):
 * SHA-256 over the fields Date, From, Subject and Message-ID as they came, and the first 64 KiB of
 * the body. Fields that relays add or change (Received, our own) are left out. So is the envelope
 * sender, which BATV, SRS and VERP change at each attempt; and the recipients, who come in groups.
 *
 * Part of one transaction; one thread at a time. Zero-initialised is off: header and body are then
 * passed over, which is what nearly all mail gets, for hashing costs as much as scanning.
 */
#ifndef PGPGATE_FILTER_DIGEST_H
#define PGPGATE_FILTER_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

#include "filter/recipients.h"

#define DIGEST_BODY_MAX (64 * 1024)
#define DIGEST_SIZE SHA256_DIGEST_SIZE

struct digest {
	bool is_on;
	size_t body_bytes; /* hashed so far */
	struct sha256_ctx sha256;
};

void digest_begin(struct digest *d);
void digest_header(struct digest *d, const char *name, size_t name_len, const char *value,
		   size_t value_len);
void digest_body(struct digest *d, const unsigned char *bytes, size_t len);
void digest_finish(struct digest *d, unsigned char out[DIGEST_SIZE]);

/* The same message to the same recipients, in whatever order: 0, or -1 when memory is short. */
int digest_together(const unsigned char content[DIGEST_SIZE], const struct recipients *recipients,
		    unsigned char out[DIGEST_SIZE]);

#endif

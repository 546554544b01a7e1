/* SPDX-License-Identifier: ISC
 *
 * digest.h: by which we know a message again when its client tries once more (mixed recipients, for clients
 * that declare no SIZE): SHA-256 over the envelope sender, the sorted recipients, the fields Date, From,
 * Subject and Message-ID as they came, and the first 64 KiB of the body. Fields that relays add or change
 * (Received, our own) are left out.
 *
 * Part of one transaction; one thread at a time. Zero-initialised is off: header and body are then passed
 * over, which is what nearly all mail gets, for hashing costs as much as scanning.
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

/* Turns it on; the envelope is complete by then. It stays off when memory is short: -1. */
int digest_begin(struct digest *d, const char *sender, const struct recipients *recipients);
void digest_header(struct digest *d, const char *name, size_t name_len, const char *value,
		   size_t value_len);
void digest_body(struct digest *d, const unsigned char *bytes, size_t len);
void digest_finish(struct digest *d, unsigned char out[DIGEST_SIZE]);

#endif

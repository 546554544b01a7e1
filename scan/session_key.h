/* SPDX-License-Identifier: ISC
 *
 * session_key.h: the body of one session key packet, RFC 9580 sections 5.1 (PKESK, tag 1, versions
 * 3 and 6) and 5.3 (SKESK, tag 3, versions 4 and 6), and LibrePGP's SKESK version 5. Push parser:
 * for known algorithms the fields must fill the packet exactly; for unknown ones, and in unknown
 * versions, the body must not be text.
 *
 * Memory is fixed; one thread. Errors do not exist: session_key_finish() says what is wrong.
 */
#ifndef PGPGATE_SCAN_SESSION_KEY_H
#define PGPGATE_SCAN_SESSION_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scan/ciphertext.h"

#define SESSION_KEY_HEAD \
	128 /* octets kept: a whole SKESK (at most 105), or the fixed part of a PKESK */
#define SESSION_KEY_BODY_MAX \
	65536 /* octets of a body: RSA-16384 takes 2,060, post-quantum ones about 2,200 */

struct session_key {
	unsigned tag; /* 1 or 3 */
	unsigned version;
	uint64_t key_id; /* PKESK; 0: hidden */
	bool is_unknown; /* of a version that nobody can read: to be passed over (RFC 9580
			    section 5.1) */
	/* the rest is private */
	unsigned char head[SESSION_KEY_HEAD];
	size_t head_len;
	size_t body_len;
	const unsigned char *steps; /* what is still to come, NULL while the head is read */
	bool is_opaque;		    /* unknown algorithm */
	uint32_t pending;	    /* octets left of the present field */
	unsigned length_octets;	    /* octets read of a field's length */
	uint32_t length;
	const char *wrong;
	struct ciphertext sample;
};

void session_key_begin(struct session_key *k, unsigned tag);

/* fields: gets what a sender chooses, to be looked at with that of other session keys; what frames
 * the fields is left out, for it is alike in each. keys: the same of key ids and fingerprints, but
 * of those of hidden recipients, which are zero. */
void session_key_feed(struct session_key *k, const unsigned char *bytes, size_t len,
		      struct ciphertext *fields, struct ciphertext *keys);

/* NULL if the body is well-formed; else what is wrong, in words. */
const char *session_key_finish(struct session_key *k);

#endif

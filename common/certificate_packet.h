/* SPDX-License-Identifier: ISC
 *
 * certificate_packet.h: the packets of an OpenPGP certificate (RFC 9580 section 10.1), as far as
 * they can be told without checking a signature: framing, fingerprints, user ids. Whoever needs to
 * know whether a certificate holds asks certificate_read.h.
 *
 * Pure; any thread.
 */
#ifndef PGPGATE_COMMON_CERTIFICATE_PACKET_H
#define PGPGATE_COMMON_CERTIFICATE_PACKET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"

#define CERTIFICATE_SIGNATURE 2
#define CERTIFICATE_SECRET_KEY 5
#define CERTIFICATE_PUBLIC_KEY 6
#define CERTIFICATE_SECRET_SUBKEY 7
#define CERTIFICATE_USER_ID 13
#define CERTIFICATE_PUBLIC_SUBKEY 14

struct certificate_packet {
	unsigned tag;
	const unsigned char *body; /* borrowed */
	size_t body_len, whole_len;
};

/* The next packet. 0, or -1: cut off, or framed as no key is (partial and indeterminate lengths).
 * RFC 9580 section 4.2. */
int certificate_packet_read(const unsigned char *p, size_t len, struct certificate_packet *out);

/* Is there anything that is encrypted to keys of this algorithm (RFC 9580 section 9.1)? What nobody
 * has heard of yet counts. */
bool certificate_can_encrypt(unsigned algorithm);

/* Is its primary key of a version or an algorithm that gpg cannot have checked? */
bool certificate_is_beyond_gpg(const unsigned char *packets, size_t len);

/* The fingerprint of each subkey of versions 4 to 6 that can be encrypted to, for what gpg does not
 * tell. Nothing is checked. */
void certificate_subkeys(const unsigned char *packets, size_t len,
			 void (*tell)(void *context, const char *fingerprint), void *context);

/* The certificate with the user ids of those canonical addresses alone that are wanted, and without
 * attributes, trust and padding: whose other addresses they are is nobody's business. Writes at
 * most len octets to out, which may be packets itself. *has_any: a user id is left. Returns how
 * many octets. */
typedef bool certificate_wants(void *context, const char *address);
size_t certificate_for(const unsigned char *packets, size_t len, certificate_wants *wants,
		       void *context, unsigned char *out, bool *has_any);

#endif

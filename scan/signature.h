/* SPDX-License-Identifier: ISC
 *
 * signature.h: what an OpenPGP signature packet says in words, RFC 9580 section 5.2: notations,
 * policy and key server addresses, a signer's user id, and whatever is not known. gpg and mutt show
 * them, so beside ciphertext they are readable text. Reads the two areas of subpackets; nothing is
 * verified. A plain question, any thread.
 */
#ifndef PGPGATE_SCAN_SIGNATURE_H
#define PGPGATE_SCAN_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_HEAD \
	512 /* octets of a packet that are kept; both areas of real signatures end within 300 */
#define SIGNATURE_PLAIN_MAX \
	66 /* octets of a subpacket without text: a fingerprint has 33, a salt up to 64 */
#define SIGNATURE_USER_ID_MAX 100 /* octets of an address that goes for nothing */

/* Octets of text in a packet whose body begins with these `have` octets, at most SIGNATURE_HEAD, of
 * `whole`. */
size_t signature_readable_bytes(const unsigned char *body, size_t have, uint64_t whole);

#endif

/* SPDX-License-Identifier: ISC
 *
 * registry.h: what the OpenPGP registries know of algorithms (RFC 9580 section 9, LibrePGP). Any
 * thread.
 */
#ifndef PGPGATE_SCAN_REGISTRY_H
#define PGPGATE_SCAN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

/* Symmetric ciphers, RFC 9580 section 9.3. 0 is no encryption, 5 and 6 are reserved. */
static inline bool registry_is_cipher(unsigned id)
{
	return (id >= 1 && id <= 4) || (id >= 7 && id <= 13);
}

/* Octets of the nonce of an AEAD mode, section 9.6: EAX, OCB, GCM. 0: unknown mode. */
static inline size_t registry_nonce_octets(unsigned aead)
{
	return aead == 1 ? 16 : aead == 2 ? 15 : aead == 3 ? 12 : 0;
}

#endif

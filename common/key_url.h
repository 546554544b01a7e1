/* SPDX-License-Identifier: ISC
 *
 * key_url.h: where the key of a recipient can be had: key_url, and the Web Key Directory,
 * draft-koch-openpgp-webkey-service section 3.1. Pure: no storage, no allocation; any thread.
 */
#ifndef PGPGATE_COMMON_KEY_URL_H
#define PGPGATE_COMMON_KEY_URL_H

#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"

#define WKD_HASH_MAX 33 /* bytes with NUL: 160 bits, 5 a character */

/* z-base-32 of n octets, without padding: (8 * n + 4) / 5 characters and NUL. Returns out. */
char *zbase32(const unsigned char *octets, size_t n, char *out);

/* Of a local part, in lower case: z-base-32 of its SHA-1. Returns out. */
char *wkd_hash(const char *local_part, size_t n, char out[WKD_HASH_MAX]);

/* key_url with the recipient's words filled in: of an address with an extension
 * (recipient_delimiter) those of the address without it. fingerprint: of a key, for %f; "" or NULL
 * when none is known, and then a template with %f gives "". "" also where there is no key_url, no
 * domain, or no room. Returns out. */
char *key_url_of(const struct settings *s, const char *address, const char *fingerprint, char *out,
		 size_t out_size);

#endif

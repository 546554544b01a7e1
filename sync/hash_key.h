/* SPDX-License-Identifier: ISC
 *
 * hash_key.h: the key of hashed addresses as text, for the way between a host and the centre of its
 * site. Pure functions.
 */
#ifndef PGPGATE_SYNC_HASH_KEY_H
#define PGPGATE_SYNC_HASH_KEY_H

#include "db/hashed.h"

#define HASH_KEY_TEXT_MAX (2 * HASHED_KEY_BYTES + 1)

char *hash_key_text(const struct hashed *h, char out[HASH_KEY_TEXT_MAX]); /* returns out */
int hash_key_read(const char *text,
		  struct hashed *out); /* 0: out->key and has_key are set; or -1 */

#endif

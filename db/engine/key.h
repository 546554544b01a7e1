/* SPDX-License-Identifier: ISC
 *
 * key.h: the form in which addresses are stored. The domain comes first with its labels reversed,
 * then '@' and the local part: alice@mail.example.org is org.example.mail@alice. One index finds an
 * address, a domain and everything below a domain. A text without '@' stays as it is. Pure; any
 * thread.
 */
#ifndef PGPGATE_DB_KEY_H
#define PGPGATE_DB_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "db/hashed.h"

#define KEY_MAX 512 /* bytes with NUL: an address, or an escaped one, and some */

/* Cuts at KEY_MAX - 1. Returns out. */
char *key_from_address(const char *address, char out[KEY_MAX]);
char *key_to_address(const char *key, char *out, size_t out_size);

/* The key under which an address is stored: hashed when h is on. */
char *key_stored(const struct hashed *h, const char *address, char out[KEY_MAX]);

/* What a person asks for: an address, a domain ("example.org", "@example.org") or what is below one
 * (".example.org"). An address gives from, and to is "". Otherwise the keys from <= key < to. */
void key_range(const char *pattern, char from[KEY_MAX], char to[KEY_MAX]);

/* The registrable domain (public suffix list) of a domain, or the domain itself where it has none.
 * Borrowed from domain. */
const char *key_registrable(const char *domain);

/* Is the domain one below which others register theirs ("co.uk", "github.io")? */
bool key_is_public_suffix(const char *domain);

#endif

/* SPDX-License-Identifier: ISC
 *
 * key_ids.h: the session keys of a message as the record keeps them, one text a message: its
 * containers, then the OpenPGP messages, each with the ids of its session keys (RFC 9580
 * section 5.5.4; of version 6 ones the first 64 bits of the fingerprint), then how many more there
 * were:
 *
 *     mdc 0123456789ABCDEF,0000000000000000;89ABCDEF01234567 +3
 *
 * 0 is a hidden recipient, "-" a message that only a password opens. Where log_addresses = hashed
 * an id is the first 64 bits of its HMAC (hashed.h), in lower-case digits behind "h:", and 0 stays
 * 0. A message without OpenPGP has the empty text.
 *
 * For db/ only. Pure; any thread.
 */
#ifndef PGPGATE_DB_KEY_IDS_H
#define PGPGATE_DB_KEY_IDS_H

#include "common/verdict.h"
#include "db/hashed.h"

/* Bytes with NUL: 32 ids with what stands between them, 32 messages without any, the containers, a
 * count. */
#define KEY_IDS_TEXT_MAX (KEY_IDS_MAX * 20 + KEY_IDS_MAX * 2 + 64)

/* Returns out. */
char *key_ids_format(const struct judgement *j, const struct hashed *h, char out[KEY_IDS_TEXT_MAX]);

/* Fills in what belongs to session keys. What is no such text leaves it empty. */
void key_ids_parse(const char *text, struct judgement *j);

#endif

/* SPDX-License-Identifier: ISC
 *
 * hashed.h: log_addresses = hashed. Addresses, clients, login names, Message-IDs and key ids are
 * kept, and logged, as keyed hashes: HMAC-SHA-256 (RFC 2104) with the key in DATABASE.key, its
 * first 64 bits as "h:" and 16 hex digits. An address becomes h:16hex@h:16hex, the second for its
 * domain alone, so that what works on domains still does. The null sender stays "<>", an empty text
 * stays empty.
 *
 * A struct hashed is a plain value that only hashed_load() changes; reading it is for any thread.
 */
#ifndef PGPGATE_DB_HASHED_H
#define PGPGATE_DB_HASHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/settings.h"

#define HASHED_KEY_BYTES 32
#define HASHED_TEXT_MAX 24 /* "h:" 16 hex NUL */
#define HASHED_ADDRESS_MAX (2 * HASHED_TEXT_MAX)

/* What a text is; the same text as another kind gives another hash. */
enum hashed_kind {
	HASHED_ADDRESS,
	HASHED_DOMAIN,
	HASHED_CLIENT,
	HASHED_MESSAGE_ID,
	HASHED_LOGIN,
	HASHED_KEY_ID
};

struct hashed {
	bool is_on;   /* log_addresses = hashed */
	bool has_key; /* without one, and is_on, everything becomes "h:?" and the database refuses
		       */
	unsigned char key[HASHED_KEY_BYTES];
};

/* What the database keeps of its key (state.hash_key_check), to know it again: 128 bits of
 * HMAC-SHA-256 under it. */
#define HASHED_CHECK_MAX 33 /* hex and NUL */
char *hashed_check(const struct hashed *h, char out[HASHED_CHECK_MAX]);

/* A process has one key for a database: the first that the database knew again. From then on
 * hashed_load() refuses any other, whoever puts it there and even if the database is told to take
 * it, until the process starts anew. */
void hashed_confirm(const struct hashed *h, const struct settings *s);
void hashed_forget(void); /* for the process that makes another key */
bool hashed_is_another(const struct hashed *h, const struct settings *s); /* than the process's */

/* Reads DATABASE.key. 0: read, or not there and not needed. -1 with a sentence in err. Whether it
 * is the database's only a connection can tell. */
int hashed_load(struct hashed *h, const struct settings *s, char *err, size_t err_size);

/* The same of DATABASE.key.new, which holds the key where one that replaced it was killed before it
 * gave it its name; whoever the process began with. 0, or -1: there is none. */
int hashed_load_new(struct hashed *h, const struct settings *s);

/* The hash, whether h is on or not. Returns out (HASHED_TEXT_MAX). */
char *hashed_text(const struct hashed *h, enum hashed_kind kind, const char *text, char *out);
/* The same for an address (HASHED_ADDRESS_MAX). */
char *hashed_address(const struct hashed *h, const char *address, char *out);

/* A key id as the record keeps it when h is on: the 64 bits of its hash; 0, a hidden one, stays 0.
 */
uint64_t hashed_key_id(const struct hashed *h, uint64_t id);

/* What may be written to a log: the text itself, or when h is on its hash, in out. Either is
 * returned. */
const char *hashed_shown(const struct hashed *h, enum hashed_kind kind, const char *text,
			 char out[HASHED_ADDRESS_MAX]);

/* What a connection read at opening, and reads again when it reopens. Borrowed from d. */
struct db;
const struct hashed *db_hashed(const struct db *d);

#endif

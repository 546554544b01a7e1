/* SPDX-License-Identifier: ISC
 *
 * sealed.h: keys of recipients as the database keeps them where log_addresses = hashed: in no form
 * that shows whose keys they are, or which. A fingerprint is "s:" and hexadecimal digits, a
 * certificate "s:" and octets, of AES-SIV (RFC 5297, AES-SIV-CMAC-256) under a key that is made
 * from DATABASE.key; the same text gives the same octets, so it is found again, and whoever has the
 * key can read it, which a hash would not let them: refusals name keys, and certificates are
 * published. A key id is the hash that the record has (hashed.h).
 *
 * All rows are in the form of the present settings, or all in another one, until the next change of
 * keys or `db init` turns them. In SQL, where d is the connection's:
 *
 *     key_plain(x)     what x stands for, text or blob; NULL: it was sealed under a key that is not
 *                      here. What is not sealed stands for itself.
 *     key_form(x)      the same as it is kept now; NULL likewise
 *     key_id_plain(x), key_id_form(x)   the id that belongs to a fingerprint; NULL likewise
 *     key_text_form(x) a line of the history of keys with its fingerprints as they are kept now;
 *                      what cannot be read stays
 *
 * For db/ only. One thread a connection.
 */
#ifndef PGPGATE_DB_ENGINE_SEALED_H
#define PGPGATE_DB_ENGINE_SEALED_H

#include "common/own_key.h"
#include "db/engine/internal.h"

#define SEALED_TEXT_MAX 104 /* bytes with NUL: "s:" and digits of 16 octets and a fingerprint */

bool sealed_is(const char *text);

/* A fingerprint as it is kept now. What is none, such as "", stays as it is. Returns out. */
char *sealed_form(const struct hashed *h, const char *fingerprint, char out[SEALED_TEXT_MAX]);

/* The fingerprint that stands there: 0, or -1: it was sealed under another key. */
int sealed_open(const struct hashed *h, const char *text, char out[FINGERPRINT_MAX]);

/* The same for packets: malloc()ed, NULL: no memory (ENOMEM), or, of the second,
 * another key (EBADMSG). */
unsigned char *sealed_packets(const struct hashed *h, const unsigned char *packets, size_t len,
			      size_t *out_len);
unsigned char *sealed_packets_open(const struct hashed *h, const unsigned char *kept, size_t len,
				   size_t *out_len);

/* A line of the history of keys: its fingerprints before " note=" in the form of now; malloc()ed,
 * NULL: no memory. And as people read it, in place; what cannot be read stays. */
char *sealed_line(const struct hashed *h, const char *line);
void sealed_line_open(const struct hashed *h, char *line);

/* Fails for what was sealed under a key that is not here. Returns -1. */
int sealed_fail(struct db *d);

/* The functions of SQL. 0 or -1. */
int sealed_register(struct db *d);

/* Within a write transaction: brings what is kept into the form of now. 0 or -1. */
int sealed_settle(struct db *d);

/* Likewise after d->hashed has changed; was: before. What cannot be read under either goes. */
int sealed_settle_anew(struct db *d, const struct hashed *was);

#endif

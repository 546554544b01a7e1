/* SPDX-License-Identifier: ISC
 *
 * own_key.h: is a message encrypted to a key of one of its recipients? A value that travels from
 * the database, which knows the keys, to the table that decides (outcome.h).
 */
#ifndef PGPGATE_COMMON_OWN_KEY_H
#define PGPGATE_COMMON_OWN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum own_key_state {
	OWN_KEY_UNKNOWN, /* nobody knows a key of this recipient, or nobody asked: as `encrypted` */
	OWN_KEY_OTHER,	 /* a message in it names keys, none of theirs */
	OWN_KEY_REVOKED, /* one that is compromised, or was replaced longer ago than key_grace */
	OWN_KEY_EXPIRED, /* one that expired longer ago than key_grace */
	OWN_KEY_HIDDEN,	 /* one of its keys is not named */
	OWN_KEY_GOOD,
};

#define FINGERPRINT_MAX 65 /* bytes with NUL: version 6 has 64 hex digits, version 4 has 40 */

struct own_key {
	enum own_key_state state;
	bool is_cut;	 /* OWN_KEY_UNKNOWN, since it has more session keys than are looked at */
	uint64_t key_id; /* one to encrypt to; 0: none is known */
	char fingerprint[FINGERPRINT_MAX]; /* of it */
};

/* The key id that belongs to a fingerprint in upper-case hex digits (RFC 9580 section 5.5.4): 0 and
 * *out, or -1: it is none. */
int key_id_of(const char *fingerprint, uint64_t *out);

/* The reason in the log for what is refused for it; NULL for what is not. Static. */
static inline const char *own_key_reason(enum own_key_state state)
{
	switch (state) {
	case OWN_KEY_OTHER:
		return "other-key";
	case OWN_KEY_REVOKED:
		return "revoked-key";
	case OWN_KEY_EXPIRED:
		return "expired-key";
	case OWN_KEY_HIDDEN:
		return "hidden-recipient";
	case OWN_KEY_UNKNOWN:
	case OWN_KEY_GOOD:
		break;
	}
	return NULL;
}

#endif

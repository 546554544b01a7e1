/* SPDX-License-Identifier: ISC
 *
 * keys.h: which keys recipients have: rows of (pattern, encryption key), the certificates that they
 * are from, and who is behind a recipient that stands for several. What a message is compared with
 * is policy_own_key() (policy.h).
 *
 * Every change goes into the history of changes (`rules --history`), of kind "keys"; what is so
 * already leaves no trace. One thread a connection.
 */
#ifndef PGPGATE_DB_KEYS_H
#define PGPGATE_DB_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/own_key.h"
#include "db/db.h"
#include "db/rules.h"

enum key_state { KEY_ACTIVE, KEY_EXPIRED, KEY_SUPERSEDED, KEY_COMPROMISED };
#define KEY_STATE_COUNT 4
const char *key_state_name(enum key_state s);
int key_state_from_name(const char *name, enum key_state *out); /* 0, or -1 */

struct recipient_key {
	char pattern[ADDRESS_MAX + 1];	   /* canonical */
	char fingerprint[FINGERPRINT_MAX]; /* of the encryption key: upper-case hex digits, 40 or 64
					    */
	char primary_fingerprint[FINGERPRINT_MAX]; /* of its certificate; "": not known */
	uint64_t key_id;
	int64_t from_unix, until_unix; /* 0: not known, never */
	enum key_state state;	       /* as it was when it was put */
	char source[8];		       /* "import", "add", KEY_SOURCE_SPARE */
	char note[NOTE_MAX + 1];
	char author[AUTHOR_MAX + 1];
	int64_t created_at_unix;
};

/* A key of a certificate that is not meant to be encrypted to, and could be (an RSA primary key
 * that signs only): programs that look no closer do so, and GnuPG and RNP decrypt it. It counts as
 * the recipient's; nobody is told to use it. */
#define KEY_SOURCE_SPARE "spare"
bool key_is_spare(const struct recipient_key *k);

struct key_certificate {
	char fingerprint[FINGERPRINT_MAX];
	const unsigned char *packets; /* borrowed */
	size_t len;
};

struct keys_change {
	const char *author;
	int64_t now_unix;
	bool is_dry_run;
	bool replaces_all; /* every other key goes */
	bool supersedes;   /* other active keys of the same patterns are superseded from now on */
	const struct recipient_key *keys;
	size_t n_keys;
	const struct key_certificate *certificates;
	size_t n_certificates;
	/* Told what has become of each, when all of it is in force; may be NULL. */
	void (*tell)(void *context, enum rule_outcome o, const struct recipient_key *k);
	void *context;
};

struct keys_result {
	int64_t n[6]; /* by enum rule_outcome */
	int64_t no;   /* of the change; 0: nothing differs */
};

/* All or nothing, in one transaction. 0 or -1. */
int keys_put(struct db *d, const struct keys_change *c, struct keys_result *out);

/* Removes the keys of a pattern, or the one with this fingerprint of it or of its certificate
 * (NULL: all); its group, too, when all go. 0 or -1; out->n[RULE_REMOVED]. */
int keys_forget(struct db *d, const struct keys_change *c, const char *pattern,
		const char *fingerprint, struct keys_result *out);

/* Who is behind a pattern: replaces what was. Without members it stands for itself again. 0 or -1.
 */
int keys_group(struct db *d, const struct keys_change *c, const char *pattern,
	       const char *const *members, size_t n_members, bool wants_all,
	       struct keys_result *out);

/* Tells the keys of a pattern (NULL: all), in the order of patterns, those that begin by
 * `until_unix` to be over (0: all). In pages; no snapshot is held while tell() runs. 0, -1; a
 * nonzero tell() ends it and is returned. */
int keys_list(struct db *d, const char *pattern, int64_t until_unix,
	      int (*tell)(void *context, const struct recipient_key *k), void *context);

/* Tells members, likewise. */
int keys_groups(struct db *d, const char *pattern,
		int (*tell)(void *context, const char *pattern, const char *member, bool wants_all),
		void *context);

/* Tells, up to `most`, the patterns of rules with the requirement own-key for which no key is
 * known. 0 or -1. */
int keys_missing(struct db *d, int most, void (*tell)(void *context, const char *pattern),
		 void *context);

/* Does a rule that holds demand own-key for exactly this pattern? 1, 0, -1. */
int keys_demanded(struct db *d, const char *pattern);

/* How many active keys end from `from_unix` on and before `until_unix`. Within the caller's
 * transaction, or none. -1 on failure. */
int64_t keys_ending(struct db *d, int64_t from_unix, int64_t until_unix);

/* The certificate with this primary fingerprint, malloc()ed. 1, 0 there is none, -1. */
int keys_certificate(struct db *d, const char *fingerprint, unsigned char **packets, size_t *len);

#endif

/* SPDX-License-Identifier: ISC
 *
 * certificate_read.h: what a certificate says, as gpg tells it: `gpg --show-keys --with-colons`,
 * with an empty home of its own, without network, for 5 s at most. Signatures are checked there,
 * not here.
 *
 * One thread.
 */
#ifndef PGPGATE_CLI_CERTIFICATE_READ_H
#define PGPGATE_CLI_CERTIFICATE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/keys.h"

#define CERTIFICATE_KEYS_MAX 64 /* encryption keys of one certificate */
#define CERTIFICATE_MAILBOXES_MAX 64
#define CERTIFICATE_READ_WHY_MAX 300

struct certificate {
	char fingerprint[FINGERPRINT_MAX];
	size_t n_keys; /* one of them at least is no spare one */
	struct {
		char fingerprint[FINGERPRINT_MAX];
		int64_t from_unix, until_unix;
		enum key_state state;
		bool is_spare; /* struct recipient_key */
	} key[CERTIFICATE_KEYS_MAX];
	size_t n_mailboxes;
	struct address mailbox[CERTIFICATE_MAILBOXES_MAX]; /* of user ids that are not revoked */
	bool has_sha1; /* what binds its keys is signed with SHA-1 */
};

struct certificate_reader;

/* program: gpg, or where it is. NULL: it does not run, or there is no place for its home; why says
 * so. */
struct certificate_reader *certificate_reader_new(const char *program,
						  char why[CERTIFICATE_READ_WHY_MAX]);
void certificate_reader_free(struct certificate_reader *r); /* NULL allowed */

/* 0, or -1: why. */
int certificate_read(struct certificate_reader *r, const unsigned char *packets, size_t len,
		     int64_t now_unix, struct certificate *out, char why[CERTIFICATE_READ_WHY_MAX]);

#endif

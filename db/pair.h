/* SPDX-License-Identifier: ISC
 *
 * pair.h: the record of a pair of correspondents, kept apart from single verdicts, for people.
 * Times in seconds since 1970. One thread a connection.
 */
#ifndef PGPGATE_DB_PAIR_H
#define PGPGATE_DB_PAIR_H

#include <stdint.h>

#include "db/db.h"

/* The record of a pair (sender, recipient). 1 found, 0 none, -1 failed. */
struct pair_record {
	int64_t first_encrypted_unix, last_encrypted_unix, n_encrypted; /* 0: never */
	int64_t first_cleartext_unix, last_cleartext_unix, n_cleartext;
};
int pair_get(struct db *d, const char *sender, const char *recipient, struct pair_record *out);

/* The pair's record counts no more. Audited. 1, 0 when there was none, -1. */
int pair_forget(struct db *d, const char *sender, const char *recipient, int64_t now_unix,
		const char *author);

#endif

/* SPDX-License-Identifier: ISC
 *
 * keys_learn.h: what the files of `pgpgate keys learn` share: the keys that an id on record may be
 * of. Those of certificates that are given with --from, and those that are kept, for whomever. An
 * id that is hashed (log_addresses = hashed) is known by them alone.
 *
 * One thread.
 */
#ifndef PGPGATE_CLI_KEYS_LEARN_H
#define PGPGATE_CLI_KEYS_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/certificate_files.h"
#include "cli/certificate_read.h"
#include "cli/cli.h"
#include "cli/known_addresses.h"
#include "db/keys.h"

struct learn_source { /* a certificate of a file */
	const char *file;
	size_t number;
	bool is_alone; /* in its file */
	size_t n_mailboxes;
	char **mailboxes;
};

struct learn_candidate {
	uint64_t id, hashed_id;
	char fingerprint[FINGERPRINT_MAX];
	const struct learn_source *source; /* NULL: kept */
	bool is_old;			   /* nobody is to be told to use it */
};

struct learn_candidates {
	struct certificate_files files;
	struct learn_source **sources;
	size_t n_sources, sources_room;
	struct learn_candidate *list;
	size_t n, room;
	struct learn_candidate **by_id, **by_hash; /* once one was looked for */
};

/* Reads the files of --from; to be called before root's rights are given up. */
void learn_candidates_files(struct learn_candidates *c, const char *path);

/* The certificates in them, by gpg; the mailboxes that they name become known. What is bad is said
 * and passed over. 0, or an exit code after having said why. */
int learn_candidates_read(struct learn_candidates *c, struct db *d, const char *program,
			  int64_t now_unix, struct known_addresses *known);

/* The keys that are kept. 0, or -1: the database failed. */
int learn_candidates_kept(struct learn_candidates *c, struct db *d, int64_t now_unix);

/* By an id as it is on record. NULL: it is of none. Those of files go before those that are kept.
 */
const struct learn_candidate *learn_candidates_find(struct learn_candidates *c, uint64_t id,
						    bool is_hashed);

void learn_candidates_free(struct learn_candidates *c);

#endif

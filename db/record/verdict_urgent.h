/* SPDX-License-Identifier: ISC
 *
 * verdict_urgent.h: which verdicts the answer to the next message may depend on. They are in the
 * database before their own message is answered; all others may be a second late. Whatever
 * policy_decide() comes to ask of the record must be asked here as well.
 *
 * Urgent is: evidence and attempts of a message that was split, and their end; the first encrypted
 * message of a pair, once a ratchet is in use; the first cleartext that opens a reply window; the
 * first message to the outside that lets a bounce come, and each bounce that is counted. What goes
 * on, the hundredth message of a pair, is known here and is not urgent: it would only move a time
 * that is far from its end. Whether a rule has a ratchet is asked when a pair is not known and the
 * database has changed since; whoever sets one by the command line is told so when all that was
 * before is in the database. A pair whose record was forgotten within the last second may be found
 * a second late. Any thread. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_URGENT_H
#define PGPGATE_DB_VERDICT_URGENT_H

#include <pthread.h>

#include "db/engine/wal_index.h"
#include "db/record/verdict_write.h"

#define URGENT_KNOWN 16384 /* pairs and windows that are remembered: 256 KiB */

struct urgent {
	struct db_pool *pool; /* to ask for what is not known; NULL: memory was short, then
				 everything is urgent */
	uint64_t seed;
	pthread_mutex_t lock;
	struct wal_index_mark ratchets_at; /* when has_ratchet was true or false; under the lock */
	bool has_ratchet;
	struct {
		uint64_t hash; /* of the two keys; a collision makes one message a second late */
		int64_t time_unix; /* of the last message; 0: empty */
	} known[URGENT_KNOWN];
};

void urgent_init(struct urgent *u, struct settings *s);
void urgent_destroy(struct urgent *u);

bool urgent_is(struct urgent *u, const struct settings *s, const struct stored_verdict *v);

/* v is in the database: the pairs and windows that it is about are known from now on. */
void urgent_remember(struct urgent *u, const struct stored_verdict *v);

/* All that is known may be wrong: records of pairs were removed. */
void urgent_forget(struct urgent *u);

#endif

/* SPDX-License-Identifier: ISC
 *
 * apply.h: what an answer of the centre (answer.h) makes of the database of this host. The caller
 * holds site_lock(). 0, or -1 with h->error. One thread.
 */
#ifndef PGPGATE_SYNC_APPLY_H
#define PGPGATE_SYNC_APPLY_H

#include "sync/answer.h"
#include "sync/host.h"

/* Changes in their order; or, where they do not lead on from what is here, all rules at once. */
int apply_rules(struct host *h, const struct answer *answer);
int apply_feed(struct host *h, const struct answer *answer);

#endif

/* SPDX-License-Identifier: ISC
 *
 * snapshot.h: all rules of the centre, with keys, people and pairs that are forgotten, in the place
 * of what is here. One that was interrupted is taken again: that it is done is noted with the
 * rules, which come last. Under site_lock(); one thread.
 */
#ifndef PGPGATE_SYNC_SNAPSHOT_H
#define PGPGATE_SYNC_SNAPSHOT_H

#include "sync/host.h"

/* 0, and h->needs_feed; -1: h->error. One that failed is not tried again for ten seconds. */
int snapshot_take(struct host *h);

#endif

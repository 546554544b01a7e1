/* SPDX-License-Identifier: ISC
 *
 * answer_times.h: how long the filter took to answer, kept over its restarts. For db/ only.
 */
#ifndef PGPGATE_DB_ANSWER_TIMES_H
#define PGPGATE_DB_ANSWER_TIMES_H

#include "common/metrics.h"
#include "db/engine/internal.h"

/* Adds h to what is stored, in a transaction of its own: 0, and h is empty, or -1, and h is as it
 * was. */
int answer_times_write(struct db *d, struct histogram *h);

/* Adds what is stored to h, within a transaction. 0 or -1. */
int answer_times_read(struct db *d, struct histogram *h);

#endif

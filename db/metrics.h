/* SPDX-License-Identifier: ISC
 *
 * metrics.h: what the database knows, in Prometheus' text format, for `pgpgate metrics` and the
 * policy server's page. Counters come from the sums by day, which retention leaves alone: they
 * never go down. Counts and times only: no address, nothing that a message brought. Takes a
 * millisecond, and 100 ms when a million rules have changed. One thread a connection.
 */
#ifndef PGPGATE_DB_METRICS_H
#define PGPGATE_DB_METRICS_H

#include <stdio.h>

#include "common/settings.h"
#include "db/db.h"

/* Writes the metrics; only the database's failure is an error: -1, and nothing was written. */
int metrics_write(struct db *d, const struct settings *s, FILE *to);

#endif

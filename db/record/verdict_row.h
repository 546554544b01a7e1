/* SPDX-License-Identifier: ISC
 *
 * verdict_row.h: stored verdicts with their recipients, whole, by id. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_ROW_H
#define PGPGATE_DB_VERDICT_ROW_H

#include "db/engine/arena.h"
#include "db/engine/internal.h"
#include "db/verdicts.h"

/* Loads the verdicts with these ids, in their order, in one short read transaction; ids that are gone are passed
 * over. rows has room for n_ids; their strings and recipients live in the arena. Returns how many, or -1. */
int verdict_rows_load(struct db *d, struct arena *a, const int64_t *ids, size_t n_ids,
		      struct verdict_row *rows);

#endif

/* SPDX-License-Identifier: ISC
 *
 * verdict_row.h: stored verdicts with their recipients, whole, by id. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_ROW_H
#define PGPGATE_DB_VERDICT_ROW_H

#include "db/engine/arena.h"
#include "db/engine/internal.h"
#include "db/record/verdict_write.h"
#include "db/verdicts.h"

/* Loads the verdicts with these ids, in their order, in one short read transaction; ids that are
 * gone are passed over. rows has room for n_ids; their strings and recipients live in the arena.
 * Returns how many, or -1. */
int verdict_rows_load(struct db *d, struct arena *a, const int64_t *ids, size_t n_ids,
		      struct verdict_row *rows);

/* A verdict that is not in the database yet, as a row; its strings are v's, or in the arena. 0, or
 * -1: no memory. */
int verdict_row_of(struct arena *a, const struct stored_verdict *v, struct verdict_row *row);

#endif

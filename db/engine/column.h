/* SPDX-License-Identifier: ISC
 *
 * column.h: the columns of a row as what they mean. For db/ only.
 */
#ifndef PGPGATE_DB_COLUMN_H
#define PGPGATE_DB_COLUMN_H

#include "common/verdict.h"
#include "db/engine/arena.h"
#include "db/engine/internal.h"

/* NULL is "". Borrowed until the next step of st. */
const char *column_text(sqlite3_stmt *st, int column);

/* A copy in the arena (arena_keep()); an address from its key. */
const char *column_keep(struct arena *a, sqlite3_stmt *st, int column);
const char *column_keep_address(struct arena *a, sqlite3_stmt *st, int column);

/* A number of messages or bytes: none below 0 or above COLUMN_COUNT_MAX, which only a file that was
 * tampered with has, so that a quarter of a million of them can be added up. */
#define COLUMN_COUNT_MAX ((int64_t)1 << 45)
int64_t column_count(sqlite3_stmt *st, int column);

/* The inverse of policy_source_name(); SOURCE_DEFAULT for what is none. */
enum policy_source column_source(sqlite3_stmt *st, int column);

#endif

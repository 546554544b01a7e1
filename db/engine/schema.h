/* SPDX-License-Identifier: ISC
 *
 * schema.h: which schema the open file has, and bringing it to ours. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_SCHEMA_H
#define PGPGATE_DB_ENGINE_SCHEMA_H

#include "db/engine/internal.h"

/* schema.c: brings a file to the current version (create: an empty one too), or says why not. */
int schema_check(struct db *d);
/* 1 a database of ours, 0 an empty one, -1 neither. */
int schema_is_ours(struct db *d);
int schema_migrate(struct db *d, bool create);

#endif

/* SPDX-License-Identifier: ISC
 *
 * schema.h: which schema the open file has, and bringing it to ours. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_SCHEMA_H
#define PGPGATE_DB_ENGINE_SCHEMA_H

#include "db/engine/internal.h"

/* schema.c: brings a file to the current version (create: an empty one too), or says why not. */
int schema_check(struct db *d);
int schema_migrate(struct db *d, bool create);

#endif

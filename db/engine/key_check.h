/* SPDX-License-Identifier: ISC
 *
 * key_check.h: whether DATABASE.key is the key of this database. With another one nobody in the
 * record would be found again, what a ratchet remembers would be forgotten, and nothing would say
 * so. For db/ only.
 */
#ifndef PGPGATE_DB_ENGINE_KEY_CHECK_H
#define PGPGATE_DB_ENGINE_KEY_CHECK_H

#include "db/engine/internal.h"

/* Loads d->hashed and compares it with what the database keeps. In the modes that create, makes the
 * key where there is none and never was, and has the database remember it. Called when the schema
 * is current. 0 or -1. */
int key_check(struct db *d);

#endif

/* SPDX-License-Identifier: ISC
 *
 * schema.h: sql/centre/schema.sql, as text.
 */
#ifndef PGPGATE_SYNC_SCHEMA_H
#define PGPGATE_SYNC_SCHEMA_H

extern const char centre_schema[];

#endif

/* SPDX-License-Identifier: ISC
 *
 * admin.h: what the commands about who belongs to the site share (sync/init.c, sync/admin.c). One
 * thread.
 */
#ifndef PGPGATE_SYNC_ADMIN_H
#define PGPGATE_SYNC_ADMIN_H

#include <jansson.h>

#include "common/settings.h"
#include "db/db.h"
#include "sync/pg.h"

/* Says so on standard error; EX_UNAVAILABLE. */
int complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A connection that is open, or NULL after having said why not. open_admin: as who changes rules.
 */
struct pg *open_pg(const char *conninfo, int timeout_ms);
struct pg *open_admin(const struct settings *s);
/* 0, or an exit code after having said why: this host belongs to a site. */
int refuse_member(struct db *d);
const char *json_text(const json_t *o, const char *key); /* "": none */

#endif

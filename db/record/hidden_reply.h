/* SPDX-License-Identifier: ISC
 *
 * hidden_reply.h: a reply as it is kept with log_addresses = hashed. Recipients stand in it as
 * <address>, their keys as 0x... and where to get them as <URL>; and the administrator's words
 * (common/template.h) may name them: hashes take the places of all. For db/ only; any thread.
 */
#ifndef PGPGATE_DB_RECORD_HIDDEN_REPLY_H
#define PGPGATE_DB_RECORD_HIDDEN_REPLY_H

#include <stddef.h>

#include "db/hashed.h"
#include "db/verdict_log.h"

#define HIDDEN_REPLY_MAX 4096 /* bytes with NUL that are kept */

/* Of r the reply (not NULL) and the recipients that do not pass. Returns out. */
char *hidden_reply(const struct hashed *h, const struct verdict_record *r,
		   char out[HIDDEN_REPLY_MAX]);

#endif

/* SPDX-License-Identifier: ISC
 *
 * verdict_ids.h: the ids of verdicts that an index knows of, in pages: each a short read
 * transaction of its own. Functions return 0, or -1 with db_error(). One thread. For db/ only.
 */
#ifndef PGPGATE_DB_VERDICT_IDS_H
#define PGPGATE_DB_VERDICT_IDS_H

#include "db/engine/internal.h"
#include "db/engine/key.h"

#define IDS_PAGE 1000 /* ids read under one snapshot */

/* The caller frees id. */
struct ids {
	int64_t *id;
	size_t n, room;
	int64_t last_id; /* newer ones are in the journal's tail as well, and told there */
};

int ids_add(struct db *d, struct ids *ids, int64_t id);
void ids_sort(struct ids *ids); /* ascending, each once */

/* Of a key, or of those from key to before `to` (NULL: that one), behind after_id. */
int ids_by_index(struct db *d, enum sql_statement which, const char *key, const char *to,
		 int64_t after_id, struct ids *ids);
/* Of an address or a pattern, under every form in which it may be stored: plain, and hashed. */
int ids_by_address(struct db *d, enum sql_statement one, enum sql_statement range,
		   const char *pattern, int64_t after_id, struct ids *ids);

#endif

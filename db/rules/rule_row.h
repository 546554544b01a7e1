/* SPDX-License-Identifier: ISC
 *
 * rule_row.h: a rule as a row of the table rule. For db/ only.
 */
#ifndef PGPGATE_DB_RULE_ROW_H
#define PGPGATE_DB_RULE_ROW_H

#include "db/engine/internal.h"
#include "db/rules.h"

#define CLIENT_STORED_MAX 48 /* "net:" 32 hex digits "/" 3 digits, and some */

/* A network as stored: texts sort as (first address, prefix length). Returns out. */
char *client_stored_network(const unsigned char octets[16], unsigned prefix_bits,
			    char out[CLIENT_STORED_MAX]);
/* The column client of a rule. Returns out. */
char *client_stored(const struct rule *r, char out[CLIENT_STORED_MAX]);

/* The 14 columns that every statement about rules selects, in their order. */
void rule_from_row(struct db *d, sqlite3_stmt *st, struct rule *out);

/* The parameters of rule_insert. client as client_stored() gave it. An id of 0 gets a new one. */
void rule_bind(sqlite3_stmt *st, int64_t generation, const struct rule *r, const char *client);

/* Are both the same but for number, author, when it was made, and hits? The key is not compared. */
bool rule_says_the_same(const struct rule *a, const struct rule *b);

/* Does its schedule let it hold now? */
bool rule_holds_at(const struct rule *r, int64_t now_unix);

#endif

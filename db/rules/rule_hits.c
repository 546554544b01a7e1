/* SPDX-License-Identifier: ISC */
#include "db/rules/rule_hits.h"

#include <string.h>

bool rule_hits_count(struct rule_hits *hits, int64_t rule_id, int64_t time_unix)
{
	size_t i = (uint64_t)rule_id % HITS_SLOTS;

	while (hits->slot[i].rule_id != rule_id && hits->slot[i].rule_id != 0)
		i = (i + 1) % HITS_SLOTS;
	if (hits->slot[i].rule_id == 0) {
		if (hits->n == HITS_MAX)
			return false;
		hits->n++;
		hits->slot[i].rule_id = rule_id;
	}
	hits->slot[i].n++;
	if (time_unix > hits->slot[i].last_unix)
		hits->slot[i].last_unix = time_unix;
	return true;
}

static int write_all(struct db *d, const struct rule_hits *hits)
{
	for (size_t i = 0; i < HITS_SLOTS; i++) {
		sqlite3_stmt *st;

		if (hits->slot[i].rule_id == 0)
			continue;
		st = db_statement(d, SQL_RULE_HIT);
		if (st == NULL)
			return -1;
		db_bind_int(st, 1, hits->slot[i].rule_id);
		db_bind_int(st, 2, hits->slot[i].n);
		db_bind_int(st, 3, hits->slot[i].last_unix);
		if (db_run(d, st) != 0)
			return -1;
	}
	return 0;
}

int rule_hits_write(struct db *d, struct rule_hits *hits)
{
	if (hits->n == 0)
		return 0;
	if (db_begin_write(d) != 0 || db_end(d, write_all(d, hits)) != 0)
		return -1;
	memset(hits, 0, sizeof *hits);
	return 0;
}

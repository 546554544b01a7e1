/* SPDX-License-Identifier: ISC
 *
 * rules_edit.h: an edit of rules while it is made. Private to rules_edit.c and rules_send.c.
 */
#ifndef PGPGATE_DB_RULES_RULES_EDIT_H
#define PGPGATE_DB_RULES_RULES_EDIT_H

#include "db/rules.h"
#include "db/rules/rules_internal.h"

#define PENDING_MAX 128 /* rules looked up under one snapshot: about a millisecond */

struct pending {
	struct rule rule;
	bool is_removal;
};

struct rules_edit {
	struct db *d;
	struct rules_edit_options o;
	char author[AUTHOR_MAX + 1], owner[OWNER_MAX + 1];
	struct change change;
	struct rules_result result;
	struct rules_stage stage; /* lock_fd -1: nothing is staged */
	bool is_staged;
	int64_t last_rule; /* the greatest id when it began: what was added since is nobody's to
			      remove */
	size_t n_pending, n_differences, seen_room;
	int64_t n_seen;
	int64_t *seen; /* ids of rules that were put, with o.replaces */
	struct pending pending[PENDING_MAX];
	uint32_t hashes[EDIT_ROWS_MAX + PENDING_MAX]; /* of the keys of the differences */
	struct rules_difference differences[EDIT_ROWS_MAX + PENDING_MAX];
};

/* At a host of a site, outside of a transaction: hands the differences over to the centre, or, of
 * an edit that was too large for memory, what was staged, which is read again. *e gets the number
 * of the change. 0, or -1 with the reason in the connection. */
int rules_send_differences(struct rules_edit *e);
int rules_send_staged(struct rules_edit *e);

#endif

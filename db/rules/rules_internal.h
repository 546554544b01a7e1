/* SPDX-License-Identifier: ISC
 *
 * rules_internal.h: what the files of edits share. For db/ only.
 */
#ifndef PGPGATE_DB_RULES_INTERNAL_H
#define PGPGATE_DB_RULES_INTERNAL_H

#include "db/engine/change.h"
#include "db/engine/internal.h"
#include "db/rules.h"

/* The rule with r's key of the newest generation up to `generation` that has not ended at
 * `live_generation`, within a transaction: 1 found, 0 none, -1. */
int rules_find(struct db *d, const struct rule *r, int64_t generation, int64_t live_generation,
	       struct rule *found);
/* Likewise, for an import that looks for what it has staged itself. */
int rules_find_staged(struct db *d, const struct rule *r, int64_t generation,
		      int64_t live_generation, struct rule *found, bool *is_staged);

/* One difference that an edit makes, settled but not yet written. */
struct rules_difference {
	enum rule_outcome outcome; /* RULE_ADDED, RULE_CHANGED, RULE_REMOVED */
	struct rule before, after; /* before of a removed one is its key, too */
	bool replaces_staged;	   /* the import has staged something for this key before */
};

/* Writes a difference of a generation (the live one, or one that is staged) within a write
 * transaction and records it in c, which is open. d->before is read again. A difference that is
 * none any more becomes RULE_UNCHANGED or RULE_ABSENT. must_be_same: fails (DB_BUSY) when the rule
 * is not the one in x->before any more. 0 or -1. */
int rules_write(struct db *d, int64_t live_generation, int64_t generation, struct change *c,
		struct rules_difference *x, bool must_be_same);

/* The rule with that key does not end with any import that is to come. Within a write transaction.
 * 0 or -1. */
int rules_revive_key(struct db *d, const struct rule *key, int64_t live_generation);

/* ---- staging (rules_stage.c) ---- */

struct rules_stage {
	struct db *d;
	struct change *change;
	int64_t generation;
	int64_t first_rule; /* staged ones have greater ids */
	int lock_fd;	    /* -1: not begun */
	bool has_change;    /* opened */
	rules_edit_progress *progress;
	void *context;
};

/* Takes the lock of bulk edits, and removes what a killed one left. 0 or -1. */
int rules_stage_lock(struct rules_stage *s, struct db *d, rules_edit_progress *progress,
		     void *context);
/* From here on rules can be staged for change c. 0 or -1. */
int rules_stage_begin(struct rules_stage *s, struct change *c);
/* Stages n differences, in transactions of some 10 ms. 0 or -1. */
int rules_stage_write(struct rules_stage *s, struct rules_difference *x, size_t n);
/* Removes what was staged for a key that the file has again. Within a write transaction. 0 or -1.
 */
int rules_stage_drop(struct rules_stage *s, const struct rule *key);
/* Makes all of it true; gives the change its number. 0 or -1. */
int rules_stage_switch_on(struct rules_stage *s);
/* Removes what has become useless: what was replaced, or what was staged. Gives back the lock.
 * Keeps db_error(). */
void rules_stage_end(struct rules_stage *s, bool was_switched_on);

#endif

/* SPDX-License-Identifier: ISC
 *
 * rules_plain.h: changes of one rule, or of the pause, in one call, as tests want them. The
 * programs make an edit of many.
 */
#ifndef PGPGATE_TESTS_UNIT_RULES_PLAIN_H
#define PGPGATE_TESTS_UNIT_RULES_PLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "db/db.h"
#include "db/rules.h"

struct one {
	enum rule_outcome outcome;
	struct rule before, after;
};

static inline void note_one(void *context, enum rule_outcome o, const struct rule *before,
			    const struct rule *after)
{
	struct one *one = context;

	one->outcome = o;
	if (before != NULL)
		one->before = *before;
	if (after != NULL)
		one->after = *after;
}

/* r->id, created_at and the like are set to what is there then; either pointer may be NULL. 0 or
 * -1. */
static inline int rules_add(struct db *d, struct rule *r, int64_t now_unix, bool *was_replaced,
			    struct rule *replaced)
{
	struct one one = {.outcome = RULE_ABSENT};
	const struct rules_edit_options o = {
		.author = r->author, .now_unix = now_unix, .tell = note_one, .context = &one};
	struct rules_edit *e = rules_edit_begin(d, &o);
	struct rules_result result;

	if (e == NULL)
		return -1;
	if (rules_edit_put(e, r) != 0) {
		rules_edit_abort(e);
		return -1;
	}
	if (rules_edit_commit(e, &result) != 0)
		return -1;
	*r = one.after;
	if (was_replaced != NULL)
		*was_replaced = one.outcome == RULE_CHANGED;
	if (replaced != NULL && one.outcome == RULE_CHANGED)
		*replaced = one.before;
	return 0;
}

struct removing {
	struct rules_edit *edit;
	int failed;
};

static inline int remove_told(void *context, const struct rule *r)
{
	struct removing *x = context;

	x->failed = rules_edit_remove(x->edit, r);
	return x->failed != 0 ? 1 : 0;
}

/* Removes the rule with exactly that recipient, sender and client; with all, also those that narrow
 * that recipient pattern. Returns how many, or -1. */
static inline int rules_forget(struct db *d, const struct rule *key, bool all, int64_t now_unix,
			       const char *author)
{
	const struct rules_edit_options o = {.author = author, .now_unix = now_unix};
	const struct rules_filter same = {.recipient = &key->recipient};
	struct removing x = {.edit = rules_edit_begin(d, &o)};
	struct rules_result result;

	if (x.edit == NULL)
		return -1;
	if (all ? rules_list(d, &same, remove_told, &x) != 0
		: rules_edit_remove(x.edit, key) != 0) {
		rules_edit_abort(x.edit);
		return -1;
	}
	if (rules_edit_commit(x.edit, &result) != 0)
		return -1;
	return (int)result.n[RULE_REMOVED];
}

/* 1, 0 or -1. */
static inline int rules_forget_id(struct db *d, int64_t id, int64_t now_unix, const char *author)
{
	struct rule r;
	const int found = rules_of_id(d, id, &r);

	return found == 1 ? rules_forget(d, &r, false, now_unix, author) : found;
}

/* 0 or -1. */
static inline int db_pause(struct db *d, int64_t until_unix, int64_t now_unix, const char *author)
{
	return db_pause_as(d, until_unix, now_unix, author, 0, NULL);
}

#endif

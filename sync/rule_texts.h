/* SPDX-License-Identifier: ISC
 *
 * rule_texts.h: rules of the centre against rules of this host, as texts, for `site init` and `site
 * join`. One thread.
 */
#ifndef PGPGATE_SYNC_RULE_TEXTS_H
#define PGPGATE_SYNC_RULE_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include "db/db.h"
#include "db/rules.h"

struct rule_texts {
	char **text;
	size_t n, room;
};
int rule_texts_add(struct rule_texts *t, const char *text); /* 0 or -1 */
void rule_texts_free(struct rule_texts *t);

/* Rules here that are not among t, told on standard output up to most_told, as a diff. 0 or -1. */
int rule_texts_differ(struct rule_texts *t, struct db *d, int64_t most_told, int64_t *n);

#endif

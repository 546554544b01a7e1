/* SPDX-License-Identifier: ISC
 *
 * explain_show.h: what `explain` has found out, gathered in one value, and printed as text or JSON.
 */
#ifndef PGPGATE_CLI_EXPLAIN_SHOW_H
#define PGPGATE_CLI_EXPLAIN_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/outcome.h"
#include "db/policy.h"
#include "db/pair.h"

/* A rule that was considered. */
struct considered {
	struct rule rule;
	char why_lost[200]; /* "": it won */
};

struct explanation {
	int64_t now_unix;
	struct address recipient, sender;
	struct from_header header_from;
	bool has_sender; /* --sender was given */
	struct netaddr client;
	struct policy_answer answer;
	struct own_key key;	       /* where own-key is demanded */
	struct considered *considered; /* in the order of precedence */
	size_t n_considered;
	int has_history; /* 1 when there is a record of the pair */
	struct pair_record history;
	bool has_message;
	struct judgement judgement;
	struct outcome outcome;
	bool passes;
};

/* For policy_explain(); context is the explanation. */
void explanation_add(void *context, const struct rule *r, const char *why_lost);
void explanation_clear(struct explanation *x);

json_t *explanation_json(const struct explanation *x, const struct settings *s);
void explanation_print(const struct explanation *x, const struct settings *s);

#endif

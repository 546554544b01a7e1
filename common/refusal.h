/* SPDX-License-Identifier: ISC
 *
 * refusal.h: what the sender of a refused message reads. The reader is a person who sees it within
 * a bounce, in which some mail systems run the lines together, and has never heard of pgpgate: so
 * each line is a sentence of its own and says what happened, for whom, what to do, where help is,
 * whom to ask, and by which reference.
 *
 * For common/outcome.c alone, which decides that a message is refused. Pure, as outcome.h.
 */
#ifndef PGPGATE_COMMON_REFUSAL_H
#define PGPGATE_COMMON_REFUSAL_H

#include "common/outcome.h"

/* Appends to o->line. in->recipients[i].passes says who refuses. Where in->is_one_line, one line:
 * sendmail(1) and cron get their bounce from cleanup(8), which keeps one. */
void refusal_write(const struct outcome_input *in, struct outcome *o);

/* What keys a recipient's refusal is for (outcome.c); OWN_KEY_GOOD: for nothing of them. */
enum own_key_state outcome_key_trouble(const struct outcome_input *in,
				       const struct outcome_recipient *r);

/* Why this recipient refuses. Static, or the judgement's detail. */
const char *refusal_explain(const struct outcome_input *in, const struct outcome_recipient *r);

#endif

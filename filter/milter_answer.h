/* SPDX-License-Identifier: ISC
 *
 * milter_answer.h: from outcomes to what libmilter is told: replies, header changes, quarantine.
 * With milter.c the only file that sees SMFICTX. For filter/ only.
 *
 * Within a callback of the session whose ctx it is.
 */
#ifndef PGPGATE_FILTER_MILTER_ANSWER_H
#define PGPGATE_FILTER_MILTER_ANSWER_H

#include <libmilter/mfapi.h>

#include "common/log_limit.h"
#include "common/outcome.h"

/* Logs it and how many were left out, as l allows. */
__attribute__((format(printf, 2, 3))) void milter_complain(struct log_limit *l, const char *format,
							   ...);

/* The class of the code decides the status, since libmilter drops a reply of another class. */
sfsistat milter_status(const struct outcome *o);

/* Gives the reply. A refusal that cannot say why is none: memory is short, and that is our own
 * fault. */
sfsistat milter_reply(SMFICTX *ctx, const struct outcome *o);

/* The 451 of a fault of ours. */
sfsistat milter_tempfail(SMFICTX *ctx);

/* For transaction_end(), whose context is the ctx: all that belongs to the answer but the status
 * itself. A header change or a quarantine is void where the answer is no 250 in the end. 0, or -1:
 * libmilter did not take it. */
int milter_hand_over(void *context, const struct outcome *out, const char *header_value,
		     unsigned n_forged);

#endif

/* SPDX-License-Identifier: ISC
 *
 * tally.h: what a report counts, gathered row by row: totals, and sums by day, recipient, sender,
 * sender's domain and verdict. Pure.
 */
#ifndef PGPGATE_CLI_TALLY_H
#define PGPGATE_CLI_TALLY_H

#include <stdint.h>

#include "cli/sums.h"
#include "db/report.h"
#include "db/verdicts.h"

enum tally_by {
	TALLY_DAY,
	TALLY_RECIPIENT,
	TALLY_SENDER,
	TALLY_DOMAIN, /* the sender's */
	TALLY_VERDICT,
	TALLY_REASON,
	TALLY_PAIR, /* "sender -> recipient", of messages that are not encrypted */
	TALLY_RULE, /* "rule 12", "default", ...: what decided, once a recipient */
};
#define TALLY_COUNT 8

struct tally {
	unsigned only;	  /* bits 1 << enum tally_by: rows are counted by these; 0: by everything */
	struct sum total; /* key NULL */
	int64_t by_verdict[VERDICT_COUNT];
	int64_t by_action[ACTION_COUNT];
	struct sums by[TALLY_COUNT];
};

/* Without memory the process ends, as sums_get() has it. */
void tally_add(struct tally *t, const struct report_row *row);
/* A day's sums, of verdicts that are not stored any more: totals, verdicts and days only. */
void tally_add_day(struct tally *t, const struct verdicts_day *day);
void tally_free(struct tally *t);

const char *tally_name(enum tally_by by);
int tally_from_name(const char *name, enum tally_by *out); /* 0 or -1 */

/* "2026-11-22" of a time, UTC. */
#define TALLY_DAY_MAX 16
char *tally_day(int64_t time_unix, char out[TALLY_DAY_MAX]);

/* The domain of an address, or the address itself where it has none ("<>"). Borrowed. */
const char *tally_domain(const char *address);

#endif

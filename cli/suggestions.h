/* SPDX-License-Identifier: ISC
 *
 * suggestions.h: what `pgpgate suggest` has found, as commands with their evidence, in groups: so
 * many that a person reads them, not a thousand. One thread. Without memory the process ends, as
 * output_memory() has it: what is missing here would read as "there is nothing to do".
 */
#ifndef PGPGATE_CLI_SUGGESTIONS_H
#define PGPGATE_CLI_SUGGESTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/sums.h"
#include "common/settings.h"

enum suggestion_kind {
	SUGGEST_REQUIRE, /* demands nothing, and gets encrypted mail only */
	SUGGEST_OWN_KEY, /* gets encrypted mail to its own keys only */
	SUGGEST_EXEMPT,	 /* a sender that is refused day after day */
	SUGGEST_OBSERVE, /* demands encryption, and never gets any */
	SUGGEST_FORGET,	 /* a rule that is over, or decides nothing */
};
#define SUGGEST_KINDS 5

struct suggestion {
	enum suggestion_kind kind;
	char *command, *evidence;
	int64_t weight; /* messages behind it: the most first */
};

struct suggestions {
	struct suggestion *list;
	size_t n, room;
};

/* Keeps copies. */
void suggestions_add(struct suggestions *s, enum suggestion_kind kind, int64_t weight,
		     const char *command, const char *evidence);

/* Addresses that the same is suggested for, from which commands are made: one for those of a
 * domain, of at most 20 addresses each. Where the addresses of a domain are three or more, and all
 * that were looked at, and may_name_domain, the domain stands for them. Words that are no pattern
 * are left out: senders are forged. */
struct suggestion_addresses {
	enum suggestion_kind kind;
	const struct settings *settings;
	bool may_name_domain;
	const char *command_before, *command_after; /* the patterns stand between */
	const char *evidence;			    /* after "N messages to M recipients: " */
};
/* found: those that are meant, sorted by this call; all: all that were looked at. */
void suggestions_for(struct suggestions *s, const struct suggestion_addresses *a,
		     const struct sum **found, size_t n_found, const struct sums *all);

/* A pattern as a word of a shell's command line. False for what is none. */
bool suggestions_word(const struct settings *s, const char *text, bool is_sender, char *out,
		      size_t out_size);

/* Prints at most n_max (0: all), of each kind some, the weightiest first. */
void suggestions_print(struct suggestions *s, bool as_json, int64_t n_max);

void suggestions_free(struct suggestions *s);

#endif

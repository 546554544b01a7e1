/* SPDX-License-Identifier: ISC
 *
 * changes.h: what every command that changes rules says about what it did: one line or object a
 * rule, with the outcome (added, changed, unchanged, removed); with --dry-run what it would do, as
 * a diff.
 */
#ifndef PGPGATE_CLI_CHANGES_H
#define PGPGATE_CLI_CHANGES_H

#include <jansson.h>

#include "cli/cli.h"
#include "db/rules.h"

struct changes {
	const struct cli *cli;
	bool is_dry_run;
	bool tells_each; /* not only a dry run's differences */
	int64_t n_absent;
	int64_t most_told; /* lines of what each rule became, for people; 0: no limit */
	int64_t n_told;
};

/* The tell() of struct rules_edit_options; context is a struct changes. */
void changes_tell(void *context, enum rule_outcome o, const struct rule *before,
		  const struct rule *after);

/* "-exempt a@example.org" in red, "+..." in green; text is a rule as import reads it, or what
 * people read. */
void changes_print_side(char sign, const char *text);

/* added, changed, unchanged, removed, kept, change (a number or null), dry_run, of a whole edit. */
void changes_add_counts(json_t *o, const struct rules_result *r, bool is_dry_run);

/* "2 added, 1 removed, 297 unchanged (change 12)" for the end of a line. */
void changes_print_counts(const struct rules_result *r, bool is_dry_run);

#define CHANGES_OPTION_DRY_RUN(target)                                                            \
	{                                                                                         \
		"dry-run", 0, NULL, OPTION_FLAG, target, "only show what would change, as a diff" \
	}

#define CHANGES_OPTION_WAIT(cli)                                                                 \
	{                                                                                        \
		"wait", 0, "DURATION", OPTION_DURATION, &(cli)->site_wait_s,                     \
			"of a site: so long for all hosts that can be reached; exit status 75: " \
			"not all have it"                                                        \
	}

#endif

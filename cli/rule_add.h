/* SPDX-License-Identifier: ISC
 *
 * rule_add.h: what exempt, require and observe share: the options that narrow and date a rule, and
 * the change itself.
 */
#ifndef PGPGATE_CLI_RULE_ADD_H
#define PGPGATE_CLI_RULE_ADD_H

#include "cli/cli.h"
#include "cli/options.h"
#include "common/settings.h"
#include "common/verdict.h"
#include "db/rules.h"

struct rule_add_options {
	const char *sender, *client, *note, *help_url, *level;
	int64_t starts_unix, expires_unix;
	bool yes, here;
};

/* Reads a pattern from the command line; misuse (64) when it is none. */
void rule_add_pattern(const struct cli *cli, const struct settings *s, const char *text,
		      bool is_sender, struct pattern *out);

/* Sets --sender and --client in r; misuse when they are none. Either may be NULL. */
void rule_add_narrow(const struct cli *cli, const struct settings *s, const char *sender,
		     const char *client, struct rule *r);

/* The whole subcommand. with_level: --level is an option and says the requirement. */
int rule_add_command(struct cli *cli, int argc, char **argv, enum requirement requirement,
		     bool with_level);

#endif

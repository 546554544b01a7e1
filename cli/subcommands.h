/* SPDX-License-Identifier: ISC
 *
 * subcommands.h: the commands that have subcommands: `pgpgate db`, `keys`, `site`. One thread.
 */
#ifndef PGPGATE_CLI_SUBCOMMANDS_H
#define PGPGATE_CLI_SUBCOMMANDS_H

#include <stddef.h>

#include "cli/cli.h"

struct subcommands {
	const char *command; /* "keys" */
	const char *what;    /* a sentence for its --help */
	const struct command *list;
	size_t n;
};

/* Runs the one that argv names, with its name, synopsis and summary in cli; or prints the list for
 * --help. Returns its exit code. A word that is none of them is misuse, and does not return. */
int subcommands_run(struct cli *cli, const struct subcommands *s, int argc, char **argv);

#endif

/* SPDX-License-Identifier: ISC
 *
 * options.h: options of a subcommand as a table, from which they are read and from which its --help
 * is written. Options and operands may come in any order; "--" ends the options. The global options
 * (-c, -o, --json, --help) are understood by every subcommand. An option with a value that is given
 * twice is misuse, but for OPTION_LIST.
 */
#ifndef PGPGATE_CLI_OPTIONS_H
#define PGPGATE_CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"

enum option_kind {
	OPTION_FLAG,  /* target: bool */
	OPTION_TEXT,  /* target: const char * */
	OPTION_LIST,  /* target: struct option_list, repeatable */
	OPTION_COUNT, /* target: int64_t, 0 and more */
	OPTION_START, /* target: int64_t; a time (clock_parse_when), a bare date is its first second
		       */
	OPTION_END,   /* target: int64_t; a time, a bare date includes that day */
	OPTION_SINCE, /* target: int64_t; a time, where "30d" is 30 days ago, and friday the last
			 one */
	OPTION_UNTIL, /* the same as an end: a bare date includes that day */
	OPTION_DURATION, /* target: int64_t, seconds */
};

#define OPTION_LIST_MAX 64
struct option_list {
	size_t n;
	const char *text[OPTION_LIST_MAX];
};

struct option_spec {
	const char *name;     /* long name, without the dashes, or NULL */
	char letter;	      /* short name, or 0 */
	const char *argument; /* what its value is called in help; NULL for a flag */
	enum option_kind kind;
	void *target; /* left alone when the option is not given */
	const char *help;
};

/* Reads argv (argv[0] is the subcommand's name). Returns how many operands there are; *operands is
 * where they are. Ends the process after --help (0) and on misuse (64). notes: paragraphs for the
 * end of the help, or NULL. */
int options_parse(struct cli *cli, int argc, char **argv, const struct option_spec *specs,
		  size_t n_specs, const char *notes, char ***operands);

#define OPTIONS_N(specs) (sizeof(specs) / sizeof((specs)[0]))

/* Adds an override (-o) to cli; misuse when there is no memory for it. */
void options_override(struct cli *cli, const char *key_value);

#endif

/* SPDX-License-Identifier: ISC
 *
 * pgpgate site: several hosts as one site. pgpgate-sync does it, which has what speaks to
 * PostgreSQL.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/site_session.h"
#include "cli/subcommands.h"

static int run(struct cli *cli, const char *word, int n, char *const *more)
{
	char **words = site_session_words(cli, word, n, more);
	const int code = site_session_exec(words);

	free(words);
	return code;
}

static int site_init(struct cli *cli, int argc, char **argv)
{
	char **operands;

	if (options_parse(cli, argc, argv, NULL, 0,
			  "Makes the schema of the centre, in an empty database.", &operands) != 0)
		cli_misuse(cli, "takes no operand");
	return run(cli, "init", 0, NULL);
}

static int site_join(struct cli *cli, int argc, char **argv)
{
	bool yes = false;
	const struct option_spec specs[] = {
		{"yes", 0, NULL, OPTION_FLAG, &yes,
		 "drop rules of this host that the site does not have"},
	};
	char *const more[] = {(char *)(uintptr_t) "--yes"};
	char **operands;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			  "Exit status 1: rules here are not the site's; nothing was changed.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	return run(cli, "join", yes ? 1 : 0, more);
}

static int site_status(struct cli *cli, int argc, char **argv)
{
	char **operands;

	if (options_parse(cli, argc, argv, NULL, 0, "Exit status 1: something is wrong.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	return run(cli, "status", 0, NULL);
}

static int site_leave(struct cli *cli, int argc, char **argv)
{
	char **operands;

	if (options_parse(cli, argc, argv, NULL, 0, "The rules stay as they are.", &operands) != 0)
		cli_misuse(cli, "takes no operand");
	return run(cli, "leave", 0, NULL);
}

static int site_forget(struct cli *cli, int argc, char **argv)
{
	char **operands;

	if (options_parse(cli, argc, argv, NULL, 0, "A host that is gone; its record stays.",
			  &operands) != 1)
		cli_misuse(cli, "which host?");
	return run(cli, "forget", 1, operands);
}

static const struct command list[] = {
	{"init", "", "make the centre of a site", site_init},
	{"join", "[--yes]", "enter the site", site_join},
	{"status", "", "its hosts, and what is wrong", site_status},
	{"leave", "", "stand alone again", site_leave},
	{"forget", "HOST", "a host that is gone", site_forget},
};

int cmd_site(struct cli *cli, int argc, char **argv)
{
	static const struct subcommands s = {"site", "Several hosts as one site.", list,
					     sizeof(list) / sizeof(list[0])};

	return subcommands_run(cli, &s, argc, argv);
}

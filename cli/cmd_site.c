/* SPDX-License-Identifier: ISC
 *
 * pgpgate site: several hosts as one site. pgpgate-sync does it, which has what speaks to PostgreSQL.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/site_session.h"
#include "common/closest.h"

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
		{"yes", 0, NULL, OPTION_FLAG, &yes, "drop rules of this host that the site does not have"},
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

	if (options_parse(cli, argc, argv, NULL, 0, "Exit status 1: something is wrong.", &operands) != 0)
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

static const struct command subcommands[] = {
	{"init", "", "make the centre of a site", site_init},
	{"join", "[--yes]", "enter the site", site_join},
	{"status", "", "its hosts, and what is wrong", site_status},
	{"leave", "", "stand alone again", site_leave},
	{"forget", "HOST", "a host that is gone", site_forget},
};
#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static const char *subcommand_name(size_t index)
{
	return subcommands[index].name;
}

static int print_help(void)
{
	printf("Usage: pgpgate site SUBCOMMAND [ARGUMENT...]\n\nSeveral hosts as one "
	       "site.\n\nSubcommands:\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "%s %s", subcommands[i].name, subcommands[i].synopsis);
		printf("  %-14s %s\n", left, subcommands[i].summary);
	}
	printf("\n`pgpgate site SUBCOMMAND --help` says more.\n");
	return 0;
}

int cmd_site(struct cli *cli, int argc, char **argv)
{
	static char name[40];
	const char *closest;
	int first = cli_global_options(cli, argc, argv);

	if (first >= argc)
		cli_misuse(cli, "which of init, join, status, leave, forget?");
	if (strcmp(argv[first], "--help") == 0 || strcmp(argv[first], "-h") == 0)
		return print_help();
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		if (strcmp(argv[first], subcommands[i].name) != 0)
			continue;
		snprintf(name, sizeof(name), "site %s", subcommands[i].name);
		cli->name = name;
		cli->synopsis = subcommands[i].synopsis;
		cli->summary = subcommands[i].summary;
		return subcommands[i].run(cli, argc - first, argv + first);
	}
	closest = closest_word(argv[first], subcommand_name, N_SUBCOMMANDS);
	if (closest != NULL)
		cli_misuse(cli, "unknown subcommand '%s' (is '%s' meant?)", argv[first], closest);
	cli_misuse(cli, "unknown subcommand '%s'", argv[first]);
}

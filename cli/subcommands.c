/* SPDX-License-Identifier: ISC */
#include "cli/subcommands.h"

#include <stdio.h>
#include <string.h>

#include "common/closest.h"

#define NAMES_MAX 200

static const struct command *asked; /* for closest_word(), which asks for names by number */

static const char *name_of(size_t index)
{
	return asked[index].name;
}

/* "init, join, status". Returns out. */
static char *list_names(const struct subcommands *s, char out[NAMES_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->n && used + 40 < NAMES_MAX; i++)
		used += (size_t)snprintf(out + used, NAMES_MAX - used, "%s%s", i == 0 ? "" : ", ",
					 s->list[i].name);
	return out;
}

static int print_help(const struct subcommands *s)
{
	char left[80];
	size_t width = 14;

	for (size_t i = 0; i < s->n; i++) {
		const size_t n = strlen(s->list[i].name) + 1 + strlen(s->list[i].synopsis);

		width = n > width ? n : width;
	}
	printf("Usage: pgpgate %s SUBCOMMAND [ARGUMENT...]\n\n%s\n\nSubcommands:\n", s->command,
	       s->what);
	for (size_t i = 0; i < s->n; i++) {
		snprintf(left, sizeof(left), "%s %s", s->list[i].name, s->list[i].synopsis);
		printf("  %-*s %s\n", (int)width, left, s->list[i].summary);
	}
	printf("\n`pgpgate %s SUBCOMMAND --help` says more.\n", s->command);
	return 0;
}

int subcommands_run(struct cli *cli, const struct subcommands *s, int argc, char **argv)
{
	static char name[40];
	const int first = cli_global_options(cli, argc, argv);
	const char *closest;
	char names[NAMES_MAX];

	if (first >= argc)
		cli_misuse(cli, "which of %s?", list_names(s, names));
	if (strcmp(argv[first], "--help") == 0 || strcmp(argv[first], "-h") == 0)
		return print_help(s);
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(argv[first], s->list[i].name) != 0)
			continue;
		snprintf(name, sizeof(name), "%s %s", s->command, s->list[i].name);
		cli->name = name;
		cli->synopsis = s->list[i].synopsis;
		cli->summary = s->list[i].summary;
		return s->list[i].run(cli, argc - first, argv + first);
	}
	asked = s->list;
	closest = closest_word(argv[first], name_of, s->n);
	if (closest != NULL)
		cli_misuse(cli, "unknown subcommand '%s' (is '%s' meant?)", argv[first], closest);
	cli_misuse(cli, "unknown subcommand '%s'", argv[first]);
}

/* SPDX-License-Identifier: ISC */
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "common/clock.h"

#define SPECS_MAX 24 /* more than any subcommand has */

enum { CODE_JSON = 1000, CODE_HELP, CODE_SPEC }; /* beyond every letter */

void options_override(struct cli *cli, const char *key_value)
{
	const char **more = realloc(cli->overrides, (cli->n_overrides + 1) * sizeof(*more));

	if (more == NULL)
		cli_misuse(cli, "too many -o");
	more[cli->n_overrides++] = key_value;
	cli->overrides = more;
}

static void print_option(const char *left, const char *help)
{
	int width = printf("  %s", left);

	if (width > 24) {
		putchar('\n');
		width = 0;
	}
	printf("%*s", 25 - width, "");
	output_wrap(stdout, 25, 25, help);
}

static void print_help(const struct cli *cli, const struct option_spec *specs, size_t n_specs,
		       const char *notes)
{
	char left[80];
	char text[200];

	snprintf(text, sizeof(text), "Usage: pgpgate %s%s%s [OPTION...]", cli->name,
		 cli->synopsis[0] != '\0' ? " " : "", cli->synopsis);
	output_wrap(stdout, 15, 0, text);
	putchar('\n');
	snprintf(text, sizeof(text), "%c%s.", toupper((unsigned char)cli->summary[0]),
		 cli->summary + 1);
	output_wrap(stdout, 0, 0, text);
	printf("\nOptions:\n");
	for (size_t i = 0; i < n_specs; i++) {
		const struct option_spec *s = &specs[i];
		char letter[8] = "";

		if (s->letter != 0)
			snprintf(letter, sizeof(letter), "-%c%s", s->letter,
				 s->name != NULL ? ", --" : "");
		else
			snprintf(letter, sizeof(letter), "--");
		snprintf(left, sizeof(left), "%s%s%s%s", letter, s->name != NULL ? s->name : "",
			 s->argument != NULL ? " " : "", s->argument != NULL ? s->argument : "");
		print_option(left, s->help);
	}
	print_option("--json", "machine-readable output: one JSON object a line");
	print_option("-c FILE", "configuration file");
	print_option("-o KEY=VALUE", "override one setting; repeatable");
	print_option("-h, --help", "this text");
	for (const char *p = notes; p != NULL && *p != '\0';) {
		const char *end = strchr(p, '\n');
		size_t len = end != NULL ? (size_t)(end - p) : strlen(p);
		char paragraph[1024];

		snprintf(paragraph, sizeof(paragraph), "%.*s", (int)len, p);
		putchar('\n');
		output_wrap(stdout, 0, 0, paragraph);
		p += len + (end != NULL);
	}
	exit(cli_flushed(0));
}

/* Where the past is meant: "30d" is 30 days ago, as "-30d" is, and friday is the last one. */
static void store_past(const struct cli *cli, const struct option_spec *s, const char *value)
{
	const int64_t now = clock_now_unix();
	int64_t duration, when;
	char err[256];

	if (clock_parse_duration(value, &duration, err, sizeof(err)) == 0) {
		*(int64_t *)s->target = now - duration;
		return;
	}
	if (clock_parse_when(value, now, s->kind == OPTION_UNTIL, &when, err, sizeof(err)) != 0)
		cli_misuse(cli, "--%s: %s", s->name, err);
	if (isalpha((unsigned char)value[0]) && when > now + 86400)
		when -= 7 * 86400;
	*(int64_t *)s->target = when;
}

/* Two values where there can be one: which was meant? A flag says the same twice. */
static void refuse_second(const struct cli *cli, const struct option_spec *s)
{
	const char letter[2] = {s->letter, '\0'};

	cli_misuse(cli, "%s%s is there twice, and takes one value", s->name != NULL ? "--" : "-",
		   s->name != NULL ? s->name : letter);
}

static void store(const struct cli *cli, const struct option_spec *s, const char *value)
{
	char err[256];
	char *end;
	struct option_list *list;

	switch (s->kind) {
	case OPTION_FLAG:
		*(bool *)s->target = true;
		break;
	case OPTION_TEXT:
		*(const char **)s->target = value;
		break;
	case OPTION_LIST:
		list = s->target;
		if (list->n == OPTION_LIST_MAX)
			cli_misuse(cli, "--%s: given more than %d times", s->name, OPTION_LIST_MAX);
		list->text[list->n++] = value;
		break;
	case OPTION_COUNT:
		errno = 0;
		*(int64_t *)s->target = strtoll(value, &end, 10);
		if (errno != 0 || end == value || *end != '\0' || *(int64_t *)s->target < 0)
			cli_misuse(cli, "%s%s: '%s' is not a number of 0 or more",
				   s->letter != 0 ? "-" : "--",
				   s->letter != 0 ? (char[2]){s->letter, 0} : s->name, value);
		break;
	case OPTION_START:
	case OPTION_END:
		if (clock_parse_when(value, clock_now_unix(), s->kind == OPTION_END, s->target, err,
				     sizeof(err)) != 0)
			cli_misuse(cli, "--%s: %s", s->name, err);
		break;
	case OPTION_SINCE:
	case OPTION_UNTIL:
		store_past(cli, s, value);
		break;
	case OPTION_DURATION:
		if (clock_parse_duration(value, s->target, err, sizeof(err)) != 0)
			cli_misuse(cli, "--%s: %s", s->name, err);
		break;
	}
}

/* getopt's two ways to say what was wrong, as one sentence of ours. */
static _Noreturn void bad_option(const struct cli *cli, char **argv, bool is_missing)
{
	const char *given = argv[optind > 0 ? optind - 1 : 0];
	char letter[3] = {'-', (char)optopt, '\0'};

	if (strncmp(given, "--", 2) != 0 && optopt > 0 && optopt < 128)
		given = letter;
	if (is_missing)
		cli_misuse(cli, "%s wants a value", given);
	if (optopt >= 128)
		cli_misuse(cli, "%s takes no value", given);
	cli_misuse(cli, "unknown or ambiguous option %s", given);
}

int options_parse(struct cli *cli, int argc, char **argv, const struct option_spec *specs,
		  size_t n_specs, const char *notes, char ***operands)
{
	struct option longs[SPECS_MAX + 3] = {
		{"json", no_argument, NULL, CODE_JSON},
		{"help", no_argument, NULL, CODE_HELP},
	};
	char shorts[2 * SPECS_MAX + 16] = ":c:o:h";
	bool seen[SPECS_MAX] = {false};
	size_t n = strlen(shorts);
	int code;

	for (size_t i = 0; i < n_specs && i < SPECS_MAX; i++) {
		/* A name that nobody types, where there is only a letter. */
		longs[i + 2].name = specs[i].name != NULL ? specs[i].name : "\001";
		longs[i + 2].has_arg = specs[i].argument != NULL ? required_argument : no_argument;
		longs[i + 2].val = CODE_SPEC + (int)i;
		if (specs[i].letter != 0) {
			shorts[n++] = specs[i].letter;
			if (specs[i].argument != NULL)
				shorts[n++] = ':';
		}
	}
	shorts[n] = '\0';
	optind = 0; /* main() has scanned another vector: start afresh (glibc) */
	opterr = 0;
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (code == CODE_JSON) {
			cli->json = true;
		} else if (code == CODE_HELP || code == 'h') {
			print_help(cli, specs, n_specs, notes);
		} else if (code == 'c') {
			if (cli->config_is_explicit)
				cli_misuse(cli, "-c is there twice, and takes one value");
			cli->config_path = optarg;
			cli->config_is_explicit = true;
		} else if (code == 'o') {
			options_override(cli, optarg);
		} else if (code == '?' || code == ':') {
			bad_option(cli, argv, code == ':');
		} else {
			size_t i = code >= CODE_SPEC ? (size_t)(code - CODE_SPEC) : 0;

			while (code < CODE_SPEC && specs[i].letter != code)
				i++;
			if (seen[i] && specs[i].kind != OPTION_FLAG && specs[i].kind != OPTION_LIST)
				refuse_second(cli, &specs[i]);
			seen[i] = true;
			store(cli, &specs[i], optarg);
		}
	}
	*operands = argv + optind;
	return argc - optind;
}

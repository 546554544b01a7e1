/* SPDX-License-Identifier: ISC
 *
 * main.c: pgpgate(8), the administrator's command: a table of subcommands.
 */
#include <stdarg.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/pager.h"
#include "common/bus_error.h"
#include "common/closest.h"
#include "common/log.h"
#include "common/settings.h"
#include "common/socket.h"
#include "db/rules.h"

const struct command cli_commands[] = {
	{"exempt", "PATTERN...", "cleartext is welcome", cmd_exempt},
	{"require", "PATTERN... [--level LEVEL]", "demand encryption", cmd_require},
	{"encrypted", "PATTERN...", "the same as require", cmd_encrypted},
	{"signed", "PATTERN...", "demand a signature or encryption", cmd_signed},
	{"ratchet", "PATTERN...", "demand encryption from those who have sent it", cmd_ratchet},
	{"observe", "PATTERN...", "judge and log, never refuse", cmd_observe},
	{"forget",
	 "PATTERN... | --id N | --expired | --history SENDER RECIPIENT | --person ADDRESS",
	 "remove a rule", cmd_forget},
	{"undo", "[N]", "take the last change back, or change N", cmd_undo},
	{"rules", "[PATTERN]", "list the rules", cmd_rules},
	{"import", "[FILE]", "add rules in bulk, all or nothing", cmd_import},
	{"export", "", "write all rules, as import reads them", cmd_export},
	{"pause", "--for DURATION", "refuse nothing for a while (emergency)", cmd_pause},
	{"resume", "", "end a pause", cmd_resume},
	{"explain", "ADDRESS | DOMAIN | QUEUE-ID | MESSAGE-ID | -",
	 "what applies, or what happened, and why", cmd_explain},
	{"check", "FILE|DIR|MBOX|-...", "verdict of messages, offline", cmd_check},
	{"log", "", "verdicts, newest last", cmd_log},
	{"report", "", "what came, what was refused", cmd_report},
	{"simulate", "LEVEL PATTERN", "what a rule would have done", cmd_simulate},
	{"suggest", "", "rules that the log suggests", cmd_suggest},
	{"keys", "import|add|list|forget|learn|expiring|group|export", "which keys recipients have",
	 cmd_keys},
	{"config", "[KEY...]", "settings in force, or one written", cmd_config},
	{"doctor", "", "what is wrong here, and how to mend it", cmd_doctor},
	{"metrics", "", "counters for Prometheus", cmd_metrics},
	{"db", "init|status|migrate|check|backup|restore|prune", "the database", cmd_db},
	{"site", "init|join|status|leave|forget", "several hosts as one", cmd_site},
};
const size_t cli_n_commands = sizeof(cli_commands) / sizeof(cli_commands[0]);

static void __attribute__((format(printf, 1, 0))) print_line(const char *format, va_list arguments)
{
	char text[OUTPUT_TEXT_MAX];
	char clean[2 * OUTPUT_TEXT_MAX];

	vsnprintf(text, sizeof(text), format, arguments);
	fflush(stdout);
	fprintf(stderr, "pgpgate: %s\n", output_clean(clean, sizeof(clean), text));
}

void cli_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(format, arguments);
	va_end(arguments);
}

void cli_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print_line(format, arguments);
	va_end(arguments);
}

void cli_misuse(const struct cli *cli, const char *format, ...)
{
	va_list arguments;
	char text[1024];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (cli->name != NULL)
		cli_error("%s: %s; see `pgpgate %s --help`", cli->name, text, cli->name);
	else
		cli_error("%s; see `pgpgate --help`", text);
	exit(EX_USAGE);
}

const char *cli_author(void)
{
	static char author[AUTHOR_MAX + 1];
	const char *sudo_user = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *who;
	char number[32];

	if (author[0] != '\0') /* before the process became another user */
		return author;
	if (sudo_user == NULL || sudo_user[0] == '\0') {
		who = getpwuid(getuid());
		snprintf(number, sizeof(number), "uid %lu", (unsigned long)getuid());
		sudo_user = who != NULL ? who->pw_name : number;
	}
	return log_escape(author, sizeof(author), sudo_user, strlen(sudo_user));
}

static const char *command_name(size_t index)
{
	return cli_commands[index].name;
}

int cli_flushed(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	cli_error("cannot write the output: %m");
	return EX_IOERR;
}

static void print_help(void)
{
	char text[OUTPUT_TEXT_MAX];

	printf("Usage: pgpgate [-c FILE] [-o KEY=VALUE] [--json] COMMAND [ARGUMENT...]\n\n"
	       "Demands OpenPGP encryption from mail, recipient by recipient.\n\nCommands:\n");
	for (size_t i = 0; i < cli_n_commands; i++)
		printf("  %-10s %s\n", cli_commands[i].name, cli_commands[i].summary);
	printf("\nOptions:\n  -c FILE        ");
	snprintf(text, sizeof(text), "configuration, default %s", settings_default_path());
	output_wrap(stdout, 17, 17, text);
	printf("  -o KEY=VALUE   override one setting; repeatable\n"
	       "  --json         machine-readable output: one JSON object a line\n"
	       "  -V, --version  version\n"
	       "  -h, --help     this text; `pgpgate COMMAND --help` for one command\n");
}

/* Written by hand: getopt keeps state, and the subcommand's own scan comes after. */
int cli_global_options(struct cli *cli, int argc, char **argv)
{
	const bool is_first = cli->name == NULL;
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		const char *a = argv[i];

		if (strcmp(a, "--json") == 0) {
			cli->json = true;
		} else if (strcmp(a, "-h") == 0 || strcmp(a, "--help") == 0) {
			if (!is_first)
				return i;
			print_help();
			exit(cli_flushed(0));
		} else if (is_first && (strcmp(a, "-V") == 0 || strcmp(a, "--version") == 0)) {
			printf("pgpgate %s\n", PACKAGE_VERSION);
			exit(cli_flushed(0));
		} else if (strncmp(a, "-c", 2) == 0 || strncmp(a, "-o", 2) == 0) {
			const char *value = a[2] != '\0' ? a + 2 : argv[++i];

			if (value == NULL)
				cli_misuse(cli, "%.2s wants a value", a);
			if (a[1] == 'o') {
				options_override(cli, value);
			} else {
				if (cli->config_is_explicit)
					cli_misuse(cli, "-c is there twice, and takes one value");
				cli->config_path = value;
				cli->config_is_explicit = true;
			}
		} else if (strcmp(a, "--") == 0) {
			return i + 1;
		} else {
			cli_misuse(cli, "unknown option %s", a);
		}
	}
	return i;
}

/* What people try who know other programs. */
static const struct {
	const char *word, *meant;
} synonyms[] = {
	{"list", "`pgpgate rules` lists the rules, `pgpgate log` the verdicts"},
	{"ls", "`pgpgate rules` lists the rules, `pgpgate log` the verdicts"},
	{"show",
	 "`pgpgate rules` shows the rules, `pgpgate explain ADDRESS` what holds for an address"},
	{"get", "`pgpgate rules PATTERN` shows rules, `pgpgate config KEY` a setting"},
	{"add", "`pgpgate exempt PATTERN` or `pgpgate require PATTERN` adds a rule"},
	{"set", "`pgpgate exempt PATTERN` or `pgpgate require PATTERN` makes a rule"},
	{"allow", "`pgpgate exempt PATTERN` lets cleartext in"},
	{"delete", "`pgpgate forget PATTERN` removes a rule"},
	{"remove", "`pgpgate forget PATTERN` removes a rule"},
	{"del", "`pgpgate forget PATTERN` removes a rule"},
	{"rm", "`pgpgate forget PATTERN` removes a rule"},
	{"status", "`pgpgate db status` and `pgpgate doctor` tell how it is"},
	{"stop", "`pgpgate pause --for 1h` lets everything in for a while"},
	{"start", "`pgpgate resume` ends a pause"},
	{"history", "`pgpgate rules --history` lists the changes"},
	{"revert", "`pgpgate undo` takes a change back"},
	{"version", "`pgpgate --version`"},
};

static int run_command(struct cli *cli, int argc, char **argv)
{
	const char *closest;
	char *help_argv[] = {argv[0], (char[]){"--help"}, NULL};

	if (strcmp(argv[0], "help") == 0) {
		if (argc == 1) {
			print_help();
			return 0;
		}
		argv[0] = argv[1];
		help_argv[0] = argv[1];
		argv = help_argv;
		argc = 2;
	}
	for (size_t i = 0; i < cli_n_commands; i++) {
		if (strcmp(argv[0], cli_commands[i].name) != 0)
			continue;
		cli->name = cli_commands[i].name;
		cli->synopsis = cli_commands[i].synopsis;
		cli->summary = cli_commands[i].summary;
		return cli_commands[i].run(cli, argc, argv);
	}
	for (size_t i = 0; i < sizeof(synonyms) / sizeof(synonyms[0]); i++)
		if (strcmp(argv[0], synonyms[i].word) == 0)
			cli_misuse(cli, "unknown command '%s': %s", argv[0], synonyms[i].meant);
	closest = closest_word(argv[0], command_name, cli_n_commands);
	if (closest != NULL)
		cli_misuse(cli, "unknown command '%s' (is '%s' meant?)", argv[0], closest);
	cli_misuse(cli, "unknown command '%s'", argv[0]);
}

int main(int argc, char **argv)
{
	struct cli cli = {.config_path = settings_default_path(), .site_wait_s = -1};
	int first, code;

	output_init();
	log_open("pgpgate", true, 0);
	bus_error_catch("pgpgate", false);
	socket_bound_lookups();
	first = cli_global_options(&cli, argc, argv);
	if (first >= argc)
		cli_misuse(&cli, "no command given");
	code = run_command(&cli, argc - first, argv + first);
	pager_end();
	free(cli.overrides);
	return cli_flushed(code);
}

/* SPDX-License-Identifier: ISC
 *
 * cli.h: what every subcommand of pgpgate(8) gets: the global options as they stood on the command
 * line, and how it ends when something is wrong. A subcommand is one file, cmd_NAME.c, with one
 * function `int cmd_NAME(struct cli *, int argc, char **argv)` that returns the exit code: 0, 1
 * (the answer is "no": see each command), or one of sysexits(3). argv[0] is the subcommand's name.
 *
 * One thread, one process, one command.
 */
#ifndef PGPGATE_CLI_CLI_H
#define PGPGATE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli {
	const char *config_path; /* -c, or the default */
	bool config_is_explicit;
	const char **overrides; /* -o KEY=VALUE */
	size_t n_overrides;
	bool json;	      /* --json */
	int64_t site_wait_s;  /* --wait: -1: as long as usual */
	const char *name;     /* of the subcommand, "log" or "db status", for messages and help */
	const char *synopsis; /* its operands and main options, for help */
	const char *summary;  /* one line for help */
};

struct command {
	const char *name;
	const char *synopsis;
	const char *summary; /* at most 60 columns */
	int (*run)(struct cli *cli, int argc, char **argv);
};

extern const struct command cli_commands[];
extern const size_t cli_n_commands;

/* One line "pgpgate: TEXT" on standard error. What is not printable in the text is escaped. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes out what standard output holds: `code`, or EX_IOERR after saying so when that fails. */
int cli_flushed(int code);

/* The command line is wrong: one line on standard error that ends with where help is; exits 64. */
_Noreturn void cli_misuse(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads the global options from argv[1] on. Returns the index of the first word that is none of
 * them: a command, or, where cli->name says that one was read already, what that one takes. Ends
 * the process after
 * --help and --version before a command (0), and on misuse (64). */
int cli_global_options(struct cli *cli, int argc, char **argv);

/* Who makes a change, for the audit trail: the login name behind sudo(8), else of the real user id.
 * Static. */
const char *cli_author(void);

int cmd_check(struct cli *cli, int argc, char **argv);
int cmd_config(struct cli *cli, int argc, char **argv);
int cmd_db(struct cli *cli, int argc, char **argv);
int cmd_doctor(struct cli *cli, int argc, char **argv);
int cmd_encrypted(struct cli *cli, int argc, char **argv);
int cmd_exempt(struct cli *cli, int argc, char **argv);
int cmd_explain(struct cli *cli, int argc, char **argv);
int cmd_export(struct cli *cli, int argc, char **argv);
int cmd_forget(struct cli *cli, int argc, char **argv);
int cmd_import(struct cli *cli, int argc, char **argv);
int cmd_keys(struct cli *cli, int argc, char **argv);
int cmd_log(struct cli *cli, int argc, char **argv);
int cmd_metrics(struct cli *cli, int argc, char **argv);
int cmd_observe(struct cli *cli, int argc, char **argv);
int cmd_pause(struct cli *cli, int argc, char **argv);
int cmd_ratchet(struct cli *cli, int argc, char **argv);
int cmd_report(struct cli *cli, int argc, char **argv);
int cmd_require(struct cli *cli, int argc, char **argv);
int cmd_resume(struct cli *cli, int argc, char **argv);
int cmd_rules(struct cli *cli, int argc, char **argv);
int cmd_signed(struct cli *cli, int argc, char **argv);
int cmd_simulate(struct cli *cli, int argc, char **argv);
int cmd_site(struct cli *cli, int argc, char **argv);
int cmd_suggest(struct cli *cli, int argc, char **argv);
int cmd_undo(struct cli *cli, int argc, char **argv);

#endif

/* SPDX-License-Identifier: ISC
 *
 * pgpgate import: rules in bulk, all or nothing. Every fault is reported as FILE:LINE, up to 20 of them, so that one
 * run shows most of what is to be mended.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cli/import_line.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "common/clock.h"

#define ERRORS_MAX 20
#define LINE_MAX_BYTES 8192 /* a rule with the longest of everything is below 2,048 */

struct import {
	const struct cli *cli;
	struct import_context lines;
	const char *name; /* of the file */
	FILE *file;
	int64_t file_bytes; /* 0: a pipe */
	struct db *db;
	struct rules_import *staged;
	struct progress progress;
	int64_t line_number, n_rules;
	int n_errors;
};

static void complain(struct import *im, int64_t line_number, const char *what)
{
	progress_clear(&im->progress);
	cli_error("%s:%lld: %s", im->name, (long long)line_number, what);
	im->n_errors++;
}

/* 0, or an exit code when the database fails. */
static int stage(struct import *im, struct rule *rules, int n)
{
	for (int i = 0; i < n; i++) {
		snprintf(rules[i].author, sizeof(rules[i].author), "%s", cli_author());
		im->n_rules++;
		/* After the first fault nothing will be switched on: the rest is only read. */
		if (im->n_errors == 0 && rules_import_add(im->staged, &rules[i]) != 0)
			return open_failed(im->db);
	}
	return 0;
}

/* Reads one logical line: in access(5) one that begins with white space continues the one before. Returns its
 * length, 0 at the end. *number is its first line. */
static size_t read_line(struct import *im, char *line, int64_t *number)
{
	size_t used = 0;
	int c;

	*number = im->line_number + 1;
	while ((c = getc_unlocked(im->file)) != EOF) {
		if (c == '\n') {
			im->line_number++;
			if (im->lines.format != IMPORT_ACCESS || used == 0)
				break;
			c = getc_unlocked(im->file);
			if (c != ' ' && c != '\t') {
				if (c != EOF)
					ungetc(c, im->file);
				break;
			}
		}
		if (c == '\0')
			c = '\001'; /* never part of a rule, and no line ends at it */
		if (used < LINE_MAX_BYTES)
			line[used++] = (char)c;
	}
	line[used < LINE_MAX_BYTES ? used : LINE_MAX_BYTES - 1] = '\0';
	return c == EOF && used == 0 ? 0 : used + 1;
}

static int read_file(struct import *im)
{
	char line[LINE_MAX_BYTES];
	char err[512];
	struct rule rules[IMPORT_RULES_MAX];
	const char *text;
	int64_t number, done = 0;
	size_t len;
	int code = 0;

	while (code == 0 && im->n_errors < ERRORS_MAX && (len = read_line(im, line, &number)) > 0) {
		int n;

		done += (int64_t)len;
		if (len > LINE_MAX_BYTES) {
			complain(im, number, "the line is too long for a rule");
			continue;
		}
		/* Some programs begin a text file with a byte order mark: it is no part of the rule. */
		text = number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3 : line;
		n = import_line(&im->lines, text, rules, err, sizeof(err));
		if (n < 0)
			complain(im, number, err);
		else
			code = stage(im, rules, n);
		progress_update(&im->progress, im->file_bytes > 0 ? done / 1000 : im->n_rules,
				im->file_bytes / 1000);
	}
	if (code == 0 && ferror(im->file)) {
		cli_error("%s: %s", im->name, strerror(errno));
		code = EX_IOERR;
	}
	progress_clear(&im->progress);
	if (im->n_errors > 0) {
		if (im->n_errors > 1) /* a single one says enough */
			cli_error("%s: nothing was imported%s", im->name,
				  im->n_errors >= ERRORS_MAX ? "; these are the first 20 errors" : "");
		code = EX_DATAERR;
	}
	return code;
}

static void show_cleaning(void *context, int64_t done, int64_t total)
{
	progress_update(context, done, total);
}

static int commit(struct import *im)
{
	char number[OUTPUT_NUMBER_MAX];
	int64_t n_added = 0, n_replaced = 0;
	json_t *o;
	int failed;

	progress_begin(&im->progress, "rows looked at for what was replaced");
	failed = rules_import_commit(im->staged, &n_added, &n_replaced);
	im->staged = NULL;
	progress_clear(&im->progress);
	if (failed != 0)
		return open_failed(im->db);
	if (im->cli->json) {
		o = json_object();
		json_object_set_new(o, "imported", json_integer(im->n_rules));
		json_object_set_new(o, "added", json_integer(n_added));
		json_object_set_new(o, "replaced", json_integer(n_replaced));
		output_json(o);
		return 0;
	}
	printf("imported %s %s", output_number(number, im->n_rules),
	       output_plural(im->n_rules, "rule", "rules"));
	if (n_replaced > 0)
		printf(", which replaced %s", output_number(number, n_replaced));
	putchar('\n');
	return 0;
}

static int run(struct import *im, struct settings *s)
{
	int code;

	im->db = open_database(s, DB_WRITE);
	progress_begin(&im->progress, "rows removed that an interrupted import left");
	im->staged = rules_import_begin(im->db, cli_author(), im->lines.now_unix, show_cleaning,
					&im->progress);
	progress_clear(&im->progress);
	if (im->staged == NULL) {
		code = open_failed(im->db);
	} else {
		progress_begin(&im->progress, im->file_bytes > 0 ? "kB" : "rules");
		code = read_file(im);
		if (code == 0)
			code = commit(im);
	}
	if (im->staged != NULL) {
		progress_begin(&im->progress, "rows removed again");
		rules_import_abort(im->staged);
		progress_clear(&im->progress);
	}
	db_close(im->db);
	return code;
}

static enum import_format format_of(const struct cli *cli, const char *name)
{
	static const char *const names[] = {"auto", "text", "json", "access"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return (enum import_format)i;
	cli_misuse(cli, "--format %s: one of text, json, access", name);
}

/* 0, or an exit code. */
static int open_file(struct import *im, const char *operand)
{
	struct stat st;

	if (operand == NULL || strcmp(operand, "-") == 0) {
		im->file = stdin;
		im->name = "stdin";
		return 0;
	}
	im->name = operand;
	im->file = fopen(operand, "re");
	if (im->file == NULL || fstat(fileno(im->file), &st) != 0) {
		cli_error("%s: %s", operand, strerror(errno));
		return EX_NOINPUT;
	}
	if (S_ISDIR(st.st_mode)) {
		cli_error("%s: %s", operand, strerror(EISDIR));
		return EX_NOINPUT;
	}
	if (S_ISREG(st.st_mode))
		im->file_bytes = st.st_size;
	return 0;
}

int cmd_import(struct cli *cli, int argc, char **argv)
{
	const char *format = "auto";
	struct option_list maps = {0};
	static struct import im;
	const struct option_spec specs[] = {
		{"format", 0, "FORMAT", OPTION_TEXT, &format,
		 "text or json (told apart by themselves), or access: a Postfix access(5) file"},
		{"map", 0, "RESULT=REQ", OPTION_LIST, &maps,
		 "with --format access: what a result means, as in OK=exempt; exempt, observe, "
		 "signed, encrypted, "
		 "ratchet, or skip; repeatable"},
	};
	char **operands;
	char err[512];
	int n = options_parse(
		cli, argc, argv, specs, OPTIONS_N(specs),
		"Standard input is read without FILE. A rule with the same recipient, sender and "
		"client "
		"as one in force replaces it. All rules take effect at once, or none.",
		&operands);
	struct settings *s;
	int code;

	if (n > 1)
		cli_misuse(cli, "one file at a time");
	im.cli = cli;
	im.lines.format = format_of(cli, format);
	for (size_t i = 0; i < maps.n; i++)
		if (import_map_add(&im.lines, maps.text[i], err, sizeof(err)) != 0)
			cli_misuse(cli, "%s", err);
	if (maps.n > 0 && im.lines.format != IMPORT_ACCESS)
		cli_misuse(cli, "--map goes with --format access");
	if (maps.n == 0 && im.lines.format == IMPORT_ACCESS)
		cli_misuse(cli, "--format access wants at least one --map, as in --map OK=exempt");
	s = open_settings(cli);
	im.lines.delimiters = s->recipient_delimiter;
	im.lines.now_unix = clock_now_unix();
	code = open_file(&im, n == 1 ? operands[0] : NULL);
	if (code == 0)
		code = run(&im, s);
	if (im.file != NULL && im.file != stdin)
		fclose(im.file);
	settings_unref(s);
	return code;
}

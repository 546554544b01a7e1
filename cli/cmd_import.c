/* SPDX-License-Identifier: ISC
 *
 * pgpgate import: rules in bulk, all or nothing. Every fault is reported as FILE:LINE, up to 20 of
 * them, so that one run shows most of what is to be mended. With --replace the rules (of one owner)
 * become exactly the file.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cli/changes.h"
#include "cli/import_line.h"
#include "cli/import_sort.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/site_session.h"
#include "common/clock.h"

#define ERRORS_MAX 20
#define SORT_FROM_RULES 5000 /* fewer get their numbers in the order of the file */
#define LINE_MAX_BYTES 8192  /* a rule with the longest of everything is below 2,048 */

struct import {
	const struct cli *cli;
	struct import_context lines;
	const char *name; /* of the file */
	FILE *file;
	int64_t file_bytes; /* 0: a pipe */
	struct db *db;
	struct rules_edit *edit;
	struct rules_edit_options options;
	struct changes changes;
	bool allows_empty;
	struct progress progress;
	struct import_sort sort;
	int64_t line_number, n_rules, n_put;
	int n_errors;
};

static void complain(struct import *im, int64_t line_number, const char *what)
{
	progress_clear(&im->progress);
	cli_error("%s:%lld: %s", im->name, (long long)line_number, what);
	im->n_errors++;
}

static int no_memory(void)
{
	cli_error("out of memory");
	return EX_OSERR;
}

/* Puts what was gathered, in order. 0, or an exit code. */
static int put_sorted(struct import *im)
{
	struct rule rules[IMPORT_RULES_MAX];
	char err[512];
	int code = 0;

	if (im->sort.n > SORT_FROM_RULES)
		import_sort_end(&im->sort);
	progress_clear(&im->progress);
	progress_begin(&im->progress, "rules");
	for (size_t i = 0; i < im->sort.n && code == 0; i++) {
		const struct import_sorted *one = &im->sort.list[i];

		/* As it was read a moment ago. */
		if (import_line(&im->lines, one->line, rules, err, sizeof(err)) <= one->which ||
		    rules_edit_put(im->edit, &rules[one->which]) != 0)
			code = open_failed(im->db);
		progress_update(&im->progress, ++im->n_put, im->n_rules);
	}
	import_sort_reset(&im->sort);
	return code;
}

/* The rules of a line. 0, or an exit code. */
static int gather(struct import *im, const char *line, const struct rule *rules, int n)
{
	const char *kept = NULL;

	im->n_rules += n;
	/* After the first fault nothing will be switched on: the rest is only read. */
	if (im->n_errors > 0 || n == 0)
		return 0;
	kept = import_sort_keep(&im->sort, line);
	for (int i = 0; i < n; i++)
		if (kept == NULL ||
		    import_sort_add(&im->sort, rules[i].recipient.text, kept, i) != 0)
			return no_memory();
	return import_sort_is_full(&im->sort) ? put_sorted(im) : 0;
}

/* Reads one logical line: in access(5) one that begins with white space continues the one before.
 * Returns its length, 0 at the end. *number is its first line. */
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

/* n, or -1 with err: the line says another owner than --owner. */
static int check_owner(const struct import *im, const struct rule *rules, int n, char *err,
		       size_t err_size)
{
	const char *owner = im->options.owner;

	if (owner == NULL || rules[0].owner[0] == '\0' || strcmp(rules[0].owner, owner) == 0)
		return n;
	snprintf(err, err_size, "owner=%s, but --owner is %s", rules[0].owner, owner);
	return -1;
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
		/* Some programs begin a text file with a byte order mark: it is no part of the
		 * rule. */
		text = number == 1 && strncmp(line, "\xef\xbb\xbf", 3) == 0 ? line + 3 : line;
		n = import_line(&im->lines, text, rules, err, sizeof(err));
		if (n > 0)
			n = check_owner(im, rules, n, err, sizeof(err));
		if (n < 0)
			complain(im, number, err);
		else
			code = gather(im, text, rules, n);
		progress_update(&im->progress, im->file_bytes > 0 ? done / 1000 : im->n_rules,
				im->file_bytes / 1000);
	}
	if (code == 0 && ferror(im->file)) {
		cli_error("%s: %s", im->name, strerror(errno));
		code = EX_IOERR;
	}
	if (code == 0 && im->n_errors == 0)
		code = put_sorted(im);
	progress_clear(&im->progress);
	if (im->n_errors > 0) {
		if (im->n_errors > 1) /* a single one says enough */
			cli_error("%s: nothing was imported%s", im->name,
				  im->n_errors >= ERRORS_MAX ? "; these are the first 20 errors"
							     : "");
		code = EX_DATAERR;
	} else if (code == 0 && im->options.replaces && im->n_rules == 0 && !im->allows_empty) {
		/* More often a query that failed than a site without rules. */
		cli_error("%s: no rule in it, and --replace would remove all%s%s; nothing was "
			  "changed "
			  "(--allow-empty, if it is meant)",
			  im->name, im->options.owner != NULL ? " of " : "",
			  im->options.owner != NULL ? im->options.owner : "");
		code = EX_DATAERR;
	}
	return code;
}

static void show_cleaning(void *context, int64_t done, int64_t total)
{
	struct import *im = (struct import *)(void *)((char *)context -
						      offsetof(struct import, changes));

	progress_update(&im->progress, done, total);
}

static int commit(struct import *im)
{
	struct rules_result result;
	char number[OUTPUT_NUMBER_MAX];
	json_t *o;
	int failed;

	progress_begin(&im->progress, "rows looked at for what was replaced");
	failed = rules_edit_commit(im->edit, &result);
	im->edit = NULL;
	progress_clear(&im->progress);
	if (failed != 0)
		return open_failed(im->db);
	if (im->cli->json) {
		o = json_object();
		json_object_set_new(o, "imported", json_integer(im->n_rules));
		json_object_set_new(o, "replaced", json_integer(result.n[RULE_CHANGED]));
		changes_add_counts(o, &result, im->options.is_dry_run);
		output_json(o);
		return 0;
	}
	printf("%s %s %s: ", im->options.is_dry_run ? "read" : "imported",
	       output_number(number, im->n_rules), output_plural(im->n_rules, "rule", "rules"));
	changes_print_counts(&result, im->options.is_dry_run);
	return 0;
}

/* Other changes of the site wait meanwhile: for us, not for the program that writes into our pipe.
 */
static int begin_at_centre(struct import *im, struct settings *s)
{
	FILE *copy;
	int c;

	if (s->centre[0] != '\0' && im->file_bytes == 0) {
		copy = tmpfile();
		while (copy != NULL && (c = getc_unlocked(im->file)) != EOF)
			putc_unlocked(c, copy);
		if (copy == NULL || ferror(im->file) || fflush(copy) != 0) {
			cli_error("%s: cannot be copied: %s", im->name, strerror(errno));
			return EX_IOERR;
		}
		rewind(copy);
		im->file = copy;
	}
	return site_session_begin(im->cli, s, im->db, NULL);
}

static int run(struct import *im, struct settings *s)
{
	int code;

	im->db = open_database(s, im->options.is_dry_run ? DB_READ : DB_WRITE);
	code = im->options.is_dry_run ? 0 : begin_at_centre(im, s);
	if (code != 0) {
		db_close(im->db);
		return code;
	}
	progress_begin(&im->progress, "rows removed that an interrupted import left");
	im->edit = rules_edit_begin(im->db, &im->options);
	progress_clear(&im->progress);
	if (im->edit == NULL) {
		code = open_failed(im->db);
	} else {
		progress_begin(&im->progress, im->file_bytes > 0 ? "kB" : "rules");
		code = read_file(im);
		if (code == 0)
			code = commit(im);
	}
	if (im->edit != NULL) {
		progress_begin(&im->progress, "rows removed again");
		rules_edit_abort(im->edit);
		progress_clear(&im->progress);
	}
	import_sort_reset(&im->sort);
	code = site_session_end(code);
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
		 "ratchet, own-key, readable, or skip; repeatable"},
		{"replace", 0, NULL, OPTION_FLAG, &im.options.replaces,
		 "the rules become exactly these: others are removed; with --owner, others of that "
		 "owner"},
		{"owner", 0, "NAME", OPTION_TEXT, &im.options.owner,
		 "whose rules these are, such as ldap; rules of others, and typed ones, stay as "
		 "they are"},
		{"allow-empty", 0, NULL, OPTION_FLAG, &im.allows_empty,
		 "with --replace: do so even when there is no rule in the file"},
		CHANGES_OPTION_WAIT(cli),
		CHANGES_OPTION_DRY_RUN(&im.options.is_dry_run),
	};
	char **operands;
	char err[512];
	int n = options_parse(
		cli, argc, argv, specs, OPTIONS_N(specs),
		"Standard input is read without FILE. A rule with the same recipient, sender and "
		"client "
		"as one in force replaces it, unless it says the same. All rules take effect at "
		"once, or "
		"none. `undo` takes an import back as a whole.",
		&operands);
	struct rule scratch;
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
	if (im.options.owner != NULL &&
	    (im.options.owner[0] == '\0' ||
	     rule_set_owner(&scratch, im.options.owner, err, sizeof(err)) != 0))
		cli_misuse(cli, "--owner: %s",
			   im.options.owner[0] == '\0' ? "a name is wanted" : err);
	if (im.allows_empty && !im.options.replaces)
		cli_misuse(cli, "--allow-empty goes with --replace");
	s = open_settings(cli);
	im.options.author = cli_author();
	im.options.what = "import";
	im.options.is_bulk = true;
	im.options.now_unix = clock_now_unix();
	im.options.tell = im.options.is_dry_run ? changes_tell : NULL;
	im.options.progress = show_cleaning;
	im.options.context = &im.changes;
	im.changes.cli = cli;
	im.changes.is_dry_run = im.options.is_dry_run;
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

/* SPDX-License-Identifier: ISC */
#include "cli/explain_found.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/advice.h"
#include "cli/bounce_text.h"
#include "cli/open.h"
#include "cli/output.h"
#include "cli/site_rows.h"
#include "cli/verdict_show.h"
#include "common/log.h"

#define BOUNCE_BYTES_MAX (4 << 20) /* a bounce that returns the message is not longer before it */

struct listing {
	const struct cli *cli;
	const struct settings *settings;
	int64_t n;
};

static void print_advice(void *context, const char *what, const char *command)
{
	char clean[OUTPUT_TEXT_MAX];
	bool *has_begun = context;

	if (!*has_begun)
		printf("\n  %sWhat would change it:%s\n", output_colour(COLOUR_BOLD),
		       output_colour(COLOUR_PLAIN));
	*has_begun = true;
	printf("  # %s\n", what);
	/* Never broken over lines: it is there to be copied. */
	printf("  %s\n", output_clean(clean, sizeof(clean), command));
}

static void add_advice(void *context, const char *what, const char *command)
{
	json_t *o = json_object();

	json_object_set_new(o, "what", output_json_text(what));
	json_object_set_new(o, "command", output_json_text(command));
	json_array_append_new(context, o);
}

static int print_row(void *context, const struct verdict_row *row)
{
	struct listing *l = context;
	bool has_begun = false;

	if (l->cli->json) {
		json_t *o = verdict_show_json(row), *changes = json_array();

		advice_tell(l->settings, row, add_advice, changes);
		json_object_set_new(o, "changes", changes);
		output_json(o);
	} else {
		if (l->n > 0)
			putchar('\n');
		verdict_show_full(row);
		advice_tell(l->settings, row, print_advice, &has_begun);
	}
	l->n++;
	return 0;
}

/* 0 or an exit code, l->n counts what was found. */
static int list(struct db *d, const struct verdicts_filter *f, struct listing *l)
{
	return verdicts_list(d, f, print_row, l) != 0 ? open_failed(d) : 0;
}

static int explain_one(const struct cli *cli, struct settings *s, const struct verdicts_filter *f,
		       bool is_site, const char *kind, const char *name)
{
	struct listing l = {.cli = cli, .settings = s};
	struct db *d = open_database(s, DB_READ);
	int code = is_site ? site_rows_read(cli, s, d, 0, 0, f->queue_id) : 0;

	if (code == 0)
		code = list(d, f, &l);
	db_close(d);
	if (code != 0 || l.n > 0)
		return code;
	if (kind != NULL)
		cli_error("no verdict for %s %s: not seen by the filter, or older than "
			  "verdict_retention",
			  kind, name);
	return 1;
}

int explain_queue_id(const struct cli *cli, struct settings *s, const char *queue_id, bool is_site)
{
	const struct verdicts_filter f = {.verdict = -1, .action = -1, .queue_id = queue_id};

	return explain_one(cli, s, &f, is_site, "queue id", queue_id);
}

int explain_message_id(const struct cli *cli, struct settings *s, const char *message_id,
		       bool is_silent)
{
	const struct verdicts_filter f = {.verdict = -1, .action = -1, .message_id = message_id};

	return explain_one(cli, s, &f, false, is_silent ? NULL : "Message-ID", message_id);
}

/* NULL: reading failed. NULs become blanks. */
static char *read_input(void)
{
	char *text = output_memory(NULL, BOUNCE_BYTES_MAX + 1);
	size_t n;

	n = fread(text, 1, BOUNCE_BYTES_MAX, stdin);
	if (ferror(stdin) != 0) {
		free(text);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	text[n] = '\0';
	return text;
}

static int explain_names(struct db *d, const struct bounce_text *names, struct listing *l)
{
	int code = 0;

	for (size_t i = 0; i < names->n_queue_ids && code == 0; i++) {
		const struct verdicts_filter f = {
			.verdict = -1, .action = -1, .queue_id = names->queue_ids[i]};

		code = list(d, &f, l);
	}
	/* The returned message's own: asked only when no reference leads anywhere, since they may
	 * be somebody's reply. */
	for (size_t i = 0; i < names->n_message_ids && code == 0 && l->n == 0; i++) {
		const struct verdicts_filter f = {
			.verdict = -1, .action = -1, .message_id = names->message_ids[i]};

		code = list(d, &f, l);
	}
	return code;
}

int explain_bounce(const struct cli *cli, struct settings *s)
{
	struct listing l = {.cli = cli, .settings = s};
	struct bounce_text *names = output_memory(NULL, sizeof(*names));
	char *text = read_input();
	struct db *d;
	int code;

	if (text == NULL) {
		free(names);
		cli_error("standard input cannot be read");
		return EX_IOERR;
	}
	bounce_text_read(text, names);
	free(text);
	d = open_database(s, DB_READ);
	code = explain_names(d, names, &l);
	db_close(d);
	if (code == 0 && l.n == 0) {
		cli_error(names->n_queue_ids + names->n_message_ids == 0
				  ? "no \"Reference:\" and no Message-ID in this text: paste the "
				    "whole bounce, or try "
				    "pgpgate log --sender ADDRESS"
				  : "nothing in the record for what this text names: not refused "
				    "here, or older than "
				    "verdict_retention");
		code = 1;
	}
	free(names);
	return code;
}

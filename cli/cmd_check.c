/* SPDX-License-Identifier: ISC
 *
 * pgpgate check: the verdict of messages in files, folders and mailboxes, by the same library as
 * the filter. Exit 0: all encrypted. 1: some not. 66: something could not be read (whatever the
 * rest was).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/mail_files.h"
#include "cli/mail_judge.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "common/log.h"
#include "common/outcome.h"

struct check {
	const struct cli *cli;
	struct settings *settings;
	struct judge_envelope envelope;
	struct mail_judge *judge;
	struct progress progress;
	bool has_tree; /* --explain */
	json_t *parts; /* of this message, for --explain; NULL otherwise */
	const char *name;
	int64_t number;
	int64_t n_messages, n_encrypted, n_failed;
	int64_t n_by_verdict[VERDICT_COUNT];
};

/* Parts are told when they end, a multipart after what is in it: kept until the message is over. */
static void keep_part(void *context, const struct scan_part *part)
{
	struct check *c = context;
	json_t *o = json_object();

	json_object_set_new(o, "path", output_json_text(part->path));
	json_object_set_new(o, "type", output_json_text(part->type));
	json_object_set_new(o, "encoding", output_json_text(part->encoding));
	json_object_set_new(o, "is_multipart", json_boolean(part->is_multipart));
	json_object_set_new(o, "finding", output_json_text(part->finding));
	json_array_append_new(c->parts, o);
}

static const char *part_text(const json_t *part, const char *key)
{
	const char *text = json_string_value(json_object_get(part, key));

	return text != NULL ? text : "";
}

/* "2" comes before "2.1", "2.1" before "10". */
static int compare_parts(const void *a, const void *b)
{
	const char *x = part_text(*(json_t *const *)a, "path");
	const char *y = part_text(*(json_t *const *)b, "path");

	while (*x != '\0' && *y != '\0') {
		char *x_end, *y_end;
		long m = strtol(x, &x_end, 10);
		long n = strtol(y, &y_end, 10);

		if (m != n)
			return m < n ? -1 : 1;
		x = x_end + (*x_end == '.');
		y = y_end + (*y_end == '.');
	}
	return (*x != '\0') - (*y != '\0');
}

/* The parts in the order of the tree, a multipart before what is in it. Takes the array. */
static json_t *sorted_parts(json_t *parts)
{
	size_t n = json_array_size(parts);
	json_t **list = output_memory(NULL, (n + 1) * sizeof(*list));
	json_t *sorted = json_array();

	for (size_t i = 0; i < n; i++)
		list[i] = json_array_get(parts, i);
	qsort(list, n, sizeof(*list), compare_parts);
	for (size_t i = 0; i < n; i++)
		json_array_append(sorted, list[i]);
	free(list);
	json_decref(parts);
	return sorted;
}

static void print_part(const json_t *part)
{
	char clean[OUTPUT_TEXT_MAX];
	const char *path = part_text(part, "path");
	int depth = path[0] != '\0';
	int used;

	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '.';
	used = printf("%*s%-5s ", 2 + 2 * depth, "", path[0] != '\0' ? path : "body");
	used += printf("%s", output_clean(clean, sizeof(clean), part_text(part, "type")));
	if (!json_is_true(json_object_get(part, "is_multipart")) &&
	    part_text(part, "encoding")[0] != '\0')
		used += printf(", %s",
			       output_clean(clean, sizeof(clean), part_text(part, "encoding")));
	if (part_text(part, "finding")[0] == '\0') {
		putchar('\n');
		return;
	}
	used += printf(": ");
	output_wrap(stdout, (size_t)(8 + 2 * depth), (size_t)used,
		    output_clean(clean, sizeof(clean), part_text(part, "finding")));
}

static void begin(void *context, const char *name, int64_t number)
{
	struct check *c = context;

	c->name = name;
	c->number = number;
	if (c->has_tree)
		c->parts = json_array();
	mail_judge_begin(c->judge);
}

static void bytes(void *context, const unsigned char *chunk, size_t len)
{
	mail_judge_feed(((struct check *)context)->judge, chunk, len);
}

static void print_json(struct check *c, const struct judgement *j)
{
	json_t *ids = json_array();
	json_t *o = json_object();
	char id[20];

	for (size_t i = 0; i < j->n_key_ids; i++) {
		snprintf(id, sizeof(id), "%016llX", (unsigned long long)j->key_ids[i]);
		json_array_append_new(ids, json_string(id));
	}
	json_object_set_new(o, "file", output_json_text(c->name));
	if (c->number > 0)
		json_object_set_new(o, "message", json_integer(c->number));
	json_object_set_new(o, "verdict", output_json_text(verdict_name(j->verdict)));
	json_object_set_new(o, "form", output_json_text(form_name(j->form)));
	json_object_set_new(o, "reason", output_json_text(j->reason));
	json_object_set_new(o, "detail", output_json_text(j->detail));
	json_object_set_new(o, "size", json_integer(j->size_bytes));
	json_object_set_new(o, "cleartext_bytes", json_integer(j->cleartext_bytes));
	json_object_set_new(o, "key_ids", ids);
	if (c->parts != NULL)
		json_object_set(o, "parts", c->parts);
	output_json(o);
}

/* As accept_forms and accept_smime say. Reports and handshakes pass the filter, and are not
 * encrypted. */
static bool counts_as_encrypted(const struct check *c, const struct judgement *j)
{
	return (j->verdict == VERDICT_ENCRYPTED || j->verdict == VERDICT_SMIME) &&
	       outcome_meets(j, REQUIREMENT_ENCRYPTED, &c->settings->accept);
}

static void print_text(struct check *c, const struct judgement *j)
{
	char name[OUTPUT_TEXT_MAX];
	char why[REASON_MAX + DETAIL_MAX + 8];

	progress_clear(&c->progress);
	output_pad_colour(stdout, output_verdict_colour(j->verdict), verdict_name(j->verdict), 11);
	output_pad(stdout, j->form != FORM_NONE ? form_name(j->form) : "-", 12);
	fputs(log_escape(name, sizeof(name), c->name, strlen(c->name)), stdout);
	if (c->number > 0)
		printf(" message %lld", (long long)c->number);
	putchar('\n');
	if (j->verdict == VERDICT_ENCRYPTED && !counts_as_encrypted(c, j)) {
		printf("%23s", "");
		output_wrap(stdout, 23, 23, outcome_explain(j));
	}
	if (j->verdict == VERDICT_ENCRYPTED && !c->has_tree)
		return;
	snprintf(why, sizeof(why), "%s%s%s", j->reason, j->detail[0] != '\0' ? ": " : "",
		 j->detail);
	if (why[0] != '\0') {
		printf("%23s", "");
		output_wrap(stdout, 23, 23, output_clean(name, sizeof(name), why));
	}
	for (size_t i = 0; i < json_array_size(c->parts); i++)
		print_part(json_array_get(c->parts, i));
}

static void end(void *context)
{
	struct check *c = context;
	struct judgement j;

	mail_judge_finish(c->judge, &c->settings->accept, &c->envelope, &j);
	if (c->parts != NULL)
		c->parts = sorted_parts(c->parts);
	c->n_messages++;
	c->n_by_verdict[j.verdict]++;
	c->n_encrypted += counts_as_encrypted(c, &j);
	if (c->cli->json)
		print_json(c, &j);
	else
		print_text(c, &j);
	json_decref(c->parts);
	c->parts = NULL;
	progress_update(&c->progress, c->n_messages, 0);
}

static void failed(void *context, const char *name, const char *why)
{
	struct check *c = context;
	char escaped[OUTPUT_TEXT_MAX / 2];

	c->n_failed++;
	progress_clear(&c->progress);
	cli_error("%s: %s", log_escape(escaped, sizeof(escaped), name, strlen(name)), why);
}

static void print_summary(const struct check *c)
{
	char number[OUTPUT_NUMBER_MAX];
	const char *separator = ": ";

	if (c->cli->json || c->n_messages + c->n_failed < 2)
		return;
	printf("\n%s %s", output_number(number, c->n_messages),
	       output_plural(c->n_messages, "message", "messages"));
	for (int i = 0; i < VERDICT_COUNT; i++) {
		/* encrypted first, which is what one looks for; then the others as the enum has
		 * them. */
		enum verdict v = i == 0	  ? VERDICT_ENCRYPTED
				 : i == 1 ? VERDICT_CLEARTEXT
					  : (enum verdict)i;

		if (c->n_by_verdict[v] == 0)
			continue;
		printf("%s%s %s", separator, output_number(number, c->n_by_verdict[v]),
		       verdict_name(v));
		separator = ", ";
	}
	if (c->n_failed > 0)
		printf("; %s not readable", output_number(number, c->n_failed));
	putchar('\n');
}

static void read_envelope(const struct cli *cli, const char *sender_text,
			  const char *recipient_text, struct judge_envelope *out)
{
	struct address sender = {0}, recipient = {0};

	if (sender_text != NULL) {
		address_canonical(sender_text, strlen(sender_text), &sender);
		if (sender.kind == ADDRESS_BAD)
			cli_misuse(cli, "--sender '%s' is no address", sender.text);
		out->is_null_sender = sender.kind == ADDRESS_NULL;
	}
	if (recipient_text != NULL) {
		address_canonical(recipient_text, strlen(recipient_text), &recipient);
		if (recipient.kind != ADDRESS_MAILBOX)
			cli_misuse(cli, "--recipient '%s' is no address", recipient.text);
		out->is_to_self = sender_text != NULL && strcmp(sender.text, recipient.text) == 0;
	}
}

int cmd_check(struct cli *cli, int argc, char **argv)
{
	const char *sender = NULL, *recipient = NULL;
	struct check c = {.cli = cli};
	const struct option_spec specs[] = {
		{"sender", 0, "ADDRESS", OPTION_TEXT, &sender,
		 "envelope sender; <> for delivery reports, which count only from the null sender"},
		{"recipient", 0, "ADDRESS", OPTION_TEXT, &recipient, "envelope recipient"},
		{"explain", 0, NULL, OPTION_FLAG, &c.has_tree,
		 "show every MIME part and what was found in it"},
	};
	char **operands;
	int n = options_parse(
		cli, argc, argv, specs, OPTIONS_N(specs),
		"Operands: files, mboxes, Maildirs, folders of messages, - for standard input.\n"
		"Exit status: 0 all messages are encrypted, 1 some are not, 66 something could not "
		"be read.",
		&operands);
	struct mail_sink sink = {begin, bytes, end, failed, &c};
	struct mail_opener *opener;

	if (n == 0)
		cli_misuse(cli,
			   "which messages? A file, a folder, an mbox, or - for standard input");
	read_envelope(cli, sender, recipient, &c.envelope);
	c.settings = open_settings(cli);
	opener = open_mail(operands, (size_t)n);
	open_pause_notice(c.settings);
	open_leave_root();
	c.judge = mail_judge_new(c.has_tree ? keep_part : NULL, &c);
	if (c.judge == NULL) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	progress_begin(&c.progress, "messages");
	mail_files_read(opener, &sink);
	progress_clear(&c.progress);
	print_summary(&c);
	mail_judge_free(c.judge);
	mail_opener_free(opener);
	settings_unref(c.settings);
	if (c.n_failed > 0)
		return EX_NOINPUT;
	return c.n_encrypted == c.n_messages ? 0 : 1;
}

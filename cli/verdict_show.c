/* SPDX-License-Identifier: ISC */
#include "cli/verdict_show.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "common/clock.h"

#define BRIEF_ADDRESS_MAX 1400 /* bytes of one, with each escaped */
#define BRIEF_RECIPIENTS_MAX 4 /* named in a brief line, then "and N more" */

static bool shows_hosts;

void verdict_show_hosts(bool shows)
{
	shows_hosts = shows;
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static json_t *text_or_null(const char *text)
{
	return output_json_text(or_empty(text)[0] != '\0' ? text : NULL);
}

static json_t *recipients_json(const struct verdict_record *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_recipients; i++) {
		const struct verdict_recipient *v = &r->recipients[i];
		json_t *o = json_object();

		json_object_set_new(o, "address", output_json_text(or_empty(v->address)));
		json_object_set_new(o, "requirement",
				    output_json_text(requirement_name(v->requirement)));
		json_object_set_new(o, "rule",
				    v->rule_id != 0 ? json_integer(v->rule_id) : json_null());
		json_object_set_new(o, "demand", output_json_text(requirement_name(v->demand)));
		json_object_set_new(o, "source", output_json_text(policy_source_name(v->source)));
		json_object_set_new(o, "passes", json_boolean(v->passes));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *verdict_show_json(const struct verdict_row *row)
{
	const struct verdict_record *r = &row->record;
	const struct judgement *j = &row->judgement;
	json_t *o = json_object();

	json_object_set_new(o, "time", output_json_time(r->time_unix));
	json_object_set_new(o, "queue_id", output_json_text(or_empty(r->queue_id)));
	json_object_set_new(o, "host", text_or_null(r->host));
	json_object_set_new(o, "client", text_or_null(r->client));
	json_object_set_new(o, "authenticated", text_or_null(r->authenticated));
	json_object_set_new(o, "sender", output_json_text(or_empty(r->sender)));
	json_object_set_new(o, "recipients", recipients_json(r));
	json_object_set_new(o, "verdict", output_json_text(verdict_name(j->verdict)));
	json_object_set_new(o, "form", output_json_text(form_name(j->form)));
	json_object_set_new(o, "reason", output_json_text(j->reason));
	json_object_set_new(o, "detail", output_json_text(j->detail));
	json_object_set_new(o, "action", output_json_text(action_name(r->action)));
	json_object_set_new(o, "would", output_json_text(action_name(r->would)));
	json_object_set_new(o, "reply", text_or_null(r->reply));
	json_object_set_new(o, "size", json_integer(r->size_bytes));
	json_object_set_new(o, "cleartext_bytes", json_integer(j->cleartext_bytes));
	json_object_set_new(o, "message_id", text_or_null(r->message_id));
	json_object_set_new(o, "header_from", text_or_null(r->header_from));
	json_object_set_new(o, "id", json_integer(row->id));
	return o;
}

/* Columns of print_verdict(). */
static size_t verdict_width(const struct judgement *j)
{
	size_t width = strlen(verdict_name(j->verdict));

	if (j->form != FORM_NONE)
		width += 1 + strlen(form_name(j->form));
	if (j->reason[0] != '\0' && strcmp(j->reason, form_name(j->form)) != 0)
		width += 3 + output_width(j->reason);
	return width;
}

static void print_verdict(const struct judgement *j)
{
	char clean[4 * REASON_MAX];

	printf("%s%s%s", output_colour(output_verdict_colour(j->verdict)), verdict_name(j->verdict),
	       output_colour(COLOUR_PLAIN));
	if (j->form != FORM_NONE)
		printf(" %s", form_name(j->form));
	if (j->reason[0] != '\0' && strcmp(j->reason, form_name(j->form)) != 0)
		printf(" (%s)", output_clean(clean, sizeof(clean), j->reason));
}

void verdict_show_brief(const struct verdict_row *row)
{
	const struct verdict_record *r = &row->record;
	char line[(BRIEF_RECIPIENTS_MAX + 2) * (BRIEF_ADDRESS_MAX + 8)];
	char when[CLOCK_TEXT_MAX];
	char clean[OUTPUT_TEXT_MAX];
	size_t n, columns;

	printf("%s  ", output_time(r->time_unix, when));
	output_pad_colour(stdout, output_action_colour(r->action), action_name(r->action), 11);
	columns = output_width(when) + 2 + 11 + verdict_width(&row->judgement);
	if (output_is_terminal() && columns >= OUTPUT_COLUMNS) {
		printf("\n    ");
		columns = 4 + verdict_width(&row->judgement);
	}
	print_verdict(&row->judgement);
	if (r->would != r->action)
		printf("%s,%s would %s%s", output_colour(COLOUR_YELLOW),
		       output_is_terminal() && columns + 20 > OUTPUT_COLUMNS ? "\n   " : "",
		       action_name(r->would), output_colour(COLOUR_PLAIN));
	printf("\n    %s%s%s  ", output_colour(COLOUR_DIM),
	       output_clean(clean, sizeof(clean), or_empty(r->queue_id)),
	       output_colour(COLOUR_PLAIN));
	columns = 6 + output_width(clean);
	if (shows_hosts) {
		printf("%s  ", output_clean(clean, sizeof(clean), or_empty(r->host)));
		columns += 2 + output_width(clean);
	}
	n = (size_t)snprintf(line, sizeof(line), "%.*s ->", BRIEF_ADDRESS_MAX,
			     output_clean(clean, sizeof(clean), or_empty(r->sender)));
	for (size_t i = 0; i < r->n_recipients && i < BRIEF_RECIPIENTS_MAX; i++)
		n += (size_t)snprintf(
			line + n, sizeof(line) - n, "%s %.*s", i > 0 ? "," : "", BRIEF_ADDRESS_MAX,
			output_clean(clean, sizeof(clean), or_empty(r->recipients[i].address)));
	if (r->n_recipients > BRIEF_RECIPIENTS_MAX)
		snprintf(line + n, sizeof(line) - n, " and %zu more",
			 r->n_recipients - BRIEF_RECIPIENTS_MAX);
	if (output_is_terminal())
		output_wrap(stdout, 6, columns, line);
	else
		puts(line);
}

static void print_field(const char *label, const char *value)
{
	char clean[OUTPUT_TEXT_MAX];

	if (or_empty(value)[0] == '\0')
		return;
	printf("  %-14s", label);
	output_wrap(stdout, 16, 16, output_clean(clean, sizeof(clean), value));
}

static void print_recipient(const struct verdict_recipient *v)
{
	char clean[OUTPUT_TEXT_MAX];
	char line[OUTPUT_TEXT_MAX + 200];
	char rule[40] = "";

	if (v->rule_id != 0)
		snprintf(rule, sizeof(rule), " %lld", (long long)v->rule_id);
	printf("  %-14s", "to");
	snprintf(line, sizeof(line), "%s: %s by %s%s%s%s; %s",
		 output_clean(clean, sizeof(clean), or_empty(v->address)),
		 requirement_name(v->requirement), policy_source_name(v->source), rule,
		 v->demand != v->requirement ? ", now " : "",
		 v->demand != v->requirement ? requirement_name(v->demand) : "",
		 v->passes ? "met" : "NOT met");
	output_wrap(stdout, 16, 16, line);
}

static void print_reply(const char *reply)
{
	while (*reply != '\0') {
		size_t len = strcspn(reply, "\n");
		char line[OUTPUT_TEXT_MAX];

		snprintf(line, sizeof(line), "%.*s", (int)len, reply);
		print_field("reply", line);
		reply += len + (reply[len] != '\0');
	}
}

void verdict_show_full(const struct verdict_row *row)
{
	const struct verdict_record *r = &row->record;
	const struct judgement *j = &row->judgement;
	char text[OUTPUT_NUMBER_MAX];
	char when[CLOCK_TEXT_MAX];

	printf("%s  %s%s%s  ", output_time(r->time_unix, when),
	       output_colour(output_action_colour(r->action)), action_name(r->action),
	       output_colour(COLOUR_PLAIN));
	print_verdict(j);
	putchar('\n');
	if (r->would != r->action) {
		char line[120];

		snprintf(line, sizeof(line),
			 "%s, had the rules been enforced (enforce = no, or a pause)",
			 action_name(r->would));
		print_field("would", line);
	}
	print_field("queue id", r->queue_id);
	print_field("message id", r->message_id);
	print_field("client", r->client);
	print_field("authenticated", r->authenticated);
	print_field("host", r->host);
	print_field("from", r->sender);
	if (r->header_from != NULL && strcmp(r->header_from, or_empty(r->sender)) != 0)
		print_field("From: field", r->header_from);
	for (size_t i = 0; i < r->n_recipients; i++)
		print_recipient(&r->recipients[i]);
	print_field("detail", j->detail);
	print_field("size", output_bytes(text, r->size_bytes));
	if (j->cleartext_bytes > 0)
		print_field("readable", output_bytes(text, j->cleartext_bytes));
	print_reply(or_empty(r->reply));
}

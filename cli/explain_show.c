/* SPDX-License-Identifier: ISC */
#include "cli/explain_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/rule_show.h"
#include "common/clock.h"

#define LABEL_COLUMNS 13

void explanation_add(void *context, const struct rule *r, const char *why_lost)
{
	struct explanation *x = context;
	struct considered *more = output_memory(x->considered,
						(x->n_considered + 1) * sizeof(*more));

	x->considered = more;
	more += x->n_considered++;
	more->rule = *r;
	snprintf(more->why_lost, sizeof(more->why_lost), "%s", why_lost != NULL ? why_lost : "");
}

void explanation_clear(struct explanation *x)
{
	free(x->considered);
	x->considered = NULL;
	x->n_considered = 0;
}

static json_t *history_json(const struct pair_record *p)
{
	json_t *o = json_object();

	json_object_set_new(o, "encrypted", json_integer(p->n_encrypted));
	json_object_set_new(o, "first_encrypted_at", output_json_time(p->first_encrypted_unix));
	json_object_set_new(o, "last_encrypted_at", output_json_time(p->last_encrypted_unix));
	json_object_set_new(o, "cleartext", json_integer(p->n_cleartext));
	json_object_set_new(o, "first_cleartext_at", output_json_time(p->first_cleartext_unix));
	json_object_set_new(o, "last_cleartext_at", output_json_time(p->last_cleartext_unix));
	return o;
}

static void add_message_json(json_t *o, const struct explanation *x)
{
	char reply[OUTPUT_TEXT_MAX];

	json_object_set_new(o, "verdict", output_json_text(verdict_name(x->judgement.verdict)));
	json_object_set_new(o, "form", output_json_text(form_name(x->judgement.form)));
	json_object_set_new(o, "reason", output_json_text(x->judgement.reason));
	json_object_set_new(o, "detail", output_json_text(x->judgement.detail));
	json_object_set_new(o, "passes", json_boolean(x->passes));
	json_object_set_new(o, "action", output_json_text(action_name(x->outcome.action)));
	json_object_set_new(o, "would", output_json_text(action_name(x->outcome.would)));
	json_object_set_new(
		o, "reply",
		output_json_text(outcome_reply_text(&x->outcome, reply, sizeof(reply))));
}

json_t *explanation_json(const struct explanation *x, const struct settings *s)
{
	json_t *o = json_object();
	json_t *list = json_array();

	json_object_set_new(o, "recipient", output_json_text(x->recipient.text));
	json_object_set_new(o, "requirement",
			    output_json_text(requirement_name(x->answer.requirement)));
	json_object_set_new(o, "source", output_json_text(policy_source_name(x->answer.source)));
	json_object_set_new(o, "rule",
			    x->answer.rule_id != 0 ? json_integer(x->answer.rule_id) : json_null());
	json_object_set_new(o, "why", output_json_text(x->answer.why));
	json_object_set_new(o, "demand", output_json_text(requirement_name(x->answer.demand)));
	json_object_set_new(
		o, "key",
		output_json_text(x->key.fingerprint[0] != '\0' ? x->key.fingerprint : NULL));
	json_object_set_new(o, "is_local", json_boolean(x->answer.is_local));
	json_object_set_new(o, "is_enforced", json_boolean(s->enforce && !x->answer.is_paused));
	json_object_set_new(o, "history",
			    x->has_history == 1 ? history_json(&x->history) : json_null());
	for (size_t i = 0; i < x->n_considered; i++) {
		const struct considered *c = &x->considered[i];
		json_t *rule = rule_show_json(&c->rule);

		json_object_set_new(rule, "why_lost",
				    output_json_text(c->why_lost[0] != '\0' ? c->why_lost : NULL));
		json_array_append_new(list, rule);
	}
	json_object_set_new(o, "rules", list);
	if (x->has_message)
		add_message_json(o, x);
	return o;
}

static void print_field(const char *label, const char *text)
{
	char clean[OUTPUT_TEXT_MAX];

	printf("%-*s", LABEL_COLUMNS, label);
	output_wrap(stdout, LABEL_COLUMNS, LABEL_COLUMNS, output_clean(clean, sizeof(clean), text));
}

static void print_requirement(const struct explanation *x, const struct settings *s)
{
	char text[REASON_MAX + 40];
	enum requirement demand = x->answer.demand;
	bool is_lenient = demand == REQUIREMENT_EXEMPT || demand == REQUIREMENT_OBSERVE;

	print_field("recipient", x->recipient.text);
	if (x->recipient.kind == ADDRESS_BAD || x->recipient.is_routed)
		print_field(
			"",
			"not an address that a rule may exempt (see pgpgate-rules(7), ADDRESSES)");
	printf("%-*s%s%s%s\n", LABEL_COLUMNS, "requirement",
	       output_colour(is_lenient ? COLOUR_GREEN : COLOUR_RED),
	       requirement_name(x->answer.requirement), output_colour(COLOUR_PLAIN));
	if (demand != x->answer.requirement) {
		snprintf(text, sizeof(text), "%s, as things stand", requirement_name(demand));
		print_field("now means", text);
	}
	print_field("because of", x->answer.why);
	if (demand == REQUIREMENT_OWN_KEY)
		print_field("key", x->key.fingerprint[0] != '\0' ? x->key.fingerprint
				   : x->key.state != OWN_KEY_UNKNOWN
					   ? "none to encrypt to: all that are known have ended"
					   : "none is known, so this is the same as encrypted");
	if (x->answer.is_local)
		print_field("client", "one of ours (authenticated, local_clients, or sendmail)");
	if (x->answer.help_url[0] != '\0')
		print_field("help", x->answer.help_url);
	if (!s->enforce)
		print_field("but",
			    "enforce = no: nothing is refused, the log says what would have been");
	if (x->answer.is_paused)
		print_field("but", "paused: nothing is refused, the log says what would have been");
}

static void print_rules(const struct explanation *x)
{
	char phrase[OUTPUT_TEXT_MAX];
	char text[OUTPUT_TEXT_MAX + 300];
	char state[RULE_SHOW_STATE_MAX];

	if (x->n_considered == 0) {
		print_field("rules", "none matches this recipient");
		return;
	}
	for (size_t i = 0; i < x->n_considered; i++) {
		const struct considered *c = &x->considered[i];
		bool is_winner = c->why_lost[0] == '\0';

		printf("%-*s%s%s", LABEL_COLUMNS, i == 0 ? "rules" : "",
		       output_colour(is_winner ? COLOUR_BOLD : COLOUR_PLAIN),
		       is_winner ? "* " : "  ");
		snprintf(text, sizeof(text), "%lld: %s", (long long)c->rule.id,
			 rule_show_phrase(&c->rule, phrase, sizeof(phrase)));
		output_wrap(stdout, LABEL_COLUMNS + 4, LABEL_COLUMNS + 2, text);
		fputs(output_colour(COLOUR_PLAIN), stdout);
		rule_show_state(&c->rule, x->now_unix, state);
		snprintf(text, sizeof(text), "%s%s", is_winner ? "wins" : "lost: ", c->why_lost);
		if (state[0] != '\0' && strstr(c->why_lost, "expired") == NULL &&
		    strstr(c->why_lost, "start") == NULL)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "; %s", state);
		printf("%*s", LABEL_COLUMNS + 4, "");
		output_wrap(stdout, LABEL_COLUMNS + 4, LABEL_COLUMNS + 4,
			    output_clean(phrase, sizeof(phrase), text));
		if (c->rule.note[0] != '\0') {
			snprintf(text, sizeof(text), "note: %s", c->rule.note);
			printf("%*s", LABEL_COLUMNS + 4, "");
			output_wrap(stdout, LABEL_COLUMNS + 4, LABEL_COLUMNS + 4,
				    output_clean(phrase, sizeof(phrase), text));
		}
	}
}

static void print_history(const struct explanation *x)
{
	char text[OUTPUT_TEXT_MAX];
	char number[OUTPUT_NUMBER_MAX];
	char when[CLOCK_TEXT_MAX];
	const struct pair_record *p = &x->history;

	if (!x->has_sender)
		return;
	if (x->has_history != 1) {
		snprintf(text, sizeof(text), "no mail from %s to this recipient is on record",
			 x->sender.text);
		print_field("history", text);
		return;
	}
	snprintf(text, sizeof(text), "%s has sent %s encrypted", x->sender.text,
		 output_number(number, p->n_encrypted));
	if (p->n_encrypted > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " (last %s)",
			 output_time(p->last_encrypted_unix, when));
	snprintf(text + strlen(text), sizeof(text) - strlen(text), " and %s in cleartext",
		 output_number(number, p->n_cleartext));
	if (p->n_cleartext > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " (last %s)",
			 output_time(p->last_cleartext_unix, when));
	print_field("history", text);
}

static void print_message(const struct explanation *x)
{
	char text[OUTPUT_TEXT_MAX];
	char reply[OUTPUT_TEXT_MAX];
	const struct judgement *j = &x->judgement;

	printf("\n%-*s%s%s%s%s%s (%s)\n", LABEL_COLUMNS, "message",
	       output_colour(output_verdict_colour(j->verdict)), verdict_name(j->verdict),
	       output_colour(COLOUR_PLAIN), j->form != FORM_NONE ? " " : "",
	       j->form != FORM_NONE ? form_name(j->form) : "", j->reason);
	if (j->detail[0] != '\0')
		print_field("", j->detail);
	if (!x->passes)
		print_field("", outcome_explain(j));
	printf("%-*s%s%s%s\n", LABEL_COLUMNS, "action",
	       output_colour(output_action_colour(x->outcome.action)),
	       action_name(x->outcome.action), output_colour(COLOUR_PLAIN));
	if (x->outcome.would != x->outcome.action) {
		snprintf(text, sizeof(text), "%s, were the rules enforced",
			 action_name(x->outcome.would));
		print_field("would be", text);
	}
	if (x->outcome.action == ACTION_ACCEPT && x->outcome.n_lines == 0)
		return;
	outcome_reply_text(&x->outcome, reply, sizeof(reply));
	for (size_t at = 0; reply[at] != '\0';) {
		size_t len = strcspn(reply + at, "\n");

		snprintf(text, sizeof(text), "%.*s", (int)len, reply + at);
		print_field(at == 0 ? "reply" : "", text);
		at += len + (reply[at + len] != '\0');
	}
}

void explanation_print(const struct explanation *x, const struct settings *s)
{
	print_requirement(x, s);
	print_rules(x);
	print_history(x);
	if (x->has_message)
		print_message(x);
}

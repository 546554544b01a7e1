/* SPDX-License-Identifier: ISC
 *
 * pgpgate forget: removes rules, or makes the record of a pair of correspondents not count any more.
 * Exit 1 if nothing matched.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rule_add.h"
#include "common/clock.h"
#include "db/pair.h"

struct forget_options {
	const char *sender, *client;
	int64_t id;
	bool all, history;
};

static void tell(const struct cli *cli, const char *what, int64_t n)
{
	char clean[OUTPUT_TEXT_MAX];
	json_t *o;

	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "pattern", output_json_text(what));
		json_object_set_new(o, "forgotten", json_integer(n));
		output_json(o);
		return;
	}
	output_clean(clean, sizeof(clean), what);
	if (n == 0)
		printf("%s: no such rule\n", clean);
	else
		printf("%s: %lld %s forgotten\n", clean, (long long)n,
		       output_plural(n, "rule", "rules"));
}

static int count_rule(void *context, const struct rule *r)
{
	(void)r;
	++*(int *)context;
	return 0;
}

static int forget_pattern(struct cli *cli, struct db *d, const struct rule *key, bool all)
{
	struct rules_filter same = {.recipient = &key->recipient};
	int n_narrowed = 0;
	int n = rules_forget(d, key, all, clock_now_unix(), cli_author());

	if (n < 0)
		return -1;
	tell(cli, key->recipient.text, n);
	if (n == 0 && rules_list(d, &same, count_rule, &n_narrowed) == 0 && n_narrowed > 0)
		cli_warning("%s has %d %s with another sender or client: `pgpgate rules %s` shows, "
			    "--all removes",
			    key->recipient.text, n_narrowed,
			    output_plural(n_narrowed, "rule", "rules"), key->recipient.text);
	return n;
}

static int forget_patterns(struct cli *cli, struct settings *s, const struct forget_options *o,
			   char **patterns, int n)
{
	struct rule *keys = calloc((size_t)n, sizeof(*keys));
	int total = 0;
	int code = 0;
	struct db *d;

	for (int i = 0; i < n && keys != NULL; i++) {
		rule_add_narrow(cli, s, o->sender, o->client, &keys[i]);
		rule_add_pattern(cli, s, patterns[i], false, &keys[i].recipient);
	}
	d = open_database(s, DB_WRITE);
	for (int i = 0; i < n && keys != NULL && code == 0; i++) {
		int forgotten = forget_pattern(cli, d, &keys[i], o->all);

		if (forgotten < 0)
			code = open_failed(d);
		else
			total += forgotten;
	}
	db_close(d);
	free(keys);
	return code != 0 ? code : total == 0;
}

static int forget_id(struct cli *cli, struct settings *s, int64_t id)
{
	struct db *d = open_database(s, DB_WRITE);
	char what[40];
	int n = rules_forget_id(d, id, clock_now_unix(), cli_author());
	int code = n < 0 ? open_failed(d) : n == 0;

	snprintf(what, sizeof(what), "rule %lld", (long long)id);
	if (n >= 0)
		tell(cli, what, n);
	db_close(d);
	return code;
}

static int forget_history(struct cli *cli, struct settings *s, const char *sender_text,
			  const char *recipient_text)
{
	struct address sender, recipient;
	struct db *d;
	int n, code;

	address_canonical(sender_text, strlen(sender_text), &sender);
	address_canonical(recipient_text, strlen(recipient_text), &recipient);
	if (sender.kind == ADDRESS_BAD)
		cli_misuse(cli, "'%s' is no address", sender.text);
	if (recipient.kind != ADDRESS_MAILBOX)
		cli_misuse(cli, "'%s' is no address", recipient.text);
	d = open_database(s, DB_WRITE);
	n = pair_forget(d, sender.text, recipient.text, clock_now_unix(), cli_author());
	code = n < 0 ? open_failed(d) : n == 0;
	if (n >= 0 && cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "sender", output_json_text(sender.text));
		json_object_set_new(o, "recipient", output_json_text(recipient.text));
		json_object_set_new(o, "forgotten", json_integer(n));
		output_json(o);
	} else if (n >= 0) {
		printf("%s -> %s: %s\n", sender.text, recipient.text,
		       n > 0 ? "their history counts no more" : "no history");
	}
	db_close(d);
	return code;
}

int cmd_forget(struct cli *cli, int argc, char **argv)
{
	struct forget_options o = {.id = -1};
	const struct option_spec specs[] = {
		{"sender", 0, "PATTERN", OPTION_TEXT, &o.sender,
		 "the rule that is narrowed to this sender"},
		{"client", 0, "NET", OPTION_TEXT, &o.client, "the rule that is narrowed to this client"},
		{"all", 0, NULL, OPTION_FLAG, &o.all, "also the rules that narrow this recipient pattern"},
		{"id", 0, "N", OPTION_COUNT, &o.id, "the rule with this number"},
		{"history", 0, NULL, OPTION_FLAG, &o.history,
		 "the record of SENDER's mail to RECIPIENT counts no more (ratchet, reply_window)"},
	};
	char **operands;
	int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			      "Exit status 1: nothing matched.", &operands);
	struct settings *s;
	int code;

	if (o.history && (n != 2 || o.id >= 0 || o.all || o.sender != NULL || o.client != NULL))
		cli_misuse(cli, "--history wants SENDER and RECIPIENT and nothing else");
	if (o.id >= 0 && (n != 0 || o.all || o.sender != NULL || o.client != NULL))
		cli_misuse(cli, "--id goes without a pattern and other options");
	if (o.id < 0 && n == 0)
		cli_misuse(cli, "which rule?");
	s = open_settings(cli);
	if (o.history)
		code = forget_history(cli, s, operands[0], operands[1]);
	else if (o.id >= 0)
		code = forget_id(cli, s, o.id);
	else
		code = forget_patterns(cli, s, &o, operands, n);
	settings_unref(s);
	return code;
}

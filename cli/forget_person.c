/* SPDX-License-Identifier: ISC */
#include "cli/forget_person.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/open.h"
#include "cli/output.h"
#include "cli/rule_show.h"
#include "cli/site_session.h"
#include "cli/verdict_show.h"
#include "common/clock.h"
#include "db/keys.h"
#include "db/person.h"
#include "db/rules.h"
#include "db/verdicts.h"

#define SETTLE_MS 5000 /* the filter moves its journal once a second */

/* What there is, printed or only counted. */
struct gathering {
	const char *address;
	bool prints;
	int64_t n_verdicts, n_pairs, n_rules, n_keys, n_changes;
};

static void print(const struct gathering *g, const char *kind, json_t *o)
{
	if (g->prints) {
		json_object_set_new(o, "kind", output_json_text(kind));
		output_json(o);
	} else {
		json_decref(o);
	}
}

static int see_sent(void *context, const struct verdict_row *row)
{
	struct gathering *g = context;

	g->n_verdicts++;
	print(g, "verdict", verdict_show_json(row));
	return ferror(stdout) ? 1 : 0;
}

/* Mail to oneself was told already. */
static int see_received(void *context, const struct verdict_row *row)
{
	struct gathering *g = context;

	return row->record.sender != NULL && strcmp(row->record.sender, g->address) == 0
		       ? 0
		       : see_sent(context, row);
}

static int see_pair(void *context, const char *sender, const char *recipient,
		    const struct pair_record *p)
{
	struct gathering *g = context;
	json_t *o = json_object();

	g->n_pairs++;
	json_object_set_new(o, "sender", output_json_text(sender));
	json_object_set_new(o, "recipient", output_json_text(recipient));
	json_object_set_new(o, "encrypted", json_integer(p->n_encrypted));
	json_object_set_new(o, "cleartext", json_integer(p->n_cleartext));
	json_object_set_new(o, "first_encrypted_at", output_json_time(p->first_encrypted_unix));
	json_object_set_new(o, "last_encrypted_at", output_json_time(p->last_encrypted_unix));
	json_object_set_new(o, "first_cleartext_at", output_json_time(p->first_cleartext_unix));
	json_object_set_new(o, "last_cleartext_at", output_json_time(p->last_cleartext_unix));
	print(g, "pair", o);
	return ferror(stdout) ? 1 : 0;
}

static int see_rule(void *context, const struct rule *r)
{
	struct gathering *g = context;

	if (strcmp(r->recipient.text, g->address) != 0 &&
	    (!r->has_sender || strcmp(r->sender.text, g->address) != 0))
		return 0;
	g->n_rules++;
	print(g, "rule", rule_show_json(r));
	return ferror(stdout) ? 1 : 0;
}

static int see_key(void *context, const struct recipient_key *k)
{
	struct gathering *g = context;
	json_t *o = json_object();

	g->n_keys++;
	json_object_set_new(o, "pattern", output_json_text(k->pattern));
	json_object_set_new(o, "fingerprint", json_string(k->fingerprint));
	json_object_set_new(o, "state", json_string(key_state_name(k->state)));
	json_object_set_new(o, "note", output_json_text(k->note));
	print(g, "key", o);
	return ferror(stdout) ? 1 : 0;
}

static int see_group(void *context, const char *pattern, const char *member, bool wants_all)
{
	struct gathering *g = context;
	json_t *o;

	if (strcmp(pattern, g->address) != 0 && strcmp(member, g->address) != 0)
		return 0;
	o = json_object();
	g->n_keys++;
	json_object_set_new(o, "pattern", output_json_text(pattern));
	json_object_set_new(o, "member", output_json_text(member));
	json_object_set_new(o, "all", json_boolean(wants_all));
	print(g, "group", o);
	return ferror(stdout) ? 1 : 0;
}

static int gather(struct db *d, struct gathering *g)
{
	struct verdicts_filter sent = {.verdict = -1, .action = -1, .sender = g->address};
	struct verdicts_filter received = {.verdict = -1, .action = -1, .recipient = g->address};
	const struct rules_filter all = {0};

	if (verdicts_list(d, &sent, see_sent, g) == -1 ||
	    verdicts_list(d, &received, see_received, g) == -1 ||
	    person_pairs(d, g->address, see_pair, g) == -1 ||
	    keys_list(d, g->address, 0, see_key, g) == -1 ||
	    keys_groups(d, NULL, see_group, g) == -1)
		return -1;
	return rules_list(d, &all, see_rule, g) == -1 ? -1 : 0;
}

static int only_look(struct cli *cli, struct db *d, const char *address, bool prints)
{
	struct gathering g = {.address = address, .prints = prints};

	if (gather(d, &g) != 0)
		return open_failed(d);
	if (!prints && cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "verdicts", json_integer(g.n_verdicts));
		json_object_set_new(o, "pairs", json_integer(g.n_pairs));
		json_object_set_new(o, "rules", json_integer(g.n_rules));
		json_object_set_new(o, "keys", json_integer(g.n_keys));
		json_object_set_new(o, "dry_run", json_true());
		output_json(o);
	} else if (!prints) {
		printf("-%lld %s\n-%lld %s\n-%lld %s\n", (long long)g.n_verdicts,
		       output_plural(g.n_verdicts, "verdict", "verdicts"), (long long)g.n_pairs,
		       output_plural(g.n_pairs, "pair", "pairs"), (long long)g.n_rules,
		       output_plural(g.n_rules, "rule", "rules"));
		if (g.n_keys > 0)
			printf("-%lld %s\n", (long long)g.n_keys,
			       output_plural(g.n_keys, "key", "keys"));
	}
	return g.n_verdicts + g.n_pairs + g.n_rules + g.n_keys == 0;
}

static void tell_removed(const struct cli *cli, const struct person_counts *n)
{
	char text[400];
	json_t *o;

	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "verdicts", json_integer(n->n_verdicts));
		json_object_set_new(o, "recipients", json_integer(n->n_recipients));
		json_object_set_new(o, "pairs", json_integer(n->n_pairs));
		json_object_set_new(o, "rules", json_integer(n->n_rules));
		json_object_set_new(o, "changes", json_integer(n->n_changes));
		json_object_set_new(o, "others", json_integer(n->n_others));
		json_object_set_new(o, "result",
				    output_json_text(n->no != 0 ? "removed" : "unchanged"));
		json_object_set_new(o, "change", n->no != 0 ? json_integer(n->no) : json_null());
		json_object_set_new(o, "dry_run", json_false());
		output_json(o);
		return;
	}
	if (n->no == 0) {
		puts("nothing is known of this address");
		return;
	}
	snprintf(text, sizeof(text),
		 "forgotten: %lld verdicts, its place among other recipients in %lld, %lld pairs, "
		 "%lld rules, "
		 "%lld rows of the history (change %lld)",
		 (long long)n->n_verdicts, (long long)n->n_recipients, (long long)n->n_pairs,
		 (long long)n->n_rules, (long long)n->n_changes, (long long)n->no);
	output_wrap(stdout, 0, 0, text);
}

/* On all hosts, and at the centre. What was here is told. */
static int forget_at_site(struct cli *cli, struct settings *s, struct db *d, const char *address,
			  struct person_counts *n)
{
	struct gathering g = {.address = address};
	int code = site_session_begin(cli, s, d, NULL);

	if (code != 0)
		return code;
	*n = (struct person_counts){0};
	if (gather(d, &g) != 0) {
		code = open_failed(d);
	} else {
		n->n_verdicts = g.n_verdicts;
		n->n_pairs = g.n_pairs;
		n->n_rules = g.n_rules;
		if (person_hand_over(d, address, clock_now_unix(), cli_author(), n) != 0)
			code = open_failed(d);
	}
	return site_session_end(code);
}

int forget_person(struct cli *cli, struct settings *s, const char *text, bool only_export,
		  bool dry_run)
{
	struct person_counts n;
	struct address address;
	struct db *d;
	int code;

	address_canonical(text, strlen(text), &address);
	if (address.kind != ADDRESS_MAILBOX || strchr(address.text, '@') == NULL)
		cli_misuse(cli, "'%s' is no address", address.text);
	d = open_database(s, only_export || dry_run ? DB_READ : DB_WRITE);
	if (verdicts_settle(d, SETTLE_MS) == 0)
		cli_warning(
			"verdicts wait in the journal, where this does not reach: see `pgpgate db "
			"status`, and do this again");
	if (only_export || dry_run) {
		code = only_look(cli, d, address.text, only_export);
	} else if (s->centre[0] != '\0') {
		code = forget_at_site(cli, s, d, address.text, &n);
		if (code == 0)
			tell_removed(cli, &n);
	} else if (person_forget(d, address.text, clock_now_unix(), cli_author(), &n) != 0) {
		code = open_failed(d);
	} else {
		tell_removed(cli, &n);
		code = n.no == 0;
	}
	if (code == 0 || code == 1)
		cli_warning("out of reach here: backups of the database, the mail log, logs and "
			    "files of other "
			    "programs, notes of rules in other words, and domains or patterns that "
			    "are wider "
			    "than this address");
	db_close(d);
	return code;
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate forget: removes rules, or makes the record of a pair of correspondents not count any
 * more. Exit 1 if one of them was not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/changes.h"
#include "cli/forget_person.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rule_add.h"
#include "cli/site_session.h"
#include "common/clock.h"
#include "db/pair.h"
#include "db/verdicts.h"

#define SETTLE_MS 5000 /* the filter moves its journal once a second */

struct forget_options {
	const char *sender, *client;
	int64_t id;
	const char *person;
	bool all, expired, history, dry_run, only_export;
};

/* One operand: what is asked for, and what came of it. */
struct wanted {
	char name[ADDRESS_MAX + 40];
	struct rule key;
	int64_t n; /* rules that go */
	bool is_absent;
};

struct forgetting {
	struct cli *cli;
	struct settings *settings;
	struct db *db;
	struct rules_edit *edit;
	struct changes changes;
	struct wanted *wanted;
	int n_wanted, n_now; /* operands, and the one that is being looked for */
	int failed;
};

static void tell_outcome(void *context, enum rule_outcome o, const struct rule *before,
			 const struct rule *after)
{
	struct forgetting *f = context;

	changes_tell(&f->changes, o, before, after);
	for (int i = 0; i < f->n_wanted && o == RULE_ABSENT; i++)
		if (strcmp(f->wanted[i].key.recipient.text, before->recipient.text) == 0)
			f->wanted[i].is_absent = true;
}

static void tell(const struct forgetting *f, const struct wanted *w, const struct rules_result *r)
{
	const int64_t n = w->is_absent ? 0 : w->n;
	char clean[OUTPUT_TEXT_MAX];
	json_t *o;

	if (f->cli->json) {
		o = json_object();
		json_object_set_new(o, "pattern", output_json_text(w->name));
		json_object_set_new(o, "forgotten", json_integer(n));
		json_object_set_new(o, "result", output_json_text(n > 0 ? "removed" : "unchanged"));
		json_object_set_new(o, "change",
				    n > 0 && r->no != 0 ? json_integer(r->no) : json_null());
		json_object_set_new(o, "dry_run", json_boolean(f->changes.is_dry_run));
		output_json(o);
		return;
	}
	output_clean(clean, sizeof(clean), w->name);
	if (n == 0)
		printf("%s: no such rule\n", clean);
	else if (!f->changes.is_dry_run)
		printf("%s: %lld %s forgotten\n", clean, (long long)n,
		       output_plural(n, "rule", "rules"));
}

static int remove_one(void *context, const struct rule *r)
{
	struct forgetting *f = context;

	f->wanted[f->n_now].n++;
	f->failed = rules_edit_remove(f->edit, r);
	return f->failed != 0 ? 1 : 0;
}

static int count_rule(void *context, const struct rule *r)
{
	(void)r;
	++*(int *)context;
	return 0;
}

/* Somebody meant one that is narrowed. */
static void hint(struct forgetting *f, const struct wanted *w)
{
	const struct rules_filter same = {.recipient = &w->key.recipient};
	int n = 0;

	if (w->key.recipient.text[0] != '\0' && rules_list(f->db, &same, count_rule, &n) == 0 &&
	    n > 0)
		cli_warning("%s has %d %s with another sender or client: `pgpgate rules %s` shows, "
			    "--all removes",
			    w->key.recipient.text, n, output_plural(n, "rule", "rules"),
			    w->key.recipient.text);
}

/* Puts what is to go into the edit: all that narrow the pattern, all expired ones, or one. */
static int gather(struct forgetting *f, const struct forget_options *o, struct wanted *w)
{
	const struct rules_filter filter = {.recipient = o->all ? &w->key.recipient : NULL,
					    .only_expired = o->expired,
					    .now_unix = clock_now_unix()};

	if (!o->all && !o->expired && w->key.recipient.text[0] != '\0') {
		w->n = 1;
		return rules_edit_remove(f->edit, &w->key);
	}
	if (!o->all && !o->expired)
		return 0; /* no rule has that id */
	return rules_list(f->db, &filter, remove_one, f) == 0 && f->failed == 0 ? 0 : -1;
}

static int finish(struct forgetting *f)
{
	struct rules_result result;
	int code = 0;

	if (rules_edit_commit(f->edit, &result) != 0)
		return open_failed(f->db);
	for (int i = 0; i < f->n_wanted; i++) {
		tell(f, &f->wanted[i], &result);
		if (f->wanted[i].is_absent || f->wanted[i].n == 0) {
			hint(f, &f->wanted[i]);
			code = 1;
		}
	}
	return code;
}

/* All of them are one change. Returns 1 when one of them was not there; the others are gone
 * nevertheless. */
static int forget_rules(struct forgetting *f, const struct forget_options *o)
{
	const struct rules_edit_options options = {.author = cli_author(),
						   .now_unix = clock_now_unix(),
						   .is_dry_run = o->dry_run,
						   .tell = tell_outcome,
						   .context = f};
	int failed = 0;

	f->changes = (struct changes){.cli = f->cli, .is_dry_run = o->dry_run};
	f->edit = rules_edit_begin(f->db, &options);
	if (f->edit == NULL)
		return open_failed(f->db);
	for (f->n_now = 0; f->n_now < f->n_wanted && !failed; f->n_now++)
		failed = gather(f, o, &f->wanted[f->n_now]) != 0;
	if (!failed)
		return finish(f);
	rules_edit_abort(f->edit);
	return open_failed(f->db);
}

static int name_wanted(struct forgetting *f, const struct forget_options *o, char **patterns)
{
	struct wanted *w = f->wanted;
	int found = 1;

	if (o->expired) {
		snprintf(w->name, sizeof(w->name), "expired rules");
	} else if (o->id >= 0) {
		snprintf(w->name, sizeof(w->name), "rule %lld", (long long)o->id);
		found = rules_of_id(f->db, o->id, &w->key);
		if (found == 0)
			memset(&w->key, 0, sizeof(w->key));
	}
	for (int i = 0; i < f->n_wanted && o->id < 0 && !o->expired; i++) {
		rule_add_narrow(f->cli, f->settings, o->sender, o->client, &w[i].key);
		rule_add_pattern(f->cli, f->settings, patterns[i], false, &w[i].key.recipient);
		snprintf(w[i].name, sizeof(w[i].name), "%s", w[i].key.recipient.text);
	}
	return found < 0 ? open_failed(f->db) : 0;
}

static int forget(struct cli *cli, struct settings *s, const struct forget_options *o,
		  char **patterns, int n)
{
	struct forgetting f = {.cli = cli, .settings = s, .n_wanted = n > 0 ? n : 1};
	int code;

	f.wanted = calloc((size_t)f.n_wanted, sizeof(*f.wanted));
	if (f.wanted == NULL) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	f.db = open_database(s, o->dry_run ? DB_READ : DB_WRITE);
	code = o->dry_run ? 0 : site_session_begin(cli, s, f.db, NULL);
	if (code == 0)
		code = name_wanted(&f, o, patterns);
	if (code == 0)
		code = forget_rules(&f, o);
	code = site_session_end(code);
	db_close(f.db);
	free(f.wanted);
	return code;
}

static int forget_history(struct cli *cli, struct settings *s, const char *sender_text,
			  const char *recipient_text, bool dry_run)
{
	struct pair_record pair;
	struct address sender, recipient;
	struct db *d;
	int n, code;

	address_canonical(sender_text, strlen(sender_text), &sender);
	address_canonical(recipient_text, strlen(recipient_text), &recipient);
	if (sender.kind == ADDRESS_BAD)
		cli_misuse(cli, "'%s' is no address", sender.text);
	if (recipient.kind != ADDRESS_MAILBOX)
		cli_misuse(cli, "'%s' is no address", recipient.text);
	d = open_database(s, dry_run ? DB_READ : DB_WRITE);
	/* What the journal has of this pair would count again. */
	if (!dry_run && verdicts_settle(d, SETTLE_MS) == 0)
		cli_warning("verdicts wait in the journal; what they have of this pair will count: "
			    "see `pgpgate db status`, and do this again");
	code = dry_run ? 0 : site_session_begin(cli, s, d, NULL);
	if (code != 0) {
		db_close(d);
		return code;
	}
	n = dry_run ? pair_get(d, sender.text, recipient.text, &pair)
		    : pair_forget(d, sender.text, recipient.text, clock_now_unix(), cli_author());
	code = n < 0 ? open_failed(d) : n == 0;
	if (n >= 0 && cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "sender", output_json_text(sender.text));
		json_object_set_new(o, "recipient", output_json_text(recipient.text));
		json_object_set_new(o, "forgotten", json_integer(n));
		json_object_set_new(o, "result", output_json_text(n > 0 ? "removed" : "unchanged"));
		json_object_set_new(o, "dry_run", json_boolean(dry_run));
		output_json(o);
	} else if (n >= 0) {
		printf("%s%s -> %s: %s\n", dry_run && n > 0 ? "-" : "", sender.text, recipient.text,
		       n == 0	 ? "no history"
		       : dry_run ? "their history"
				 : "their history counts no more");
	}
	code = site_session_end(code);
	db_close(d);
	return code;
}

int cmd_forget(struct cli *cli, int argc, char **argv)
{
	struct forget_options o = {.id = -1};
	const struct option_spec specs[] = {
		{"sender", 0, "PATTERN", OPTION_TEXT, &o.sender,
		 "the rule that is narrowed to this sender"},
		{"client", 0, "NET", OPTION_TEXT, &o.client,
		 "the rule that is narrowed to this client"},
		{"all", 0, NULL, OPTION_FLAG, &o.all,
		 "also the rules that narrow this recipient pattern"},
		{"id", 0, "N", OPTION_COUNT, &o.id, "the rule with this number"},
		{"expired", 0, NULL, OPTION_FLAG, &o.expired, "all rules whose time is over"},
		{"history", 0, NULL, OPTION_FLAG, &o.history,
		 "the record of SENDER's mail to RECIPIENT counts no more (ratchet, reply_window)"},
		{"person", 0, "ADDRESS", OPTION_TEXT, &o.person,
		 "everything that the database holds about this address: verdicts, pairs, rules"},
		{"export", 0, NULL, OPTION_FLAG, &o.only_export,
		 "with --person: print it, as JSON, and remove nothing"},
		CHANGES_OPTION_WAIT(cli),
		CHANGES_OPTION_DRY_RUN(&o.dry_run),
	};
	char **operands;
	int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			      "Exit status 1: one of them was not there; what was there is gone.",
			      &operands);
	const bool is_narrowed = o.sender != NULL || o.client != NULL;
	struct settings *s;
	int code;

	if (o.history && (n != 2 || o.id >= 0 || o.all || o.expired || is_narrowed))
		cli_misuse(cli, "--history wants SENDER and RECIPIENT and nothing else");
	if (o.id >= 0 && (n != 0 || o.all || o.expired || is_narrowed))
		cli_misuse(cli, "--id goes without a pattern and other options");
	if (o.expired && (n != 0 || o.all || is_narrowed))
		cli_misuse(cli, "--expired goes without a pattern and other options");
	if (o.all && is_narrowed)
		cli_misuse(cli, "--all takes every sender and client");
	if (o.person != NULL &&
	    (n != 0 || o.id >= 0 || o.all || o.expired || o.history || is_narrowed))
		cli_misuse(cli, "--person goes without a pattern and other options");
	if (o.only_export && o.person == NULL)
		cli_misuse(cli, "--export goes with --person");
	if (o.id < 0 && !o.expired && o.person == NULL && n == 0)
		cli_misuse(cli, "which rule?");
	s = open_settings(cli);
	if (o.person != NULL)
		code = forget_person(cli, s, o.person, o.only_export, o.dry_run);
	else if (o.history)
		code = forget_history(cli, s, operands[0], operands[1], o.dry_run);
	else
		code = forget(cli, s, &o, operands, n);
	settings_unref(s);
	return code;
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate suggest: rules that the log suggests, as commands to copy, each with its evidence. Never
 * applied by itself: everyone who sends mail writes part of the evidence.
 *
 * What it looks for:
 *   a recipient that demands nothing and gets encrypted mail only		-> require
 *   a recipient whose keys are known, and whose encrypted mail is to them	-> require own-key
 *   a recipient that demands encryption and never gets any			-> observe first
 *   a sender's domain that is refused again and again, on several days (its address, where anybody
 * can have one in that domain)								-> exempt
 * for that sender, for a while a rule that is over, or that has decided nothing for a long time
 * -> forget
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/expected.h"
#include "cli/known_addresses.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/providers.h"
#include "cli/rule_show.h"
#include "cli/site_rows.h"
#include "cli/suggestions.h"
#include "cli/sums.h"
#include "cli/tally.h"
#include "common/clock.h"
#include "db/policy.h"
#include "db/report.h"

#define DEFAULT_SINCE_S (30 * 86400)
#define DEFAULT_MAX 20
#define ENOUGH_MESSAGES 10 /* fewer say nothing */
#define ENOUGH_REFUSALS 5
#define ENOUGH_DAYS 2
#define UNUSED_S (90 * 86400) /* a rule that decided nothing for so long may be superfluous */

struct search {
	const struct cli *cli;
	const struct settings *settings;
	struct progress progress;
	struct sums lenient; /* recipients that demanded nothing */
	struct sums strict;  /* recipients that demanded something */
	struct sums refused; /* "sender recipient": n_refused messages, deferred = days */
	struct db *db;
	struct sums own; /* recipients with encrypted mail: of it n_encrypted to their own keys;
			    n_would: no key of theirs is known */
	struct known_addresses known; /* recipients whose hashes are on record */
	struct providers providers;
	struct suggestions suggestions;
	int64_t now_unix, n_seen, n_expired;
	int64_t n_expected; /* messages; 0: not known */
	bool has_failed;    /* the database */
};

/* Is it to a key of this recipient? 0, 1 no answer. */
static int gather_own_key(struct search *s, const struct report_row *row,
			  const struct report_recipient *r, const char *recipient)
{
	struct own_key own_key;
	struct address address;
	struct sum *sum;

	if (row->judgement.verdict != VERDICT_ENCRYPTED || row->judgement.n_messages == 0 ||
	    r->demand == REQUIREMENT_OWN_KEY || r->demand == REQUIREMENT_READABLE ||
	    strncmp(recipient, "h:", 2) == 0)
		return 0;
	sum = sums_get(&s->own, recipient);
	if (sum->n_would > 0)
		return 0;
	address_canonical(recipient, strlen(recipient), &address);
	if (policy_own_key(s->db, s->settings, &address, &row->judgement, row->time_unix,
			   &own_key) != 0) {
		s->has_failed = true;
		return 1;
	}
	sum->n_messages++;
	sum->n_encrypted += own_key.state == OWN_KEY_GOOD;
	sum->n_would += own_key.state == OWN_KEY_UNKNOWN && !own_key.is_cut;
	return 0;
}

static int gather(void *context, const struct report_row *row)
{
	struct search *s = context;

	progress_update(&s->progress, ++s->n_seen, s->n_expected);
	for (size_t i = 0; i < row->n_recipients; i++) {
		const struct report_recipient *r = &row->recipients[i];
		const bool is_lenient = r->demand == REQUIREMENT_EXEMPT ||
					r->demand == REQUIREMENT_OBSERVE;
		char key[2 * ADDRESS_MAX + 8];
		const char *domain = tally_domain(row->sender);
		const char *recipient = known_addresses_find(&s->known, r->address);
		struct sum *sum;

		if (recipient == NULL)
			recipient = r->address;
		sum = sums_get(is_lenient ? &s->lenient : &s->strict, recipient);
		sum->n_messages++;
		sum->n_encrypted += row->judgement.verdict == VERDICT_ENCRYPTED;
		sum->n_refused += !r->passes;
		if (gather_own_key(s, row, r, recipient) != 0)
			return 1;
		/* Who encrypts to another key needs no exemption, but the key: `keys check`. */
		if (r->passes || row->judgement.verdict == VERDICT_INVALID ||
		    strcmp(row->sender, "<>") == 0 ||
		    (r->demand == REQUIREMENT_OWN_KEY &&
		     row->judgement.verdict == VERDICT_ENCRYPTED))
			continue;
		/* Where everybody can have an address, the domain is not one sender. */
		snprintf(key, sizeof(key), "%s\n%s",
			 providers_has(&s->providers, domain) || report_is_public_suffix(domain)
				 ? row->sender
				 : domain,
			 recipient);
		sum = sums_get(&s->refused, key);
		sum->n_refused++;
		/* Rows come by time: a new day is one that is later than the last. */
		sum->n_deferred += sum->last_unix / 86400 != row->time_unix / 86400;
		sum->last_unix = row->time_unix;
	}
	return 0;
}

/* Those of s whom is_meant() means (NULL: all). free() it. */
static const struct sum **choose(const struct sums *s, bool (*is_meant)(const struct sum *k),
				 size_t *n)
{
	const struct sum **found = output_memory(NULL, (s->n + 1) * sizeof(*found));

	*n = 0;
	for (size_t i = 0; i < s->n; i++)
		if (is_meant == NULL || is_meant(s->list[i]))
			found[(*n)++] = s->list[i];
	return found;
}

static bool gets_encrypted_mail_only(const struct sum *k)
{
	return k->n_messages >= ENOUGH_MESSAGES && k->n_encrypted == k->n_messages;
}

/* What more can be demanded is suggested alone: by_verdict has nothing else here. */
static bool could_demand_encryption(const struct sum *k)
{
	return gets_encrypted_mail_only(k) && k->by_verdict[VERDICT_ENCRYPTED] == 0;
}

static bool gets_mail_to_own_keys_only(const struct sum *k)
{
	return k->n_would == 0 && gets_encrypted_mail_only(k);
}

static bool gets_no_encrypted_mail(const struct sum *k)
{
	return k->n_messages >= ENOUGH_MESSAGES && k->n_encrypted == 0 &&
	       k->n_refused >= ENOUGH_REFUSALS;
}

static bool is_refused_day_after_day(const struct sum *k)
{
	return k->n_refused >= ENOUGH_REFUSALS && k->n_deferred >= ENOUGH_DAYS;
}

/* Those who demand nothing so far, only where all mail to them is encrypted. */
static void suggest_own_keys(struct search *s)
{
	const struct suggestion_addresses own_key = {
		.kind = SUGGEST_OWN_KEY,
		.settings = s->settings,
		.command_before = "pgpgate require --level own-key ",
		.command_after = "",
		.evidence = "encrypted, all to keys that are known to be theirs",
	};
	size_t n, n_kept = 0;
	const struct sum **found = choose(&s->own, gets_mail_to_own_keys_only, &n);

	for (size_t i = 0; i < n; i++) {
		struct sum *lenient = sums_find(&s->lenient, found[i]->key);

		if (lenient != NULL && !gets_encrypted_mail_only(lenient))
			continue;
		if (lenient != NULL)
			lenient->by_verdict[VERDICT_ENCRYPTED] = 1;
		found[n_kept++] = found[i];
	}
	suggestions_for(&s->suggestions, &own_key, found, n_kept, &s->own);
	free(found);
}

static void suggest_for_recipients(struct search *s)
{
	const struct suggestion_addresses require = {
		.kind = SUGGEST_REQUIRE,
		.settings = s->settings,
		.command_before = "pgpgate require ",
		.command_after = "",
		.evidence = "nothing is demanded, and all were encrypted",
	};
	const struct suggestion_addresses observe = {
		.kind = SUGGEST_OBSERVE,
		.settings = s->settings,
		.may_name_domain = true,
		.command_before = "pgpgate observe ",
		.command_after = "",
		.evidence = "encryption is demanded, and none was encrypted",
	};
	const struct sum **found;
	size_t n;

	suggest_own_keys(s);
	found = choose(&s->lenient, could_demand_encryption, &n);
	suggestions_for(&s->suggestions, &require, found, n, &s->lenient);
	free(found);
	found = choose(&s->strict, gets_no_encrypted_mail, &n);
	suggestions_for(&s->suggestions, &observe, found, n, &s->strict);
	free(found);
}

/* The key of a sum in refused: sender, line end, recipient. Addresses may hold blanks, and no
 * control characters. */
static const char *recipient_in(const struct sum *k)
{
	const char *end = strchr(k->key, '\n');

	return end != NULL ? end + 1 : "";
}

static int by_sender(const void *a, const void *b)
{
	return strcmp((*(const struct sum *const *)a)->key, (*(const struct sum *const *)b)->key);
}

/* The recipients of one sender, found[0] to found[n - 1]. */
static void suggest_for_sender(struct search *s, const struct sum **found, size_t n)
{
	const int length = (int)(recipient_in(found[0]) - found[0]->key) - 1;
	char sender[ADDRESS_MAX + 8], word[2 * ADDRESS_MAX], after[2 * ADDRESS_MAX + 40];
	char evidence[OUTPUT_TEXT_MAX];
	struct suggestion_addresses exempt = {
		.kind = SUGGEST_EXEMPT,
		.settings = s->settings,
		.may_name_domain = true,
		.command_before = "pgpgate exempt ",
		.command_after = after,
		.evidence = evidence,
	};
	struct sums recipients = {0};
	const struct sum **list;
	size_t n_list;
	int64_t n_days = 0;

	if (length <= 0)
		return;
	snprintf(sender, sizeof(sender), "%.*s", length, found[0]->key);
	if (!suggestions_word(s->settings, sender, true, word, sizeof(word)))
		return;
	snprintf(after, sizeof(after), " --sender %s --expires +90d", word);
	for (size_t i = 0; i < n; i++) {
		sums_get(&recipients, recipient_in(found[i]))->n_messages = found[i]->n_refused;
		n_days = found[i]->n_deferred > n_days ? found[i]->n_deferred : n_days;
	}
	snprintf(evidence, sizeof(evidence), "from %.200s, not as demanded, on %lld days", sender,
		 (long long)n_days);
	list = choose(&recipients, NULL, &n_list);
	suggestions_for(&s->suggestions, &exempt, list, n_list, &s->strict);
	free(list);
	sums_free(&recipients);
}

static void suggest_for_senders(struct search *s)
{
	size_t n, first = 0;
	const struct sum **found = choose(&s->refused, is_refused_day_after_day, &n);

	if (n > 0)
		qsort(found, n, sizeof(*found), by_sender);
	for (size_t i = 1; i <= n; i++) {
		const size_t length = strcspn(found[first]->key, "\n") + 1;

		if (i < n && strncmp(found[i]->key, found[first]->key, length) == 0)
			continue;
		suggest_for_sender(s, found + first, i - first);
		first = i;
	}
	free(found);
}

static int suggest_for_rule(void *context, const struct rule *r)
{
	struct search *s = context;
	char phrase[OUTPUT_TEXT_MAX], command[60], evidence[2 * OUTPUT_TEXT_MAX];
	char when[CLOCK_TEXT_MAX];
	const int64_t last_unix = r->last_hit_at_unix != 0 ? r->last_hit_at_unix
							   : r->created_at_unix;

	if (r->expires_at_unix != 0 && r->expires_at_unix <= s->now_unix) {
		s->n_expired++;
		return 0;
	}
	if (last_unix >= s->now_unix - UNUSED_S || r->starts_at_unix > s->now_unix)
		return 0;
	rule_show_phrase(r, phrase, sizeof(phrase));
	snprintf(command, sizeof(command), "pgpgate forget --id %lld", (long long)r->id);
	snprintf(evidence, sizeof(evidence), "has decided nothing since %s: %s",
		 output_time(last_unix, when), phrase);
	suggestions_add(&s->suggestions, SUGGEST_FORGET, s->now_unix - last_unix, command,
			evidence);
	return 0;
}

static void suggest_for_expired_rules(struct search *s)
{
	char evidence[100];

	if (s->n_expired == 0)
		return;
	snprintf(evidence, sizeof(evidence), "%lld %s over", (long long)s->n_expired,
		 output_plural(s->n_expired, "rule is", "rules are"));
	suggestions_add(&s->suggestions, SUGGEST_FORGET, INT64_MAX, "pgpgate forget --expired",
			evidence);
}

static int run(struct search *s, struct db *d, int64_t since_unix, int64_t n_max)
{
	struct rules_filter all = {.now_unix = s->now_unix};
	int code;

	progress_begin(&s->progress, "messages");
	s->n_expected = expected_messages(d, &s->progress, since_unix, 0);
	code = known_addresses_load(&s->known, d, true);
	if (code == 0)
		code = report_rows(d, since_unix, 0, gather, s);
	progress_clear(&s->progress);
	if (code == 0) {
		suggest_for_recipients(s);
		suggest_for_senders(s);
		code = rules_list(d, &all, suggest_for_rule, s);
		suggest_for_expired_rules(s);
	}
	if (code != 0 || s->has_failed)
		return open_failed(d);
	suggestions_print(&s->suggestions, s->cli->json, n_max);
	if (s->suggestions.n == 0 && !s->cli->json)
		puts("The log suggests nothing.");
	else if (!s->cli->json)
		printf("# Read before you copy: everyone who sends mail writes part of this "
		       "evidence.\n");
	return 0;
}

int cmd_suggest(struct cli *cli, int argc, char **argv)
{
	struct search s = {.cli = cli, .now_unix = clock_now_unix()};
	int64_t since_unix = s.now_unix - DEFAULT_SINCE_S, n_max = DEFAULT_MAX;
	bool is_site = false;
	const struct option_spec specs[] = {
		SITE_ROWS_OPTION(&is_site),
		{"since", 0, "WHEN", OPTION_SINCE, &since_unix,
		 "2026-12-31, an RFC 3339 time, -7d; default -30d"},
		{NULL, 'n', "N", OPTION_COUNT, &n_max, "at most so many, default 20; 0 for all"},
	};
	char **operands, err[400];
	struct settings *settings;
	struct db *d;
	int code;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			  "Prints commands to copy, and applies none: the evidence can be forged "
			  "by anyone.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	settings = open_settings(cli);
	s.settings = settings;
	d = open_database(settings, DB_READ);
	if (providers_read(&s.providers, settings->mail_providers, err, sizeof(err)) != 0)
		cli_warning("%s: senders are named by their whole address", err);
	code = is_site ? site_rows_read(cli, settings, d, since_unix, 0, NULL) : 0;
	s.db = d;
	if (code == 0)
		code = run(&s, d, since_unix, n_max);
	db_close(d);
	sums_free(&s.lenient);
	sums_free(&s.strict);
	sums_free(&s.refused);
	sums_free(&s.own);
	suggestions_free(&s.suggestions);
	known_addresses_free(&s.known);
	providers_free(&s.providers);
	settings_unref(settings);
	return code;
}

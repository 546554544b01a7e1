/* SPDX-License-Identifier: ISC
 *
 * pgpgate suggest: rules that the log suggests, as commands to copy, each with its evidence. Never applied by itself:
 * everyone who sends mail writes part of the evidence.
 *
 * What it looks for:
 *   a recipient that demands nothing and gets encrypted mail only		-> require
 *   a recipient that demands encryption and never gets any			-> observe first
 *   a sender's domain that is refused again and again, on several days		-> exempt for that sender, for a while
 *   a rule that is over, or that has decided nothing for a long time		-> forget
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/rule_show.h"
#include "cli/sums.h"
#include "cli/tally.h"
#include "common/clock.h"
#include "db/report.h"

#define DEFAULT_SINCE_S (30 * 86400)
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
	struct sums refused; /* "recipient sender-domain": n_refused messages, deferred = days */
	int64_t now_unix, n_seen, n_suggestions;
};

static int gather(void *context, const struct report_row *row)
{
	struct search *s = context;

	progress_update(&s->progress, ++s->n_seen, 0);
	for (size_t i = 0; i < row->n_recipients; i++) {
		const struct report_recipient *r = &row->recipients[i];
		const bool is_lenient = r->demand == REQUIREMENT_EXEMPT ||
					r->demand == REQUIREMENT_OBSERVE;
		struct sum *sum = sums_get(is_lenient ? &s->lenient : &s->strict, r->address);
		char key[2 * ADDRESS_MAX + 8];

		if (sum == NULL)
			return 1;
		sum->n_messages++;
		sum->n_encrypted += row->judgement.verdict == VERDICT_ENCRYPTED;
		sum->n_refused += !r->passes;
		if (r->passes || row->judgement.verdict == VERDICT_INVALID ||
		    strcmp(row->sender, "<>") == 0)
			continue;
		snprintf(key, sizeof(key), "%s %s", r->address, tally_domain(row->sender));
		sum = sums_get(&s->refused, key);
		if (sum == NULL)
			return 1;
		sum->n_refused++;
		/* Rows come by time: a new day is one that is later than the last. */
		sum->n_deferred += sum->last_unix / 86400 != row->time_unix / 86400;
		sum->last_unix = row->time_unix;
	}
	return 0;
}

/* A pattern as a word of a shell's command line. What is no pattern is never suggested: senders are forged. */
static bool as_word(const struct settings *s, const char *text, bool is_sender, char *out, size_t out_size)
{
	struct pattern p;
	char err[300];
	size_t n = 0;

	if (strncmp(text, "h:", 2) == 0 ||
	    pattern_parse(text, s->recipient_delimiter, is_sender, &p, err, sizeof(err)) != 0)
		return false;
	if (strspn(p.text, "abcdefghijklmnopqrstuvwxyz0123456789.@_+-") == strlen(p.text) &&
	    p.text[0] != '-') {
		snprintf(out, out_size, "%s", p.text);
		return true;
	}
	if (p.text[0] == '-')
		return false;
	out[n++] = '\'';
	for (const char *c = p.text; *c != '\0' && n + 6 < out_size; c++)
		n += (size_t)snprintf(out + n, out_size - n, *c == '\'' ? "'\\''" : "%c", *c);
	snprintf(out + n, out_size - n, "'");
	return true;
}

static void suggest(struct search *s, const char *command, const char *evidence)
{
	char clean[OUTPUT_TEXT_MAX];
	json_t *o;

	s->n_suggestions++;
	if (s->cli->json) {
		o = json_object();
		json_object_set_new(o, "command", output_json_text(command));
		json_object_set_new(o, "evidence", output_json_text(evidence));
		output_json(o);
		return;
	}
	printf("%s# ", output_colour(COLOUR_DIM));
	fputs(output_clean(clean, sizeof(clean), evidence), stdout);
	printf("%s\n%s\n\n", output_colour(COLOUR_PLAIN), output_clean(clean, sizeof(clean), command));
}

static void suggest_for_recipients(struct search *s)
{
	char word[2 * ADDRESS_MAX], command[OUTPUT_TEXT_MAX], evidence[OUTPUT_TEXT_MAX];

	sums_sort(&s->lenient, SUMS_BY_MESSAGES);
	for (size_t i = 0; i < s->lenient.n; i++) {
		const struct sum *k = s->lenient.list[i];

		if (k->n_messages < ENOUGH_MESSAGES || k->n_encrypted < k->n_messages ||
		    !as_word(s->settings, k->key, false, word, sizeof(word)))
			continue;
		snprintf(command, sizeof(command), "pgpgate require %s", word);
		snprintf(evidence, sizeof(evidence),
			 "demands nothing, and all %lld messages were encrypted",
			 (long long)k->n_messages);
		suggest(s, command, evidence);
	}
	sums_sort(&s->strict, SUMS_BY_REFUSED);
	for (size_t i = 0; i < s->strict.n; i++) {
		const struct sum *k = s->strict.list[i];

		if (k->n_messages < ENOUGH_MESSAGES || k->n_encrypted > 0 ||
		    k->n_refused < ENOUGH_REFUSALS ||
		    !as_word(s->settings, k->key, false, word, sizeof(word)))
			continue;
		snprintf(command, sizeof(command), "pgpgate observe %s", word);
		snprintf(evidence,
			 sizeof(evidence), "%lld of %lld messages failed the requirement, none was encrypted: observe first",
			 (long long)k->n_refused, (long long)k->n_messages);
		suggest(s, command, evidence);
	}
}

static void suggest_for_senders(struct search *s)
{
	char recipient[ADDRESS_MAX + 8], word[2 * ADDRESS_MAX], sender[2 * ADDRESS_MAX];
	char command[OUTPUT_TEXT_MAX], evidence[OUTPUT_TEXT_MAX];

	sums_sort(&s->refused, SUMS_BY_REFUSED);
	for (size_t i = 0; i < s->refused.n; i++) {
		const struct sum *k = s->refused.list[i];
		const char *blank = strrchr(k->key, ' ');

		if (k->n_refused < ENOUGH_REFUSALS || k->n_deferred < ENOUGH_DAYS || blank == NULL)
			continue;
		snprintf(recipient, sizeof(recipient), "%.*s", (int)(blank - k->key), k->key);
		if (!as_word(s->settings, recipient, false, word, sizeof(word)) ||
		    !as_word(s->settings, blank + 1, true, sender, sizeof(sender)))
			continue;
		snprintf(command, sizeof(command), "pgpgate exempt %s --sender %s --expires +90d",
			 word, sender);
		snprintf(evidence, sizeof(evidence),
			 "failed %lld times, on %lld days: if they are wanted",
			 (long long)k->n_refused, (long long)k->n_deferred);
		suggest(s, command, evidence);
	}
}

static int suggest_for_rule(void *context, const struct rule *r)
{
	struct search *s = context;
	char phrase[OUTPUT_TEXT_MAX], command[60], evidence[2 * OUTPUT_TEXT_MAX];
	char when[CLOCK_TEXT_MAX];
	const int64_t last_unix = r->last_hit_at_unix != 0 ? r->last_hit_at_unix : r->created_at_unix;

	rule_show_phrase(r, phrase, sizeof(phrase));
	snprintf(command, sizeof(command), "pgpgate forget --id %lld", (long long)r->id);
	if (r->expires_at_unix != 0 && r->expires_at_unix <= s->now_unix)
		snprintf(evidence, sizeof(evidence), "is over: %s", phrase);
	else if (last_unix < s->now_unix - UNUSED_S && r->starts_at_unix <= s->now_unix)
		snprintf(evidence, sizeof(evidence), "has decided nothing since %s: %s",
			 output_time(last_unix, when), phrase);
	else
		return 0;
	suggest(s, command, evidence);
	return 0;
}

static int run(struct search *s, struct db *d, int64_t since_unix)
{
	struct rules_filter all = {.now_unix = s->now_unix};
	int code;

	progress_begin(&s->progress, "messages");
	code = report_rows(d, since_unix, 0, gather, s);
	progress_clear(&s->progress);
	if (code == 1) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	if (code == 0) {
		suggest_for_recipients(s);
		suggest_for_senders(s);
		code = rules_list(d, &all, suggest_for_rule, s);
	}
	if (code == -1)
		return open_failed(d);
	if (s->n_suggestions == 0 && !s->cli->json)
		puts("The log suggests nothing.");
	else if (!s->cli->json)
		printf("# Read before you copy: everyone who sends mail writes part of this "
		       "evidence.\n");
	return 0;
}

int cmd_suggest(struct cli *cli, int argc, char **argv)
{
	struct search s = {.cli = cli, .now_unix = clock_now_unix()};
	int64_t since_unix = s.now_unix - DEFAULT_SINCE_S;
	const struct option_spec specs[] = {
		{"since", 0, "WHEN", OPTION_SINCE, &since_unix,
		 "2026-12-31, an RFC 3339 time, -7d; default -30d"},
	};
	char **operands;
	struct settings *settings;
	struct db *d;
	int code;

	if (options_parse(cli, argc, argv, specs,
			  OPTIONS_N(specs), "Prints commands to copy, and applies none: the evidence can be forged by anyone.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	settings = open_settings(cli);
	s.settings = settings;
	d = open_database(settings, DB_READ);
	code = run(&s, d, since_unix);
	db_close(d);
	sums_free(&s.lenient);
	sums_free(&s.strict);
	sums_free(&s.refused);
	settings_unref(settings);
	return code;
}

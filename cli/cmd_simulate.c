/* SPDX-License-Identifier: ISC
 *
 * pgpgate simulate: replays logged verdicts against a rule that does not exist yet. What the rule
 * would decide: every recipient that it matches and for whom no more specific rule decided. Nothing
 * is changed.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/expected.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/rule_add.h"
#include "cli/rule_show.h"
#include "cli/site_rows.h"
#include "cli/sums.h"
#include "common/clock.h"
#include "common/outcome.h"
#include "db/pair.h"
#include "db/report.h"

#define DEFAULT_SINCE_S (30 * 86400)
#define TOP 20
#define PAIRS_JSON 1000
#define RULES_KEPT \
	65536 /* a cache by the id of a rule: a look-up costs more than all else of a message */

struct simulation {
	struct db *db;
	const struct settings *settings;
	struct rule rule; /* the one that does not exist yet */
	struct report_matcher recipient, sender;
	struct progress progress;
	struct sums encrypting; /* pairs that were seen encrypting, for ratchet */
	struct sums senders;	/* n_messages, n_refused */
	/* "sender recipient" of what would be decided otherwise than it was: what a person has to
	 * look at. */
	struct sums newly_refused, newly_accepted;
	struct {
		int64_t id; /* of the rule that decided */
		bool loses; /* to the new one, or is gone */
	} kept[RULES_KEPT];
	int64_t n_expected; /* messages to be seen; 0: not known */
	int64_t n_seen, n_messages, n_refused, n_newly_refused, n_newly_accepted;
	bool has_failed;
};

/* Negative: a is more specific, and wins. Both match the same mail. */
static int compare_patterns(bool has_a, const struct pattern *a, bool has_b,
			    const struct pattern *b)
{
	if (!has_a || !has_b)
		return (int)has_b - (int)has_a;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	/* The longest subdomain; user+ext@ before user@. */
	return a->kind == PATTERN_SUBDOMAINS || a->kind == PATTERN_USER
		       ? (int)strlen(b->text) - (int)strlen(a->text)
		       : 0;
}

/* As in db/policy/policy_rules.c: authenticated before every network. */
static unsigned client_rank(const struct rule *r)
{
	return r->client_kind == RULE_CLIENT_ANY	     ? 0
	       : r->client_kind == RULE_CLIENT_AUTHENTICATED ? UINT_MAX
							     : 1 + r->client.prefix_bits;
}

/* Would the new rule decide where `old` did? An equal key is replaced. */
static bool wins_over(const struct rule *new, const struct rule *old)
{
	int order = compare_patterns(true, &new->recipient, true, &old->recipient);

	if (order == 0)
		order = compare_patterns(new->has_sender, &new->sender, old->has_sender,
					 &old->sender);
	return order != 0 ? order < 0 : client_rank(new) >= client_rank(old);
}

static bool rule_loses(struct simulation *m, int64_t id)
{
	const size_t at = (size_t)id % RULES_KEPT;
	struct rule old;
	int found;

	if (m->kept[at].id != id) {
		found = report_rule(m->db, id, &old);
		m->kept[at].id = id;
		m->kept[at].loses = found != 1 || wins_over(&m->rule, &old);
		m->has_failed |= found < 0;
	}
	return m->kept[at].loses;
}

static bool client_matches(const struct rule *r, const struct report_row *row)
{
	struct netaddr client;
	char err[100];

	if (r->client_kind == RULE_CLIENT_ANY)
		return true;
	if (r->client_kind == RULE_CLIENT_AUTHENTICATED)
		return row->is_authenticated;
	return netaddr_parse(row->client, &client, err, sizeof(err)) == 0 &&
	       netaddr_contains(&r->client, &client);
}

static bool decides(struct simulation *m, const struct report_recipient *r)
{
	const bool is_mild = m->rule.requirement == REQUIREMENT_EXEMPT ||
			     m->rule.requirement == REQUIREMENT_OBSERVE;

	if (r->source == SOURCE_EXEMPT_RECIPIENTS || !report_matches(&m->recipient, r->address))
		return false;
	/* No rule lowers what a doubtful address must meet. */
	if (is_mild && !r->is_trustworthy)
		return false;
	return r->rule_id == 0 || rule_loses(m, r->rule_id);
}

/* Had this pair sent encrypted mail before? Seen in the replay, or on record from before this
 * message. */
static bool has_encrypted_before(struct simulation *m, const struct report_row *row,
				 const struct report_recipient *r)
{
	char pair[2 * ADDRESS_MAX + 8];
	struct pair_record record;
	struct sum *seen;

	snprintf(pair, sizeof(pair), "%s\n%s", row->sender, r->address);
	seen = sums_get(&m->encrypting, pair);
	if (seen->n_messages++ == 0) {
		const int found = pair_get(m->db, row->sender, r->address, &record);

		m->has_failed |= found < 0;
		seen->first_unix = found == 1 ? record.first_encrypted_unix : 0;
	}
	if (row->judgement.verdict == VERDICT_ENCRYPTED && seen->first_unix == 0)
		seen->first_unix = row->time_unix;
	return seen->first_unix != 0 && seen->first_unix < row->time_unix;
}

static void count_pair(struct sums *s, const struct report_row *row,
		       const struct report_recipient *r)
{
	char pair[2 * ADDRESS_MAX + 8];
	struct sum *sum;

	snprintf(pair, sizeof(pair), "%s\n%s", row->sender, r->address);
	sum = sums_get(s, pair);
	sum->n_messages++;
	sum->last_unix = row->time_unix;
}

/* Where log_addresses = hashed, whose keys count is known only where the rule is for one address.
 */
static int ask_own_key(struct simulation *m, const struct report_row *row,
		       const struct report_recipient *r, struct own_key *out)
{
	const char *text = r->address;
	struct address address;

	if (strncmp(text, "h:", 2) == 0)
		text = m->recipient.is_whole ? m->rule.recipient.text : "";
	memset(out, 0, sizeof(*out));
	if (text[0] == '\0')
		return 0;
	address_canonical(text, strlen(text), &address);
	if (policy_own_key(m->db, m->settings, &address, &row->judgement, row->time_unix, out) == 0)
		return 0;
	m->has_failed = true;
	return -1;
}

static int replay(void *context, const struct report_row *row)
{
	struct simulation *m = context;
	bool is_concerned = false, is_refused = false, was_failing = false, passes;
	struct own_key own_key = {.state = OWN_KEY_UNKNOWN};
	struct sum *sender;

	progress_update(&m->progress, ++m->n_seen, m->n_expected);
	if ((m->rule.has_sender && !report_matches(&m->sender, row->sender)) ||
	    !client_matches(&m->rule, row))
		return 0;
	for (size_t i = 0; i < row->n_recipients; i++) {
		const struct report_recipient *r = &row->recipients[i];
		enum requirement demand = m->rule.requirement;

		if (!decides(m, r))
			continue;
		is_concerned = true;
		was_failing |= !r->passes;
		if (demand == REQUIREMENT_RATCHET)
			demand = has_encrypted_before(m, row, r) ? REQUIREMENT_ENCRYPTED
								 : REQUIREMENT_OBSERVE;
		if (demand == REQUIREMENT_OWN_KEY && ask_own_key(m, row, r, &own_key) != 0)
			return 1;
		passes = outcome_passes(&row->judgement, demand, &own_key, m->settings);
		is_refused |= !passes;
		if (passes != r->passes)
			count_pair(passes ? &m->newly_accepted : &m->newly_refused, row, r);
	}
	if (!is_concerned)
		return m->has_failed ? 1 : 0;
	m->n_messages++;
	m->n_refused += is_refused;
	m->n_newly_refused += is_refused && !was_failing;
	m->n_newly_accepted += !is_refused && was_failing;
	sender = sums_get(&m->senders, row->sender);
	sender->n_messages++;
	sender->n_refused += is_refused;
	sender->n_encrypted += row->judgement.verdict == VERDICT_ENCRYPTED;
	return m->has_failed ? 1 : 0;
}

static size_t n_refused_senders(const struct sums *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->list[i]->n_refused > 0;
	return n;
}

static json_t *pairs_json(const struct sums *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n && i < PAIRS_JSON; i++) {
		const char *end = strchr(s->list[i]->key, '\n');
		json_t *o = json_object();

		json_object_set_new(o, "sender",
				    end == NULL ? output_json_text(s->list[i]->key)
						: json_stringn(s->list[i]->key,
							       (size_t)(end - s->list[i]->key)));
		json_object_set_new(o, "recipient", output_json_text(end == NULL ? NULL : end + 1));
		json_object_set_new(o, "messages", json_integer(s->list[i]->n_messages));
		json_object_set_new(o, "last_at", output_json_time(s->list[i]->last_unix));
		json_array_append_new(list, o);
	}
	return list;
}

static void print_json(struct simulation *m)
{
	json_t *o = json_object();
	json_t *top = json_array();

	json_object_set_new(o, "rule", rule_show_json(&m->rule));
	json_object_set_new(o, "messages", json_integer(m->n_messages));
	json_object_set_new(o, "refused", json_integer(m->n_refused));
	json_object_set_new(o, "newly_refused", json_integer(m->n_newly_refused));
	json_object_set_new(o, "newly_accepted", json_integer(m->n_newly_accepted));
	json_object_set_new(o, "senders_refused",
			    json_integer((json_int_t)n_refused_senders(&m->senders)));
	for (size_t i = 0; i < m->senders.n && i < TOP && m->senders.list[i]->n_refused > 0; i++) {
		json_t *sender = json_object();

		json_object_set_new(sender, "sender", output_json_text(m->senders.list[i]->key));
		json_object_set_new(sender, "messages",
				    json_integer(m->senders.list[i]->n_messages));
		json_object_set_new(sender, "refused", json_integer(m->senders.list[i]->n_refused));
		json_array_append_new(top, sender);
	}
	json_object_set_new(o, "senders", top);
	json_object_set_new(o, "newly_refused_pairs", pairs_json(&m->newly_refused));
	json_object_set_new(o, "newly_accepted_pairs", pairs_json(&m->newly_accepted));
	output_json(o);
}

/* Who wrote to whom, the most first. */
static void print_pairs(const char *title, const struct sums *s)
{
	char number[OUTPUT_NUMBER_MAX], clean[OUTPUT_TEXT_MAX], when[CLOCK_TEXT_MAX];

	if (s->n == 0)
		return;
	printf("\n%s%s%s\n", output_colour(COLOUR_BOLD), title, output_colour(COLOUR_PLAIN));
	for (size_t i = 0; i < s->n && i < TOP; i++) {
		const struct sum *k = s->list[i];
		const char *end = strchr(k->key, '\n');
		const int length = end != NULL ? (int)(end - k->key) : (int)strlen(k->key);
		char pair[2 * ADDRESS_MAX + 16];
		size_t used;

		used = (size_t)printf("%8s  %.10s  ", output_number(number, k->n_messages),
				      output_time(k->last_unix, when));
		snprintf(pair, sizeof(pair), "%.*s -> %s", length, k->key,
			 end != NULL ? end + 1 : "");
		output_wrap(stdout, used + 2, used, output_clean(clean, sizeof(clean), pair));
	}
	if (s->n > TOP)
		printf("and %s more\n", output_number(number, (int64_t)(s->n - TOP)));
}

static void print_text(struct simulation *m, int64_t since_unix)
{
	char a[OUTPUT_NUMBER_MAX], b[OUTPUT_NUMBER_MAX], c[OUTPUT_NUMBER_MAX], d[OUTPUT_NUMBER_MAX];
	char when[CLOCK_TEXT_MAX];
	char phrase[OUTPUT_TEXT_MAX], text[2 * OUTPUT_TEXT_MAX];

	rule_show_phrase(&m->rule, phrase, sizeof(phrase));
	snprintf(text, sizeof(text),
		 "If \"%s\" had held since %s, it would have decided %s %s: %s newly refused, %s "
		 "newly "
		 "accepted; %s refused in all.",
		 phrase, output_time(since_unix, when), output_number(a, m->n_messages),
		 output_plural(m->n_messages, "message", "messages"),
		 output_number(b, m->n_newly_refused), output_number(c, m->n_newly_accepted),
		 output_number(d, m->n_refused));
	output_wrap(stdout, 0, 0, text);
	print_pairs("newly refused: messages, the last one, from -> to", &m->newly_refused);
	print_pairs("newly accepted: messages, the last one, from -> to", &m->newly_accepted);
	if (m->settings->hash_addresses && m->recipient.hashed[0] == '\0' &&
	    m->rule.recipient.kind != PATTERN_ANY)
		cli_warning("log_addresses = hashed: only an address, a domain or '*' can be found "
			    "in the log");
}

static enum requirement level_of(const struct cli *cli, const char *word)
{
	enum requirement r;

	if (strcmp(word, "require") == 0)
		return REQUIREMENT_ENCRYPTED;
	if (requirement_from_name(word, &r) != 0)
		cli_misuse(cli,
			   "'%s': one of require, exempt, observe, signed, encrypted, ratchet, "
			   "own-key, readable",
			   word);
	return r;
}

static int run(struct cli *cli, struct simulation *m, int64_t since_unix)
{
	int code;

	progress_begin(&m->progress, "messages");
	if (!report_has_index(&m->recipient))
		m->n_expected = expected_messages(m->db, &m->progress, since_unix, 0);
	code = report_rows_to(m->db, &m->recipient, since_unix, 0, replay, m);
	progress_clear(&m->progress);
	if (code != 0 || m->has_failed)
		return open_failed(m->db);
	sums_sort(&m->senders, SUMS_BY_REFUSED);
	sums_sort(&m->newly_refused, SUMS_BY_MESSAGES);
	sums_sort(&m->newly_accepted, SUMS_BY_MESSAGES);
	if (cli->json)
		print_json(m);
	else
		print_text(m, since_unix);
	return 0;
}

int cmd_simulate(struct cli *cli, int argc, char **argv)
{
	int64_t since_unix = clock_now_unix() - DEFAULT_SINCE_S;
	const char *sender = NULL, *client = NULL;
	bool is_site = false;
	const struct option_spec specs[] = {
		SITE_ROWS_OPTION(&is_site),
		{"since", 0, "WHEN", OPTION_SINCE, &since_unix,
		 "2026-12-31, an RFC 3339 time, -7d; default -30d"},
		{"sender", 0, "PATTERN", OPTION_TEXT, &sender, "as in exempt"},
		{"client", 0, "NET", OPTION_TEXT, &client, "as in exempt"},
	};
	char **operands;
	const int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
				    "LEVEL is require, exempt, observe, signed, ratchet, own-key "
				    "or readable. Nothing is "
				    "changed.",
				    &operands);
	struct simulation *m = calloc(1, sizeof(*m));
	struct settings *s;
	int code;

	if (m == NULL) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	if (n != 2)
		cli_misuse(cli, "which rule? As in: simulate require example.org");
	m->rule.requirement = level_of(cli, operands[0]);
	m->settings = s = open_settings(cli);
	rule_add_narrow(cli, s, sender, client, &m->rule);
	rule_add_pattern(cli, s, operands[1], false, &m->rule.recipient);
	m->db = open_database(s, DB_READ);
	report_matcher_init(m->db, &m->rule.recipient, s->recipient_delimiter, &m->recipient);
	report_matcher_init(m->db, &m->rule.sender, s->recipient_delimiter, &m->sender);
	code = is_site ? site_rows_read(cli, s, m->db, since_unix, 0, NULL) : 0;
	if (code == 0)
		code = run(cli, m, since_unix);
	db_close(m->db);
	sums_free(&m->senders);
	sums_free(&m->newly_refused);
	sums_free(&m->newly_accepted);
	sums_free(&m->encrypting);
	free(m);
	settings_unref(s);
	return code;
}

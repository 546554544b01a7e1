/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys check: which recipients get mail that is not encrypted to a key of theirs that is
 * known here. Nothing is changed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/keys.h"
#include "cli/known_addresses.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/sums.h"
#include "common/clock.h"
#include "db/policy.h"
#include "db/report.h"

#define DEFAULT_SINCE_S (30 * 86400)
#define KINDS 4

/* What a message may be to its recipient, besides good: kind_of(). */
static const char *const kinds[KINDS] = {"to another key", "to an old or a compromised key",
					 "to nobody who is named",
					 "to somebody without a known key"};

struct checking {
	struct db *db;
	const struct settings *settings;
	struct sums all;
	struct sums by[KINDS];
	struct known_addresses known;
	bool has_failed;
};

static int kind_of(enum own_key_state state)
{
	switch (state) {
	case OWN_KEY_OTHER:
		return 0;
	case OWN_KEY_REVOKED:
	case OWN_KEY_EXPIRED:
		return 1;
	case OWN_KEY_HIDDEN:
		return 2;
	case OWN_KEY_UNKNOWN:
		return 3;
	case OWN_KEY_GOOD:
		break;
	}
	return -1;
}

static int count(struct checking *c, const struct report_row *row, const char *recipient)
{
	struct own_key own_key;
	struct address address;
	struct sum *all, *one = NULL;
	int kind;

	address_canonical(recipient, strlen(recipient), &address);
	if (policy_own_key(c->db, c->settings, &address, &row->judgement, row->time_unix,
			   &own_key) != 0) {
		c->has_failed = true;
		return 1;
	}
	kind = kind_of(own_key.state);
	all = sums_get(&c->all, recipient);
	if (kind >= 0)
		one = sums_get(&c->by[kind], recipient);
	all->n_messages++;
	if (one != NULL)
		one->n_messages++;
	return 0;
}

static int check_row(void *context, const struct report_row *row)
{
	struct checking *c = context;

	if (row->judgement.verdict != VERDICT_ENCRYPTED || row->judgement.n_messages == 0)
		return 0;
	for (size_t i = 0; i < row->n_recipients; i++) {
		const char *recipient = known_addresses_find(&c->known, row->recipients[i].address);

		/* NULL: whose keys is not to be told. */
		if (recipient != NULL && count(c, row, recipient) != 0)
			return 1;
	}
	return 0;
}

static void print_recipient(const struct cli *cli, const struct sum *all, const int64_t n[KINDS])
{
	char clean[OUTPUT_TEXT_MAX], number[OUTPUT_NUMBER_MAX];
	const char *between = ": ";
	json_t *o;

	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "recipient", output_json_text(all->key));
		json_object_set_new(o, "messages", json_integer(all->n_messages));
		json_object_set_new(o, "other", json_integer(n[0]));
		json_object_set_new(o, "old", json_integer(n[1]));
		json_object_set_new(o, "hidden", json_integer(n[2]));
		json_object_set_new(o, "unknown", json_integer(n[3]));
		output_json(o);
		return;
	}
	printf("%s, %s encrypted %s", output_clean(clean, sizeof(clean), all->key),
	       output_number(number, all->n_messages),
	       output_plural(all->n_messages, "message", "messages"));
	for (int k = 0; k < KINDS; k++) {
		if (n[k] == 0)
			continue;
		printf("%s%s %s", between, output_number(number, n[k]), kinds[k]);
		between = ", ";
	}
	putchar('\n');
}

/* Exit code: 1 when there is mail to another key or an old one. */
static int print_all(const struct cli *cli, struct checking *c)
{
	int code = 0;

	for (size_t i = 0; i < c->all.n; i++) {
		int64_t n[KINDS], n_any = 0;

		for (int k = 0; k < KINDS; k++) {
			const struct sum *one = sums_get(&c->by[k], c->all.list[i]->key);

			n[k] = one != NULL ? one->n_messages : 0;
			n_any += n[k];
		}
		if (n_any > 0)
			print_recipient(cli, c->all.list[i], n);
		if (n[0] + n[1] > 0)
			code = 1;
	}
	return code;
}

int keys_run_check(struct cli *cli, int argc, char **argv)
{
	int64_t since_unix = clock_now_unix() - DEFAULT_SINCE_S;
	const struct option_spec specs[] = {
		{"since", 0, "WHEN", OPTION_SINCE, &since_unix,
		 "2026-12-31, an RFC 3339 time, -7d; default -30d"},
	};
	struct checking c = {.has_failed = false};
	struct settings *s;
	char **operands;
	int code;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			  "Encrypted mail on record against the keys of now. Exit status 1: some "
			  "is to another key than "
			  "the recipient's, or to an old one.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	c.settings = s;
	c.db = open_database(s, DB_READ);
	code = known_addresses_load(&c.known, c.db, true);
	c.has_failed = code != 0;
	if (code == 0)
		code = report_rows(c.db, since_unix, 0, check_row, &c);
	code = code == 0 ? print_all(cli, &c) : open_failed(c.db);
	sums_free(&c.all);
	for (int k = 0; k < KINDS; k++)
		sums_free(&c.by[k]);
	known_addresses_free(&c.known);
	db_close(c.db);
	settings_unref(s);
	return code;
}

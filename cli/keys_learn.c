/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys learn: the key that nearly all encrypted mail to a recipient names. It prints
 * commands and applies nothing: whoever sends mail can name any key (pgpgate-keys(7)).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/keys.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/sums.h"
#include "common/clock.h"
#include "db/report.h"

#define DEFAULT_SINCE_S (30 * 86400)
#define MESSAGES_MIN 5
#define SENDERS_MIN 2
#define SHARE_PERCENT 80

struct learning {
	struct sums recipients; /* encrypted messages to each */
	struct sums pairs;   /* "ID recipient": messages that name it; first_unix counts senders */
	struct sums senders; /* "sender ID recipient" */
};

static int count_key(struct learning *l, const struct report_row *row, const char *recipient,
		     uint64_t id)
{
	char text[2 * ADDRESS_MAX + 40];
	struct sum *pair, *sender;

	snprintf(text, sizeof(text), "%016" PRIX64 " %s", id, recipient);
	pair = sums_get(&l->pairs, text);
	snprintf(text, sizeof(text), "%s %016" PRIX64 " %s", row->sender, id, recipient);
	sender = sums_get(&l->senders, text);
	if (pair == NULL || sender == NULL)
		return 1;
	pair->n_messages++;
	pair->n_encrypted += sender->n_messages++ == 0 ? 1 : 0; /* senders */
	pair->last_unix = row->time_unix;
	return 0;
}

static int learn_row(void *context, const struct report_row *row)
{
	struct learning *l = context;
	const struct judgement *j = &row->judgement;

	/* Of mail to one, so that it is clear whose keys they are; hashes tell no key. */
	if (j->verdict != VERDICT_ENCRYPTED || row->n_recipients != 1 || j->n_key_ids == 0 ||
	    j->has_hashed_key_ids)
		return 0;
	{
		struct sum *to = sums_get(&l->recipients, row->recipients[0].address);

		if (to == NULL)
			return 1;
		to->n_messages++;
	}
	for (size_t i = 0; i < j->n_key_ids; i++) {
		bool is_new = j->key_ids[i] != 0;

		for (size_t k = 0; k < i; k++)
			is_new = is_new && j->key_ids[k] != j->key_ids[i];
		if (is_new && count_key(l, row, row->recipients[0].address, j->key_ids[i]) != 0)
			return 1;
	}
	return 0;
}

struct known {
	uint64_t id;
	bool is_known;
};

static int compare_id(void *context, const struct recipient_key *k)
{
	struct known *known = context;

	known->is_known = known->is_known || k->key_id == known->id;
	return known->is_known ? 1 : 0;
}

static void print_key(struct cli *cli, const char *recipient, uint64_t id, const struct sum *pair,
		      int64_t n_of)
{
	char clean[OUTPUT_TEXT_MAX], text[20];

	snprintf(text, sizeof(text), "%016" PRIX64, id);
	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "pattern", output_json_text(recipient));
		json_object_set_new(o, "key_id", json_string(text));
		json_object_set_new(o, "messages", json_integer(pair->n_messages));
		json_object_set_new(o, "encrypted", json_integer(n_of));
		json_object_set_new(o, "senders", json_integer(pair->n_encrypted));
		json_object_set_new(o, "last_at", output_json_time(pair->last_unix));
		output_json(o);
		return;
	}
	printf("# 0x%s: %" PRId64 " of %" PRId64 " encrypted messages, from %" PRId64 " senders\n",
	       text, pair->n_messages, n_of, pair->n_encrypted);
	printf("gpg --export 0x%s | pgpgate keys import %s -\n", text,
	       output_clean(clean, sizeof(clean), recipient));
}

static int suggest(struct cli *cli, struct db *d, struct learning *l)
{
	for (size_t i = 0; i < l->pairs.n; i++) {
		const struct sum *pair = l->pairs.list[i];
		const char *blank = strchr(pair->key, ' ');
		const char *recipient = blank != NULL ? blank + 1 : SUMS_OTHERS;
		const struct sum *to = sums_get(&l->recipients, recipient);
		struct known known = {.id = strtoull(pair->key, NULL, 16)};

		if (to == NULL)
			return EX_OSERR;
		if (blank == NULL || pair->n_messages < MESSAGES_MIN ||
		    pair->n_encrypted < SENDERS_MIN ||
		    pair->n_messages * 100 < to->n_messages * SHARE_PERCENT)
			continue;
		if (keys_list(d, recipient, 0, compare_id, &known) < 0)
			return open_failed(d);
		if (!known.is_known)
			print_key(cli, recipient, known.id, pair, to->n_messages);
	}
	return 0;
}

int keys_run_learn(struct cli *cli, int argc, char **argv)
{
	int64_t since_unix = clock_now_unix() - DEFAULT_SINCE_S;
	const struct option_spec specs[] = {
		{"since", 0, "WHEN", OPTION_SINCE, &since_unix,
		 "2026-12-31, an RFC 3339 time, -7d; default -30d"},
	};
	struct learning l = {.recipients = {.n = 0}};
	struct settings *s;
	char **operands;
	struct db *d;
	int code;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			  "Prints commands, and changes nothing. A sender can name any key: "
			  "compare the fingerprint with the owner's.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	d = open_database(s, DB_READ);
	code = report_rows(d, since_unix, 0, learn_row, &l);
	if (code == 1)
		cli_error("out of memory");
	code = code == 1 ? EX_OSERR : code != 0 ? open_failed(d) : suggest(cli, d, &l);
	sums_free(&l.recipients);
	sums_free(&l.pairs);
	sums_free(&l.senders);
	db_close(d);
	settings_unref(s);
	return code;
}

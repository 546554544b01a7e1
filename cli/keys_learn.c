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
#include "cli/keys_learn.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/sums.h"
#include "common/clock.h"
#include "db/hashed.h"
#include "db/report.h"

#define DEFAULT_SINCE_S (30 * 86400)
#define MESSAGES_MIN 5
#define SENDERS_MIN 2
#define SHARE_PERCENT 80

struct learning {
	const struct hashed *hashed;
	struct known_addresses known;
	struct learn_candidates candidates;
	struct sums recipients; /* encrypted messages to each */
	struct sums pairs;   /* "ID recipient": messages that name it; n_encrypted counts senders */
	struct sums senders; /* "sender ID recipient" */
	int64_t n_hashed;    /* of pairs: which key or whose it is nobody here can tell */
};

/* id: 16 digits, or "h:" before them where no candidate has this hash. */
static void count_key(struct learning *l, const struct report_row *row, const char *recipient,
		      const char *id)
{
	const char *sender = row->sender;
	char text[2 * ADDRESS_MAX + 40], hash[HASHED_ADDRESS_MAX];
	struct sum *pair, *of_sender;

	/* One sender counts once, by the address and by its hash. */
	if (l->hashed->has_key && strncmp(sender, "h:", 2) != 0)
		sender = hashed_address(l->hashed, sender, hash);
	snprintf(text, sizeof(text), "%s %s", id, recipient);
	pair = sums_get(&l->pairs, text);
	snprintf(text, sizeof(text), "%s %s %s", sender, id, recipient);
	of_sender = sums_get(&l->senders, text);
	pair->n_messages++;
	pair->n_encrypted += of_sender->n_messages++ == 0 ? 1 : 0; /* senders */
	pair->last_unix = row->time_unix;
}

static int learn_row(void *context, const struct report_row *row)
{
	struct learning *l = context;
	const struct judgement *j = &row->judgement;
	const char *recipient;

	/* Of mail to one, so that it is clear whose keys they are. */
	if (j->verdict != VERDICT_ENCRYPTED || row->n_recipients != 1 || j->n_key_ids == 0)
		return 0;
	recipient = known_addresses_find(&l->known, row->recipients[0].address);
	if (recipient == NULL)
		recipient = row->recipients[0].address;
	sums_get(&l->recipients, recipient)->n_messages++;
	for (size_t i = 0; i < j->n_key_ids; i++) {
		const struct learn_candidate *c =
			j->has_hashed_key_ids
				? learn_candidates_find(&l->candidates, j->key_ids[i], true)
				: NULL;
		const uint64_t id = c != NULL ? c->id : j->key_ids[i];
		bool is_new = j->key_ids[i] != 0;
		char text[20];

		for (size_t k = 0; k < i; k++)
			is_new = is_new && j->key_ids[k] != j->key_ids[i];
		snprintf(text, sizeof(text), "%s%016" PRIX64,
			 j->has_hashed_key_ids && c == NULL ? "h:" : "", id);
		if (is_new)
			count_key(l, row, recipient, text);
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

static bool names(const struct learn_source *source, const char *recipient)
{
	for (size_t i = 0; i < source->n_mailboxes; i++)
		if (strcmp(source->mailboxes[i], recipient) == 0)
			return true;
	return false;
}

/* What gives the recipient this key, as a command. False: its words cannot be in one. */
static bool command_of(const struct learn_candidate *c, uint64_t id, const char *recipient,
		       char *out, size_t out_size)
{
	char word[2 * ADDRESS_MAX], file[OUTPUT_TEXT_MAX];

	if (!output_word(word, sizeof(word), recipient))
		return false;
	if (c == NULL)
		snprintf(out, out_size, "gpg --export 0x%016" PRIX64 " | pgpgate keys import %s -",
			 id, word);
	else if (c->source != NULL && c->source->is_alone &&
		 output_word(file, sizeof(file), c->source->file))
		snprintf(out, out_size, "pgpgate keys import %s%s %s",
			 names(c->source, recipient) ? "" : "--any-user-id ", word, file);
	else
		snprintf(out, out_size, "pgpgate keys add %s %s", word, c->fingerprint);
	return true;
}

static void print_key(struct learning *l, const struct cli *cli, const char *recipient, uint64_t id,
		      const struct sum *pair, int64_t n_of)
{
	const struct learn_candidate *c = learn_candidates_find(&l->candidates, id, false);
	char command[2 * OUTPUT_TEXT_MAX], text[20];

	snprintf(text, sizeof(text), "%016" PRIX64, id);
	if ((c != NULL && c->is_old) || !command_of(c, id, recipient, command, sizeof(command)))
		return;
	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "pattern", output_json_text(recipient));
		json_object_set_new(o, "key_id", json_string(text));
		json_object_set_new(o, "messages", json_integer(pair->n_messages));
		json_object_set_new(o, "encrypted", json_integer(n_of));
		json_object_set_new(o, "senders", json_integer(pair->n_encrypted));
		json_object_set_new(o, "last_at", output_json_time(pair->last_unix));
		json_object_set_new(o, "command", output_json_text(command));
		output_json(o);
		return;
	}
	printf("# 0x%s: %" PRId64 " of %" PRId64 " encrypted messages, from %" PRId64 " senders\n"
	       "%s\n",
	       text, pair->n_messages, n_of, pair->n_encrypted, command);
}

static int suggest(struct cli *cli, struct db *d, struct learning *l)
{
	for (size_t i = 0; i < l->pairs.n; i++) {
		const struct sum *pair = l->pairs.list[i];
		const char *blank = strchr(pair->key, ' ');
		const char *recipient = blank != NULL ? blank + 1 : SUMS_OTHERS;
		const struct sum *to = sums_get(&l->recipients, recipient);
		struct known known = {.id = strtoull(pair->key, NULL, 16)};

		if (blank == NULL || pair->n_messages < MESSAGES_MIN ||
		    pair->n_encrypted < SENDERS_MIN ||
		    pair->n_messages * 100 < to->n_messages * SHARE_PERCENT)
			continue;
		if (strncmp(pair->key, "h:", 2) == 0 || strncmp(recipient, "h:", 2) == 0) {
			l->n_hashed++;
			continue;
		}
		if (keys_list(d, recipient, 0, compare_id, &known) < 0)
			return open_failed(d);
		if (!known.is_known)
			print_key(l, cli, recipient, known.id, pair, to->n_messages);
	}
	if (l->n_hashed > 0 && !cli->json)
		printf("# %" PRId64 " more %s hashed: --from with certificates of recipients may "
		       "tell which\n",
		       l->n_hashed, output_plural(l->n_hashed, "is", "are"));
	return 0;
}

/* 0, or an exit code after having said why. */
static int learn(struct cli *cli, struct db *d, struct learning *l, bool has_files,
		 const char *program, int64_t since_unix)
{
	const int64_t now_unix = clock_now_unix();
	int code = 0;

	l->hashed = db_hashed(d);
	if (has_files)
		code = learn_candidates_read(&l->candidates, d, program, now_unix, &l->known);
	if (code != 0)
		return code;
	if (known_addresses_load(&l->known, d, true) != 0 ||
	    (l->hashed->has_key && learn_candidates_kept(&l->candidates, d, now_unix) != 0))
		return open_failed(d);
	code = report_rows(d, since_unix, 0, learn_row, l);
	return code != 0 ? open_failed(d) : suggest(cli, d, l);
}

int keys_run_learn(struct cli *cli, int argc, char **argv)
{
	int64_t since_unix = clock_now_unix() - DEFAULT_SINCE_S;
	const char *from = NULL, *program = "gpg";
	const struct option_spec specs[] = {
		{"since", 0, "WHEN", OPTION_SINCE, &since_unix,
		 "2026-12-31, an RFC 3339 time, -7d; default -30d"},
		{"from", 0, "FILE|DIR", OPTION_TEXT, &from,
		 "certificates whose keys and addresses tell hashes apart"},
		{"gpg", 0, "PROGRAM", OPTION_TEXT, &program, "where gpg is"},
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
	if (from != NULL) {
		learn_candidates_files(&l.candidates, from);
		open_become_user(s);
		open_refuse_root("a stranger's certificate");
	}
	d = open_database(s, DB_READ);
	code = learn(cli, d, &l, from != NULL, program, since_unix);
	learn_candidates_free(&l.candidates);
	known_addresses_free(&l.known);
	sums_free(&l.recipients);
	sums_free(&l.pairs);
	sums_free(&l.senders);
	db_close(d);
	settings_unref(s);
	return code;
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys: which keys recipients have (pgpgate-keys(7)).
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/keys.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rule_add.h"
#include "common/clock.h"
#include "common/closest.h"
#include "db/hashed.h"
#include "db/report.h"

#define USED_WITHIN_S (30 * 86400)
#define MEMBERS_MAX 500

enum key_state keys_state_at(const struct recipient_key *k, int64_t now_unix)
{
	return k->state == KEY_ACTIVE && k->until_unix != 0 && k->until_unix <= now_unix ? KEY_EXPIRED
											 : k->state;
}

int keys_fingerprint(const char *text, char out[FINGERPRINT_MAX])
{
	uint64_t id;
	size_t n = 0;

	if (strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0)
		text += 2;
	for (; *text != '\0'; text++) {
		if (*text == ' ' || *text == ':')
			continue;
		if (n + 1 >= FINGERPRINT_MAX)
			return -1;
		out[n++] = (char)toupper((unsigned char)*text);
	}
	out[n] = '\0';
	return key_id_of(out, &id);
}

void keys_show_change(void *context, enum rule_outcome o, const struct recipient_key *k)
{
	const struct keys_show *s = context;
	char clean[OUTPUT_TEXT_MAX];

	if (o == RULE_UNCHANGED && !s->tells_unchanged)
		return;
	if (s->cli->json) {
		json_t *object = json_object();

		json_object_set_new(object, "result", json_string(rule_outcome_name(o)));
		json_object_set_new(object, "pattern", output_json_text(k->pattern));
		json_object_set_new(object, "fingerprint", json_string(k->fingerprint));
		json_object_set_new(object, "state", json_string(key_state_name(k->state)));
		json_object_set_new(object, "dry_run", json_boolean(s->is_dry_run));
		output_json(object);
		return;
	}
	printf("%s%s: %s %s %s\n", s->is_dry_run ? "would be " : "", rule_outcome_name(o),
	       output_clean(clean, sizeof(clean), k->pattern), k->fingerprint,
	       key_state_name(k->state));
}

void keys_show_result(const struct cli *cli, const struct keys_result *r, bool is_dry_run)
{
	if (cli->json)
		return;
	printf("%" PRId64 " added, %" PRId64 " changed, %" PRId64 " removed, %" PRId64 " unchanged",
	       r->n[RULE_ADDED], r->n[RULE_CHANGED], r->n[RULE_REMOVED], r->n[RULE_UNCHANGED]);
	if (r->no != 0)
		printf(" (change %" PRId64 ")", r->no);
	printf("%s\n", is_dry_run ? "; nothing was changed" : "");
}

/* ---- add ---- */

static int keys_run_add(struct cli *cli, int argc, char **argv)
{
	int64_t until_unix = 0, from_unix = 0;
	const char *state = "active", *note = "";
	bool dry_run = false;
	const struct option_spec specs[] = {
		{"from", 0, "WHEN", OPTION_START, &from_unix, "when it was made"},
		{"until", 0, "WHEN", OPTION_END, &until_unix, "when it expires, or was revoked"},
		{"state", 0, "STATE", OPTION_TEXT, &state, "active (default), superseded or compromised"},
		{"note", 0, "TEXT", OPTION_TEXT, &note, "why; kept with the key"},
		{"dry-run", 0, NULL, OPTION_FLAG, &dry_run, "only show what would change"},
	};
	struct keys_show show = {.cli = cli, .tells_unchanged = true};
	struct recipient_key k = {.source = "add"};
	struct keys_change c = {.keys = &k, .n_keys = 1, .tell = keys_show_change, .context = &show};
	struct keys_result result;
	struct pattern pattern;
	struct settings *s;
	char **operands;
	struct db *d;
	int code = 0;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
			  "For keys that no program here can read. FINGERPRINT is that of the "
			  "encryption key (often a "
			  "subkey): 40 or 64 digits.",
			  &operands) != 2)
		cli_misuse(cli, "which pattern, and which fingerprint?");
	if (key_state_from_name(state, &k.state) != 0 || k.state == KEY_EXPIRED)
		cli_misuse(cli, "--state %s: one of active, superseded, compromised", state);
	if (keys_fingerprint(operands[1], k.fingerprint) != 0 || key_id_of(k.fingerprint, &k.key_id) != 0)
		cli_misuse(cli, "'%s' is no fingerprint: 40 hexadecimal digits, of a version 6 key 64",
			   operands[1]);
	if (strlen(note) > NOTE_MAX)
		cli_misuse(cli, "--note: at most %d bytes", NOTE_MAX);
	s = open_settings(cli);
	rule_add_pattern(cli, s, operands[0], false, &pattern);
	snprintf(k.pattern, sizeof(k.pattern), "%s", pattern.text);
	snprintf(k.note, sizeof(k.note), "%s", note);
	k.from_unix = from_unix;
	k.until_unix = until_unix != 0 || k.state == KEY_ACTIVE ? until_unix : clock_now_unix();
	c.author = cli_author();
	c.now_unix = clock_now_unix();
	c.is_dry_run = show.is_dry_run = dry_run;
	d = open_database(s, dry_run ? DB_READ : DB_WRITE);
	if (keys_put(d, &c, &result) != 0)
		code = open_failed(d);
	db_close(d);
	settings_unref(s);
	return code;
}

/* ---- list, expiring ---- */

struct used_key {
	struct recipient_key key;
	uint64_t hashed_id;
	int64_t n_messages;
};

struct listing {
	struct used_key *list;
	size_t n, room;
};

static int gather(void *context, const struct recipient_key *k)
{
	struct listing *l = context;

	if (l->n == l->room) {
		const size_t room = l->room == 0 ? 256 : 2 * l->room;

		l->list = output_memory(l->list, room * sizeof(*l->list));
		l->room = room;
	}
	memset(&l->list[l->n], 0, sizeof(l->list[0]));
	l->list[l->n++].key = *k;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct used_key *const *left = a, *const *right = b;

	return (*left)->key.key_id < (*right)->key.key_id ? -1
							  : (*left)->key.key_id > (*right)->key.key_id;
}

static int by_hash(const void *a, const void *b)
{
	const struct used_key *const *left = a, *const *right = b;

	return (*left)->hashed_id < (*right)->hashed_id ? -1 : (*left)->hashed_id > (*right)->hashed_id;
}

struct counting {
	struct used_key **by_id, **by_hash;
	size_t n;
};

static void count_id(struct counting *c, uint64_t id, bool is_hashed)
{
	struct used_key **list = is_hashed ? c->by_hash : c->by_id;
	size_t low = 0, high = c->n;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if ((is_hashed ? list[middle]->hashed_id : list[middle]->key.key_id) < id)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < c->n && (is_hashed ? list[low]->hashed_id : list[low]->key.key_id) == id; low++)
		list[low]->n_messages++;
}

static int count_row(void *context, const struct report_row *row)
{
	const struct judgement *j = &row->judgement;

	for (size_t i = 0; i < j->n_key_ids; i++) {
		bool is_new = j->key_ids[i] != 0;

		for (size_t k = 0; k < i; k++)
			is_new = is_new && j->key_ids[k] != j->key_ids[i];
		if (is_new)
			count_id(context, j->key_ids[i], j->has_hashed_key_ids);
	}
	return 0;
}

static int count_use(struct db *d, struct listing *l, int64_t now_unix)
{
	struct counting c = {.n = l->n};
	int result;

	if (l->n == 0)
		return 0;
	c.by_id = calloc(2 * l->n, sizeof(*c.by_id));
	if (c.by_id == NULL)
		return 1;
	c.by_hash = c.by_id + l->n;
	for (size_t i = 0; i < l->n; i++) {
		l->list[i].hashed_id = db_hashed(d)->has_key
					       ? hashed_key_id(db_hashed(d), l->list[i].key.key_id)
					       : 0;
		c.by_id[i] = c.by_hash[i] = &l->list[i];
	}
	qsort(c.by_id, l->n, sizeof(*c.by_id), by_id);
	qsort(c.by_hash, l->n, sizeof(*c.by_hash), by_hash);
	result = report_rows(d, now_unix - USED_WITHIN_S, 0, count_row, &c);
	free(c.by_id);
	return result;
}

static void print_key(const struct cli *cli, const struct used_key *u, int64_t now_unix)
{
	const struct recipient_key *k = &u->key;
	const char *state = key_state_name(keys_state_at(k, now_unix));
	char clean[OUTPUT_TEXT_MAX], when[CLOCK_TEXT_MAX], id[20], number[OUTPUT_NUMBER_MAX];

	snprintf(id, sizeof(id), "%016" PRIX64, k->key_id);
	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "pattern", output_json_text(k->pattern));
		json_object_set_new(o, "fingerprint", json_string(k->fingerprint));
		json_object_set_new(o, "key_id", json_string(id));
		json_object_set_new(o, "certificate",
				    k->primary_fingerprint[0] != '\0'
					    ? json_string(k->primary_fingerprint)
					    : json_null());
		json_object_set_new(o, "state", json_string(state));
		json_object_set_new(o, "from_at", output_json_time(k->from_unix));
		json_object_set_new(o, "until_at", output_json_time(k->until_unix));
		json_object_set_new(o, "source", json_string(k->source));
		json_object_set_new(o, "note", output_json_text(k->note));
		json_object_set_new(o, "author", output_json_text(k->author));
		json_object_set_new(o, "created_at", output_json_time(k->created_at_unix));
		json_object_set_new(o, "messages", json_integer(u->n_messages));
		output_json(o);
		return;
	}
	printf("%s\n  %s  %s", output_clean(clean, sizeof(clean), k->pattern), k->fingerprint, state);
	if (k->until_unix != 0)
		printf("%s%s", k->state == KEY_ACTIVE ? " until " : " since ",
		       output_time(k->until_unix, when));
	if (key_is_spare(k))
		printf("; not made to encrypt to");
	printf("; %s %s in 30 days%s%s\n", output_number(number, u->n_messages),
	       output_plural(u->n_messages, "message", "messages"), k->note[0] != '\0' ? "; " : "",
	       output_clean(clean, sizeof(clean), k->note));
}

static int print_group(void *context, const char *pattern, const char *member, bool wants_all)
{
	const struct cli *cli = context;
	char clean[OUTPUT_TEXT_MAX];

	if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "pattern", output_json_text(pattern));
		json_object_set_new(o, "member", output_json_text(member));
		json_object_set_new(o, "all", json_boolean(wants_all));
		output_json(o);
		return 0;
	}
	printf("%s", output_clean(clean, sizeof(clean), pattern));
	printf(" stands for%s %s\n", wants_all ? " all of:" : "",
	       output_clean(clean, sizeof(clean), member));
	return 0;
}

static int keys_run_list(struct cli *cli, int argc, char **argv)
{
	const int64_t now_unix = clock_now_unix();
	struct listing l = {.n = 0};
	struct pattern pattern;
	struct settings *s;
	char **operands;
	struct db *d;
	const int n = options_parse(cli, argc, argv, NULL, 0, NULL, &operands);
	const char *only = NULL;
	int code = 0;

	if (n > 1)
		cli_misuse(cli, "one pattern, or none");
	s = open_settings(cli);
	if (n == 1) {
		rule_add_pattern(cli, s, operands[0], false, &pattern);
		only = pattern.text;
	}
	d = open_database(s, DB_READ);
	if (keys_list(d, only, 0, gather, &l) != 0 || count_use(d, &l, now_unix) != 0)
		code = open_failed(d);
	for (size_t i = 0; i < l.n && code == 0; i++)
		print_key(cli, &l.list[i], now_unix);
	if (code == 0 && keys_groups(d, only, print_group, cli) < 0)
		code = open_failed(d);
	free(l.list);
	db_close(d);
	settings_unref(s);
	return code;
}

static int keys_run_expiring(struct cli *cli, int argc, char **argv)
{
	const int64_t now_unix = clock_now_unix();
	int64_t within_s = USED_WITHIN_S;
	const struct option_spec specs[] = {
		{"within", 0, "DURATION", OPTION_DURATION, &within_s, "as 30d, the default"},
	};
	struct listing l = {.n = 0};
	struct settings *s;
	char **operands;
	struct db *d;
	int code = 0;

	if (options_parse(cli, argc, argv, specs,
			  OPTIONS_N(specs), "Keys that end, of recipients who have no other that lasts longer. Exit status 1: there are some.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	d = open_database(s, DB_READ);
	if (keys_list(d, NULL, 0, gather, &l) != 0)
		code = open_failed(d);
	/* In the order of patterns: those of one come together. */
	for (size_t first = 0, next; first < l.n && code < EX_USAGE; first = next) {
		bool lasts = false, is_ending = false;

		for (next = first;
		     next < l.n && strcmp(l.list[next].key.pattern, l.list[first].key.pattern) == 0;
		     next++) {
			const struct recipient_key *k = &l.list[next].key;
			const bool is_now = keys_state_at(k, now_unix) == KEY_ACTIVE &&
					    !key_is_spare(k);

			lasts = lasts || (is_now && (k->until_unix == 0 ||
						     k->until_unix >= now_unix + within_s));
			is_ending = is_ending || is_now;
		}
		for (size_t i = first; i < next && !lasts && is_ending; i++) {
			if (keys_state_at(&l.list[i].key, now_unix) != KEY_ACTIVE ||
			    key_is_spare(&l.list[i].key))
				continue;
			print_key(cli, &l.list[i], now_unix);
			code = 1;
		}
	}
	free(l.list);
	db_close(d);
	settings_unref(s);
	return code;
}

/* ---- forget, group ---- */

static int keys_run_forget(struct cli *cli, int argc, char **argv)
{
	bool dry_run = false;
	const struct option_spec specs[] = {
		{"dry-run", 0, NULL, OPTION_FLAG, &dry_run, "only show what would change"},
	};
	struct keys_show show = {.cli = cli};
	struct keys_change c = {.tell = keys_show_change, .context = &show};
	char fingerprint[FINGERPRINT_MAX];
	struct keys_result result;
	struct pattern pattern;
	struct settings *s;
	char **operands;
	const int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
				    "Without FINGERPRINT all keys of the pattern, and who is "
				    "behind it. Exit status 1: there was "
				    "none.",
				    &operands);
	struct db *d;
	int code = 0;

	if (n < 1 || n > 2)
		cli_misuse(cli, "which pattern?");
	if (n == 2 && keys_fingerprint(operands[1], fingerprint) != 0)
		cli_misuse(cli, "'%s' is no fingerprint: 40 hexadecimal digits, of a version 6 key 64",
			   operands[1]);
	s = open_settings(cli);
	rule_add_pattern(cli, s, operands[0], false, &pattern);
	c.author = cli_author();
	c.now_unix = clock_now_unix();
	c.is_dry_run = show.is_dry_run = dry_run;
	d = open_database(s, dry_run ? DB_READ : DB_WRITE);
	if (keys_forget(d, &c, pattern.text, n == 2 ? fingerprint : NULL, &result) != 0) {
		code = open_failed(d);
	} else if (result.n[RULE_REMOVED] == 0) {
		cli_error("there is no such key");
		code = 1;
	}
	db_close(d);
	settings_unref(s);
	return code;
}

/* Members as "a@x.test, b@x.test" in any number of words, "=" among them. Returns how many. */
static size_t read_members(const struct cli *cli, const struct settings *s, char **words,
			   int n_words, struct pattern *members)
{
	size_t n = 0;

	for (int i = 0; i < n_words; i++)
		for (char *rest = words[i], *word; (word = strsep(&rest, ", ")) != NULL;) {
			if (word[0] == '\0' || strcmp(word, "=") == 0)
				continue;
			if (n == MEMBERS_MAX)
				cli_misuse(cli, "at most %d members", MEMBERS_MAX);
			rule_add_pattern(cli, s, word, false, &members[n]);
			if (members[n].kind != PATTERN_MAILBOX && members[n].kind != PATTERN_DETAIL)
				cli_misuse(cli, "'%s': a member is an address", word);
			n++;
		}
	return n;
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int keys_run_group(struct cli *cli, int argc, char **argv)
{
	bool wants_all = false, dry_run = false;
	const struct option_spec specs[] = {
		{"all", 0, NULL, OPTION_FLAG, &wants_all,
		 "a message must be for every member, not for one"},
		{"dry-run", 0, NULL, OPTION_FLAG, &dry_run, "only read what is given"},
	};
	struct keys_change c = {.author = NULL};
	struct pattern *members = calloc(MEMBERS_MAX, sizeof(*members)), pattern;
	const char *texts[MEMBERS_MAX];
	struct keys_result result;
	struct settings *s;
	char **operands;
	size_t n_members, n_texts = 0;
	struct db *d;
	int code = 0;
	const int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
				    "A recipient that stands for several: the key of one of them "
				    "is enough. It replaces what was "
				    "said before; `keys forget` ends it.",
				    &operands);

	if (members == NULL) {
		cli_error("out of memory");
		return EX_OSERR;
	}
	if (n < 2)
		cli_misuse(cli, "which address stands for whom? As in: keys group team@example.org "
				"= alice@example.org");
	s = open_settings(cli);
	rule_add_pattern(cli, s, operands[0], false, &pattern);
	n_members = read_members(cli, s, operands + 1, n - 1, members);
	if (n_members == 0)
		cli_misuse(cli, "who is behind it?");
	for (size_t i = 0; i < n_members; i++)
		texts[i] = members[i].text;
	qsort(texts, n_members, sizeof(texts[0]), compare_members);
	for (size_t i = 0; i < n_members; i++)
		if (n_texts == 0 || strcmp(texts[i], texts[n_texts - 1]) != 0)
			texts[n_texts++] = texts[i];
	c.author = cli_author();
	c.now_unix = clock_now_unix();
	c.is_dry_run = dry_run;
	d = open_database(s, dry_run ? DB_READ : DB_WRITE);
	if (keys_group(d, &c, pattern.text, texts, n_texts, wants_all, &result) != 0)
		code = open_failed(d);
	else if (!dry_run)
		keys_groups(d, pattern.text, print_group, cli);
	db_close(d);
	settings_unref(s);
	free(members);
	return code;
}

static const struct command subcommands[] = {
	{"import", "[PATTERN] FILE|DIR|-", "take keys from certificates", keys_run_import},
	{"add", "PATTERN FINGERPRINT", "a key that no program here reads", keys_run_add},
	{"list", "[PATTERN]", "keys, their ends, their use", keys_run_list},
	{"forget", "PATTERN [FINGERPRINT]", "remove keys", keys_run_forget},
	{"learn", "", "keys that the log suggests", keys_run_learn},
	{"expiring", "", "whose keys end soon", keys_run_expiring},
	{"group", "PATTERN = ADDRESS...", "who is behind a recipient", keys_run_group},
	{"export", "--wkd DIR", "a Web Key Directory", keys_run_export},
};
#define N_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static const char *subcommand_name(size_t index)
{
	return subcommands[index].name;
}

static int print_help(void)
{
	printf("Usage: pgpgate keys SUBCOMMAND [ARGUMENT...]\n\nKeys of recipients; see "
	       "pgpgate-keys(7).\n\n"
	       "Subcommands:\n");
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		char left[60];

		snprintf(left, sizeof(left), "%s %s", subcommands[i].name, subcommands[i].synopsis);
		printf("  %-28s %s\n", left, subcommands[i].summary);
	}
	printf("\n`pgpgate keys SUBCOMMAND --help` says more.\n");
	return 0;
}

int cmd_keys(struct cli *cli, int argc, char **argv)
{
	static char name[40];
	const char *closest;
	int first = cli_global_options(cli, argc, argv);

	if (first >= argc)
		cli_misuse(cli,
			   "which of import, add, list, forget, learn, expiring, group, export?");
	if (strcmp(argv[first], "--help") == 0 || strcmp(argv[first], "-h") == 0)
		return print_help();
	for (size_t i = 0; i < N_SUBCOMMANDS; i++) {
		if (strcmp(argv[first], subcommands[i].name) != 0)
			continue;
		snprintf(name, sizeof(name), "keys %s", subcommands[i].name);
		cli->name = name;
		cli->synopsis = subcommands[i].synopsis;
		cli->summary = subcommands[i].summary;
		return subcommands[i].run(cli, argc - first, argv + first);
	}
	closest = closest_word(argv[first], subcommand_name, N_SUBCOMMANDS);
	if (closest != NULL)
		cli_misuse(cli, "unknown subcommand '%s' (is '%s' meant?)", argv[first], closest);
	cli_misuse(cli, "unknown subcommand '%s'", argv[first]);
}

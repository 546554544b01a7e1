/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys: which keys recipients have (pgpgate-keys(7)).
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/changes.h"
#include "cli/keys.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rule_add.h"
#include "cli/site_session.h"
#include "cli/subcommands.h"
#include "common/clock.h"

enum key_state keys_state_at(const struct recipient_key *k, int64_t now_unix)
{
	return k->state == KEY_ACTIVE && k->until_unix != 0 && k->until_unix <= now_unix
		       ? KEY_EXPIRED
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

static int keys_run_add(struct cli *cli, int argc, char **argv)
{
	int64_t until_unix = 0, from_unix = 0;
	const char *state = "active", *note = "";
	bool dry_run = false;
	const struct option_spec specs[] = {
		{"from", 0, "WHEN", OPTION_START, &from_unix, "when it was made"},
		{"until", 0, "WHEN", OPTION_END, &until_unix, "when it expires, or was revoked"},
		{"state", 0, "STATE", OPTION_TEXT, &state,
		 "active (default), superseded or compromised"},
		{"note", 0, "TEXT", OPTION_TEXT, &note, "why; kept with the key"},
		CHANGES_OPTION_WAIT(cli),
		{"dry-run", 0, NULL, OPTION_FLAG, &dry_run, "only show what would change"},
	};
	struct keys_show show = {.cli = cli, .tells_unchanged = true};
	struct recipient_key k = {.source = "add"};
	struct keys_change c = {
		.keys = &k, .n_keys = 1, .tell = keys_show_change, .context = &show};
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
	if (keys_fingerprint(operands[1], k.fingerprint) != 0 ||
	    key_id_of(k.fingerprint, &k.key_id) != 0)
		cli_misuse(cli,
			   "'%s' is no fingerprint: 40 hexadecimal digits, of a version 6 key 64",
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
	if (k.state == KEY_ACTIVE)
		k.state = keys_state_at(&k, c.now_unix);
	d = open_database(s, dry_run ? DB_READ : DB_WRITE);
	code = dry_run ? 0 : site_session_begin(cli, s, d, NULL);
	if (code == 0 && keys_put(d, &c, &result) != 0)
		code = open_failed(d);
	code = site_session_end(code);
	db_close(d);
	settings_unref(s);
	return code;
}

static const struct command list[] = {
	{"import", "[PATTERN] FILE|DIR|-", "take keys from certificates", keys_run_import},
	{"add", "PATTERN FINGERPRINT", "a key that no program here reads", keys_run_add},
	{"list", "[PATTERN]", "keys, their ends, their use", keys_run_list},
	{"forget", "PATTERN [FINGERPRINT]", "remove keys", keys_run_forget},
	{"check", "", "whose mail is to other keys", keys_run_check},
	{"learn", "", "keys that the log suggests", keys_run_learn},
	{"expiring", "", "whose keys end soon", keys_run_expiring},
	{"group", "PATTERN = ADDRESS...", "who is behind a recipient", keys_run_group},
	{"export", "--wkd DIR", "a Web Key Directory", keys_run_export},
};

int cmd_keys(struct cli *cli, int argc, char **argv)
{
	static const struct subcommands s = {"keys", "Keys of recipients; see pgpgate-keys(7).",
					     list, sizeof(list) / sizeof(list[0])};

	return subcommands_run(cli, &s, argc, argv);
}

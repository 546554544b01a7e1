/* SPDX-License-Identifier: ISC
 *
 * pgpgate keys forget, keys group: keys go, and who is behind a recipient.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/changes.h"
#include "cli/keys.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/rule_add.h"
#include "cli/site_session.h"
#include "common/clock.h"

#define MEMBERS_MAX 500

int keys_run_forget(struct cli *cli, int argc, char **argv)
{
	bool dry_run = false;
	const struct option_spec specs[] = {
		CHANGES_OPTION_WAIT(cli),
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
		cli_misuse(cli,
			   "'%s' is no fingerprint: 40 hexadecimal digits, of a version 6 key 64",
			   operands[1]);
	s = open_settings(cli);
	rule_add_pattern(cli, s, operands[0], false, &pattern);
	c.author = cli_author();
	c.now_unix = clock_now_unix();
	c.is_dry_run = show.is_dry_run = dry_run;
	d = open_database(s, dry_run ? DB_READ : DB_WRITE);
	code = dry_run ? 0 : site_session_begin(cli, s, d, NULL);
	if (code == 0 &&
	    keys_forget(d, &c, pattern.text, n == 2 ? fingerprint : NULL, &result) != 0) {
		code = open_failed(d);
	} else if (code == 0 && result.n[RULE_REMOVED] == 0) {
		cli_error("there is no such key");
		code = 1;
	}
	code = site_session_end(code);
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

int keys_run_group(struct cli *cli, int argc, char **argv)
{
	bool wants_all = false, dry_run = false;
	const struct option_spec specs[] = {
		{"all", 0, NULL, OPTION_FLAG, &wants_all,
		 "a message must be for every member, not for one"},
		CHANGES_OPTION_WAIT(cli),
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
	code = dry_run ? 0 : site_session_begin(cli, s, d, NULL);
	if (code == 0 && keys_group(d, &c, pattern.text, texts, n_texts, wants_all, &result) != 0)
		code = open_failed(d);
	code = site_session_end(code);
	if (code == 0 && !dry_run && keys_groups(d, pattern.text, keys_show_group, cli) < 0)
		code = open_failed(d);
	db_close(d);
	settings_unref(s);
	free(members);
	return code;
}

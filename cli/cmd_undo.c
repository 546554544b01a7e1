/* SPDX-License-Identifier: ISC
 *
 * pgpgate undo: takes the last change back, or the one with a number of `rules --history`. Exit 1
 * if it cannot be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/changes.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/site_session.h"
#include "common/clock.h"

static int64_t number_of(const struct cli *cli, const char *text)
{
	char *end;
	long long n;

	if (text[0] == '#')
		text++;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n <= 0)
		cli_misuse(cli,
			   "'%s' is no number of a change; `pgpgate rules --history` shows them",
			   text);
	return n;
}

static void tell(const struct cli *cli, const struct rules_undone *u, bool dry_run)
{
	char when[CLOCK_TEXT_MAX], what[80];
	bool is_pause = true;
	json_t *o;

	for (int i = 0; i < RULE_OUTCOME_COUNT; i++)
		is_pause = is_pause && u->result.n[i] == 0;
	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "undone", json_integer(u->no));
		json_object_set_new(o, "what", output_json_text(u->what));
		changes_add_counts(o, &u->result, dry_run);
		json_object_set_new(o, "paused_until", output_json_time(u->paused_until_unix));
		output_json(o);
		return;
	}
	printf("%s change %lld (%s): ", dry_run ? "would take back" : "took back", (long long)u->no,
	       output_clean(what, sizeof(what), u->what));
	if (!is_pause)
		changes_print_counts(&u->result, dry_run);
	else if (u->paused_until_unix != 0)
		printf("paused until %s\n", output_time(u->paused_until_unix, when));
	else
		puts("not paused");
}

int cmd_undo(struct cli *cli, int argc, char **argv)
{
	bool dry_run = false;
	const struct option_spec specs[] = {CHANGES_OPTION_DRY_RUN(&dry_run),
					    CHANGES_OPTION_WAIT(cli)};
	char **operands;
	const int n = options_parse(cli, argc, argv, specs, OPTIONS_N(specs),
				    "A change is what one command did, an import with all of its "
				    "rules. N is its number in "
				    "the list of changes. Without N: the newest that is no "
				    "undo and was not taken back. "
				    "Exit status 1: it cannot be taken back, because what it "
				    "changed was changed since.",
				    &operands);
	struct changes changes = {.cli = cli, .tells_each = !cli->json, .most_told = 20};
	struct rules_edit_options o = {.tell = changes_tell, .context = &changes};
	struct rules_undone undone;
	struct settings *s;
	struct db *d;
	char err[800];
	int64_t no;
	int code;

	if (n > 1)
		cli_misuse(cli, "one change at a time");
	no = n == 1 ? number_of(cli, operands[0]) : 0;
	s = open_settings(cli);
	d = open_database_silently(s, dry_run ? DB_READ : DB_WRITE);
	o.author = cli_author();
	o.now_unix = clock_now_unix();
	o.is_dry_run = changes.is_dry_run = dry_run;
	code = dry_run ? 0 : site_session_begin(cli, s, d, NULL);
	if (code != 0) {
		db_close(d);
		settings_unref(s);
		return code;
	}
	code = rules_undo(d, no, &o, &undone, err, sizeof(err));
	if (code == 0)
		tell(cli, &undone, dry_run);
	else if (code == 1 && undone.no != 0)
		cli_error("change %lld cannot be taken back: %s", (long long)undone.no, err);
	else if (code == 1)
		cli_error("%s", err);
	else
		code = open_failed(d);
	code = site_session_end(code);
	db_close(d);
	settings_unref(s);
	return code;
}

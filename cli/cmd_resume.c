/* SPDX-License-Identifier: ISC
 *
 * pgpgate resume: ends a pause.
 */
#include <stdio.h>

#include "cli/changes.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/site_session.h"
#include "common/clock.h"
#include "db/site.h"

static void tell(const struct cli *cli, int64_t was, int64_t no, bool dry_run)
{
	char when[CLOCK_TEXT_MAX], line[80];
	json_t *o;

	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "was_paused", json_boolean(was != 0));
		json_object_set_new(o, "result",
				    output_json_text(was != 0 ? "removed" : "unchanged"));
		json_object_set_new(o, "change", no != 0 ? json_integer(no) : json_null());
		json_object_set_new(o, "dry_run", json_boolean(dry_run));
		output_json(o);
	} else if (!dry_run || was == 0) {
		puts(was != 0 ? "resumed: the rules are enforced again" : "was not paused");
	} else {
		snprintf(line, sizeof(line), "paused until %s", output_time(was, when));
		changes_print_side('-', line);
	}
}

/* The pause of this host alone, made while the centre of the site was away. Whether there was one.
 */
static bool end_here(struct db *d, int64_t now)
{
	struct site_state state;

	return site_read(d, &state) == 1 && state.here_paused_until_unix > now &&
	       site_here_pause(d, 0) == 0;
}

int cmd_resume(struct cli *cli, int argc, char **argv)
{
	bool dry_run = false;
	const struct option_spec specs[] = {CHANGES_OPTION_DRY_RUN(&dry_run),
					    CHANGES_OPTION_WAIT(cli)};
	char **operands;
	struct settings *s;
	struct db *d;
	int64_t now, was = 0, no = 0;
	bool is_here = false, is_away = false;
	int code = 0;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs), NULL, &operands) != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	d = open_database_silently(s, dry_run ? DB_READ : DB_WRITE);
	now = clock_now_unix();
	if (!dry_run)
		is_here = end_here(d, now);
	if (!dry_run)
		code = site_session_begin(cli, s, d, is_here ? &is_away : NULL);
	if (is_away)
		code = 0;
	else if (code == 0 &&
		 (db_paused_until(d, now, &was) != 0 ||
		  (was != 0 && !dry_run && db_pause_as(d, 0, now, cli_author(), 0, &no) != 0)))
		code = open_failed(d);
	if (code == 0)
		tell(cli, was != 0 || !is_here ? was : now, no, dry_run);
	code = site_session_end(code);
	if (code == 0 && !s->enforce)
		cli_warning("enforce = no in the configuration: nothing is refused");
	db_close(d);
	settings_unref(s);
	return code;
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate pause: for an emergency. Everything is judged and logged, nothing is refused, until the
 * time is over or `pgpgate resume`.
 */
#include <stdio.h>

#include "cli/changes.h"
#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/site_session.h"
#include "common/clock.h"
#include "db/site.h"

#define PAUSE_MAX_S (30 * 86400) /* a pause that nobody remembers is a rule in disguise */

static void tell(const struct cli *cli, int64_t was, int64_t until, int64_t no, bool dry_run)
{
	char when[CLOCK_TEXT_MAX], line[80];
	json_t *o;

	if (cli->json) {
		o = json_object();
		json_object_set_new(o, "paused_until", output_json_time(until));
		json_object_set_new(o, "result",
				    output_json_text(was == until ? "unchanged"
						     : was != 0	  ? "changed"
								  : "added"));
		json_object_set_new(o, "change", no != 0 ? json_integer(no) : json_null());
		json_object_set_new(o, "dry_run", json_boolean(dry_run));
		output_json(o);
		return;
	}
	if (!dry_run) {
		printf("paused until %s: mail is judged and logged, nothing is refused\n",
		       output_time(until, when));
		return;
	}
	if (was != 0 && was != until) {
		snprintf(line, sizeof(line), "paused until %s", output_time(was, when));
		changes_print_side('-', line);
	}
	if (was != until) {
		snprintf(line, sizeof(line), "paused until %s", output_time(until, when));
		changes_print_side('+', line);
	}
}

/* The centre of the site is away: on this host alone, for a while. */
static int pause_here(const struct cli *cli, struct db *d, int64_t until, int64_t now)
{
	if (until > now + SITE_HERE_MAX_S)
		until = now + SITE_HERE_MAX_S;
	if (site_here_pause(d, until) != 0)
		return open_failed(d);
	cli_warning("the centre cannot be reached: paused on this host alone, for 6h at most");
	tell(cli, 0, until, 0, false);
	return 0;
}

int cmd_pause(struct cli *cli, int argc, char **argv)
{
	int64_t duration = -1;
	bool dry_run = false;
	const struct option_spec specs[] = {
		{"for", 0, "DURATION", OPTION_DURATION, &duration,
		 "how long: 30m, 1h, 2d; at most 30d"},
		CHANGES_OPTION_WAIT(cli),
		CHANGES_OPTION_DRY_RUN(&dry_run),
	};
	char **operands;
	struct settings *s;
	struct db *d;
	int64_t now, until, was = 0, no = 0;
	bool is_away = false;
	int code = 0;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs), NULL, &operands) != 0)
		cli_misuse(cli, "takes no operand");
	if (duration < 0)
		cli_misuse(cli, "for how long? --for 1h");
	if (duration == 0 || duration > PAUSE_MAX_S)
		cli_misuse(cli,
			   "--for wants 1s to 30d (to stop enforcing for good set enforce = no)");
	s = open_settings(cli);
	d = open_database_silently(s, dry_run ? DB_READ : DB_WRITE);
	now = clock_now_unix();
	until = now + duration;
	if (!dry_run)
		code = site_session_begin(cli, s, d, &is_away);
	if (is_away)
		code = pause_here(cli, d, until, now);
	else if (code == 0 && (db_paused_until(d, now, &was) != 0 ||
			       (!dry_run && db_pause_as(d, until, now, cli_author(), 0, &no) != 0)))
		code = open_failed(d);
	else if (code == 0)
		tell(cli, was, until, no, dry_run);
	code = site_session_end(code);
	db_close(d);
	settings_unref(s);
	return code;
}

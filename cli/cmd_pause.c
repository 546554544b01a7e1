/* SPDX-License-Identifier: ISC
 *
 * pgpgate pause: for an emergency. Everything is judged and logged, nothing is refused, until the time is
 * over or `pgpgate resume`.
 */
#include <stdio.h>

#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/clock.h"

#define PAUSE_MAX_S (30 * 86400) /* a pause that nobody remembers is a rule in disguise */

int cmd_pause(struct cli *cli, int argc, char **argv)
{
	int64_t duration = -1;
	const struct option_spec specs[] = {
		{"for", 0, "DURATION", OPTION_DURATION, &duration, "how long: 30m, 1h, 2d; at most 30d"},
	};
	char **operands;
	char when[CLOCK_TEXT_MAX];
	struct settings *s;
	struct db *d;
	int64_t now, until;
	int code = 0;

	if (options_parse(cli, argc, argv, specs, OPTIONS_N(specs), NULL, &operands) != 0)
		cli_misuse(cli, "takes no operand");
	if (duration < 0)
		cli_misuse(cli, "for how long? --for 1h");
	if (duration == 0 || duration > PAUSE_MAX_S)
		cli_misuse(cli,
			   "--for wants 1s to 30d (to stop enforcing for good set enforce = no)");
	s = open_settings(cli);
	d = open_database_silently(s, DB_WRITE);
	now = clock_now_unix();
	until = now + duration;
	if (db_pause(d, until, now, cli_author()) != 0) {
		code = open_failed(d);
	} else if (cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "paused_until", output_json_time(until));
		output_json(o);
	} else {
		printf("paused until %s: mail is judged and logged, nothing is refused\n",
		       clock_format(until, when));
	}
	db_close(d);
	settings_unref(s);
	return code;
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate resume: ends a pause.
 */
#include <stdio.h>

#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "common/clock.h"

int cmd_resume(struct cli *cli, int argc, char **argv)
{
	char **operands;
	struct settings *s;
	struct db *d;
	int64_t now, until = 0;
	bool was_paused;
	int code = 0;

	if (options_parse(cli, argc, argv, NULL, 0, NULL, &operands) != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	d = open_database_silently(s, DB_WRITE);
	now = clock_now_unix();
	if (db_paused_until(d, now, &until) != 0)
		code = open_failed(d);
	was_paused = until > now;
	if (code == 0 && was_paused && db_pause(d, 0, now, cli_author()) != 0)
		code = open_failed(d);
	if (code == 0 && cli->json) {
		json_t *o = json_object();

		json_object_set_new(o, "was_paused", json_boolean(was_paused));
		output_json(o);
	} else if (code == 0) {
		puts(was_paused ? "resumed: the rules are enforced again" : "was not paused");
	}
	if (code == 0 && !s->enforce)
		cli_warning("enforce = no in the configuration: nothing is refused");
	db_close(d);
	settings_unref(s);
	return code;
}

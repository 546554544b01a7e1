/* SPDX-License-Identifier: ISC
 *
 * pgpgate metrics: counters in Prometheus' text format, for the text file collector of
 * node_exporter.
 */
#include <stdio.h>

#include "cli/open.h"
#include "cli/options.h"
#include "db/metrics.h"

int cmd_metrics(struct cli *cli, int argc, char **argv)
{
	char **operands;
	struct settings *s;
	struct db *d;
	int code = 0;

	if (options_parse(
		    cli, argc, argv, NULL, 0,
		    "For node_exporter write to a temporary file in its folder and rename it, so "
		    "that it never reads half: "
		    "pgpgate metrics > DIR/pgpgate.tmp && mv DIR/pgpgate.tmp DIR/pgpgate.prom",
		    &operands) != 0)
		cli_misuse(cli, "takes no operand");
	s = open_settings(cli);
	d = open_database(s, DB_READ);
	if (metrics_write(d, s, stdout) != 0)
		code = open_failed(d);
	db_close(d);
	settings_unref(s);
	return code;
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate export: all rules, as import reads them.
 */
#include <stdio.h>

#include "cli/open.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/rule_show.h"

static int print_rule(void *context, const struct rule *r)
{
	const struct cli *cli = context;
	char line[2 * OUTPUT_TEXT_MAX], clean[8 * OUTPUT_TEXT_MAX];

	if (cli->json)
		output_json(rule_show_json(r));
	else
		puts(output_clean(clean, sizeof(clean), rule_format(r, line, sizeof(line))));
	return ferror(stdout) ? 1 : 0;
}

int cmd_export(struct cli *cli, int argc, char **argv)
{
	struct rules_filter all = {0};
	char **operands;
	struct settings *s;
	struct db *d;
	int code = 0;

	if (options_parse(cli, argc, argv, NULL, 0,
			  "Text, one rule a line, or JSON lines with --json. `import` reads both.",
			  &operands) != 0)
		cli_misuse(cli, "takes no operand; redirect the output to a file");
	s = open_settings(cli);
	d = open_database(s, DB_READ);
	if (rules_list(d, &all, print_rule, cli) == -1)
		code = open_failed(d);
	db_close(d);
	settings_unref(s);
	return code;
}

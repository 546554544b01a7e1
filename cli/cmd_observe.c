/* SPDX-License-Identifier: ISC
 *
 * pgpgate observe: mail for these recipients is judged and logged, never refused.
 */
#include "cli/rule_add.h"

int cmd_observe(struct cli *cli, int argc, char **argv)
{
	return rule_add_command(cli, argc, argv, REQUIREMENT_OBSERVE, false);
}

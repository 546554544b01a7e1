/* SPDX-License-Identifier: ISC
 *
 * pgpgate require: these recipients demand encryption, or what --level says.
 */
#include "cli/rule_add.h"

int cmd_require(struct cli *cli, int argc, char **argv)
{
	return rule_add_command(cli, argc, argv, REQUIREMENT_ENCRYPTED, true);
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate ratchet: these recipients demand encryption from whoever has sent them encrypted mail
 * before.
 */
#include "cli/rule_add.h"

int cmd_ratchet(struct cli *cli, int argc, char **argv)
{
	return rule_add_command(cli, argc, argv, REQUIREMENT_RATCHET, false);
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate signed: these recipients demand a signature.
 */
#include "cli/rule_add.h"

int cmd_signed(struct cli *cli, int argc, char **argv)
{
	return rule_add_command(cli, argc, argv, REQUIREMENT_SIGNED, false);
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate exempt: cleartext is welcome for these recipients.
 */
#include "cli/rule_add.h"

int cmd_exempt(struct cli *cli, int argc, char **argv)
{
	return rule_add_command(cli, argc, argv, REQUIREMENT_EXEMPT, false);
}

/* SPDX-License-Identifier: ISC
 *
 * pgpgate encrypted: these recipients demand encryption.
 */
#include "cli/rule_add.h"

int cmd_encrypted(struct cli *cli, int argc, char **argv)
{
	return rule_add_command(cli, argc, argv, REQUIREMENT_ENCRYPTED, false);
}

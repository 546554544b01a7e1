/* SPDX-License-Identifier: ISC
 *
 * db_space.h: `pgpgate db prune` and `pgpgate db compact`: less in the database, and a shorter
 * file. As cli.h says of commands: an exit code.
 */
#ifndef PGPGATE_CLI_DB_SPACE_H
#define PGPGATE_CLI_DB_SPACE_H

#include "cli/cli.h"

int db_space_prune(struct cli *cli, int argc, char **argv);
int db_space_compact(struct cli *cli, int argc, char **argv);

#endif

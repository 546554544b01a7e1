/* SPDX-License-Identifier: ISC
 *
 * forget_person.h: `forget --person ADDRESS`: removes what the database holds about one address, or
 * with --export prints it as JSON, one object a line, for whoever asks what is known of them.
 */
#ifndef PGPGATE_CLI_FORGET_PERSON_H
#define PGPGATE_CLI_FORGET_PERSON_H

#include "cli/cli.h"
#include "common/settings.h"

/* Returns the exit code: 1 when there is nothing. only_export: nothing is removed. */
int forget_person(struct cli *cli, struct settings *s, const char *address, bool only_export,
		  bool dry_run);

#endif

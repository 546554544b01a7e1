/* SPDX-License-Identifier: ISC
 *
 * explain_found.h: `pgpgate explain` of a message that was answered: by queue id, by Message-ID, or
 * by the text of the bounce that its sender got. Prints what happened, why, and what would change
 * it.
 */
#ifndef PGPGATE_CLI_EXPLAIN_FOUND_H
#define PGPGATE_CLI_EXPLAIN_FOUND_H

#include <stdbool.h>

#include "cli/cli.h"
#include "common/settings.h"

/* Queue ids are used again after a while: all that have it, oldest first. An exit code: 1 for none,
 * said on standard error unless is_silent. */
int explain_queue_id(const struct cli *cli, struct settings *s, const char *queue_id, bool is_site);
int explain_message_id(const struct cli *cli, struct settings *s, const char *message_id,
		       bool is_silent);

/* Reads standard input. Likewise. */
int explain_bounce(const struct cli *cli, struct settings *s);

#endif

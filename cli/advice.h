/* SPDX-License-Identifier: ISC
 *
 * advice.h: what would change the answer that a message got, as commands and settings to copy, each
 * with what it means. Of a stored verdict. Pure; one thread.
 */
#ifndef PGPGATE_CLI_ADVICE_H
#define PGPGATE_CLI_ADVICE_H

#include "common/settings.h"
#include "db/verdicts.h"

/* Tells nothing for what was not, and would not have been, kept from anybody. command: a line for a
 * shell, or one of pgpgate.conf. Both live during the call. */
void advice_tell(const struct settings *s, const struct verdict_row *row,
		 void (*tell)(void *context, const char *what, const char *command), void *context);

#endif

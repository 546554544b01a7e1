/* SPDX-License-Identifier: ISC
 *
 * expected.h: how many verdicts will be read, so that a progress can say of how many. By the sums
 * of days, in a millisecond; nothing else may depend on it.
 */
#ifndef PGPGATE_CLI_EXPECTED_H
#define PGPGATE_CLI_EXPECTED_H

#include <stdint.h>

#include "cli/progress.h"
#include "db/db.h"

/* Between two times (until_unix 0: no end), of days that begin or end within them the whole. 0: not
 * known, or p shows nothing. */
int64_t expected_messages(struct db *d, const struct progress *p, int64_t since_unix,
			  int64_t until_unix);

#endif

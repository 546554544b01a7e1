/* SPDX-License-Identifier: ISC
 *
 * site_rows.h: --site: the record of all hosts of the site, from its centre, for the commands that
 * read the record.
 */
#ifndef PGPGATE_CLI_SITE_ROWS_H
#define PGPGATE_CLI_SITE_ROWS_H

#include <stdint.h>

#include "cli/cli.h"
#include "common/settings.h"
#include "db/db.h"

#define SITE_ROWS_OPTION(target)                                                                  \
	{                                                                                         \
		"site", 0, NULL, OPTION_FLAG, target, "of all hosts of the site, from its centre" \
	}

/* From then on d has that record, of a time (until_unix 0: until now) and, if queue_id is not NULL,
 * of that one. The host of a row is its name in the site. 0, or an exit code after having said why.
 */
int site_rows_read(const struct cli *cli, const struct settings *s, struct db *d,
		   int64_t since_unix, int64_t until_unix, const char *queue_id);

#endif

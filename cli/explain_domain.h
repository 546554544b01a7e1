/* SPDX-License-Identifier: ISC
 *
 * explain_domain.h: `pgpgate explain example.org`: which rules hold for a domain, for addresses in
 * it and below it, and what holds where there is none.
 */
#ifndef PGPGATE_CLI_EXPLAIN_DOMAIN_H
#define PGPGATE_CLI_EXPLAIN_DOMAIN_H

#include "cli/cli.h"
#include "common/settings.h"

/* text: a domain, or ".domain" for what is below it. An exit code. */
int explain_domain(const struct cli *cli, struct settings *s, const char *text);

#endif

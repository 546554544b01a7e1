/* SPDX-License-Identifier: ISC
 *
 * report_html.h: a report as one self-contained page: charts in inline SVG, no script, nothing fetched; light and dark
 * by the reader's preference, readable on a phone and on paper.
 */
#ifndef PGPGATE_CLI_REPORT_HTML_H
#define PGPGATE_CLI_REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "cli/tally.h"

/* Writes the page. Sorts the tally's lists. Errors are for the caller to see in `to`. */
void report_html(FILE *to, struct tally *t, int64_t since_unix, int64_t now_unix);

#endif

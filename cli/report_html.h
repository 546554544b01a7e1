/* SPDX-License-Identifier: ISC
 *
 * report_html.h: a report as one self-contained page: charts in inline SVG, no script, nothing
 * fetched; light and dark by the reader's preference, readable on a phone and on paper.
 */
#ifndef PGPGATE_CLI_REPORT_HTML_H
#define PGPGATE_CLI_REPORT_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "cli/tally.h"

struct report_page {
	const char *title; /* whose report it is: the name of the site or the host */
	int64_t since_unix, now_unix;
};

/* Writes the page. Sorts the tally's lists. Errors are for the caller to see in `to`. */
void report_html(FILE *to, struct tally *t, const struct report_page *page);

#endif

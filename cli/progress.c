/* SPDX-License-Identifier: ISC */
#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "common/clock.h"

#define PATIENCE_MS 700 /* work that is over by then needs no progress */
#define INTERVAL_MS 200

void progress_begin(struct progress *p, const char *what)
{
	const char *term = getenv("TERM");

	memset(p, 0, sizeof(*p));
	p->what = what;
	p->started_ms = clock_monotonic_ms();
	p->shown_ms = p->started_ms + PATIENCE_MS - INTERVAL_MS;
	p->is_terminal = isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

void progress_update(struct progress *p, int64_t done, int64_t total)
{
	char a[OUTPUT_NUMBER_MAX], b[OUTPUT_NUMBER_MAX], c[OUTPUT_NUMBER_MAX];
	int64_t now;

	if (!p->is_terminal)
		return;
	now = clock_monotonic_ms();
	if (now - p->shown_ms < INTERVAL_MS)
		return;
	p->shown_ms = now;
	p->is_shown = true;
	fflush(stdout);
	if (total > 0)
		fprintf(stderr, "\r\033[K%s of %s %s, %d %%", output_number(a, done),
			output_number(b, total), p->what,
			(int)(100 * (double)done / (double)total));
	else
		fprintf(stderr, "\r\033[K%s %s, %s/s", output_number(a, done), p->what,
			output_number(c, done * 1000 / (now - p->started_ms + 1)));
	fflush(stderr);
}

void progress_clear(struct progress *p)
{
	if (p->is_shown)
		fputs("\r\033[K", stderr);
	p->is_shown = false;
}

/* SPDX-License-Identifier: ISC
 *
 * progress.h: shows how far a long work is: one line on standard error that is written over, if
 * standard error is a terminal, from the second second on. Nothing otherwise.
 */
#ifndef PGPGATE_CLI_PROGRESS_H
#define PGPGATE_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* "rules", "messages"; borrowed */
	int64_t started_ms, shown_ms;
	bool is_terminal, is_shown;
};

void progress_begin(struct progress *p, const char *what);
/* total 0: not known. Cheap enough to be called for each item. */
void progress_update(struct progress *p, int64_t done, int64_t total);
/* Takes the line away; call it before anything else is printed, too. */
void progress_clear(struct progress *p);

#endif

/* SPDX-License-Identifier: ISC
 *
 * apart.h: what a command reads from the database while it writes, as root, where root was told to:
 * in a process of its own, which becomes the user of the settings for good (open.h), for who owns
 * the database may have made it to take over whoever reads it. Others than root start one as well:
 * there is one way. It ends with whoever started it.
 */
#ifndef PGPGATE_CLI_APART_H
#define PGPGATE_CLI_APART_H

#include <stdio.h>
#include <sys/types.h>

#include "common/settings.h"

struct apart {
	pid_t pid;
	FILE *from; /* what run() wrote: nothing of it is to be believed */
};

/* Starts run(context, to) there, which returns an exit code after having said why. Returns 0, or an
 * exit code of its own, likewise. */
int apart_begin(struct apart *a, const struct settings *s, int (*run)(void *context, FILE *to),
		void *context);

/* Waits until it has ended, and returns its exit code, whatever was read from it. */
int apart_end(struct apart *a);

#endif

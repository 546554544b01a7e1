/* SPDX-License-Identifier: ISC
 *
 * status.h: what a running daemon says of itself, in a file beside the database:
 * DATABASE.status.PROGRAM. Its version, the settings in force, those that its command line set,
 * what it took from Postfix, and the last error in reading the configuration. The daemon holds a
 * lock on it for as long as it lives, so that nobody believes what a dead one left. `pgpgate
 * doctor` and pgpgate_enforce of the metrics ask it.
 *
 * Lines of "name = value"; the last is "end". One writer a process, called by one thread at a time;
 * any reader.
 */
#ifndef PGPGATE_COMMON_STATUS_H
#define PGPGATE_COMMON_STATUS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/settings.h"

#define STATUS_BYTES_MAX (256 * 1024) /* lists of networks can be long */

/* Makes and locks the file. What fails is told at debug level only: a daemon does not need it to
 * work. */
void status_begin(const char *program, const struct settings *s);

/* Settings in force, and the sentence of a reload that failed (NULL: the last one worked).
 * overrides: "key=value". */
void status_write(const struct settings *s, const char *const *overrides, size_t n_overrides,
		  const char *error);

/* Before the end: nothing is in force. */
void status_end(void);

/* The text of the status of the daemon that runs now, for free(). NULL with a clause in why: nobody
 * runs, or it cannot be read (errno EACCES then). */
char *status_read(const struct settings *s, const char *program, char *why, size_t why_size);

/* One value of such a text. False when it is not there. */
bool status_value(const char *text, const char *name, char *out, size_t out_size);

/* Is something refused, by the word of the filter that runs? 1, 0; -1: it cannot be asked. */
int status_filter_enforces(const struct settings *s);

/* What is taken from Postfix, in one line: the networks, then the domains. For free(); NULL: no
 * memory. */
char *status_networks(const struct settings *s);

#endif

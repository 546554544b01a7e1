/* SPDX-License-Identifier: ISC
 *
 * run.h: another program's standard output, for `doctor` (postconf, postmap). No shell is involved. Whoever
 * was root before open_lower() is root in it again.
 */
#ifndef PGPGATE_CLI_RUN_H
#define PGPGATE_CLI_RUN_H

#include <stddef.h>

/* Runs argv[0], found along PATH and in the sbin folders, standard error thrown away, for at most timeout_ms. Puts what it
 * prints into out, NUL-terminated, cut at out_size - 1. Returns its exit status, or -1 when it could not be run. */
int run_output(const char *const *argv, char *out, size_t out_size, int timeout_ms);

#endif

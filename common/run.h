/* SPDX-License-Identifier: ISC
 *
 * run.h: another program's standard output (postconf, postmap, postalias). No shell is involved,
 * and a program that does not end is killed, with all that it started. It is never root's: where we
 * are root, for want of another user, it is nobody's, and it has no terminal. Any thread; the child
 * does nothing before execve(2) that a process with threads must not do.
 */
#ifndef PGPGATE_COMMON_RUN_H
#define PGPGATE_COMMON_RUN_H

#include <stddef.h>

/* Runs argv[0], a name found in the usual folders or an absolute path, standard error thrown away,
 * for at most timeout_ms. input: what it reads, or NULL for nothing. Puts what it prints into out,
 * NUL-terminated, cut at out_size - 1. Returns its exit status; -1 when it could not be run, was
 * killed by a signal, or had not ended in time. */
int run_output(const char *const *argv, const char *input, char *out, size_t out_size,
	       int timeout_ms);

/* The same with what it prints on standard error among the rest. */
int run_output_all(const char *const *argv, const char *input, char *out, size_t out_size,
		   int timeout_ms);

#endif

/* SPDX-License-Identifier: ISC
 *
 * conf_edit.h: writes one setting into a file in the syntax of pgpgate.conf(5); everything else in
 * it stays as it is, comments too. The line of the setting, with what continues it, makes room for
 * "key = value"; where there is none, it comes behind a comment that shows it ("#key = ..."), or at
 * the end.
 *
 * One thread.
 */
#ifndef PGPGATE_CLI_CONF_EDIT_H
#define PGPGATE_CLI_CONF_EDIT_H

#include <stddef.h>

/* The text with the setting, NUL-terminated, for free(). text need not end in a newline. NULL: no
 * memory. */
char *conf_edit_text(const char *text, const char *key, const char *value);

/* Writes text in the place of the file, at once or not at all: another file beside it gets its
 * owner and mode, and then its name; a symbolic link stays, and what it leads to is replaced. A
 * file that is not there yet is made, readable by all. 0, or -1 with a sentence in err. */
int conf_edit_replace(const char *path, const char *text, char *err, size_t err_size);

#endif

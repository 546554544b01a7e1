/* SPDX-License-Identifier: ISC
 *
 * conf_file.h: reads a file in main.cf syntax into a list of keys and values; what they mean is not
 * known here (settings.c).
 *
 * Syntax: "key = value"; white space around both is removed; a line that starts with white space
 * continues the one before; empty lines and lines whose first character that is not white space is
 * '#' are passed over, also between a line and its continuation. LF or CR LF ends a line. Refused:
 * control characters other than TAB, text that is not UTF-8, a key given twice. Deviates from
 * main.cf: no $name expansion.
 *
 * One thread.
 */
#ifndef PGPGATE_COMMON_CONF_FILE_H
#define PGPGATE_COMMON_CONF_FILE_H

#include <stddef.h>

#define CONF_FILE_MAX (1024 * 1024) /* bytes: a typing error in -c must not fill the memory */

struct conf_entry {
	char *key;
	char *value;   /* "" when there is none */
	unsigned line; /* of the key, from 1 */
};

struct conf_file {
	struct conf_entry *entries;
	size_t n;
};

/* Reads a whole file into memory that the caller frees; a NUL, not counted, stands behind it. 0, or
 * -1 with errno (EFBIG: over CONF_FILE_MAX). */
int conf_file_slurp(const char *path, char **text, size_t *len);

/* Parses. 0, or -1 with the line and a sentence; *out is to be freed in both cases. */
int conf_file_parse(const char *text, size_t len, struct conf_file *out, unsigned *line, char *err,
		    size_t err_size);
void conf_file_free(struct conf_file *f);

#endif

/* SPDX-License-Identifier: ISC
 *
 * certificate_files.h: the files that `keys import` is given, read into memory as a whole before
 * anything is looked at: root may read them, and whoever looks at them then is not root any more. A
 * directory may be one that others write in: what is there and no plain file is told, and nothing
 * waits for it.
 *
 * Limits: 4 MB a file, 256 MB and 100,000 files in all. One thread.
 */
#ifndef PGPGATE_CLI_CERTIFICATE_FILES_H
#define PGPGATE_CLI_CERTIFICATE_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct certificate_file {
	char *name; /* as it was found: escape it where it is shown */
	unsigned char *bytes;
	size_t len;
	const char *bad; /* why it could not be read; NULL: it was. Static, or of strerror() */
};

struct certificate_files {
	struct certificate_file *list;
	size_t n, room, n_bytes;
};

/* Reads a file, standard input ("-"), the files of a directory, or (is_wkd) of a Web Key Directory,
 * those that are named by a hash. A link is followed only where it was given as path. 0, or -1: no
 * memory. */
int certificate_files_read(struct certificate_files *f, const char *path, bool is_wkd);

/* Wipes what was read: it may hold a secret key. */
void certificate_files_free(struct certificate_files *f);

#endif

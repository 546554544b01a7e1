/* SPDX-License-Identifier: ISC
 *
 * mail_files.h: the messages in files, folders and mailboxes, one after the other, in constant
 *memory:
 *
 *   a file that begins with "From "   an mbox: each message in it
 *   another file, or "-"	       one message (or an mbox) in raw form
 *   a folder with cur/ and new/       a Maildir: what is in these two, and its subfolders; not tmp/
 *nor the mail server's own files beside them
 *   another folder		       every file below it whose name does not begin with a dot
 *
 * Symbolic links to files are followed, to folders only when named as an operand. What is no
 *regular file is passed over. Names come in the order in which the folder gives them.
 */
#ifndef PGPGATE_CLI_MAIL_FILES_H
#define PGPGATE_CLI_MAIL_FILES_H

#include <stdint.h>

#include "cli/mail_open.h"

struct mail_sink {
	/* number: 0 for a message that is a file, 1, 2, ... within an mbox. name is borrowed until
	 * end(). */
	void (*begin)(void *context, const char *name, int64_t number);
	void (*bytes)(void *context, const unsigned char *bytes, size_t len);
	void (*end)(void *context);
	void (*failed)(void *context, const char *name, const char *why);
	void *context;
};

/* Reads all that o opens. What cannot be read is told to failed(), and the rest goes on; a message
 * that could not be read to its end is told to failed() after end(). */
void mail_files_read(struct mail_opener *o, const struct mail_sink *sink);

#endif

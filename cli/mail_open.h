/* SPDX-License-Identifier: ISC
 *
 * mail_open.h: the files of messages, opened by a process of its own. What is in them is a
 * stranger's, and is not for root to take apart: so root starts this, becomes another user, and is
 * then handed descriptors one after the other. That process looks at names and kinds of files, and
 * reads no octet of any. Others than root start it as well: there is one way.
 *
 * One at a time; it ends with whoever started it.
 */
#ifndef PGPGATE_CLI_MAIL_OPEN_H
#define PGPGATE_CLI_MAIL_OPEN_H

#include <stdbool.h>
#include <stddef.h>

#define MAIL_OPEN_DEPTH_MAX 64 /* folders; each holds a descriptor */
#define MAIL_OPEN_NAME_MAX \
	4096 /* octets of a path with NUL, PATH_MAX; a longer operand is told cut */

struct mail_opener;

struct mail_opened {
	char name[MAIL_OPEN_NAME_MAX]; /* as it is told: the operand, and what is below it */
	char why[160];		       /* it cannot be opened; "": it is open */
	int fd;			       /* the caller closes it; -1 where it cannot be opened */
};

/* Operands as in mail_files.h, borrowed until the end. NULL with errno when no process can be
 * started. */
struct mail_opener *mail_opener_new(char *const *operands, size_t n);

/* The next one. False after the last; a process that ended before it was done is told as what
 * cannot be opened. */
bool mail_opener_next(struct mail_opener *o, struct mail_opened *out);

void mail_opener_free(struct mail_opener *o); /* NULL allowed */

#endif

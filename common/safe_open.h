/* SPDX-License-Identifier: ISC
 *
 * safe_open.h: the only way to open a file in a directory where somebody else may write: nothing
 * that lies there, whoever put it there, makes us write to, truncate, or give away what is not
 * ours. After the model of Postfix's safe_open(3): a file is made with O_EXCL, or it was there and
 * is looked at after it is open, and then nothing about it changes. Never follows a symbolic link
 * in the last component, never waits for a FIFO. Any thread.
 */
#ifndef PGPGATE_COMMON_SAFE_OPEN_H
#define PGPGATE_COMMON_SAFE_OPEN_H

#include <stdbool.h>
#include <sys/types.h>

struct safe_open {
	const char *path;
	int access;	/* O_RDONLY, O_WRONLY or O_RDWR */
	bool is_create; /* make it if it is absent */
	mode_t mode;	/* of a new file, whatever the umask */
	/* Who may own a file that is there, besides the effective user and, for O_RDONLY, root.
	 * Root gives new files to both. */
	uid_t owner;
	gid_t group; /* a file of this group may be anybody's; (gid_t)-1: of no group, and none is
			given */
};

#define SAFE_OPEN_WHY_MAX 160

/* A descriptor (close-on-exec), *is_new (may be NULL) tells whether this call made the file. -1
 * with errno, and one clause in why: what is wrong, and the mend where what lies there is not what
 * it should be (errno EINVAL). */
int safe_open(const struct safe_open *o, bool *is_new, char why[SAFE_OPEN_WHY_MAX]);

#endif

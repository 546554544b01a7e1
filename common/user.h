/* SPDX-License-Identifier: ISC
 *
 * user.h: becoming the user of the settings, for good or for a while. A process has one set of user ids: whoever
 * calls these has one thread.
 */
#ifndef PGPGATE_COMMON_USER_H
#define PGPGATE_COMMON_USER_H

#include <stddef.h>
#include <sys/types.h>

struct user {
	char name[256];
	uid_t uid;
	gid_t gid;
};

/* Takes "user" or "user:group" apart and looks both up. 0, or a sysexits(3) code with a sentence in err. */
int user_find(const char *text, struct user *out, char *err, size_t err_size);

/* Root becomes u, and cannot come back. Likewise. */
int user_become(const struct user *u, char *err, size_t err_size);

/* Root acts as u until user_raise(); likewise. user_raise() does nothing where nothing was lowered, and leaves root
 * without supplementary groups; it ends the process when it fails: nobody goes on as somebody else. */
int user_lower(const struct user *u, char *err, size_t err_size);
void user_raise(void);

#endif

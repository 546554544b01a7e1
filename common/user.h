/* SPDX-License-Identifier: ISC
 *
 * user.h: becoming another user, for good: who could come back would do so for whoever takes over
 * the process. A process has one set of user ids: whoever calls these has one thread.
 */
#ifndef PGPGATE_COMMON_USER_H
#define PGPGATE_COMMON_USER_H

#include <stddef.h>
#include <sys/types.h>

struct user {
	char name[256];
	uid_t uid;
	gid_t gid;
	gid_t other_gid; /* of a group besides his own; (gid_t)-1: none */
};

/* Takes "user" or "user:group" apart and looks both up. 0, or a sysexits(3) code with a sentence in
 * err. */
int user_find(const char *text, struct user *out, char *err, size_t err_size);

/* Who owns nothing, for what is worth no more: never fails, asks no directory of users. Any thread.
 */
void user_nobody(struct user *out);

/* Root becomes u, and cannot come back; its terminal, where it is not a session's leader, is no
 * controlling one of this process any more. Likewise. */
int user_become(const struct user *u, char *err, size_t err_size);

#endif

/* SPDX-License-Identifier: ISC */
#include "common/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#define NOBODY_ID 65534 /* of every Linux, and what the kernel shows for an id that it cannot */
#define GROUPS_MAX 1024 /* a user in more of them cannot be given another one */

int user_find(const char *text, struct user *out, char *err, size_t err_size)
{
	const struct passwd *user;
	const struct group *g;
	char *group;

	snprintf(out->name, sizeof(out->name), "%s", text);
	group = strchr(out->name, ':');
	if (group != NULL)
		*group++ = '\0';
	user = getpwnam(out->name);
	if (user == NULL) {
		snprintf(err, err_size,
			 "user %s does not exist; create it, or set another user or -u", out->name);
		return EX_NOUSER;
	}
	out->uid = user->pw_uid;
	out->gid = user->pw_gid;
	out->other_gid = (gid_t)-1;
	if (group == NULL)
		return EX_OK;
	g = getgrnam(group);
	if (g == NULL) {
		snprintf(err, err_size,
			 "group %s does not exist; create it, or set another user or -u", group);
		return EX_NOUSER;
	}
	out->gid = g->gr_gid;
	return EX_OK;
}

static int cannot_become(const struct user *u, char *err, size_t err_size)
{
	snprintf(err, err_size, "cannot become user %s: %s", u->name, strerror(errno));
	return EX_OSERR;
}

/* The groups that initgroups(3) has set, and one more. */
static int add_group(gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	const int n = getgroups(GROUPS_MAX - 1, groups);

	if (n < 0)
		return -1;
	groups[n] = gid;
	return setgroups((size_t)n + 1, groups);
}

/* Whoever has a terminal as its controlling one may push characters into it, where the kernel lets
 * TIOCSTI (tty_ioctl(2)), which its shell reads as if they were typed. What it has open it keeps,
 * to read and to write, and signals of the keys still come, since they are for its process group. A
 * session's leader would end the session with it, and all that reads there is over with the leader.
 */
static void leave_terminal(void)
{
	const int fd = getsid(0) != getpid() ? open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	ioctl(fd, TIOCNOTTY);
	close(fd);
}

int user_become(const struct user *u, char *err, size_t err_size)
{
	if (u->uid != 0)
		leave_terminal();
	if (initgroups(u->name, u->gid) != 0 ||
	    (u->other_gid != (gid_t)-1 && add_group(u->other_gid) != 0) || setgid(u->gid) != 0 ||
	    setuid(u->uid) != 0)
		return cannot_become(u, err, err_size);
	if (u->uid != 0 && (setuid(0) == 0 || geteuid() == 0)) {
		snprintf(err, err_size, "user %s could become root again", u->name);
		return EX_OSERR;
	}
	return EX_OK;
}

void user_nobody(struct user *out)
{
	*out = (struct user){
		.name = "nobody", .uid = NOBODY_ID, .gid = NOBODY_ID, .other_gid = (gid_t)-1};
}

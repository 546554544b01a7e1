/* SPDX-License-Identifier: ISC */
#include "common/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUNDS 3 /* made, removed and made again by others between two calls: once is chance */
#define FLAGS (O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static int say(char *why, int error, const char *what)
{
	snprintf(why, SAFE_OPEN_WHY_MAX, "%s", what);
	errno = error;
	return -1;
}

static int not_ours(char *why, const char *what)
{
	snprintf(why, SAFE_OPEN_WHY_MAX, "%s; look who put it there, and remove it", what);
	errno = EINVAL;
	return -1;
}

/* What this call made, and only that, gets its mode and owner. */
static int give_away(const struct safe_open *o, int fd, char *why)
{
	int saved_errno;

	if (fchmod(fd, o->mode) == 0 && (geteuid() != 0 || fchown(fd, o->owner, o->group) == 0))
		return fd;
	saved_errno = errno;
	unlink(o->path);
	close(fd);
	return say(why, saved_errno, strerror(saved_errno));
}

static int examine(const struct safe_open *o, int fd, char *why)
{
	struct stat st;
	int result = 0;

	if (fstat(fd, &st) != 0)
		result = say(why, errno, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		result = not_ours(why,
				  S_ISDIR(st.st_mode) ? "is a directory" : "is no regular file");
	else if (st.st_nlink != 1)
		result = not_ours(why, "has more than one name");
	else if (st.st_uid != geteuid() && st.st_uid != o->owner &&
		 !(o->access == O_RDONLY && st.st_uid == 0) &&
		 (o->group == (gid_t)-1 || st.st_gid != o->group))
		result = not_ours(why, "belongs to another user");
	if (result == 0)
		return fd;
	close(fd);
	errno = errno == 0 ? EINVAL : errno;
	return -1;
}

/* An open that failed, for what can be told better than by errno. */
static int refuse(const struct safe_open *o, int error, char *why)
{
	struct stat st;

	if (error == ELOOP || (lstat(o->path, &st) == 0 && S_ISLNK(st.st_mode)))
		return not_ours(why, "is a symbolic link");
	if (error == EISDIR)
		return not_ours(why, "is a directory");
	if (error == ENXIO) /* a FIFO without a reader, a socket */
		return not_ours(why, "is no regular file");
	return say(why, error, strerror(error));
}

int safe_open(const struct safe_open *o, bool *is_new, char why[SAFE_OPEN_WHY_MAX])
{
	int fd;

	if (is_new != NULL)
		*is_new = false;
	for (int i = 0; i < ROUNDS; i++) {
		if (o->is_create) {
			fd = open(o->path, o->access | O_CREAT | O_EXCL | FLAGS, o->mode);
			if (fd >= 0) {
				if (is_new != NULL)
					*is_new = true;
				return give_away(o, fd, why);
			}
			if (errno != EEXIST)
				return refuse(o, errno, why);
		}
		fd = open(o->path, o->access | FLAGS);
		if (fd >= 0)
			return examine(o, fd, why);
		if (errno != ENOENT || !o->is_create)
			return refuse(o, errno, why);
	}
	return say(why, EEXIST, "is made and removed by somebody all the time");
}

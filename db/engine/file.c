/* SPDX-License-Identifier: ISC
 *
 * file.c: the files: the database, DATABASE.lock, DATABASE.key. Whoever makes them as root gives them to the
 * owner and group of the directory, or a daemon that runs as another user would find them read-only.
 *
 * The database itself is never opened here while a connection may have it open: closing any descriptor of a
 * file drops the process's fcntl(2) locks on it, SQLite's too. Its creation is the exception.
 */
#include "db/engine/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

#define KEY_FILE_MODE 0640

/* Where fcntl(2) locks or shared memory do not hold between machines, WAL loses data. linux/magic.h and
 * statfs(2). FUSE is let in: most of it is local. */
bool file_is_network(long statfs_type)
{
	static const unsigned magic[] = {
		0x6969,	    /* NFS */
		0x517b,	    /* SMB */
		0xfe534d42, /* SMB2 */
		0xff534d42, /* CIFS */
		0x73757245, /* Coda */
		0x5346414f, /* AFS */
		0x6b414653, /* kAFS */
		0x564c,	    /* NCP */
		0x00c36400, /* Ceph */
		0x0bd00bd0, /* Lustre */
		0x47504653, /* GPFS */
		0x7461636f, /* OCFS2 */
		0x01161970, /* GFS2 */
		0x01021997, /* 9P */
	};

	for (size_t i = 0; i < sizeof magic / sizeof magic[0]; i++)
		if (magic[i] == (unsigned)statfs_type)
			return true;
	return false;
}

static void directory_of(const char *path, char *out)
{
	char *slash;

	memcpy(out, path, strlen(path) + 1);
	slash = strrchr(out, '/');
	if (slash == NULL)
		memcpy(out, ".", 2);
	else
		slash[slash == out ? 1 : 0] = '\0';
}

int file_check(struct db *d, struct stat *out)
{
	char directory[DB_PATH_MAX];
	struct statfs fs;

	directory_of(d->path, directory);
	if (stat(d->path, out) != 0) {
		if (errno == ENOENT && access(directory, F_OK) != 0)
			return db_fail(
				d, DB_ABSENT,
				"the directory does not exist; make it with \"install -d -m 2770 "
				"-o pgpgate -g pgpgate %.200s\"",
				directory);
		if (errno == ENOENT)
			return db_fail(d, DB_ABSENT, "no such file; run \"pgpgate db init\"");
		if (errno == EACCES)
			return db_fail(d, DB_NO_PERMISSION,
				       "%s; let this user join the group of the directory (2770)",
				       strerror(errno));
		return db_fail(d, DB_BROKEN, "%s", strerror(errno));
	}
	if (!S_ISREG(out->st_mode))
		return db_fail(d, DB_NOT_OURS, "%s, not a database",
			       S_ISDIR(out->st_mode) ? "is a directory" : "is no regular file");
	if (faccessat(AT_FDCWD, d->path, R_OK | (d->mode == DB_READ ? 0 : W_OK), AT_EACCESS) != 0)
		return db_fail(
			d, DB_NO_PERMISSION,
			"%s; let this user join the group of the file, or check its mode (0660)",
			strerror(errno));
	if (statfs(directory, &fs) == 0 && file_is_network((long)fs.f_type))
		return db_fail(
			d, DB_NETWORK_FS,
			"on a network file system, where locks do not hold; use a local disk");
	return 0;
}

/* Mode and owner for a new file, whatever the umask. */
void file_give_away(const char *path, int fd, mode_t mode)
{
	char directory[DB_PATH_MAX];
	struct stat st;

	directory_of(path, directory);
	if (fchmod(fd, mode) != 0)
		return; /* not fatal: whoever is locked out by it is told so, with the mend */
	if (geteuid() == 0 && stat(directory, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) != 0)
		return;
}

int file_create(struct db *d)
{
	struct statfs fs;
	char directory[DB_PATH_MAX];
	int fd;

	directory_of(d->path, directory);
	if (statfs(directory, &fs) == 0 && file_is_network((long)fs.f_type))
		return db_fail(
			d, DB_NETWORK_FS,
			"on a network file system, where locks do not hold; use a local disk");
	fd = open(d->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, DB_FILE_MODE);
	if (fd < 0) {
		if (errno == EEXIST)
			return 0;
		if (errno == ENOENT)
			return db_fail(
				d, DB_ABSENT,
				"the directory does not exist; make it with \"install -d -m 2770 "
				"-o pgpgate -g pgpgate %.200s\"",
				directory);
		if (errno == ENOSPC)
			return db_fail(d, DB_FULL, "%s; free some space", strerror(errno));
		return db_fail(
			d, DB_NO_PERMISSION,
			"cannot be made: %s; run this as root, or as the user of the daemons",
			strerror(errno));
	}
	file_give_away(d->path, fd, DB_FILE_MODE);
	close(fd);
	return 0;
}

int file_open_lock(struct db *d)
{
	char path[DB_PATH_MAX + 8];
	struct stat st;

	if (d->lock_fd >= 0)
		return 0;
	snprintf(path, sizeof path, "%s.lock", d->path);
	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, DB_FILE_MODE);
	if (d->lock_fd < 0)
		return db_fail(d, errno == ENOSPC ? DB_FULL : DB_NO_PERMISSION,
			       "lock file %.200s: %s; %s", path, strerror(errno),
			       errno == ENOSPC ? "free some space"
					       : "let this user write to it, and to its directory");
	if (fstat(d->lock_fd, &st) == 0 && st.st_uid == geteuid() &&
	    (geteuid() == 0 || (st.st_mode & 07777) != DB_FILE_MODE))
		file_give_away(d->path, d->lock_fd, DB_FILE_MODE);
	return 0;
}

int file_create_key(struct db *d)
{
	unsigned char key[HASHED_KEY_BYTES];
	char path[DB_PATH_MAX + 8];
	int fd, result = 0;

	snprintf(path, sizeof path, "%s.key", d->path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, KEY_FILE_MODE);
	if (fd < 0)
		return errno == EEXIST ? 0
				       : db_fail(d, DB_NO_PERMISSION, "key file %.200s: %s", path,
						 strerror(errno));
	if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key ||
	    write(fd, key, sizeof key) != (ssize_t)sizeof key) {
		result = db_fail(d, DB_FULL, "key file %.200s: %s", path, strerror(errno));
		unlink(path); /* half a key would be taken for one */
	}
	file_give_away(d->path, fd, KEY_FILE_MODE);
	close(fd);
	return result;
}

int file_lock(struct db *d, bool exclusive, int wait_ms)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	const int64_t until_ms = clock_monotonic_ms() + wait_ms;

	/* Polled, since flock(2) knows no timeout; a checkpoint takes a few ms. */
	while (flock(d->lock_fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return db_fail(d, DB_BROKEN, "lock file: %s", strerror(errno));
		if (clock_monotonic_ms() >= until_ms)
			return 0;
		nanosleep(&pause, NULL);
	}
	d->has_lock = true;
	return 1;
}

void file_unlock(struct db *d)
{
	if (d->has_lock)
		flock(d->lock_fd, LOCK_UN);
	d->has_lock = false;
}

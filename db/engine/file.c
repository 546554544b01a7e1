/* SPDX-License-Identifier: ISC
 *
 * file.c: the files: the database, DATABASE.lock, DATABASE.key. Whoever makes them as root gives
 * them to the owner and group of the directory, or a daemon that runs as another user would find
 * them read-only.
 *
 * The database itself is never opened here while a connection may have it open: closing any
 * descriptor of a file drops the process's fcntl(2) locks on it, SQLite's too. Its creation is the
 * exception.
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
#include "common/log.h"
#include "common/safe_open.h"

#define KEY_FILE_MODE 0640
#define BESIDE_MAX (DB_PATH_MAX + 64)

/* Where fcntl(2) locks or shared memory do not hold between machines, WAL loses data. linux/magic.h
 * and statfs(2). FUSE is let in: most of it is local. */
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
	if (lstat(d->path, out) != 0) {
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
	if (S_ISLNK(out->st_mode))
		return db_fail(d, DB_NOT_OURS,
			       "is a symbolic link; name the file itself in \"database\"");
	if (!S_ISREG(out->st_mode))
		return db_fail(d, DB_NOT_OURS, "%s, not a database",
			       S_ISDIR(out->st_mode) ? "is a directory" : "is no regular file");
	if (out->st_nlink > 1 && geteuid() == 0) /* others cannot be led to what is not theirs */
		return db_fail(d, DB_NOT_OURS,
			       "has more than one name; look who made the other, and remove it");
	if (faccessat(AT_FDCWD, d->path, R_OK | (d->mode == DB_READ ? 0 : W_OK), AT_EACCESS) != 0)
		return db_fail(
			d, DB_NO_PERMISSION, "%s; %s", strerror(errno),
			errno == EROFS
				? "mount it for writing, after a look at why it is not (dmesg)"
				: "let this user join the group of the file, or check its mode "
				  "(0660)");
	if (statfs(directory, &fs) == 0 && file_is_network((long)fs.f_type))
		return db_fail(
			d, DB_NETWORK_FS,
			"on a network file system, where locks do not hold; use a local disk");
	return 0;
}

static void path_beside(const struct db *d, const char *suffix, char out[BESIDE_MAX])
{
	snprintf(out, BESIDE_MAX, "%s%s", d->path, suffix);
}

/* Who may own what lies in the directory: its owner, and whoever is in its group, since such people
 * make files there by right; they can write the database itself. */
static int open_beside(struct db *d, const char *suffix, int access, bool is_create, mode_t mode,
		       bool *is_new, char why[SAFE_OPEN_WHY_MAX])
{
	char directory[DB_PATH_MAX], path[BESIDE_MAX];
	struct safe_open o = {.path = path, .access = access, .is_create = is_create, .mode = mode};
	struct stat st;

	directory_of(d->path, directory);
	path_beside(d, suffix, path);
	if (stat(directory, &st) != 0) {
		snprintf(why, SAFE_OPEN_WHY_MAX, "%s", strerror(errno));
		return -1;
	}
	o.owner = st.st_uid;
	o.group = st.st_gid;
	return safe_open(&o, is_new, why);
}

/* Somebody else's: neither the engine nor the kernel says whose. */
static int not_for_us(struct db *d, const char *path, const struct stat *st)
{
	return db_fail(
		d, DB_NO_PERMISSION,
		"%.200s: belongs to user %u (mode %04o), and this one may not %s it; give it "
		"to the owner of the database: chown -h --reference=%.200s %.200s",
		path, (unsigned)st->st_uid, (unsigned)(st->st_mode & 07777),
		d->mode == DB_READ ? "read" : "write", d->path, path);
}

int file_open_beside(struct db *d, const char *suffix, int access, mode_t mode, bool *is_new)
{
	char path[BESIDE_MAX], why[SAFE_OPEN_WHY_MAX];
	const int fd = open_beside(d, suffix, access, mode != 0, mode, is_new, why);
	const char *mend = "";
	enum db_failure failure = DB_BROKEN;
	struct stat st;

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		failure = DB_ABSENT;
	else if (errno == ENOSPC || errno == EDQUOT) {
		failure = DB_FULL;
		mend = "; free some space";
	} else if (errno == EINVAL) {
		failure = DB_NO_PERMISSION; /* why holds the mend */
	} else if (errno == EROFS) {
		failure = DB_NO_PERMISSION;
		mend = "; mount it for writing, after a look at why it is not (dmesg)";
	} else if (errno == EACCES || errno == EPERM) {
		failure = DB_NO_PERMISSION;
		mend = "; let this user write to it, and to its directory";
		path_beside(d, suffix, path);
		if (lstat(path, &st) == 0 && st.st_uid != geteuid())
			return not_for_us(d, path, &st);
	}
	path_beside(d, suffix, path);
	return db_fail(d, failure, "%.200s: %s%s", path, why, mend);
}

int file_check_beside(struct db *d)
{
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	char path[BESIDE_MAX];
	struct stat st;

	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		path_beside(d, suffixes[i], path);
		if (lstat(path, &st) != 0)
			continue;
		if (S_ISREG(st.st_mode) && st.st_uid != geteuid() &&
		    faccessat(AT_FDCWD, path, R_OK | (d->mode == DB_READ ? 0 : W_OK), AT_EACCESS) !=
			    0 &&
		    errno == EACCES)
			return not_for_us(d, path, &st);
		/* 0: whoever closed last has just removed it. */
		if (S_ISREG(st.st_mode) && (st.st_nlink <= 1 || geteuid() != 0))
			continue;
		return db_fail(
			d, DB_NO_PERMISSION,
			"%.200s: is no regular file with one name; look who put it there, and "
			"remove it",
			path);
	}
	return 0;
}

int file_create(struct db *d)
{
	struct statfs fs;
	char directory[DB_PATH_MAX], why[SAFE_OPEN_WHY_MAX];
	bool is_new;
	int fd;

	directory_of(d->path, directory);
	if (statfs(directory, &fs) == 0 && file_is_network((long)fs.f_type))
		return db_fail(
			d, DB_NETWORK_FS,
			"on a network file system, where locks do not hold; use a local disk");
	fd = open_beside(d, "", O_RDWR, true, DB_FILE_MODE, &is_new, why);
	if (fd >= 0) {
		/* One that was there is left alone, and so is the process's lock on it: nothing has
		 * it open yet. */
		close(fd);
		return 0;
	}
	if (errno == ENOENT)
		return db_fail(d, DB_ABSENT,
			       "the directory does not exist; make it with \"install -d -m 2770 "
			       "-o pgpgate -g pgpgate %.200s\"",
			       directory);
	if (errno == ENOSPC || errno == EDQUOT)
		return db_fail(d, DB_FULL, "%s; free some space", why);
	if (errno == EROFS)
		return db_fail(d, DB_NO_PERMISSION, "%s; mount it for writing", why);
	if (errno == EINVAL)
		return db_fail(d, DB_NOT_OURS, "%s", why);
	return db_fail(d, DB_NO_PERMISSION,
		       "cannot be made: %s; run this as root, or as the user of the daemons", why);
}

int file_open_lock(struct db *d)
{
	if (d->lock_fd < 0)
		d->lock_fd = file_open_beside(d, ".lock", O_RDWR, DB_FILE_MODE, NULL);
	return d->lock_fd < 0 ? -1 : 0;
}

/* Names in it last when it is on the disk. */
static int sync_directory(const struct db *d)
{
	char directory[DB_PATH_MAX];
	int fd, result;

	directory_of(d->path, directory);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

int file_make_key(struct db *d, const unsigned char *given, unsigned char key[HASHED_KEY_BYTES])
{
	char path[BESIDE_MAX];
	int fd = file_open_beside(d, ".key.new", O_RDWR, KEY_FILE_MODE, NULL);
	int result = 0;

	if (fd < 0)
		return -1;
	path_beside(d, ".key.new", path);
	if (given != NULL)
		memcpy(key, given, HASHED_KEY_BYTES);
	if ((given == NULL && getrandom(key, HASHED_KEY_BYTES, 0) != HASHED_KEY_BYTES) ||
	    ftruncate(fd, 0) != 0 || pwrite(fd, key, HASHED_KEY_BYTES, 0) != HASHED_KEY_BYTES ||
	    fsync(fd) != 0 || sync_directory(d) != 0)
		result = db_fail(d, DB_FULL, "%.200s: %s", path, strerror(errno));
	if (result != 0)
		unlink(path);
	close(fd);
	return result;
}

int file_name_key(struct db *d)
{
	char path[BESIDE_MAX], new_path[BESIDE_MAX];

	path_beside(d, ".key", path);
	path_beside(d, ".key.new", new_path);
	if (rename(new_path, path) != 0 || sync_directory(d) != 0)
		return db_fail(d, DB_BROKEN, "%.200s: %s", path, strerror(errno));
	return 0;
}

/* The file that has the name: others lock that one. */
static bool lock_is_there(const struct db *d)
{
	char path[BESIDE_MAX];
	struct stat named, ours;

	path_beside(d, ".lock", path);
	return fstat(d->lock_fd, &ours) == 0 && lstat(path, &named) == 0 &&
	       named.st_ino == ours.st_ino && named.st_dev == ours.st_dev;
}

/* As long as nobody removes the file. */
static int lock_open_file(struct db *d, bool exclusive, int64_t until_ms)
{
	static const struct timespec pause = {.tv_nsec = 1000000};

	/* Polled, since flock(2) knows no timeout; a checkpoint takes a few ms. */
	while (flock(d->lock_fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return db_fail(d, DB_BROKEN, "lock file: %s", strerror(errno));
		if (clock_monotonic_ms() >= until_ms)
			return 0;
		nanosleep(&pause, NULL);
	}
	return 1;
}

int file_lock(struct db *d, bool exclusive, int wait_ms)
{
	const int64_t until_ms = clock_monotonic_ms() + wait_ms;
	int got;

	while ((got = lock_open_file(d, exclusive, until_ms)) == 1 && !lock_is_there(d)) {
		close(d->lock_fd);
		d->lock_fd = -1;
		if (file_open_lock(d) != 0) {
			d->must_reopen = true;
			return -1;
		}
		log_warning("%s.lock was removed or replaced; going on with the one that is there",
			    d->path);
	}
	d->has_lock = got == 1;
	return got;
}

void file_unlock(struct db *d)
{
	if (d->has_lock)
		flock(d->lock_fd, LOCK_UN);
	d->has_lock = false;
}

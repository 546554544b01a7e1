/* SPDX-License-Identifier: ISC */
#include "db/record/journal_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "db/engine/file.h"

#define SUFFIX_MAX 64
#define INFIX ".journal."
#define STREAM_DIGITS 16
#define NUMBER_DIGITS 8
#define NEW ".new" /* while it has no header and no lock */
#define CREATE_TRIES 1000

static char *suffix_of(const struct journal_header *name, const char *end, char out[SUFFIX_MAX])
{
	snprintf(out, SUFFIX_MAX, INFIX "%016" PRIx64 ".%08" PRIx32 "%s", name->stream,
		 name->number, end);
	return out;
}

static void path_of(const struct db *d, const struct journal_header *name, const char *end,
		    char out[DB_PATH_MAX + SUFFIX_MAX])
{
	char suffix[SUFFIX_MAX];

	snprintf(out, DB_PATH_MAX + SUFFIX_MAX, "%s%s", d->path, suffix_of(name, end, suffix));
}

static void split_path(const struct db *d, char directory[DB_PATH_MAX], const char **base)
{
	const char *slash = strrchr(d->path, '/');

	*base = slash != NULL ? slash + 1 : d->path;
	if (slash == NULL)
		snprintf(directory, DB_PATH_MAX, ".");
	else
		snprintf(directory, DB_PATH_MAX, "%.*s",
			 slash == d->path ? 1 : (int)(slash - d->path), d->path);
}

/* ---- names ---- */

static bool read_hex(const char *text, size_t n_digits, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < n_digits; i++) {
		const char *digits = "0123456789abcdef";
		const char *digit = text[i] != '\0' ? strchr(digits, text[i]) : NULL;

		if (digit == NULL)
			return false;
		*out = *out << 4 | (uint64_t)(digit - digits);
	}
	return true;
}

static bool read_name(const char *entry, const char *base, const char *end,
		      struct journal_header *out)
{
	const size_t len = strlen(base);
	uint64_t number;

	if (strncmp(entry, base, len) != 0 || strncmp(entry + len, INFIX, strlen(INFIX)) != 0)
		return false;
	entry += len + strlen(INFIX);
	if (!read_hex(entry, STREAM_DIGITS, &out->stream) || entry[STREAM_DIGITS] != '.' ||
	    !read_hex(entry + STREAM_DIGITS + 1, NUMBER_DIGITS, &number) ||
	    strcmp(entry + STREAM_DIGITS + 1 + NUMBER_DIGITS, end) != 0)
		return false;
	out->number = (uint32_t)number;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct journal_header *x = a, *y = b;

	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static int add_name(struct db *d, struct journal_names *out, size_t *room,
		    struct journal_header name)
{
	if (out->n == *room) {
		const size_t more = *room == 0 ? 64 : 2 * *room;
		struct journal_header *names = realloc(out->name, more * sizeof names[0]);

		if (names == NULL)
			return db_fail(d, DB_BROKEN, "out of memory");
		out->name = names;
		*room = more;
	}
	out->name[out->n++] = name;
	return 0;
}

/* Those whose names end in `end`. */
static int list(struct db *d, const char *end, struct journal_names *out)
{
	char directory[DB_PATH_MAX];
	const char *base;
	struct journal_header name;
	struct dirent *entry;
	size_t room = 0;
	int result = 0;
	DIR *dir;

	memset(out, 0, sizeof *out);
	split_path(d, directory, &base);
	dir = opendir(directory);
	if (dir == NULL)
		return db_fail(d, DB_NO_PERMISSION, "journal: %s", strerror(errno));
	while (result == 0 && (entry = readdir(dir)) != NULL)
		if (read_name(entry->d_name, base, end, &name))
			result = add_name(d, out, &room, name);
	closedir(dir);
	if (result != 0) {
		free(out->name);
		memset(out, 0, sizeof *out);
	}
	if (out->n > 1)
		qsort(out->name, out->n, sizeof out->name[0], by_name);
	return result;
}

int journal_files_list(struct db *d, struct journal_names *out)
{
	return list(d, "", out);
}

/* ---- files ---- */

int journal_files_open(struct db *d, const struct journal_header *name, int access, bool lock,
		       int64_t *size)
{
	char suffix[SUFFIX_MAX];
	struct stat st;
	const int fd = file_open_beside(d, suffix_of(name, "", suffix), access, 0, NULL);

	if (fd < 0)
		return d->failure == DB_ABSENT ? -2 : -1;
	/* Whoever had the lock before may have removed it meanwhile. */
	if ((!lock || flock(fd, LOCK_EX | LOCK_NB) == 0) && fstat(fd, &st) == 0 &&
	    st.st_nlink == 1) {
		*size = (int64_t)st.st_size;
		return fd;
	}
	close(fd);
	return -2;
}

static int write_header(const struct journal_header *name, int fd)
{
	unsigned char header[JOURNAL_HEADER_BYTES];

	journal_write_header(name, header);
	if (ftruncate(fd, 0) == 0 && pwrite(fd, header, sizeof header, 0) == (ssize_t)sizeof header)
		return 0;
	if (errno == 0)
		errno = ENOSPC;
	return -1;
}

/* A descriptor; -1; -2: somebody took it for one that was left, in the moment between its making
 * and its lock. */
static int create_once(struct db *d, const struct journal_header *name)
{
	char suffix[SUFFIX_MAX], path[DB_PATH_MAX + SUFFIX_MAX], final[DB_PATH_MAX + SUFFIX_MAX];
	const int fd = file_open_beside(d, suffix_of(name, NEW, suffix), O_RDWR, DB_FILE_MODE,
					NULL);
	struct stat st;
	int why;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) != 0 || (fstat(fd, &st) == 0 && st.st_nlink == 0)) {
		close(fd);
		return -2;
	}
	path_of(d, name, NEW, path);
	path_of(d, name, "", final);
	errno = 0;
	/* It gets its name when it has its lock: without one it would be taken for somebody's who
	 * ended. */
	if (write_header(name, fd) == 0 && rename(path, final) == 0)
		return fd;
	why = errno;
	db_fail(d, why == ENOSPC || why == EDQUOT ? DB_FULL : DB_NO_PERMISSION,
		"journal: %.200s: %s", path, strerror(why));
	unlink(path);
	close(fd);
	return -1;
}

int journal_files_create(struct db *d, const struct journal_header *name)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	int fd;

	for (int i = 0; (fd = create_once(d, name)) == -2 && i < CREATE_TRIES; i++)
		nanosleep(&pause, NULL);
	return fd != -2 ? fd
			: db_fail(d, DB_BUSY, "journal: somebody holds each segment that is made");
}

void journal_files_sweep(struct db *d)
{
	struct journal_names names;

	if (list(d, NEW, &names) != 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		char suffix[SUFFIX_MAX], path[DB_PATH_MAX + SUFFIX_MAX];
		const int fd = file_open_beside(d, suffix_of(&names.name[i], NEW, suffix), O_RDWR,
						0, NULL);

		if (fd < 0)
			continue;
		path_of(d, &names.name[i], NEW, path);
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			unlink(path);
		close(fd);
	}
	free(names.name);
}

int journal_files_remove(struct db *d, const struct journal_header *name)
{
	char path[DB_PATH_MAX + SUFFIX_MAX];

	path_of(d, name, "", path);
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return db_fail(d, DB_NO_PERMISSION, "%.200s: %s", path, strerror(errno));
}

int journal_files_sync_names(struct db *d)
{
	char directory[DB_PATH_MAX];
	const char *base;
	int fd, result = -1;

	split_path(d, directory, &base);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		result = fsync(fd);
	if (result != 0)
		result = db_fail(d, DB_BROKEN, "journal: %.200s: %s", directory, strerror(errno));
	if (fd >= 0)
		close(fd);
	return result;
}

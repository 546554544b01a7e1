/* SPDX-License-Identifier: ISC */
#include "cli/certificate_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/key_url.h"

#define FILE_BYTES_MAX (4u << 20)
#define ALL_BYTES_MAX (256u << 20)
#define FILES_MAX 100000
#define WKD_DEPTH_MAX 6 /* DIR/direct/DOMAIN/.well-known/openpgpkey/hu/HASH */

/* One more, without bytes. NULL: no memory. */
static struct certificate_file *add(struct certificate_files *f, const char *name, const char *bad)
{
	struct certificate_file *file;

	if (f->n == f->room) {
		const size_t room = f->room == 0 ? 64 : 2 * f->room;

		file = realloc(f->list, room * sizeof(*file));
		if (file == NULL)
			return NULL;
		f->list = file;
		f->room = room;
	}
	file = &f->list[f->n];
	*file = (struct certificate_file){.name = strdup(name), .bad = bad};
	if (file->name == NULL)
		return NULL;
	f->n++;
	return file;
}

static const char *read_bytes(struct certificate_files *f, struct certificate_file *file, int fd)
{
	ssize_t n;

	while (file->len <= FILE_BYTES_MAX &&
	       (n = read(fd, file->bytes + file->len, FILE_BYTES_MAX + 1 - file->len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return strerror(errno);
		file->len += (size_t)n;
	}
	if (file->len > FILE_BYTES_MAX)
		return "larger than 4 MB; give its certificates in several files";
	f->n_bytes += file->len;
	return f->n_bytes > ALL_BYTES_MAX ? "more than 256 MB in all; import them in several steps"
					  : NULL;
}

static int take(struct certificate_files *f, const char *name, int fd)
{
	struct certificate_file *file = add(f, name, NULL);
	unsigned char *bytes;

	if (file == NULL || (file->bytes = malloc(FILE_BYTES_MAX + 1)) == NULL)
		return -1;
	file->bad = read_bytes(f, file, fd);
	if (file->bad != NULL) {
		explicit_bzero(file->bytes, file->len);
		file->len = 0;
	}
	bytes = realloc(file->bytes, file->len + 1);
	if (bytes != NULL)
		file->bytes = bytes;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_path(struct certificate_files *f, const char *path, bool is_wkd, unsigned depth);

/* The names in it, sorted. 0, or -1: no memory. */
static int list_names(DIR *directory, char ***out, size_t *n)
{
	struct dirent *entry;
	size_t room = 0;

	*out = NULL;
	*n = 0;
	while ((entry = readdir(directory)) != NULL && *n <= FILES_MAX) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (*n == room) {
			char **more = realloc(*out,
					      (room = room == 0 ? 64 : 2 * room) * sizeof(*more));

			if (more == NULL)
				return -1;
			*out = more;
		}
		(*out)[*n] = strdup(entry->d_name);
		if ((*out)[*n] == NULL)
			return -1;
		++*n;
	}
	if (*n > 0)
		qsort(*out, *n, sizeof(**out), by_name);
	return 0;
}

/* Of a Web Key Directory everything is looked at, `.well-known` too; of another one what is not
 * hidden. */
static int read_directory(struct certificate_files *f, const char *path, bool is_wkd,
			  unsigned depth)
{
	DIR *directory = opendir(path);
	char **names, *inside;
	size_t n;
	int result;

	if (directory == NULL)
		return add(f, path, strerror(errno)) != NULL ? 0 : -1;
	result = list_names(directory, &names, &n);
	closedir(directory);
	if (result == 0 && n > FILES_MAX)
		result = add(f, path, "more than 100,000 files") != NULL ? 0 : -1;
	for (size_t i = 0; i < n; i++) {
		if (result == 0 && n <= FILES_MAX && (is_wkd || names[i][0] != '.')) {
			result = asprintf(&inside, "%s/%s", path, names[i]) < 0 ? -1 : 0;
			if (result == 0) {
				result = read_path(f, inside, is_wkd, depth + 1);
				free(inside);
			}
		}
		free(names[i]);
	}
	free(names);
	return result;
}

static bool is_wkd_name(const char *path)
{
	const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;

	return strlen(base) == WKD_HASH_MAX - 1 &&
	       strspn(base, "ybndrfg8ejkmcpqxot1uwisza345h769") == WKD_HASH_MAX - 1;
}

/* NULL, or why what was opened is not read: what lies in a directory and is no plain file. What was
 * given as path may be a pipe, as the shell's <(...) is. */
static const char *is_odd(int fd, int open_errno, const struct stat *st, unsigned depth)
{
	if (fd < 0 && depth > 0 && open_errno == ELOOP)
		return "a symbolic link, which is not followed";
	if (fd < 0)
		return open_errno == ENXIO ? "no plain file" : strerror(open_errno); /* a socket */
	if (S_ISREG(st->st_mode) || (depth == 0 && (S_ISFIFO(st->st_mode) ||
						    S_ISSOCK(st->st_mode) || S_ISCHR(st->st_mode))))
		return NULL;
	return "no plain file";
}

/* Handed over by whoever started us, not found by its name in a folder: there somebody else could
 * put a pipe, keep it open and never write, and we would wait for ever. */
static bool is_open_already(const char *path)
{
	return strncmp(path, "/dev/fd/", 8) == 0 || strncmp(path, "/proc/self/fd/", 14) == 0 ||
	       strcmp(path, "/dev/stdin") == 0;
}

static int read_path(struct certificate_files *f, const char *path, bool is_wkd, unsigned depth)
{
	/* A pipe that nobody writes into keeps nobody waiting: it is empty. */
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
			  (depth > 0 ? O_NOFOLLOW : 0);
	const int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, flags);
	const int open_errno = errno;
	struct stat st = {.st_mode = 0};
	const char *odd;
	int result;

	if (f->n > FILES_MAX) { /* that was said */
		if (fd >= 0)
			close(fd);
		return 0;
	}
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return depth == 0 || (is_wkd && depth < WKD_DEPTH_MAX)
			       ? read_directory(f, path, is_wkd, depth)
			       : 0;
	}
	if (is_wkd && !is_wkd_name(path)) { /* policy, submission-address */
		if (fd >= 0)
			close(fd);
		return 0;
	}
	odd = is_odd(fd, open_errno, &st, depth);
	if (odd == NULL && strcmp(path, "-") != 0 && S_ISFIFO(st.st_mode) &&
	    st.st_uid != geteuid() && !is_open_already(path))
		odd = "a pipe of another user, which may never end; copy it, or use - and standard "
		      "input";
	if (odd == NULL && strcmp(path, "-") != 0)
		fcntl(fd, F_SETFL, O_RDONLY); /* who writes into the pipe may take their time */
	if (f->n == FILES_MAX)
		odd = "more than 100,000 files";
	result = odd == NULL ? take(f, path, fd) : add(f, path, odd) != NULL ? 0 : -1;
	if (fd >= 0)
		close(fd);
	return result;
}

int certificate_files_read(struct certificate_files *f, const char *path, bool is_wkd)
{
	return read_path(f, path, is_wkd, 0);
}

void certificate_files_free(struct certificate_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].bytes != NULL)
			explicit_bzero(f->list[i].bytes, f->list[i].len);
		free(f->list[i].name);
		free(f->list[i].bytes);
	}
	free(f->list);
	*f = (struct certificate_files){.n = 0};
}

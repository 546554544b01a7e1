/* SPDX-License-Identifier: ISC */
#include "cli/mail_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/mbox.h"

#define CHUNK_BYTES 65536
#define NAME_MAX_BYTES 4096 /* PATH_MAX */

/* From mbox.h's sink to ours: counts, and knows the name. */
struct numbered {
	const struct mail_sink *sink;
	const char *name;
	int64_t number;
};

static void numbered_begin(void *context)
{
	struct numbered *n = context;

	n->sink->begin(n->sink->context, n->name, ++n->number);
}

static void numbered_bytes(void *context, const unsigned char *bytes, size_t len)
{
	struct numbered *n = context;

	n->sink->bytes(n->sink->context, bytes, len);
}

static void numbered_end(void *context)
{
	struct numbered *n = context;

	n->sink->end(n->sink->context);
}

/* Reads until a whole chunk is there, so that the first bytes can be looked at whatever a pipe gives. */
static ssize_t read_chunk(int fd, unsigned char *chunk)
{
	size_t have = 0;

	while (have < CHUNK_BYTES) {
		ssize_t n = read(fd, chunk + have, CHUNK_BYTES - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

static void read_messages(int fd, const char *name, const struct mail_sink *sink)
{
	unsigned char chunk[CHUNK_BYTES];
	ssize_t n = read_chunk(fd, chunk);
	struct numbered numbered = {.sink = sink, .name = name};
	struct mbox_sink into = {numbered_begin, numbered_bytes, numbered_end, &numbered};
	struct mbox mbox;
	bool is_mbox;

	if (n < 0) {
		sink->failed(sink->context, name, strerror(errno));
		return;
	}
	is_mbox = mbox_is_likely(chunk, (size_t)n);
	if (is_mbox)
		mbox_init(&mbox, &into);
	else
		sink->begin(sink->context, name, 0);
	while (n > 0) {
		if (is_mbox)
			mbox_feed(&mbox, chunk, (size_t)n);
		else
			sink->bytes(sink->context, chunk, (size_t)n);
		n = read_chunk(fd, chunk);
	}
	if (is_mbox)
		mbox_finish(&mbox);
	else
		sink->end(sink->context);
	if (n < 0)
		sink->failed(sink->context, name, strerror(errno));
}

static void read_folder(int fd, const char *name, unsigned depth, const struct mail_sink *sink);

static bool has_folder(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

static void read_entry(int fd, const char *entry, const char *name, unsigned depth,
		       const struct mail_sink *sink)
{
	struct stat st;
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int entry_fd;

	/* A folder behind a symbolic link could lead back to us; a file cannot. */
	if (fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)) {
		if (fstatat(fd, entry, &st, 0) == 0 && S_ISDIR(st.st_mode))
			return;
	}
	if (fstatat(fd, entry, &st, 0) != 0) {
		sink->failed(sink->context, name, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return;
	entry_fd = openat(fd, entry, flags);
	if (entry_fd < 0) {
		sink->failed(sink->context, name, strerror(errno));
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		read_folder(entry_fd, name, depth + 1, sink); /* closes */
	} else {
		read_messages(entry_fd, name, sink);
		close(entry_fd);
	}
}

/* Is an entry of a folder passed over? */
static bool is_passed_over(int fd, const char *entry, bool is_maildir)
{
	if (strcmp(entry, ".") == 0 || strcmp(entry, "..") == 0)
		return true;
	if (is_maildir) /* Maildir++ subfolders begin with a dot; files here are the server's own */
		return strcmp(entry, "tmp") == 0 || !has_folder(fd, entry);
	return entry[0] == '.' && !has_folder(fd, entry);
}

static void read_folder(int fd, const char *name, unsigned depth, const struct mail_sink *sink)
{
	bool is_maildir = has_folder(fd, "cur") && has_folder(fd, "new");
	struct dirent *entry;
	DIR *dir;

	if (depth > MAIL_FILES_DEPTH_MAX) {
		sink->failed(sink->context, name, "folders are nested too deeply");
		close(fd);
		return;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		sink->failed(sink->context, name, strerror(errno));
		close(fd);
		return;
	}
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		char path[NAME_MAX_BYTES];
		size_t len = strlen(name);
		const char *slash = len > 0 && name[len - 1] == '/' ? "" : "/";

		if (is_passed_over(fd, entry->d_name, is_maildir))
			continue;
		if (snprintf(path, sizeof(path), "%s%s%s", name, slash, entry->d_name) >=
		    (int)sizeof(path))
			sink->failed(sink->context, name, "holds a name that is too long");
		else
			read_entry(fd, entry->d_name, path, depth, sink);
	}
	if (errno != 0)
		sink->failed(sink->context, name, strerror(errno));
	closedir(dir);
}

void mail_files_read(const char *operand, const struct mail_sink *sink)
{
	struct stat st;
	int fd;

	if (strcmp(operand, "-") == 0) {
		read_messages(STDIN_FILENO, operand, sink);
		return;
	}
	fd = open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		sink->failed(sink->context, operand, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		read_folder(fd, operand, 0, sink); /* closes */
		return;
	}
	read_messages(fd, operand, sink);
	close(fd);
}

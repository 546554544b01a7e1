/* SPDX-License-Identifier: ISC */
#include "cli/mail_open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What one packet between the two is. */
enum kind { KIND_OPEN = 'o', KIND_FAILED = 'f', KIND_END = 'e' };

struct packet {
	char kind; /* enum kind */
	char why[sizeof(((struct mail_opened *)0)->why)];
	char name[MAIL_OPEN_NAME_MAX];
};

struct mail_opener {
	int fd;
	pid_t pid;
	bool is_over;
};

/* ---- the process that opens ---- */

/* Waits until the other side wants it. Whoever has lost the other side has nothing left to do. */
static void send_packet(int to, const struct packet *p, int fd)
{
	union {
		struct cmsghdr aligned;
		char octets[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {(void *)(uintptr_t)p, sizeof(*p)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *c;
	char wanted;

	if (recv(to, &wanted, 1, 0) != 1)
		_exit(0);
	if (fd >= 0) {
		message.msg_control = control.octets;
		message.msg_controllen = sizeof(control.octets);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	if (sendmsg(to, &message, MSG_NOSIGNAL) != (ssize_t)sizeof(*p))
		_exit(1);
}

static void give(int to, const char *name, int fd)
{
	struct packet p = {.kind = KIND_OPEN};

	snprintf(p.name, sizeof(p.name), "%s", name);
	send_packet(to, &p, fd);
}

static void fail(int to, const char *name, const char *why)
{
	struct packet p = {.kind = KIND_FAILED};

	snprintf(p.name, sizeof(p.name), "%s", name);
	snprintf(p.why, sizeof(p.why), "%s", why);
	send_packet(to, &p, -1);
}

static void walk_folder(int to, int fd, const char *name, unsigned depth);

static bool has_folder(int fd, const char *name)
{
	struct stat st;

	return fstatat(fd, name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* A folder behind a symbolic link could lead back to us; a file cannot. */
static bool is_linked_folder(int fd, const char *entry)
{
	struct stat st;

	return fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
	       has_folder(fd, entry);
}

/* Opened to be read only when it is known what it is: to open a device, which whoever owns the
 * folder may have put behind a link in that moment, can do something. Returns a descriptor; -1 with
 * errno; -2: neither file nor folder. */
static int open_entry(int fd, const char *entry, bool *is_folder)
{
	char path[64];
	struct stat st;
	const int place = openat(fd, entry, O_PATH | O_CLOEXEC);
	int opened = -1, saved_errno;

	if (place < 0)
		return -1;
	if (fstat(place, &st) == 0) {
		*is_folder = S_ISDIR(st.st_mode);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", place);
		opened = !*is_folder && !S_ISREG(st.st_mode)
				 ? -2
				 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	}
	saved_errno = errno;
	close(place);
	errno = saved_errno;
	return opened;
}

static void walk_entry(int to, int fd, const char *entry, const char *name, unsigned depth)
{
	bool is_folder;
	int entry_fd;

	if (is_linked_folder(fd, entry))
		return;
	entry_fd = open_entry(fd, entry, &is_folder);
	if (entry_fd == -1) {
		fail(to, name, strerror(errno));
	} else if (entry_fd >= 0 && is_folder) {
		walk_folder(to, entry_fd, name, depth + 1); /* closes */
	} else if (entry_fd >= 0) {
		give(to, name, entry_fd);
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

static void walk_folder(int to, int fd, const char *name, unsigned depth)
{
	bool is_maildir = has_folder(fd, "cur") && has_folder(fd, "new");
	struct dirent *entry;
	DIR *dir;

	if (depth > MAIL_OPEN_DEPTH_MAX) {
		fail(to, name, "folders are nested too deeply");
		close(fd);
		return;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		fail(to, name, strerror(errno));
		close(fd);
		return;
	}
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		char path[MAIL_OPEN_NAME_MAX];
		size_t len = strlen(name);
		const char *slash = len > 0 && name[len - 1] == '/' ? "" : "/";

		if (is_passed_over(fd, entry->d_name, is_maildir))
			continue;
		if (snprintf(path, sizeof(path), "%s%s%s", name, slash, entry->d_name) >=
		    (int)sizeof(path))
			fail(to, name, "holds a name that is too long");
		else
			walk_entry(to, fd, entry->d_name, path, depth);
	}
	if (errno != 0)
		fail(to, name, strerror(errno));
	closedir(dir);
}

/* Whatever root names is opened, a device and a FIFO, too. */
static void walk_operand(int to, const char *operand)
{
	struct stat st;
	int fd;

	if (strcmp(operand, "-") == 0) {
		give(to, operand, STDIN_FILENO);
		return;
	}
	fd = open(operand, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		fail(to, operand, strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		walk_folder(to, fd, operand, 0); /* closes */
		return;
	} else {
		give(to, operand, fd);
	}
	if (fd >= 0)
		close(fd);
}

static _Noreturn void open_all(int to, char *const *operands, size_t n)
{
	const struct packet end = {.kind = KIND_END};

	for (size_t i = 0; i < n; i++)
		walk_operand(to, operands[i]);
	send_packet(to, &end, -1);
	_exit(0);
}

/* ---- the process that started it ---- */

struct mail_opener *mail_opener_new(char *const *operands, size_t n)
{
	struct mail_opener *o = calloc(1, sizeof(*o));
	int fds[2];

	if (o == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
		free(o);
		return NULL;
	}
	o->pid = fork();
	if (o->pid == 0) {
		close(fds[0]);
		open_all(fds[1], operands, n);
	}
	close(fds[1]);
	o->fd = fds[0];
	if (o->pid > 0)
		return o;
	close(o->fd);
	free(o);
	return NULL;
}

/* One packet. False: the process has ended, or what it says is no packet. */
static bool receive(int from, struct packet *p, int *fd)
{
	union {
		struct cmsghdr aligned;
		char octets[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {p, sizeof(*p)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.octets,
				 .msg_controllen = sizeof(control.octets)};
	const struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	if (send(from, "", 1, MSG_NOSIGNAL) != 1)
		return false;
	do {
		n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*p))
		return false;
	c = CMSG_FIRSTHDR(&message);
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	p->name[sizeof(p->name) - 1] = p->why[sizeof(p->why) - 1] = '\0';
	return true;
}

bool mail_opener_next(struct mail_opener *o, struct mail_opened *out)
{
	struct packet p = {.kind = KIND_FAILED};

	out->fd = -1;
	if (o->is_over)
		return false;
	if (!receive(o->fd, &p, &out->fd)) {
		o->is_over = true;
		snprintf(p.why, sizeof(p.why), "the process that opens files ended");
		p.name[0] = '\0';
	}
	snprintf(out->name, sizeof(out->name), "%s", p.name);
	snprintf(out->why, sizeof(out->why), "%s", p.why);
	if (p.kind == KIND_OPEN && out->fd < 0) /* descriptors are spent */
		snprintf(out->why, sizeof(out->why), "%s", strerror(EMFILE));
	if (p.kind == KIND_END)
		o->is_over = true;
	return p.kind != KIND_END;
}

void mail_opener_free(struct mail_opener *o)
{
	if (o == NULL)
		return;
	close(o->fd);
	while (waitpid(o->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(o);
}

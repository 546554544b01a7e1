/* SPDX-License-Identifier: ISC */
#include "common/run.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/user.h"

#define FOLDERS_MAX 6

static const char *const folders[FOLDERS_MAX] = {"/usr/sbin", "/usr/bin",	 "/sbin",
						 "/bin",      "/usr/local/sbin", "/usr/local/bin"};

/* What the child needs, made before it is: it may not ask for memory. */
struct plan {
	const char *const *argv;
	char paths[FOLDERS_MAX][200];
	size_t n_paths;
	int fd;
	bool with_errors;
	struct user nobody;
};

static void prepare(struct plan *p, const char *const *argv, int fd)
{
	p->argv = argv;
	p->fd = fd;
	user_nobody(&p->nobody);
	p->n_paths = argv[0][0] == '/' ? 1 : FOLDERS_MAX;
	for (size_t i = 0; i < p->n_paths; i++)
		snprintf(p->paths[i], sizeof(p->paths[i]), "%s%s%s",
			 argv[0][0] == '/' ? "" : folders[i], argv[0][0] == '/' ? "" : "/",
			 argv[0]);
}

static _Noreturn void become(const struct plan *p)
{
	static const char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
		NULL};
	const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	setsid(); /* away from our terminal: see user.c */
	/* What it reads may be anybody's: a table that a user keeps, a key that a stranger sent. */
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setgid(p->nobody.gid) != 0 || setuid(p->nobody.uid) != 0))
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(p->fd, STDIN_FILENO);
	dup2(p->fd, STDOUT_FILENO);
	dup2(p->with_errors ? p->fd : null_fd, STDERR_FILENO);
	/* POSIX takes char *const[] and promises not to write. */
	for (size_t i = 0; i < p->n_paths; i++)
		execve(p->paths[i], (char *const *)(uintptr_t)p->argv,
		       (char *const *)(uintptr_t)environment);
	_exit(127);
}

/* Feeds input and reads what comes, until the end or the deadline. */
static void converse(int fd, const char *input, char *out, size_t out_size, int64_t deadline_ms)
{
	size_t to_send = input != NULL ? strlen(input) : 0, used = 0;
	bool is_over = false, is_sending = true;

	while (!is_over) {
		char rest[4096]; /* what does not fit is read, too: the writer must not wait for us
				  */
		struct pollfd p = {.fd = fd, .events = POLLIN};
		const int64_t left = deadline_ms - clock_monotonic_ms();
		ssize_t n;

		if (is_sending && to_send == 0) {
			shutdown(fd, SHUT_WR);
			is_sending = false;
		}
		p.events = (short)(POLLIN | (is_sending ? POLLOUT : 0));
		if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
			break;
		if ((p.revents & POLLOUT) != 0) {
			n = send(fd, input, to_send, MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				to_send = 0;
			input += n > 0 ? n : 0;
			to_send -= n > 0 ? (size_t)n : 0;
		}
		if ((p.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
			continue;
		n = used + 1 < out_size ? read(fd, out + used, out_size - 1 - used)
					: read(fd, rest, sizeof(rest));
		is_over = n == 0 || (n < 0 && errno != EINTR);
		if (n > 0 && used + 1 < out_size)
			used += (size_t)n;
	}
	out[used] = '\0';
}

/* Waits for its end: it may close its output and go on. At the deadline it is killed, with what it
 * started and left in its session. Returns what waitpid(2) tells. */
static int end_of(pid_t pid, int64_t deadline_ms)
{
	int status = -1;
	pid_t ended = 0;

	while (ended != pid) {
		ended = waitpid(pid, &status, WNOHANG);
		if (ended < 0 && errno != EINTR)
			return -1;
		if (ended == 0 && clock_monotonic_ms() >= deadline_ms) {
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL); /* before its setsid() there is no such group */
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				;
			return status;
		}
		if (ended == 0)
			poll(NULL, 0, 1);
	}
	return status;
}

static int run(const char *const *argv, const char *input, char *out, size_t out_size,
	       int timeout_ms, bool with_errors)
{
	const int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	struct plan plan;
	int fds[2], status = -1;
	pid_t pid;

	out[0] = '\0';
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return -1;
	prepare(&plan, argv, fds[1]);
	plan.with_errors = with_errors;
	pid = fork();
	if (pid == 0)
		become(&plan);
	close(fds[1]);
	if (pid > 0) {
		converse(fds[0], input, out, out_size, deadline_ms);
		status = end_of(pid, deadline_ms);
	}
	close(fds[0]);
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return -1;
	return WEXITSTATUS(status);
}

int run_output(const char *const *argv, const char *input, char *out, size_t out_size,
	       int timeout_ms)
{
	return run(argv, input, out, out_size, timeout_ms, false);
}

int run_output_all(const char *const *argv, const char *input, char *out, size_t out_size,
		   int timeout_ms)
{
	return run(argv, input, out, out_size, timeout_ms, true);
}

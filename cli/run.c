/* SPDX-License-Identifier: ISC */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/user.h"

static _Noreturn void become(const char *const *argv, int out_fd)
{
	const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	user_raise(); /* maps may be root's alone */
	dup2(null_fd, STDIN_FILENO);
	dup2(null_fd, STDERR_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	/* POSIX takes char *const[] and promises not to write. */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* Reads until the end or the deadline. */
static void read_all(int fd, char *out, size_t out_size, int64_t deadline_ms)
{
	size_t used = 0;

	for (;;) {
		char rest[4096]; /* what does not fit is read, too: the writer must not wait for us */
		struct pollfd p = {.fd = fd, .events = POLLIN};
		const int64_t left = deadline_ms - clock_monotonic_ms();
		ssize_t n;

		if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
			break;
		if (p.revents == 0)
			continue;
		n = used + 1 < out_size ? read(fd, out + used, out_size - 1 - used)
					: read(fd, rest, sizeof(rest));
		if (n <= 0)
			break;
		if (used + 1 < out_size)
			used += (size_t)n;
	}
	out[used] = '\0';
}

int run_output(const char *const *argv, char *out, size_t out_size, int timeout_ms)
{
	const int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	int fds[2], status = -1;
	pid_t pid;

	out[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		become(argv, fds[1]);
	close(fds[1]);
	if (pid > 0) {
		read_all(fds[0], out, out_size, deadline_ms);
		if (clock_monotonic_ms() >= deadline_ms)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return -1;
	return WEXITSTATUS(status);
}

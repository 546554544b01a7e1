/* SPDX-License-Identifier: ISC */
#include "cli/pager.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/output.h"

#define HELD_MAX 65536 /* bytes: no screen shows more */

/* The program that is run: one command, one output. */
static struct {
	FILE *terminal; /* the standard output that was; NULL: not begun */
	const char *command;
	int rows, columns;
	char held[HELD_MAX];
	size_t n_held;
	int lines; /* that it takes on the screen */
	pid_t pid; /* of the pager; 0: not started */
	int fd;	   /* to it, or to the terminal */
	bool is_passing;
} pager;

static const char *find_command(void)
{
	const char *term = getenv("TERM");
	const char *command = getenv("PGPGATE_PAGER");

	if (!output_is_terminal() || term == NULL || term[0] == '\0' || strcmp(term, "dumb") == 0)
		return NULL;
	if (command == NULL)
		command = getenv("PAGER");
	if (command == NULL)
		command = access("/usr/bin/less", X_OK) == 0 ? "less" : "";
	return command[0] == '\0' || strcmp(command, "cat") == 0 ? NULL : command;
}

static _Noreturn void become_pager(int in_fd)
{
	dup2(in_fd, STDIN_FILENO);
	/* less takes keys from there when it has no terminal of its own, as behind root it has not
	 * (common/user.h). */
	if (!isatty(STDERR_FILENO))
		dup2(STDOUT_FILENO, STDERR_FILENO);
	setenv("LESS", "FRX", 0);
	setenv("LV", "-c", 0);
	execl("/bin/sh", "sh", "-c", pager.command, (char *)NULL);
	_exit(127);
}

static void start(void)
{
	int fds[2];

	pager.is_passing = true;
	pager.fd = STDOUT_FILENO;
	if (pipe(fds) != 0)
		return;
	pager.pid = fork();
	if (pager.pid == 0) {
		close(fds[1]);
		become_pager(fds[0]);
	}
	close(fds[0]);
	if (pager.pid < 0) {
		pager.pid = 0;
		close(fds[1]);
		return;
	}
	pager.fd = fds[1];
	/* These are for the pager: it may end a search with them. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
}

static bool pass(const char *data, size_t n)
{
	while (n > 0) {
		const ssize_t got = write(pager.fd, data, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		data += got;
		n -= (size_t)got;
	}
	return true;
}

/* As many lines as the screen shows; a long line takes several. */
static void count_lines(const char *data, size_t n)
{
	static int column;

	for (size_t i = 0; i < n; i++) {
		column = data[i] == '\n' ? 0 : column + 1;
		if (data[i] == '\n' || column > pager.columns) {
			pager.lines++;
			column = column > pager.columns ? 1 : 0;
		}
	}
}

static ssize_t write_out(void *cookie, const char *data, size_t n)
{
	(void)cookie;
	if (!pager.is_passing) {
		count_lines(data, n);
		if (pager.lines < pager.rows && pager.n_held + n <= HELD_MAX) {
			memcpy(pager.held + pager.n_held, data, n);
			pager.n_held += n;
			return (ssize_t)n;
		}
		start();
		if (!pass(pager.held, pager.n_held))
			return 0;
		pager.n_held = 0;
	}
	return pass(data, n) ? (ssize_t)n : 0;
}

void pager_begin(void)
{
	const cookie_io_functions_t functions = {.write = write_out};
	struct winsize size;
	FILE *held;

	pager.command = find_command();
	if (pager.command == NULL || pager.terminal != NULL ||
	    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		return;
	pager.rows = size.ws_row;
	pager.columns = size.ws_col;
	held = fopencookie(NULL, "w", functions);
	if (held == NULL)
		return;
	fflush(stdout);
	pager.terminal = stdout;
	stdout = held;
}

void pager_end(void)
{
	FILE *held = stdout;

	if (pager.terminal == NULL)
		return;
	fflush(held);
	stdout = pager.terminal;
	pager.terminal = NULL;
	if (!pager.is_passing) {
		pager.fd = STDOUT_FILENO;
		pass(pager.held, pager.n_held);
	}
	fclose(held);
	if (pager.pid == 0)
		return;
	close(pager.fd);
	while (waitpid(pager.pid, NULL, 0) < 0 && errno == EINTR)
		;
}

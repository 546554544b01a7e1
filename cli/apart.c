/* SPDX-License-Identifier: ISC */
#include "cli/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/open.h"

static _Noreturn void be_apart(const struct settings *s, int (*run)(void *context, FILE *to),
			       void *context, FILE *to, pid_t parent)
{
	int code;

	open_become_user(s); /* which also forgets what was asked of prctl(2) before */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EX_SOFTWARE);
	code = to != NULL ? run(context, to) : EX_OSERR;
	if (to != NULL && fclose(to) != 0 && code == 0)
		code = EX_IOERR;
	_exit(cli_flushed(code));
}

int apart_begin(struct apart *a, const struct settings *s, int (*run)(void *context, FILE *to),
		void *context)
{
	const pid_t parent = getpid();
	int fds[2];

	*a = (struct apart){0};
	fflush(stdout);
	if (pipe2(fds, O_CLOEXEC) != 0 || (a->pid = fork()) < 0) {
		cli_error("cannot start a process: %s", strerror(errno));
		return EX_OSERR;
	}
	if (a->pid == 0) {
		close(fds[0]);
		be_apart(s, run, context, fdopen(fds[1], "w"), parent);
	}
	close(fds[1]);
	a->from = fdopen(fds[0], "r");
	if (a->from != NULL)
		return 0;
	close(fds[0]);
	apart_end(a);
	cli_error("out of memory");
	return EX_OSERR;
}

int apart_end(struct apart *a)
{
	int status;

	if (a->from != NULL)
		fclose(a->from);
	while (waitpid(a->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	cli_error("the process that reads the database was ended by signal %d", WTERMSIG(status));
	return EX_SOFTWARE;
}

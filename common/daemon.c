/* SPDX-License-Identifier: ISC */
#include "common/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "common/safe_open.h"
#include "common/sandbox.h"
#include "common/user.h"

#define DESCRIPTORS_MAX \
	65536 /* a soft limit of 1,024 would stop the policy server at its defaults */

/* What daemon_begin() leaves for daemon_ready() and daemon_end(): one daemon a process. */
static struct {
	int parent_fd; /* of the pipe to the waiting parent, or -1 */
	int pid_fd;    /* of the locked pid file, or -1 */
	pid_t owner;   /* who wrote the pid file */
} state = {-1, -1, 0};

/* 0, 1 and 2 are open, so that no socket becomes standard error. */
static int open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return -1;
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

static void to_dev_null(int first, int last)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = first; fd >= 0 && i <= last; i++)
		dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* Whoever handles these unblocks them or waits for them in a thread: none is to arrive while we start. */
static void prepare_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_MAX)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The first process: waits until the daemon is ready, and exits as it says. */
static void wait_for_ready(int fd, pid_t child)
{
	char ready;
	ssize_t n;
	int status;

	do {
		n = read(fd, &ready, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EX_OK);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) != EX_OK)
		_exit(WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		log_error("ended by signal %d while starting", WTERMSIG(status));
	else
		log_error("ended while starting, and did not say why");
	_exit(EX_SOFTWARE);
}

static int go_to_background(void)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) != 0 || (child = fork()) < 0) {
		log_error("cannot start a process: %s", strerror(errno));
		return EX_OSERR;
	}
	if (child > 0) {
		close(fds[1]);
		wait_for_ready(fds[0], child);
	}
	close(fds[0]);
	state.parent_fd = fds[1];
	setsid();
	if (chdir("/") != 0)
		log_warning("cannot go to /: %s", strerror(errno));
	to_dev_null(STDIN_FILENO, STDOUT_FILENO);
	return EX_OK;
}

/* The lock, not the number in the file, says whether its daemon lives: it ends with the process. */
static int lock_pid_file(const char *path)
{
	const struct safe_open file = {.path = path,
				       .access = O_RDWR,
				       .is_create = true,
				       .mode = 0644, /* everybody may read it, whatever the umask */
				       .owner = 0,
				       .group = (gid_t)-1};
	char why[SAFE_OPEN_WHY_MAX];

	if (path == NULL)
		return EX_OK;
	state.pid_fd = safe_open(&file, NULL, why);
	if (state.pid_fd < 0) {
		log_error("%s: cannot be written: %s; create its directory or name another with -P",
			  path, why);
		return EX_CANTCREAT;
	}
	if (flock(state.pid_fd, LOCK_EX | LOCK_NB) != 0) {
		log_error("%s: its daemon is running; stop it first or name another with -P", path);
		return EX_UNAVAILABLE;
	}
	return EX_OK;
}

static int become_user(const char *text)
{
	struct user user;
	char err[400];
	int code;

	if (geteuid() != 0)
		return EX_OK;
	if (text[0] == '\0') {
		log_warning("runs as root, since user is empty; set user");
		return EX_OK;
	}
	code = user_find(text, &user, err, sizeof(err));
	if (code == EX_OK)
		code = user_become(&user, err, sizeof(err));
	if (code != EX_OK)
		log_error("%s", err);
	return code;
}

int daemon_begin(const struct daemon_options *o, const struct settings *s)
{
	int code;

	if (open_standard_descriptors() != 0)
		return EX_OSERR;
	log_open(o->program, o->foreground, o->verbose);
	log_echo(!o->foreground);
	prepare_signals();
	raise_descriptor_limit();
	umask(007);
	code = o->foreground ? EX_OK : go_to_background();
	if (code == EX_OK)
		code = lock_pid_file(o->pid_file);
	if (code == EX_OK)
		code = become_user(s->user);
	if (code == EX_OK)
		sandbox_enter();
	return code;
}

static int write_pid(const char *path)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (state.pid_fd < 0)
		return EX_OK;
	if (ftruncate(state.pid_fd, 0) != 0 || pwrite(state.pid_fd, text, (size_t)len, 0) != len) {
		log_error("%s: cannot be written: %s", path, strerror(errno));
		return EX_CANTCREAT;
	}
	state.owner = getpid();
	return EX_OK;
}

int daemon_ready(const struct daemon_options *o)
{
	int code = write_pid(o->pid_file);
	char ready = 1;

	if (code != EX_OK)
		return code;
	daemon_notify("READY=1");
	log_echo(false);
	log_info("ready (version %s, pid %ld)", PACKAGE_VERSION, (long)getpid());
	if (o->foreground)
		return EX_OK;
	if (write(state.parent_fd, &ready, 1) != 1)
		log_warning("the first process did not wait");
	close(state.parent_fd);
	state.parent_fd = -1;
	to_dev_null(STDERR_FILENO, STDERR_FILENO);
	return EX_OK;
}

void daemon_end(const struct daemon_options *o)
{
	daemon_notify("STOPPING=1");
	log_info("stopping");
	if (state.owner != getpid())
		return;
	/* Emptied first: its directory may be root's, and then it stays. */
	if (ftruncate(state.pid_fd, 0) != 0 || (unlink(o->pid_file) != 0 && errno != EACCES))
		log_debug("%s: not removed: %s", o->pid_file, strerror(errno));
}

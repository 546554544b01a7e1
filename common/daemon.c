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

#include "common/bus_error.h"
#include "common/log.h"
#include "common/safe_open.h"
#include "common/sandbox.h"
#include "common/status.h"
#include "common/user.h"

#define DESCRIPTORS_MAX \
	65536 /* a soft limit of 1,024 would stop the policy server at its defaults */

/* What daemon_begin() leaves for daemon_ready() and daemon_end(): one daemon a process. */
static struct {
	int parent_fd;	  /* of the pipe to the waiting parent, or -1 */
	int pid_fd;	  /* of the locked pid file, for reading only, or -1 */
	int pid_write_fd; /* the same for writing, or -1: closed before another user is become */
	pid_t owner;	  /* who wrote the pid file */
	struct settings *settings; /* until they stand in the status */
} state = {-1, -1, -1, 0, NULL};

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

/* Whoever handles these unblocks them or waits for them in a thread: none is to arrive while we
 * start. */
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

/* Its directory may be the user's: whatever lies there is looked at before it is taken for a pid
 * file. */
static int open_pid_file(const char *path, int access, bool is_create, char why[SAFE_OPEN_WHY_MAX])
{
	const struct safe_open file = {.path = path,
				       .access = access,
				       .is_create = is_create,
				       .mode = 0644, /* everybody may read it, whatever the umask */
				       .owner = 0,
				       .group = (gid_t)-1};

	return safe_open(&file, NULL, why);
}

/* Removes what is left of a pid file, if nobody holds its lock. */
static void clean_pid_file(const char *path)
{
	char why[SAFE_OPEN_WHY_MAX];
	int fd = path == NULL ? -1 : open_pid_file(path, O_RDWR, false, why);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) == 0)
		unlink(path);
	close(fd);
}

/* The first process: waits until the daemon is ready, and exits as it says. Whoever interrupts it
 * interrupts the start: the daemon finds nobody waiting. */
static void wait_for_ready(int fd, pid_t child, const char *pid_file)
{
	sigset_t none;
	char ready;
	ssize_t n;
	int status;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	do {
		n = read(fd, &ready, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EX_OK);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	clean_pid_file(pid_file);
	if (WIFEXITED(status) && WEXITSTATUS(status) != EX_OK)
		_exit(WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		log_error("ended by signal %d while starting", WTERMSIG(status));
	else
		log_error("ended while starting, and did not say why");
	_exit(EX_SOFTWARE);
}

static int go_to_background(const char *pid_file)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) != 0 || (child = fork()) < 0) {
		log_error("cannot start a process: %s", strerror(errno));
		return EX_OSERR;
	}
	if (child > 0) {
		close(fds[1]);
		wait_for_ready(fds[0], child, pid_file);
	}
	close(fds[0]);
	state.parent_fd = fds[1];
	setsid();
	if (chdir("/") != 0)
		log_warning("cannot go to /: %s", strerror(errno));
	to_dev_null(STDIN_FILENO, STDOUT_FILENO);
	return EX_OK;
}

static int write_pid(const char *path)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	if (state.pid_write_fd < 0)
		return EX_OK;
	if (ftruncate(state.pid_write_fd, 0) != 0 ||
	    pwrite(state.pid_write_fd, text, (size_t)len, 0) != len) {
		log_error("%s: cannot be written: %s", path, strerror(errno));
		return EX_CANTCREAT;
	}
	state.owner = getpid();
	return EX_OK;
}

/* Two descriptors of one file: the one for writing is closed before another user is become. */
static int open_both(const char *path, char why[SAFE_OPEN_WHY_MAX])
{
	struct stat locked, written;

	state.pid_write_fd = open_pid_file(path, O_RDWR, true, why);
	if (state.pid_write_fd < 0)
		return -1;
	state.pid_fd = open_pid_file(path, O_RDONLY, false, why);
	if (state.pid_fd < 0)
		return -1;
	if (fstat(state.pid_fd, &locked) == 0 && fstat(state.pid_write_fd, &written) == 0 &&
	    locked.st_dev == written.st_dev && locked.st_ino == written.st_ino)
		return 0;
	snprintf(why, SAFE_OPEN_WHY_MAX, "replaced at this moment");
	return -1;
}

/* The lock, not the number in the file, says whether its daemon lives: it ends with the process.
 * will_change_user: the number is written now, for whoever takes over that user must not be able to
 * write another one, to which root would then send signals. */
static int lock_pid_file(const char *path, bool will_change_user)
{
	char why[SAFE_OPEN_WHY_MAX];
	int code = EX_OK;

	if (path == NULL)
		return EX_OK;
	if (open_both(path, why) != 0) {
		log_error("%s: cannot be written: %s; create its directory or name another with -P",
			  path, why);
		return EX_CANTCREAT;
	}
	if (flock(state.pid_fd, LOCK_EX | LOCK_NB) != 0) {
		log_error("%s: its daemon is running; stop it first or name another with -P", path);
		return EX_UNAVAILABLE;
	}
	if (will_change_user) {
		code = write_pid(path);
		close(state.pid_write_fd);
		state.pid_write_fd = -1;
	}
	return code;
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

int daemon_begin(const struct daemon_options *o, struct settings *s)
{
	char err[1024];
	int code;

	if (open_standard_descriptors() != 0)
		return EX_OSERR;
	log_open(o->program, o->foreground, o->verbose);
	log_echo(!o->foreground);
	prepare_signals();
	bus_error_catch(o->program, !o->foreground);
	raise_descriptor_limit();
	umask(007);
	code = o->foreground ? EX_OK : go_to_background(o->pid_file);
	if (code == EX_OK)
		code = lock_pid_file(o->pid_file, geteuid() == 0 && s->user[0] != '\0');
	if (code == EX_OK)
		code = become_user(s->user);
	if (code == EX_OK && settings_ask_postfix(s, NULL, err, sizeof(err)) != 0)
		log_warning("%s", err);
	if (code == EX_OK) {
		state.settings = settings_ref(s);
		sandbox_enter();
	}
	return code;
}

/* 0 or a sysexits(3) code. */
static int tell_first_process(void)
{
	const char ready = 1;

	if (write(state.parent_fd, &ready, 1) != 1) {
		log_error("interrupted while starting");
		return EX_TEMPFAIL;
	}
	close(state.parent_fd);
	state.parent_fd = -1;
	return EX_OK;
}

/* As far as we may: the file, or its directory, can be root's. */
static void remove_pid_file(const char *path)
{
	if (state.owner != getpid())
		return;
	if ((state.pid_write_fd >= 0 && ftruncate(state.pid_write_fd, 0) != 0) ||
	    (unlink(path) != 0 && errno != EACCES))
		log_debug("%s: not removed: %s", path, strerror(errno));
}

int daemon_ready(const struct daemon_options *o)
{
	int code = write_pid(o->pid_file);

	if (code == EX_OK && !o->foreground)
		code = tell_first_process();
	if (code != EX_OK) {
		remove_pid_file(o->pid_file);
		return code;
	}
	/* Not before: a start that fails touches nothing beside the database. */
	status_begin(o->program, state.settings);
	status_write(state.settings, o->overrides, o->n_overrides, NULL);
	settings_unref(state.settings);
	state.settings = NULL;
	daemon_notify("READY=1");
	log_echo(false);
	log_info("ready (version %s, pid %ld)", PACKAGE_VERSION, (long)getpid());
	if (!o->foreground)
		to_dev_null(STDERR_FILENO, STDERR_FILENO);
	return EX_OK;
}

void daemon_end(const struct daemon_options *o)
{
	daemon_notify("STOPPING=1");
	log_info("stopping");
	status_end();
	remove_pid_file(o->pid_file);
}

/* SPDX-License-Identifier: ISC */
#include "common/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/unit/unit.h"

static char directory[] = "/tmp/pgpgate-test-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
	(void)state;
	if (mkdtemp(directory) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/x", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory);
}

/* What a service manager hears on a socket of that name. */
static void heard(const char *name, size_t name_len, const char *environment, const char *say,
		  char out[100])
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	ssize_t n;

	memcpy(a.sun_path, name, name_len);
	assert_int_equal(bind(fd, (struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_len)),
			 0);
	setenv("NOTIFY_SOCKET", environment, 1);
	daemon_notify(say);
	unsetenv("NOTIFY_SOCKET");
	n = recv(fd, out, 99, 0);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
}

static void notify_reaches_path_and_abstract_name(void **state)
{
	char abstract[80], environment[80], out[100];

	(void)state;
	heard(path, strlen(path), path, "READY=1", out);
	assert_string_equal(out, "READY=1");
	unlink(path);
	snprintf(abstract, sizeof(abstract), "%cpgpgate-test-%ld", '\0', (long)getpid());
	snprintf(environment, sizeof(environment), "@pgpgate-test-%ld", (long)getpid());
	heard(abstract, strlen(environment), environment, "STOPPING=1", out);
	assert_string_equal(out, "STOPPING=1");
}

static void notify_without_listener_is_silent(void **state)
{
	static const char *const names[] = {
		"", "@", "relative", "/nonexistent/x",
		("/0123456789012345678901234567890123456789012345678901234567"
		 "89012345678901234567890123456789012345678901234567890123")};

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	daemon_notify("READY=1");
	for (size_t i = 0; i < ROWS(names); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		daemon_notify("READY=1");
	}
	unsetenv("NOTIFY_SOCKET");
}

/* The exit status of the first process, when the daemon behind it ends its start like that; -1: a
 * signal. */
static int start_in_background(int fails_with, bool is_killed, bool is_pid_written)
{
	struct daemon_options o = {.program = "test", .pid_file = path};
	const char *overrides[] = {"user="};
	char err[300];
	struct settings *s = settings_load("/nonexistent/x", true, overrides, 1, err, sizeof(err));
	pid_t first = fork();
	struct stat st;
	int status;

	assert_non_null(s);
	if (first == 0) {
		int code = daemon_begin(&o, s);

		if (is_killed)
			kill(getpid(), SIGKILL);
		if (code != EX_OK || fails_with != EX_OK)
			_exit(code != EX_OK ? code : fails_with);
		code = daemon_ready(&o);
		if (code != EX_OK)
			_exit(code);
		/* The pid file is there while the daemon runs: kept, to be looked at. */
		_exit(EX_OK);
	}
	settings_unref(s);
	assert_true(first > 0);
	while (waitpid(first, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	/* A start that failed leaves none behind. */
	assert_int_equal(stat(path, &st) == 0, is_pid_written);
	assert_true(!is_pid_written || st.st_size > 0);
	unlink(path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void first_process_exits_as_the_start_went(void **state)
{
	(void)state;
	assert_int_equal(start_in_background(EX_OK, false, true), EX_OK);
	assert_int_equal(start_in_background(EX_UNAVAILABLE, false, false), EX_UNAVAILABLE);
	assert_int_equal(start_in_background(EX_CONFIG, false, false), EX_CONFIG);
	assert_int_equal(start_in_background(EX_OK, true, false), EX_SOFTWARE);
}

/* Ctrl-C while the command has not returned: nothing is left running. */
static void interrupting_the_first_process_ends_the_start(void **state)
{
	struct daemon_options o = {.program = "test"};
	const char *overrides[] = {"user="};
	char err[300];
	struct settings *s = settings_load("/nonexistent/x", true, overrides, 1, err, sizeof(err));
	int pipe_fds[2], code, status;
	pid_t first;

	(void)state;
	assert_non_null(s);
	assert_int_equal(pipe(pipe_fds), 0);
	first = fork();
	if (first == 0) {
		const pid_t waiting = getpid();

		code = daemon_begin(&o, s);
		if (write(pipe_fds[1], &code, sizeof(code)) != sizeof(code))
			_exit(1);
		while (getppid() == waiting)
			usleep(1000);
		code = daemon_ready(&o);
		_exit(write(pipe_fds[1], &code, sizeof(code)) == sizeof(code) ? code : 1);
	}
	settings_unref(s);
	assert_int_equal(read(pipe_fds[0], &code, sizeof(code)), sizeof(code));
	assert_int_equal(code, EX_OK);
	assert_int_equal(kill(first, SIGTERM), 0);
	assert_int_equal(waitpid(first, &status, 0), first);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_int_equal(read(pipe_fds[0], &code, sizeof(code)), sizeof(code));
	assert_int_equal(code, EX_TEMPFAIL);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void reload_keeps_what_cannot_change(void **state)
{
	const char *overrides[] = {"refuse_text=From the command line"};
	struct daemon_options o = {.program = "test",
				   .config_path = path,
				   .config_is_explicit = true,
				   .overrides = overrides,
				   .n_overrides = 1,
				   .foreground = true};
	char err[300];
	struct settings *old, *new;

	(void)state;
	write_file("enforce = no\ndatabase = sqlite:/a.db\n");
	old = settings_load(path, false, overrides, 1, err, sizeof(err));
	assert_non_null(old);
	write_file(
		"enforce = yes\ndatabase = sqlite:/b.db\nuser = other\nrefuse_text = Not this\n");
	new = daemon_reload(&o, old);
	assert_non_null(new);
	assert_true(new->enforce);
	assert_string_equal(new->database_path, "/a.db");
	assert_string_equal(new->user, old->user);
	assert_string_equal(new->refuse_text, "From the command line");
	settings_unref(new);
	write_file("enforce = perhaps\n");
	assert_null(daemon_reload(&o, old));
	unlink(path);
	assert_null(daemon_reload(&o, old));
	settings_unref(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notify_reaches_path_and_abstract_name),
		cmocka_unit_test(notify_without_listener_is_silent),
		cmocka_unit_test(first_process_exits_as_the_start_went),
		cmocka_unit_test(interrupting_the_first_process_ends_the_start),
		cmocka_unit_test(reload_keeps_what_cannot_change),
	};

	log_open("test", true, 0);
	return cmocka_run_group_tests_name("daemon", tests, make_directory, remove_directory);
}

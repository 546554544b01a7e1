/* SPDX-License-Identifier: ISC
 *
 * What the filter of system calls forbids, and what it lets through, in a child that enters it.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"

/* Runs it in the sandbox: what it returns. */
static int inside(int (*what)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		sandbox_enter();
		_exit(what());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int try_unshare(void)
{
	return unshare(CLONE_NEWUSER) != 0 && errno == EPERM ? 0 : 1;
}

static int try_trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 && errno == EPERM ? 0 : 1;
}

static void *nothing(void *argument)
{
	return argument;
}

static int try_daily_work(void)
{
	pthread_t thread;
	int fds[2];

	if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return 1;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0 || write(fds[0], "x", 1) != 1)
		return 2;
	if (open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
		return 3;
	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return 4;
	return system("exit 7") >> 8 == 7 ? 0 : 5;
}

static void what_serves_an_intruder_is_forbidden(void **state)
{
	(void)state;
#ifndef HAVE_SECCOMP
	skip();
#endif
	assert_int_equal(inside(try_unshare), 0);
	assert_int_equal(inside(try_trace), 0);
}

static void daily_work_goes_on(void **state)
{
	(void)state;
	assert_int_equal(inside(try_daily_work), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_serves_an_intruder_is_forbidden),
		cmocka_unit_test(daily_work_goes_on),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}

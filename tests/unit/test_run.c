/* SPDX-License-Identifier: ISC
 *
 * What a program that is run has of ours, and what becomes of one that does not end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/run.h"

#define PATIENCE_MS 60000

static void it_has_no_terminal_no_environment_and_no_rights(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c",
				    "cut -d' ' -f5-7 /proc/self/stat; echo $PPID $$; "
				    "echo \"${SECRET-none}\"; id -u",
				    NULL};
	char out[400], secret[20];
	int group, session, terminal, parent, own;
	unsigned uid;

	(void)state;
	setenv("SECRET", "ours", 1);
	assert_int_equal(run_output(argv, NULL, out, sizeof out, PATIENCE_MS), 0);
	assert_int_equal(sscanf(out, "%d %d %d %d %d %19s %u", &group, &session, &terminal, &parent,
				&own, secret, &uid),
			 7);
	assert_int_equal(parent, getpid());
	assert_int_equal(session, own);
	assert_int_equal(group, own);
	assert_int_equal(terminal, 0);
	assert_string_equal(secret, "none");
	assert_int_equal(uid, geteuid() == 0 ? 65534 : geteuid());
}

static void it_reads_what_it_is_given(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c", "cat; echo more >&2; exit 3", NULL};
	char out[10];

	(void)state;
	assert_int_equal(run_output(argv, "text", out, sizeof out, PATIENCE_MS), 3);
	assert_string_equal(out, "text");
	assert_int_equal(run_output_all(argv, "text", out, sizeof out, PATIENCE_MS), 3);
	assert_string_equal(out, "textmore\n");
	assert_int_equal(run_output_all(argv, "a longer text", out, sizeof out, PATIENCE_MS), 3);
	assert_string_equal(out, "a longer ");
}

static void one_that_does_not_end_is_killed(void **state)
{
	const char *const argv[] = {"/bin/sh", "-c", "exec sleep 1000", NULL};
	const char *const silent[] = {"/bin/sh", "-c", "exec <&- >&- 2>&-; exec sleep 1000", NULL};
	const char *const absent[] = {"pgpgate-no-such-program", NULL};
	char out[10];

	(void)state;
	assert_int_equal(run_output(argv, NULL, out, sizeof out, 50), -1);
	assert_int_equal(run_output(silent, NULL, out, sizeof out, 50), -1);
	assert_int_equal(run_output(absent, NULL, out, sizeof out, PATIENCE_MS), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_no_terminal_no_environment_and_no_rights),
		cmocka_unit_test(it_reads_what_it_is_given),
		cmocka_unit_test(one_that_does_not_end_is_killed),
	};

	return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}

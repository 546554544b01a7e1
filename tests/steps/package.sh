# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# The Debian package in fresh systems: minutes, so among what ./runtests long does.

PACKAGE_TEST_PACKAGES="debhelper dh-apparmor dpkg-dev fakeroot iproute2 lintian mmdebstrap systemd-container util-linux"

step_package() {
	headline "the Debian package in fresh systems"
	# shellcheck disable=SC2086  # a list of words
	if ! install_packages $PACKAGE_TEST_PACKAGES; then
		fail "package: what the test needs"
		return
	fi
	run_e2e "$build" package "$top/tests/package"
}

# The end-to-end tests with daemons that are kept in as their services ask: filter of system calls, read-only system,
# no capabilities. What shows that the lines of the services are bearable.
step_confined() {
	headline "end-to-end tests, the daemons kept in as their services ask"
	if ! install_packages python3-seccomp systemd; then
		fail "confined: what the test needs"
		return
	fi
	PGPGATE_CONFINED=1
	# Only root becomes another user than that of the service, and writes a pid file; strace(1), on which all of
	# test_syscalls.py depends, is kept in as well.
	# shellcheck disable=SC2089  # pytest takes it apart as a shell would
	PYTEST_ADDOPTS="-k 'not (user_and_group_of_the_command_line or pid_file_cannot_be_written)'"
	# shellcheck disable=SC2090
	export PGPGATE_CONFINED PYTEST_ADDOPTS
	run_e2e_files "$build" confined test_syscalls.py
	unset PGPGATE_CONFINED PYTEST_ADDOPTS
}

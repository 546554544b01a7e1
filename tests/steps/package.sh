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

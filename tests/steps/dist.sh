# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# The release tarball: builds, passes its unit tests, installs and uninstalls from a read-only tree.

step_dist() {
	headline "make distcheck"
	check "distcheck" make -s -C "$build" -j"$(jobs_count)" distcheck
}

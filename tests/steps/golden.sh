# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Golden mail (tests/mail): each message must get the verdict beside it, whole, byte by byte, and cut anywhere.

step_golden() {
	headline "golden mail"
	if ! quietly "$logs/golden-build.log" make -s -C "$build" tests/golden/run; then
		fail "golden: does not build"
		return
	fi
	count_sum golden "$build/tests/golden/run" "$top/tests/mail"
}

# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Do the instruments of tests/bench work? Seconds; nothing is measured here (that is `make bench`).

step_bench() {
	headline "the instruments of tests/bench"
	if ! quietly "$logs/bench-build.log" make -s -C "$build" -j"$(jobs_count)" bench-programs; then
		fail "bench: the programs do not build"
		return
	fi
	count_sum bench "$top/tests/bench/smoke.sh" "$build"
}

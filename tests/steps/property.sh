# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Properties of the scanner, held against other programs: gpg, sq, rnp, python's email, GMime, callgrind.

step_property() {
	headline "properties of the scanner"
	if ! quietly "$logs/property-build.log" make -s -C "$build" tests/property/judge_lines; then
		fail "property: does not build"
		return
	fi
	property never_refused
	property packets_agree
	property linear
	if quietly "$logs/gmime-build.log" make -s -C "$build" tests/property/gmime_text \
		GMIME_CFLAGS="$(pkg-config --cflags gmime-3.0)" GMIME_LIBS="$(pkg-config --libs gmime-3.0)"; then
		property canary
	else
		fail "property: gmime_text does not build"
	fi
}

# property NAME [OPTIONS...]: what fails is kept in $logs.
property() {
	script=$top/tests/property/$1.py
	label=$1
	shift
	(cd "$logs" && /usr/bin/python3 -B "$script" "$build/tests/property" "$@" </dev/null) >"$logs/$label.out" 2>&1
	status=$?
	count_sum "$label" sh -c 'cat "$1"; exit "$2"' sh "$logs/$label.out" $status
}

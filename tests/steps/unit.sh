# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Unit tests: every cmocka program of check_PROGRAMS that the build directory makes.

step_unit() {
	headline "unit tests"
	run_unit_tests "$build" unit
}

# run_unit_tests BUILD LABEL
run_unit_tests() {
	if ! quietly "$logs/$2-build.log" make -s -C "$1" -j"$(jobs_count)" check TESTS=; then
		fail "$2: the unit tests do not build"
		return
	fi
	found=0
	for source in "$top"/tests/unit/test_*.c; do
		[ -e "$source" ] || continue
		program=$1/tests/unit/$(basename "$source" .c)
		if [ ! -x "$program" ]; then
			fail "$2: $(basename "$source") is not listed in Makefile.am"
			continue
		fi
		found=$((found + 1))
		count_tap "$2-$(basename "$program")" in_build "$1" "$program"
	done
	[ $found -gt 0 ] || fail "$2: no unit test was found in $1/tests/unit"
	echo "$2: $found programs"
}

# As `make check` runs them: in the build directory, with srcdir set.
in_build() (
	cd "$1" || exit 1
	shift
	srcdir=$top
	export srcdir
	exec "$@" </dev/null
)

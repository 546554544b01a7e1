# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Line and branch coverage of the unit tests and the golden mail, by gcov: a figure for each folder, and the
# poorest files.

step_coverage() {
	headline "coverage of the unit tests and the golden mail"
	if ! build_in "$top/build/coverage" --enable-coverage --disable-hardening CFLAGS="-g -O0"; then
		fail "coverage: build"
		return
	fi
	find "$top/build/coverage" -name '*.gcda' -delete
	run_unit_tests "$top/build/coverage" coverage
	check "coverage: golden mail builds" make -s -C "$top/build/coverage" tests/golden/run
	count_sum coverage-golden "$top/build/coverage/tests/golden/run" "$top/tests/mail"
	for folder in common scan db filter policyd; do
		coverage_of "$folder"
	done
}

# coverage_of FOLDER: gcov's "taken at least once" and "lines executed" summed over its .c files.
coverage_of() {
	(cd "$top/build/coverage" && find "$1" -name '*.gcda' -exec gcov -n -b {} + 2>/dev/null) |
		awk -v folder="$1" '
		/^File / { file = $2; gsub("\047", "", file); own = index(file, "/" folder "/") && file ~ /\.c$/ }
		own && /^Lines executed/ { split($2, p, /[:%]/); lines += $4; hit += $4 * p[2] / 100 }
		own && /^Taken at least once/ {
			split($4, p, /[:%]/); branches += $6; taken += $6 * p[2] / 100
			printf "  %6.2f %% of %4d branches  %s\n", p[2], $6, file | "sort -n"
			own = 0
		}
		END {
			close("sort -n")
			if (lines) printf "%s: %.1f %% of lines, %.1f %% of branches\n", folder, 100 * hit / lines,
				branches ? 100 * taken / branches : 100
		}'
}

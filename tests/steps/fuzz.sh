# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# libFuzzer targets with ASan and UBSan, each for a bounded while: FUZZ_SECONDS (default 8) a target.
#
# Comparisons are not traced: that takes two thirds of the time, and the words that it would find are in
# tests/fuzz/*.dict. Freed input is kept aside for a while only, or the cache is always cold.

step_fuzz() {
	headline "fuzzing, ${FUZZ_SECONDS:-8} s a target"
	if ! build_in "$top/build/fuzz" CC=clang --enable-fuzzers --enable-asan --enable-ubsan \
		CFLAGS="-g -O2 -fno-sanitize-coverage=trace-cmp"; then
		fail "fuzz: build"
		return
	fi
	executions=0
	for source in "$top"/tests/fuzz/fuzz_*.c; do
		[ -e "$source" ] || continue
		target=$(basename "$source" .c)
		if [ -x "$top/build/fuzz/tests/fuzz/$target" ]; then
			fuzz_one "$target"
		else
			fail "fuzz: $target is not built"
		fi
	done
	echo "fuzz: $executions executions"
}

# fuzz_one TARGET: new inputs go to a scratch corpus; the one in the tree is only read.
fuzz_one() {
	mkdir -p "$logs/corpus-$1"
	words=$top/tests/fuzz/${1#fuzz_}.dict
	[ -e "$words" ] || words=$top/tests/fuzz/mail.dict
	seeds=
	[ -d "$top/tests/fuzz/corpus/$1" ] && seeds=$top/tests/fuzz/corpus/$1
	# shellcheck disable=SC2086  # $seeds is one word or none
	check "$1" env ASAN_OPTIONS="$ASAN_OPTIONS:quarantine_size_mb=8" "$top/build/fuzz/tests/fuzz/$1" \
		-max_total_time="${FUZZ_SECONDS:-8}" -print_final_stats=1 -dict="$words" -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix="$logs/$1-" "$logs/corpus-$1" $seeds
	count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$logs/$1.log")
	executions=$((executions + ${count:-0}))
	echo "$1: ${count:-0} executions"
}

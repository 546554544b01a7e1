# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# What takes an hour or more. Not among the default steps.

step_long() {
	step_long_mass
	step_long_mixed
	step_tsan
	step_long_faults
	step_long_record
	step_keys_table
	step_long_site
	step_long_scanner
	step_package
	step_confined
	step_bare
}

# ThreadSanitizer: the writer of the verdict log and the connections that threads share, by unit tests and by
# the filter behind Postfix.
step_tsan() {
	headline "ThreadSanitizer"
	if ! build_in "$top/build/tsan" --enable-tsan --disable-hardening CFLAGS="-g -O1"; then
		fail "tsan: build"
		return
	fi
	TSAN_OPTIONS="suppressions=$top/tests/long/tsan.supp exitcode=66"
	export TSAN_OPTIONS
	for name in verdict_log pool; do
		if ! make -s -C "$top/build/tsan" "tests/unit/test_$name" >"$logs/tsan-build.log" 2>&1; then
			fail "tsan: test_$name does not build"
			continue
		fi
		count_tap "tsan-test_$name" "$top/build/tsan/tests/unit/test_$name"
	done
	run_e2e "$top/build/tsan" tsan-e2e "$top/tests/e2e/test_record.py" "$top/tests/e2e/test_mixed.py" \
		"$top/tests/e2e/test_metrics.py"
}

# Kills, faults of the disk, ten million verdicts: PGPGATE_KILLS, PGPGATE_ROUNDS, PGPGATE_VERDICTS.
step_long_record() {
	headline "the record: kills, faults, many rows"
	run_e2e "$build" long "$top/tests/long" -s --ignore="$top/tests/long/test_keys_table.py"
	PGPGATE_STORAGE=all
	export PGPGATE_STORAGE
	run_e2e "$build" long-storage "$top/tests/e2e/test_planted.py" "$top/tests/e2e/test_restore.py" \
		"$top/tests/e2e/test_companions.py"
	unset PGPGATE_STORAGE
	sed -n -E '/ messages|verdicts: | damaged databases| runs of /s/^[.s]*//p' "$logs/long.log"
}

# amavis, OpenDKIM, clamav-milter, spamass-milter, Dovecot, mlmmj and the tools of the queue around the pair; step_long_record runs them, too.
step_companions() {
	headline "companions of Postfix"
	run_e2e "$build" companions "$top/tests/long/test_companions.py"
}

# Mixed recipients: up to a thousand, in every order.
step_long_mixed() {
	headline "mixed recipients in numbers"
	PGPGATE_RECIPIENTS=all
	export PGPGATE_RECIPIENTS
	run_e2e "$build" long-mixed "$top/tests/e2e/test_mixed_limits.py" -s
	sed -n '/ messages, .* rounds /p' "$logs/long-mixed.log"
	unset PGPGATE_RECIPIENTS
}

# Every allocation of 18 kinds of messages, requests and commands; millions of packets; every row of failing calls.
step_long_faults() {
	headline "faults: memory, packets, system calls"
	PGPGATE_SWEEP=${PGPGATE_SWEEP:-1} PGPGATE_PACKETS=${PGPGATE_PACKETS:-5000000} PGPGATE_INJECT=all
	export PGPGATE_SWEEP PGPGATE_PACKETS PGPGATE_INJECT
	run_e2e "$build" long-faults "$top/tests/e2e/test_memory.py" "$top/tests/e2e/test_packets.py" \
		"$top/tests/e2e/test_syscalls.py" -s
	sed -n -E '/ findings|^\.*packets: /s/^[.s]*//p' "$logs/long-faults.log"
	unset PGPGATE_SWEEP PGPGATE_PACKETS PGPGATE_INJECT
}

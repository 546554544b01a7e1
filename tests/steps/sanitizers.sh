# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# AddressSanitizer and UndefinedBehaviorSanitizer: all unit tests, and the daemons behind Postfix.

ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=1:abort_on_error=0}
UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1:halt_on_error=1}
export ASAN_OPTIONS UBSAN_OPTIONS

step_asan() {
	headline "AddressSanitizer and UndefinedBehaviorSanitizer"
	if ! build_in "$top/build/asan" --enable-asan --enable-ubsan CFLAGS="-g -O1"; then
		fail "asan: build"
		return
	fi
	run_unit_tests "$top/build/asan" asan
	PGPGATE_SANITIZED=1 # for tests that measure memory
	run_e2e "$top/build/asan" asan-e2e "$top/tests/e2e"
	PGPGATE_SANITIZED=
}

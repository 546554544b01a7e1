# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# AddressSanitizer and UndefinedBehaviorSanitizer: all unit tests, and the daemons behind Postfix.

ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=1:abort_on_error=0}
UBSAN_OPTIONS=${UBSAN_OPTIONS-print_stacktrace=1:halt_on_error=1}
export ASAN_OPTIONS UBSAN_OPTIONS

# Left to asan_all: the longest end-to-end tests, which wait for a sending Postfix or kill daemons, and what asks other
# programs than ours.
step_asan() {
	run_asan test_mixed.py test_mixed_limits.py test_record.py test_operators.py test_doctor_cases.py test_doctor_mail_stops.py test_sendmail.py \
		test_qpsmtpd.py test_ansible.py test_memory.py test_syscalls.py test_storage.py test_keys.py
}

step_asan_all() {
	run_asan
}

# run_asan [NAME...]: without the end-to-end tests of these files.
run_asan() {
	headline "AddressSanitizer and UndefinedBehaviorSanitizer"
	if ! build_in "$top/build/asan" --enable-asan --enable-ubsan CFLAGS="-g -O1"; then
		fail "asan: build"
		return
	fi
	run_unit_tests "$top/build/asan" asan
	PGPGATE_SANITIZED=1 # for tests that measure memory
	run_e2e_files "$top/build/asan" asan-e2e ${1+"$@"}
	PGPGATE_SANITIZED=
}

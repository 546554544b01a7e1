# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# The scanner's own tests: golden mail, properties against independent readers, linear time. What fails is kept
# in $logs. MUTATIONS, CIPHERTEXTS and STREAMS say how much; `./runtests long` takes fifty times as much.

scanner_programs() {
	quietly "$logs/scanner-build.log" make -s -C "$build" -j"$(jobs_count)" tests/golden/run \
		tests/property/judge_lines tests/property/noise tests/property/gmime_text
}

step_golden() {
	headline "golden mail"
	if ! scanner_programs; then
		fail "golden: the test programs do not build"
		return
	fi
	check "golden mail is what tests/mail/make.py makes" /usr/bin/python3 -B "$top/tests/mail/make.py" --check
	count_sum golden "$build/tests/golden/run" "$top/tests/mail"
	grep '^golden mail:' "$logs/golden.log"
}

step_property() {
	SLOW_READERS=${SLOW_READERS-}
	headline "properties of the scanner"
	if ! scanner_programs; then
		fail "property: the test programs do not build"
		return
	fi
	readers_prepare
	# shellcheck disable=SC2086  # one word or none
	property planted $SLOW_READERS
	# shellcheck disable=SC2086  # one word or none
	property canary -n "${MUTATIONS:-30000}" $SLOW_READERS
	grep -e '^# by class' -e '^# readers' "$logs/canary.log"
	property lines_agree -n "${LINES_ALIKE:-5000}"
	property never_refused -n "${CIPHERTEXTS:-100}"
	property packets_agree -n "${STREAMS:-2000}"
	if [ -n "$SLOW_READERS" ]; then
		property browser -n "${DOCUMENTS:-100000}"
		count_sum noise sh -c "openssl enc -aes-256-ctr -pass pass:pgpgate -pbkdf2 -in /dev/zero 2>/dev/null |
			'$build/tests/property/noise' ${NOISE_LINES:-10000000}"
		grep -v passed "$logs/noise.log"
	fi
}

# property NAME ARGUMENTS...
property() {
	property=$1
	shift
	count_sum "$property" /usr/bin/python3 -B "$top/tests/property/$property.py" "$build/tests/property" \
		--seed "${SEED:-1}" --keep "$logs/$property" "$@"
	tail -n 2 "$logs/$property.log" | head -n 1
}

step_linear() {
	headline "linear time, by counted instructions"
	if ! scanner_programs; then
		fail "linear: the test programs do not build"
		return
	fi
	count_sum linear /usr/bin/python3 -B "$top/tests/property/linear.py" "$build/tests/property"
	grep -e '^# an ordinary' -e '^linear time' "$logs/linear.log"
}

step_long_scanner() {
	SLOW_READERS=--slow MUTATIONS=1500000 LINES_ALIKE=200000 CIPHERTEXTS=5000 STREAMS=150000 SEED=$(date +%j)
	FUZZ_SECONDS=${FUZZ_SECONDS:-750}
	step_property
	step_fuzz
}

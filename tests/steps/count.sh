# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Counting: what passed, failed, was skipped. Sourced by ./runtests; $logs is a directory for output.

n_passed=0
n_failed=0
n_skipped=0

headline() {
	printf '\n== %s\n' "$*"
}

# pass [HOW MANY]; fail NAME; skip NAME REASON. Failures and skips are named again at the end.
pass() {
	n_passed=$((n_passed + ${1:-1}))
}

fail() {
	n_failed=$((n_failed + 1))
	echo "FAILED   $*"
	echo "$*" >>"$logs/failed"
}

skip() {
	n_skipped=$((n_skipped + 1))
	name=$1
	shift
	echo "skipped  $name: $*"
	echo "$name: $*" >>"$logs/skipped"
}

# check NAME COMMAND...: one test, which passes when the command succeeds; its output is shown only if not.
check() {
	name=$1
	shift
	log=$logs/$(echo "$name" | tr -c 'A-Za-z0-9.\n' _).log
	if "$@" >"$log" 2>&1; then
		pass
	else
		fail "$name"
		tail -n 40 "$log"
	fi
}

# count_tap LABEL COMMAND...: runs a program that writes TAP (cmocka does), counts its lines. A program that
# ends badly without a "not ok" (a crash, a sanitizer's finding) is one failure. Exit 77: all skipped.
count_tap() {
	label=$1
	shift
	log=$logs/$label.log
	CMOCKA_MESSAGE_OUTPUT=TAP "$@" >"$log" 2>&1
	status=$?
	if [ $status -eq 77 ]; then
		skip "$label" "$(tail -n 1 "$log")"
		return
	fi
	pass "$(grep '^ok [0-9]' "$log" | grep -cv '# SKIP')"
	before=$n_failed
	# cmocka writes "not ok" for a skipped test, and says SKIP behind it.
	grep '^not ok [0-9]' "$log" | grep -v '# SKIP' >"$logs/lines"
	while read -r line; do
		fail "$label: ${line#not ok }"
	done <"$logs/lines"
	grep '^\(not \)\{0,1\}ok [0-9].*# SKIP' "$log" >"$logs/lines"
	while read -r line; do
		skip "$label" "${line##*# SKIP }"
	done <"$logs/lines"
	if [ $status -ne 0 ] && [ "$n_failed" -eq "$before" ]; then
		fail "$label: exit $status"
	elif ! grep -q -e '^ok [0-9]' -e '^not ok [0-9]' "$log"; then
		fail "$label: no test ran"
	fi
	[ "$n_failed" -eq "$before" ] || tail -n 40 "$log"
}

# count_sum LABEL COMMAND...: runs a program whose last line is "N passed, N failed, N skipped", and whose
# failures are lines "FAIL name: why", skips "SKIP name: why".
count_sum() {
	label=$1
	shift
	log=$logs/$label.log
	"$@" >"$log" 2>&1
	status=$?
	last=$(tail -n 1 "$log")
	pass "$(sum_of passed)"
	before=$n_failed
	sed -n 's/^FAIL //p' "$log" >"$logs/lines"
	while read -r line; do
		fail "$label: $line"
	done <"$logs/lines"
	sed -n 's/^SKIP //p' "$log" >"$logs/lines"
	while read -r line; do
		skip "$label" "$line"
	done <"$logs/lines"
	if [ "$n_failed" -eq "$before" ] && { [ $status -ne 0 ] || [ "$(sum_of failed)" -ne 0 ] ||
		! echo "$last" | grep -q '[0-9] passed'; }; then
		fail "$label: exit $status: $last"
		tail -n 40 "$log"
	fi
	echo "$label: $last"
}

# count_pytest LABEL ARGUMENTS...: runs Debian's pytest (whatever python3 the PATH has) and takes its sum.
count_pytest() {
	label=$1
	shift
	run_pytest "$logs/$label.log" "$@"
	take_pytest "$label"
}

# run_pytest LOG ARGUMENTS...: the output goes to LOG, the exit code to LOG.status.
run_pytest() {
	log=$1
	shift
	# shellcheck disable=SC2086  # $pytest_as is no word, or a sudo command of several
	${pytest_as-} env PATH="$PATH" PYTHONDONTWRITEBYTECODE=1 PGPGATE_BUILD="$PGPGATE_BUILD" \
		PGPGATE_CONFINED="${PGPGATE_CONFINED-}" PYTEST_ADDOPTS="${PYTEST_ADDOPTS-}" \
		PGPGATE_SANITIZED="${PGPGATE_SANITIZED-}" /usr/bin/python3 -m pytest -q -rfEs --color=no --tb=short \
		-p no:cacheprovider "$@" >"$log" 2>&1
	echo $? >"$log.status"
}

# take_pytest LABEL: counts what run_pytest has left in $logs/LABEL.log.
take_pytest() {
	label=$1
	log=$logs/$label.log
	status=$(cat "$log.status" 2>/dev/null || echo none)
	last=$(tail -n 1 "$log")
	pass "$(sum_of passed)"
	before=$n_failed
	grep -E '^(FAILED|ERROR) ' "$log" >"$logs/lines"
	while read -r _ line; do
		fail "$label: $line"
	done <"$logs/lines"
	grep '^SKIPPED' "$log" >"$logs/lines"
	while read -r _ many line; do
		for _ in $(seq "$(echo "$many" | tr -d '[]')"); do
			skip "$label" "$line"
		done
	done <"$logs/lines"
	# 5: no test was found, which is a failure of whoever named them.
	if [ "$status" != 0 ] && [ "$n_failed" -eq "$before" ]; then
		fail "$label: pytest ended with exit $status"
	fi
	[ "$n_failed" -eq "$before" ] || tail -n 150 "$log"
	echo "$label: $last"
}

sum_of() {
	number=$(echo "$last" | grep -oE "[0-9]+ $1" | grep -oE '[0-9]+')
	echo "${number:-0}"
}

# The last words, and the exit code: 0 only if nothing failed.
finish() {
	if [ -s "$logs/skipped" ]; then
		printf '\nSkipped:\n'
		sort "$logs/skipped" | uniq -c | sed 's/^ *1 /  /'
	fi
	if [ -s "$logs/failed" ]; then
		printf '\nFailed:\n'
		sed 's/^/  /' "$logs/failed"
		printf '\nOutput of each step: %s\n' "$logs"
	fi
	printf '\n%d passed, %d failed, %d skipped\n' "$n_passed" "$n_failed" "$n_skipped"
	[ "$n_failed" -eq 0 ]
}

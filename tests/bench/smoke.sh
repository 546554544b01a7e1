#!/bin/sh
# SPDX-License-Identifier: ISC
#
# smoke.sh BUILD_DIR: do the instruments of tests/bench work? Each runs for about a second; no figure decides.
# Ends with "N passed, N failed, N skipped"; exit 1 if any failed.
set -u

build=${1:-.}
source=$(cd "$(dirname "$0")/../.." && pwd)
bench=$build/tests/bench
dir=$(mktemp -d) || exit 1
passed=0 failed=0 skipped=0 pids=

cleanup() {
	for pid in $pids; do
		kill "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

ok() {
	passed=$((passed + 1))
	echo "ok: $1"
}
not_ok() {
	failed=$((failed + 1))
	echo "FAILED: $1"
	sed 's/^/    /' "$dir/out" | head -5
}
skip() {
	skipped=$((skipped + 1))
	echo "skipped: $1"
}

# check NAME COMMAND...: passes if it exits 0.
check() {
	name=$1
	shift
	if timeout 60 "$@" >"$dir/out" 2>&1; then ok "$name"; else not_ok "$name"; fi
}
# check_fails NAME COMMAND...: passes if it exits 1.
check_fails() {
	name=$1
	shift
	timeout 60 "$@" >"$dir/out" 2>&1
	if [ $? -eq 1 ]; then ok "$name"; else not_ok "$name"; fi
}
# check_output NAME PATTERN: the last output holds it.
check_output() {
	if grep -q "$2" "$dir/out"; then ok "$1"; else not_ok "$1"; fi
}
# start SOCKET COMMAND...: in the background, until it has made its unix socket.
start() {
	socket=$1
	shift
	"$@" >"$dir/server.out" 2>&1 &
	pids="$pids $!"
	tries=100
	while [ ! -S "$socket" ] && [ $tries -gt 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
}

make_mail() { # MARKER
	printf 'From: a@client.test\nSubject: folded\n line\nTo: b@example.org\n\n%s\n' "$1"
	i=0
	while [ $i -lt 300 ]; do
		echo 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
		i=$((i + 1))
	done
}
make_mail '-----BEGIN PGP MESSAGE-----' >"$dir/marked.eml"
make_mail 'Hello' >"$dir/plain.eml"

start "$dir/null" "$bench/null_filter" "unix:$dir/null"
check "milter_load and null_filter: one message a connection" \
	"$bench/milter_load" -s "unix:$dir/null" -f "$dir/plain.eml" -c 4 -n 100 -x accept
check_output "milter_load: every end of message was answered" '"eom-continue":100'
check_output "null_filter: no answers to header and body" '"replies":{"mail-continue":100,"rcpt-continue":100,"eom'
check "milter_load: many messages a connection, several recipients, SIZE not declared" \
	"$bench/milter_load" -s "unix:$dir/null" -f "$dir/plain.eml" -c 4 -n 100 -m 25 -r 5 -z -x accept
check_output "milter_load: each recipient was answered" '"rcpt-continue":500'
check "milter_load: all messages open at once" \
	"$bench/milter_load" -s "unix:$dir/null" -f "$dir/plain.eml" -c 20 -n 20 -T -x accept
check_fails "milter_load: another answer than expected is an error" \
	"$bench/milter_load" -s "unix:$dir/null" -f "$dir/plain.eml" -n 5 -x reject
check_fails "milter_load: no server is an error" \
	"$bench/milter_load" -s "unix:$dir/none" -f "$dir/plain.eml" -n 5

start "$dir/policy" "$bench/null_policyd" "unix:$dir/policy"
check "policy_load and null_policyd" \
	"$bench/policy_load" -s "unix:$dir/policy" -c 4 -n 1000 -m 100 -x DUNNO
check_output "policy_load: every request was answered" '"actions":{"DUNNO":1000}'
check_fails "policy_load: another action than expected is an error" \
	"$bench/policy_load" -s "unix:$dir/policy" -n 5 -x REJECT

if /usr/bin/python3 -c 'import Milter' 2>/dev/null; then
	start "$dir/seed" /usr/bin/python3 "$source/tests/bench/seed_peer.py" "unix:$dir/seed"
	check "seed_peer: accepts the marker" \
		"$bench/milter_load" -s "unix:$dir/seed" -f "$dir/marked.eml" -n 20 -x accept
	check "seed_peer: refuses without" \
		"$bench/milter_load" -s "unix:$dir/seed" -f "$dir/plain.eml" -n 20 -x reject
else
	skip "seed_peer: no python3-milter"
fi

if [ -x "$bench/scan_bench" ]; then
	check "scan_bench: cleartext" "$bench/scan_bench" -f "$dir/plain.eml" -r 2 -M 20 -x cleartext
else
	skip "scan_bench: not built"
fi

if [ -x "$bench/record_bench" ]; then
	check "record_bench: two groups" "$bench/record_bench" -d "$dir/record.db" -g 8 -n 10
	check_output "record_bench: whole groups" '"messages":16,'
else
	skip "record_bench: not built"
fi

if [ -x "$build/pgpgate" ] && [ -x "$build/pgpgate-filter" ] && [ -x "$build/pgpgate-policyd" ]; then
	set -- -c /dev/null -o "database=sqlite:$dir/db"
	check "db init" "$build/pgpgate" "$@" db init
	check "fill_db" python3 "$source/tests/bench/fill_db.py" --rules 100 --verdicts 1000 --pairs 100 "$dir/db"
	check "fill_db: what it made is a sound database" "$build/pgpgate" "$@" db check
	set -- "$@" -o user= -o local_clients= -o default_requirement=encrypted
	start "$dir/filter" "$build/pgpgate-filter" -f "$@" -p "unix:$dir/filter"
	check "milter_load and pgpgate-filter: cleartext is refused" \
		"$bench/milter_load" -s "unix:$dir/filter" -f "$dir/plain.eml" -c 4 -n 40 -m 5 -x reject
	ours=$(sed -n 's/.*"steps":"\([^"]*\)","actions":"\([^"]*\)".*/\1 \2/p' "$dir/out")
	check "milter_load and null_filter again" \
		"$bench/milter_load" -s "unix:$dir/null" -f "$dir/plain.eml" -n 5
	null=$(sed -n 's/.*"steps":"\([^"]*\)","actions":"\([^"]*\)".*/\1 \2/p' "$dir/out")
	check "null_filter negotiates what pgpgate-filter does ($ours, $null)" test "$ours" = "$null"
	start "$dir/policyd" "$build/pgpgate-policyd" -f "$@" -p "unix:$dir/policyd"
	check "policy_load and pgpgate-policyd" \
		"$bench/policy_load" -s "unix:$dir/policyd" -c 4 -n 400 -x DUNNO
else
	skip "pgpgate-filter, pgpgate-policyd, fill_db: not built"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]

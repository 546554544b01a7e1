# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# End-to-end tests behind a private Postfix; its master process wants root.

step_e2e() {
	headline "end-to-end tests behind a real Postfix"
	if ! command -v prometheus >/dev/null; then
		unpack_packages "$build/unpacked" prometheus
		PATH=$PATH:$build/unpacked/usr/bin
	fi
	run_e2e_files "$build" e2e
}

# How many of its files at once: they wait most of the time, for mail that is on its way.
E2E_AT_ONCE=4

# run_e2e_files BUILD LABEL [NAME...]: all of tests/e2e but the files of these names, several at once, the largest first.
run_e2e_files() {
	PGPGATE_BUILD=$1
	of=$2
	shift 2
	export PGPGATE_BUILD
	may_be_root "$of" || return
	files=
	# shellcheck disable=SC2045  # names of ours, without blanks
	for file in $(ls -S "$top"/tests/e2e/test_*.py); do
		case " $* " in
		*" $(basename "$file") "*) ;;
		*) files="$files $file" ;;
		esac
	done
	n_started=0
	for file in $files; do
		run_pytest "$logs/$of-$(basename "$file" .py).log" "$file" &
		n_started=$((n_started + 1))
		# A plain sh waits for all or for one that it names: each leaves a file when it ends.
		while [ $((n_started - $(find "$logs" -name "$of-test_*.log.status" | wc -l))) -ge "$E2E_AT_ONCE" ]; do
			sleep 0.2
		done
	done
	wait
	for file in $files; do
		take_pytest "$of-$(basename "$file" .py)"
	done
}

# run_e2e BUILD LABEL ARGUMENTS of pytest...
run_e2e() {
	directory=$1
	label=$2
	shift 2
	may_be_root "$label" || return
	PGPGATE_BUILD=$directory
	export PGPGATE_BUILD
	count_pytest "$label" "$@"
}

# may_be_root LABEL: sets $pytest_as to what makes a command root's; 1, said as a skip, where that is not to be had.
may_be_root() {
	pytest_as=
	[ "$(id -u)" -ne 0 ] || return 0
	if ! sudo -n true 2>/dev/null; then
		skip "$1" "a private Postfix wants root: run ./runtests as root, or allow sudo without a password"
		return 1
	fi
	pytest_as="sudo -n"
}

# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# End-to-end tests behind a private Postfix; its master process wants root.

step_e2e() {
	headline "end-to-end tests behind a real Postfix"
	if ! command -v prometheus >/dev/null; then
		unpack_packages "$build/unpacked" prometheus
		PATH=$PATH:$build/unpacked/usr/bin
	fi
	run_e2e "$build" e2e "$top/tests/e2e"
}

# run_e2e BUILD LABEL ARGUMENTS of pytest...
run_e2e() {
	directory=$1
	label=$2
	shift 2
	pytest_as=
	if [ "$(id -u)" -ne 0 ]; then
		if ! sudo -n true 2>/dev/null; then
			skip "$label" "a private Postfix wants root: run ./runtests as root, or allow sudo without a password"
			return
		fi
		pytest_as="sudo -n"
	fi
	PGPGATE_BUILD=$directory
	export PGPGATE_BUILD
	count_pytest "$label" "$@"
}

# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# What can be said without running the programs: manual pages, shell, format, what the tree promises.

step_lint() {
	headline "manual pages, shell scripts, format"
	for page in "$top"/man/*.[1-9]; do
		check "mandoc -Tlint $(basename "$page")" mandoc -Tlint -Wwarning "$page"
	done
	for script in quickstart runtests .ci/run dist/*.bash-completion dist/container/run debian/pgpgate.p* \
		debian/tests/behind-postfix tests/steps/*.sh; do
		check "shellcheck $script" shellcheck -x -P "$top" "$top/$script"
	done
	check "clang-format" make -s -C "$build" format-check
	for script in "$top"/tests/lint/*.py; do
		[ -e "$script" ] || continue
		count_sum "lint-$(basename "$script" .py)" in_build "$build" /usr/bin/python3 -B "$script"
	done
}

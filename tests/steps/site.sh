# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Several hosts as one site, with a private PostgreSQL.

step_site() {
	headline "several hosts as one site"
	run_e2e "$build" site "$top/tests/site" -s
	sed -n 's/^[.]*\(site: .*\)/\1/p' "$logs/site.log"
}

step_long_site() {
	# Installed it would start a service.
	if ! command -v pgbouncer >/dev/null; then
		unpack_packages "$build/unpacked" pgbouncer
		PATH=$PATH:$build/unpacked/usr/sbin
	fi
	PGPGATE_LONG=1
	export PGPGATE_LONG
	step_site
	unset PGPGATE_LONG
}

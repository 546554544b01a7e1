# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Several hosts as one site, with a private PostgreSQL.

step_site() {
	headline "several hosts as one site"
	run_e2e "$build" site "$top/tests/site" -s
	sed -n 's/^[.]*\(site: .*\)/\1/p' "$logs/site.log"
}

step_long_site() {
	PGPGATE_LONG=1
	export PGPGATE_LONG
	step_site
	unset PGPGATE_LONG
}

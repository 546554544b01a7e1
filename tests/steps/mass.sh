# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# The mass test: random rules, messages, restarts, several senders; an independent model of the policy.
# PGPGATE_MASS_SECONDS, PGPGATE_MASS_MESSAGES: see tests/mass/test_mass.py.

step_mass() {
	headline "mass test"
	run_e2e "$build" mass "$top/tests/mass" -s
	sed -n 's/^[.]*\(mass: .*\)/\1/p' "$logs/mass.log"
}

# An hour of it.
step_long_mass() {
	PGPGATE_MASS_SECONDS=${PGPGATE_MASS_SECONDS:-3600}
	export PGPGATE_MASS_SECONDS
	step_mass
}

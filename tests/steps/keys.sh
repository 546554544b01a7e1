# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Certificates of every program that can be had times messages of every kind. Not among the default steps: a Java development
# kit comes along.

step_keys_table() {
	headline "keys of recipients: certificates times messages"
	keys_prepare
	run_e2e "$build" keys-table "$top/tests/long/test_keys_table.py" -s
	keys_show keys-table
	PGPGATE_MANY=1000
	export PGPGATE_MANY
	run_e2e "$build" keys-many "$top/tests/e2e/test_keys.py" -k directory_of_certificates
	unset PGPGATE_MANY
}

keys_show() {
	sed -n -E '/ certificates imported/s/^[.s]*//p' "$logs/$1.log"
}

# Sets PGPGATE_OPENPGPJS, and PGPGATE_CERTIFICATES=all where every program is there. OpenPGP.js only where there is npm.
keys_prepare() {
	PGPGATE_CERTIFICATES=all
	# shellcheck disable=SC2086  # a list of words
	install_packages $CERTIFICATE_PACKAGES || {
		PGPGATE_CERTIFICATES=some
		for package in $CERTIFICATE_PACKAGES; do
			install_packages "$package" || echo "keys_table: no package $package"
		done
	}
	PGPGATE_OPENPGPJS=$build/certificates
	keys_from_npm || {
		PGPGATE_OPENPGPJS=
		PGPGATE_CERTIFICATES=some
		echo "keys_table: no OpenPGP.js"
	}
	export PGPGATE_CERTIFICATES PGPGATE_OPENPGPJS
}

keys_from_npm() {
	from=$top/tests/long/certificates
	command -v npm >/dev/null && command -v node >/dev/null || return 1
	cmp -s "$from/package-lock.json" "$PGPGATE_OPENPGPJS/installed" && return 0
	mkdir -p "$PGPGATE_OPENPGPJS" && cp "$from/package.json" "$from/package-lock.json" "$PGPGATE_OPENPGPJS" &&
		(cd "$PGPGATE_OPENPGPJS" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 \
			>"$logs/certificates.log" 2>&1 </dev/null) &&
		cp "$from/package-lock.json" "$PGPGATE_OPENPGPJS/installed"
}

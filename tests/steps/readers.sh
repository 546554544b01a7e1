# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# The readers of mail that the canary asks (tests/property/readers): what they need, brought to where they look for
# it. A reader that cannot be had is skipped by tests/property/planted.py with a word.

# Sets PGPGATE_READERS and PGPGATE_NODE_READERS.
readers_prepare() {
	PGPGATE_READERS=$build/readers
	PGPGATE_NODE_READERS=$build/readers/npm
	export PGPGATE_READERS PGPGATE_NODE_READERS
	# shellcheck disable=SC2086  # lists of words
	install_packages $READER_PACKAGES || for package in $READER_PACKAGES; do
		install_packages "$package" || echo "readers: no package $package"
	done
	for package in ${SLOW_READERS:+$READER_PACKAGES_SLOW}; do
		install_packages "$package" || echo "readers: no package $package"
	done
	# shellcheck disable=SC2086  # a list of words
	unpack_packages "$PGPGATE_READERS" $READER_PACKAGES_UNPACKED >"$logs/readers.log" 2>&1 ||
		echo "readers: $READER_PACKAGES_UNPACKED cannot be unpacked"
	readers_from_npm
}

# Libraries for Node.js, in the versions of package-lock.json, without their scripts; only where there is npm already:
# Debian's brings several hundred packages along.
readers_from_npm() {
	if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
		return
	fi
	cmp -s "$top/tests/property/readers/npm/package-lock.json" "$PGPGATE_NODE_READERS/installed" && return
	mkdir -p "$PGPGATE_NODE_READERS"
	cp "$top/tests/property/readers/npm/package.json" "$top/tests/property/readers/npm/package-lock.json" \
		"$PGPGATE_NODE_READERS" || return
	if (cd "$PGPGATE_NODE_READERS" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund \
		--fetch-retries=1 >>"$logs/readers.log" 2>&1 </dev/null); then
		cp "$PGPGATE_NODE_READERS/package-lock.json" "$PGPGATE_NODE_READERS/installed"
	else
		echo "readers: npm could not install"
	fi
}

# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154,SC3013  # sourced; dash has -nt
# Building, out of tree. Sourced by ./quickstart and ./runtests; $top is the top of the source tree.

jobs_count() {
	getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1
}

# An in-tree configuration (from an earlier ./configure) makes every out-of-tree one fail.
refuse_in_tree_build() {
	if [ -e "$top/config.status" ]; then
		echo "$0: $top is configured in place; run 'make distclean' there first" >&2
		return 1
	fi
}

# What configure can find here: packages, pkg-config's modules, tools, and what the environment asks for. When it
# is another than at the last configure, something came, went or was upgraded, whatever it was.
what_is_there() {
	{
		dpkg-query -W -f '${Package} ${Version} ${Status}\n' 2>/dev/null
		pkg-config --list-all 2>/dev/null | sort
		command -v autoconf cc clang gcc pkg-config
		echo "${CC-} ${CFLAGS-} ${CPPFLAGS-} ${LDFLAGS-} ${PKG_CONFIG_PATH-}"
	} | cksum
}

# build_in DIRECTORY [ARGUMENTS of configure...]: configures unless that was done with the same arguments on the
# same machine as it is now, makes the programs. Says nothing unless something fails.
build_in() {
	directory=$1
	shift
	refuse_in_tree_build || return 1
	mkdir -p "$directory" || return 1
	if ! quietly "$directory/build.log" build_steps "$@"; then
		echo "$0: the build failed; the whole log is $directory/build.log" >&2
		return 1
	fi
}

build_steps() (
	if [ ! -e "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ] ||
		[ "$top/Makefile.am" -nt "$top/Makefile.in" ]; then
		cd "$top" && autoreconf -fi || exit 1
	fi
	cd "$directory" || exit 1
	configuration="$(what_is_there) $*"
	if [ ! -e Makefile ] || [ "$configuration" != "$(cat configured-with 2>/dev/null)" ] ||
		[ "$top/configure" -nt config.status ]; then
		"$top/configure" -q "$@" || exit 1
		echo "$configuration" >configured-with
	fi
	make -s -j"$(jobs_count)"
)

# quietly LOG COMMAND...: output goes to LOG; its end is shown when the command fails.
quietly() {
	log=$1
	shift
	"$@" >"$log" 2>&1 && return 0
	tail -n 25 "$log" >&2
	return 1
}

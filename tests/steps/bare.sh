# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# README's promise: on a bare Debian, in a fresh clone, ./quickstart and ./runtests in either order. BARE_STEPS says
# which parts of ./runtests (default: those that need another configure than ./quickstart has done; "all": all).

step_bare() {
	headline "a fresh clone on a bare Debian, the two commands in either order"
	if [ "$(id -u)" -ne 0 ] || [ ! -e "$top/.git" ]; then
		skip bare "wants root, and a clone"
		return
	fi
	if ! install_packages git mmdebstrap; then
		fail "bare: what the test needs"
		return
	fi
	bare=$(mktemp -d "${TMPDIR:-/tmp}/pgpgate-bare.XXXXXX") || return
	steps=${BARE_STEPS-unit golden property linear lint}
	[ "$steps" != all ] || steps=
	check "bare: a minimal Debian" mmdebstrap --variant=minbase --include=ca-certificates,git bookworm "$bare/base.tar"
	bare_order quickstart_first "./quickstart --once --port 2599 && ./runtests $steps"
	bare_order runtests_first "./runtests $steps && ./quickstart --once --port 2599"
	rm -rf "$bare"
}

# What every machine has, and a chroot has not: processes, terminals (some readers of mail want one), shared memory.
bare_mounts="mount -t proc proc /proc && mkdir -p /dev/pts /dev/shm && mount -t tmpfs tmpfs /dev/shm &&
	mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && ln -sf pts/ptmx /dev/ptmx"

# bare_order NAME COMMANDS: the sum that ./runtests printed there is shown; its output is kept.
bare_order() {
	mkdir "$bare/root"
	tar -x -f "$bare/base.tar" -C "$bare/root"
	if ! git clone -q "file://$top" "$bare/root/root/pgpgate"; then
		fail "bare: $1: no clone"
		return
	fi
	# shellcheck disable=SC2016  # for the shell inside
	check "bare_$1" unshare --mount --pid --fork --kill-child chroot "$bare/root" env -i HOME=/root \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c "$bare_mounts && cd /root/pgpgate && $2"
	grep -E '^[0-9]+ passed' "$logs/bare_$1.log" | sed "s/^/$1: /"
	rm -rf "$bare/root"
}

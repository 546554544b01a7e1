# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154  # sourced: variables come from and go to the caller
# Debian packages, and how they come onto the machine. Sourced by ./quickstart and ./runtests.

BUILD_PACKAGES="autoconf autoconf-archive automake gcc libc6-dev libevent-dev libidn2-dev
	libjansson-dev libmilter-dev libpsl-dev libseccomp-dev libsqlite3-dev libunistring-dev make nettle-dev pkg-config"
DEMO_PACKAGES="gnupg postfix python3 sq"
TEST_PACKAGES="ansible-core clang clang-format fish libclang-rt-dev libcmocka-dev libgmime-3.0-dev libpq-dev librnp0 llvm mandoc
	postgresql procps python3-pytest rnp shellcheck sqlite3 strace valgrind xz-utils zsh"
# Readers of mail that the canary asks (tests/steps/readers.sh); the second ones would start services if installed.
READER_PACKAGES="dpkg-dev evolution-data-server-common g++ libc-client2007e-dev libcamel1.2-dev libcourier-unicode4 libemail-mime-perl
	libetpan-dev libkf5mime-dev libmime-tools-perl mutt neomutt php-cli php-mailparse ruby-mail s-nail"
READER_PACKAGES_SLOW="chromium claws-mail golang-github-emersion-go-message-dev golang-go libmail-box-perl libmimetic-dev mailutils thunderbird" # only for ./runtests long
READER_PACKAGES_UNPACKED="dovecot-core dovecot-dev dovecot-imapd maildrop"
# Programs and libraries that make certificates (tests/steps/keys.sh), besides TEST_PACKAGES.
CERTIFICATE_PACKAGES="gosop libbcpg-java openjdk-17-jdk-headless pgpainless-cli python3-pgpy sqop"

# as_root COMMAND...: through sudo when we are not root.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "$0: '$1' wants root, and there is no sudo: run as root" >&2
		return 1
	fi
}

is_installed() {
	dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed$'
}

# Debian's postfix starts a mail server of its own as soon as it finds a main.cf. Without one (the answer
# "No configuration", given only when postfix is not there yet) it installs the programs and starts nothing.
preseed_postfix() {
	is_installed postfix ||
		echo 'postfix postfix/main_mailer_type select No configuration' | as_root debconf-set-selections
}

# Likewise postgresql: the tests make clusters of their own.
preseed_postgresql() {
	is_installed postgresql-common || [ -e /etc/postgresql-common/createcluster.conf ] || {
		as_root mkdir -p /etc/postgresql-common &&
			echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
	}
}

# install_packages NAME...: those that are missing; asks apt for nothing when all are there.
install_packages() {
	missing=
	for package in "$@"; do
		is_installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null; then
		echo "$0: needs these Debian packages:$missing" >&2
		return 1
	fi
	echo "Installing:$missing" >&2
	case " $missing " in *" postfix "*) preseed_postfix || return 1 ;; esac
	case " $missing " in *" postgresql "*) preseed_postgresql || return 1 ;; esac
	# shellcheck disable=SC2086  # a list of words
	apt_install $missing || { as_root apt-get -q update >&2 && apt_install $missing; } || {
		echo "$0: apt-get could not install:$missing" >&2
		return 1
	}
}

# unpack_packages DIRECTORY NAME...: only the files, below DIRECTORY: what would start a service when it is installed.
unpack_packages() {
	directory=$1
	shift
	for package in "$@"; do
		[ ! -e "$directory/$package.unpacked" ] || continue
		mkdir -p "$directory" || return 1
		(cd "$directory" && apt-get -q download "$package" >&2 && dpkg-deb -x "$package"_*.deb . &&
			rm -f "$package"_*.deb && : >"$package.unpacked") || return 1
	done
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@" >&2
}

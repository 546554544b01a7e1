# SPDX-License-Identifier: ISC
"""What the tests of the package do to a machine."""

import os
import sqlite3

DATABASE = "var/lib/pgpgate/pgpgate.db"
# bash send [SERVER [RECIPIENT]]
SEND = r"""
exec 3<>/dev/tcp/${1:-127.0.0.1}/25
say() { printf '%s\r\n' "$1" >&3; }
hear() { while IFS= read -r -t 60 l <&3; do [ "${l:3:1}" = - ] || break; done; echo "$l"; }
hear; say 'EHLO client.test'; hear; say 'MAIL FROM:<bob@example.net>'; hear; say "RCPT TO:<${2:-root}>"; hear
say DATA; hear; say 'Subject: hello'; say ''; say 'Readable by everyone.'; say .; hear; say QUIT
"""


def install(machine, package, check=True):
    return machine.run(f"apt-get -q -y --no-install-recommends --allow-downgrades "
                       f"-o Dpkg::Options::=--force-confold install /root/{os.path.basename(package)} 2>&1", check)


def postfix_configuration(machine):
    return machine.run("find /etc/postfix -type f -exec sha256sum {} +").stdout


def start_without_systemd(machine):
    if not machine.has_systemd:
        machine.run("pgpgate-filter -P /run/pgpgate-filter.pid; pgpgate-policyd -P /run/pgpgate-policyd.pid; "
                    "postfix status 2>/dev/null || postfix start")


def stop_daemons(machine):
    if machine.has_systemd:
        machine.run("systemctl stop pgpgate-filter pgpgate-policyd")
    else:
        machine.run("for f in /run/pgpgate-*.pid; do [ ! -e $f ] || { p=$(cat $f); kill $p; "
                    "while [ -e /proc/$p/exe ]; do sleep 0.1; done; rm -f $f; }; done")


def are_running(machine):
    return machine.run("systemctl is-active pgpgate-filter pgpgate-policyd", False).stdout.split() == ["active"] * 2


def schema(machine):
    database = sqlite3.connect(machine.path(DATABASE))
    try:
        return database.execute("PRAGMA user_version").fetchone()[0]
    finally:
        database.close()

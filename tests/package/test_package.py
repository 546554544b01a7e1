# SPDX-License-Identifier: ISC
"""The Debian package in fresh systems beside Debian's own Postfix: installed, used, upgraded, removed, purged; with
systemd as it is everywhere, and without. The tests of one machine follow one another.

Run by `./runtests package`, or as root with PGPGATE_BUILD naming a configured build directory."""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess

import pytest

from acts import (DATABASE, SEND, are_running, install, postfix_configuration, schema, start_without_systemd,
                  stop_daemons)
from conftest import BEFORE, TOP, build_deb, debs
from harness.schema import sql_back_to
from machine import run


def test_first_verdict_after_four_commands(machine, package):
    machine.run("postconf -e maillog_file=/var/log/mail.log; postfix reload 2>/dev/null || postfix start")
    configuration = postfix_configuration(machine)
    told = install(machine, package).stdout  # 1
    assert postfix_configuration(machine) == configuration
    commands = re.findall(r"(?m)^  (post.*)$", told)
    assert len(commands) == 2, told
    assert not machine.has_systemd or are_running(machine)
    start_without_systemd(machine)
    for command in commands:  # 2, 3
        machine.run(command)
    with open(machine.path("root/send"), "w", encoding="ascii") as file:
        file.write(SEND)
    answers = machine.run("bash /root/send").stdout
    assert "queued as" in answers, answers
    log = machine.run("pgpgate log").stdout  # 4
    assert "cleartext" in log and "bob@example.net" in log, log


def test_doctor_is_content(machine):
    done = machine.run("pgpgate doctor", False)
    assert done.returncode == 0 and "MEND" not in done.stdout, done.stdout + done.stderr


# What the questions of Debian's Postfix are answered with for a server that takes its own mail.
INTERNET_SITE = """\
postfix postfix/main_mailer_type select Internet Site
postfix postfix/mailname string example.org
postfix postfix/destinations string example.org, localhost
"""


def test_behind_debians_internet_site(machine, package):
    """dpkg-reconfigure's own main.cf, a smtpd in its chroot, and a stranger: 192.0.2.7 is here, and not in mynetworks."""
    with open(machine.path("root/answers"), "w", encoding="ascii") as file:
        file.write(INTERNET_SITE)
    run("nsenter", "-t", machine.leader, "-n", "ip", "addr", "add", "192.0.2.7/32", "dev", "lo")
    machine.run("id alice 2>/dev/null || useradd -m alice; echo example.org >/etc/mailname; "
                "rm -f /etc/postfix/main.cf; debconf-set-selections answers; "
                "dpkg-reconfigure -f noninteractive postfix 2>&1")
    told = machine.run("postconf -h myorigin mydestination mynetworks; postconf -Fh smtp/inet/chroot").stdout.split("\n")
    assert told[0] == "/etc/mailname" and told[1].startswith("example.org") and told[2].startswith("127.0.0.0/8") \
        and told[3] == "y", told
    machine.run("postconf -e maillog_file=/var/log/mail.log smtpd_milters=unix:pgpgate/filter.sock "
                "milter_default_action=tempfail smtpd_forbid_bare_newline=yes 'smtpd_recipient_restrictions="
                "permit_mynetworks, reject_unauth_destination, check_policy_service unix:pgpgate/policy.sock'")
    machine.run("sed -i 's/^enforce = .*/enforce = yes/' /etc/pgpgate/pgpgate.conf; pgpgate exempt open@example.org")
    stop_daemons(machine)
    if machine.has_systemd:
        machine.run("systemctl restart pgpgate-filter pgpgate-policyd postfix@-")
    else:
        machine.run("postfix stop 2>/dev/null; rm -f /run/pgpgate-*.pid; :")
        start_without_systemd(machine)
    machine.run("bash -c 'i=0; until (exec 3<>/dev/tcp/192.0.2.7/25) 2>/dev/null; do i=$((i+1)); [ $i -lt 600 ] || exit 1; "
                "sleep 0.1; done'")
    for server, recipient, answer in (("192.0.2.7", "alice@example.org", "takes only encrypted mail"),
                                      ("192.0.2.7", "alice", "takes only encrypted mail"),
                                      ("192.0.2.7", "postmaster", "queued as"), ("127.0.0.1", "alice", "queued as"),
                                      ("192.0.2.7", "alice@elsewhere.test", "Relay access denied")):
        said = machine.run(f"bash send {server} {recipient}; tail -n 5 /var/log/mail.log; pgpgate log -n 1").stdout
        assert answer in said, (server, recipient, said)
    machine.run("sendmail -f alice@example.org -i alice <send; postqueue -f; pgpgate forget open@example.org; "
                "sed -i 's/^enforce = .*/enforce = no/' /etc/pgpgate/pgpgate.conf; "
                + ("systemctl reload pgpgate-filter pgpgate-policyd" if machine.has_systemd
                   else "kill -USR1 $(cat /run/pgpgate-filter.pid /run/pgpgate-policyd.pid)"))
    done = machine.run("pgpgate doctor", False)
    assert done.returncode == 0 and "MEND" not in done.stdout, done.stdout + done.stderr


def test_mail_with_chroot_and_without(machine):
    """The same script that autopkgtest runs."""
    stop_daemons(machine)
    shutil.copytree(os.path.join(TOP, "debian"), machine.path("root/src/debian"))
    os.makedirs(machine.path("root/src/tests/mail"))
    for name in ("gpg-3des.eml",):
        shutil.copy(os.path.join(TOP, "tests", "mail", name), machine.path("root/src/tests/mail"))
    done = machine.run("cd /root/src && debian/tests/behind-postfix 2>&1", False)
    assert done.returncode == 0 and "behind-postfix: ok" in done.stdout, done.stdout


@pytest.mark.services
def test_the_services_keep_the_filter_in(machine):
    machine.run("systemctl restart pgpgate-filter pgpgate-policyd")
    for daemon in ("filter", "policyd"):
        status = machine.run(f"cat /proc/$(systemctl show -P MainPID pgpgate-{daemon})/status").stdout
        for line in ("Seccomp:\t2", "NoNewPrivs:\t1", "CapBnd:\t0000000000000000", "CapEff:\t0000000000000000"):
            assert line in status, status
    said = machine.run("journalctl -o cat -p warning -u 'pgpgate-*'").stdout
    assert "EPERM" not in said and "not permitted" not in said and "read-only" not in said.lower(), said


@pytest.mark.services
def test_a_killed_service_comes_back_every_time(machine):
    for _ in range(7):  # five in ten seconds are systemd's own limit
        old = machine.run("systemctl show -P MainPID pgpgate-filter").stdout.strip()
        machine.run("systemctl kill -s KILL pgpgate-filter; i=0; while :; do "
                    f"p=$(systemctl show -P MainPID pgpgate-filter); [ $p != {old} ] && [ $p != 0 ] && "
                    "systemctl -q is-active pgpgate-filter && break; i=$((i+1)); [ $i -lt 300 ] || exit 1; sleep 0.1; done")


# label, what goes wrong in a real machine
FAULTS = [
    ("the filter is stopped", "systemctl stop pgpgate-filter"),
    ("the folder of the sockets is gone", "systemctl stop pgpgate-filter pgpgate-policyd; rm -rf /var/spool/postfix/pgpgate"),
    ("nobody is let through to the sockets", "chmod 700 /var/spool/postfix/pgpgate"),
    ("the database is root's", "systemctl stop pgpgate-filter pgpgate-policyd; chown root: /var/lib/pgpgate/pgpgate.db*"),
    ("the database is everybody's", "chmod 666 /var/lib/pgpgate/pgpgate.db"),
    ("mail passes while the filter is down", "postconf -e milter_default_action=accept"),
    ("a path that the chroot has not", "postconf -F smtp/inet/chroot=y; "
     "postconf -e smtpd_milters=unix:/var/spool/postfix/pgpgate/filter.sock"),
    ("no milters", "postconf -e receive_override_options=no_milters"),
    ("another delimiter", "postconf -e recipient_delimiter=-"),
    ("a typing error", "sed -i 's/^enforce = .*/enforce = perhaps/' /etc/pgpgate/pgpgate.conf"),
    ("no reload", "sed -i 's/^enforce = .*/enforce = yes/' /etc/pgpgate/pgpgate.conf"),
    ("a value that is none", "postconf -e smtpd_timeout=30x"),
    ("no room for the queue", "postconf -e queue_minfree=900000000000000000"),
    ("a table that was never made", "echo 'bob@example.net OK' >/etc/postfix/access; "
     "postconf -e smtpd_sender_restrictions=check_sender_access,hash:/etc/postfix/access"),
    ("no state directory", "systemctl stop pgpgate-filter pgpgate-policyd; rm -rf /var/lib/pgpgate"),
    ("a database where the services may not write", "systemctl stop pgpgate-filter pgpgate-policyd; mkdir /srv/mail; "
     "cp -a /var/lib/pgpgate /srv/mail/gate; "
     "sed -i '/^#*database =/d; $a database = sqlite:/srv/mail/gate/pgpgate.db' /etc/pgpgate/pgpgate.conf"),
]


def problems(machine):
    found = [json.loads(line) for line in machine.run("pgpgate --json doctor", False).stdout.splitlines()]
    return [f for f in found if f["state"] == "problem"]


@pytest.mark.services
def test_each_mend_of_doctor_mends_when_it_is_typed(machine):
    with open(machine.path("root/editor"), "w", encoding="ascii") as file:
        file.write('#!/bin/sh\nexec sed -i "${1#+}s/perhaps/no/" "$2"\n')
    os.chmod(machine.path("root/editor"), 0o755)
    machine.run("systemctl restart postfix@-")
    assert problems(machine) == []
    for label, fault in FAULTS:
        machine.run(fault)
        found = problems(machine)
        assert found, label
        for _ in range(4):  # one fault can hide another
            for problem in found:
                machine.run(f"export EDITOR=/root/editor; {problem['mend']}")
            found = problems(machine)
            if not found:
                break
        assert found == [], (label, found)
    machine.run("pgpgate config --set 'enforce = no' && systemctl reload pgpgate-filter pgpgate-policyd && "
                "postconf -X smtpd_sender_restrictions; rm /etc/postfix/access*; systemctl restart postfix@-")
    machine.run("sed -i '/^database =/d' /etc/pgpgate/pgpgate.conf; rm -rf /srv/mail /etc/systemd/system/pgpgate-*; "
                "systemctl daemon-reload; systemctl restart pgpgate-filter pgpgate-policyd")


def operation_commands():
    """What pgpgate-operation(7) shows, in its order; the backup of a night is that of today."""
    with open(os.path.join(TOP, "man", "pgpgate-operation.7"), encoding="utf-8") as page:
        commands = re.findall(r"(?m)^# (.*)$", page.read())
    assert len(commands) > 10
    return [re.sub(r"pgpgate-\d{4}-\d\d-\d\d\.db", "pgpgate-$(date +%F).db", c) for c in commands]


@pytest.mark.services
def test_the_page_for_life_with_it_as_it_is_printed(machine):
    machine.run("systemctl start pgpgate-filter pgpgate-policyd; mkdir -p /var/backups; pgpgate exempt page@example.org")
    for command in operation_commands():
        machine.run(command)
    machine.run("systemctl start pgpgate-policyd pgpgate-filter")
    assert "page@example.org" in machine.run("pgpgate rules").stdout and are_running(machine)
    machine.run("rm -f FILE* rules /root/pgpgate.db* /var/backups/pgpgate-* /var/lib/pgpgate/*.before-*")


def back_to_schema_1(machine, more=""):
    stop_daemons(machine)
    database = sqlite3.connect(machine.path(DATABASE), isolation_level=None, timeout=30)
    try:
        database.executescript(f"BEGIN IMMEDIATE; {sql_back_to(database, 1)}\n{more} COMMIT; "
                               "PRAGMA wal_checkpoint(TRUNCATE);")
    finally:
        database.close()


def test_upgrade_keeps_settings_and_rules(machine, package, before):
    current = schema(machine)
    stop_daemons(machine)
    install(machine, before)
    stop_daemons(machine)
    machine.run("pgpgate require kept@example.org --note 'a rule'; "
                "sed -i 's/^#max_cleartext_bytes.*/max_cleartext_bytes = 17/' /etc/pgpgate/pgpgate.conf")
    back_to_schema_1(machine)
    told = install(machine, package).stdout
    assert schema(machine) == current, told
    assert "kept@example.org" in machine.run("pgpgate rules").stdout
    assert "= 17" in machine.run("pgpgate config max_cleartext_bytes").stdout
    assert not machine.has_systemd or are_running(machine)


def test_a_failed_migration_leaves_the_old_state(machine, package, before):
    install(machine, before)
    back_to_schema_1(machine, "CREATE TABLE answer_time (in_the_way INTEGER);")
    done = install(machine, package, check=False)
    assert done.returncode != 0
    for words in (f"as version {BEFORE} left it", "dpkg --configure pgpgate", "answer_time"):
        assert words in done.stdout, done.stdout
    assert schema(machine) == 1
    database = sqlite3.connect(machine.path(DATABASE), isolation_level=None)
    database.execute("DROP TABLE answer_time")
    database.close()
    machine.run("dpkg --configure pgpgate")
    assert schema(machine) > 1 and "kept@example.org" in machine.run("pgpgate rules").stdout
    assert not machine.has_systemd or are_running(machine)


def test_remove_keeps_purge_takes(machine):
    configuration = postfix_configuration(machine)
    stop_daemons(machine)
    told = machine.run("apt-get -q -y remove pgpgate 2>&1").stdout
    assert "Postfix still asks pgpgate" in told, told
    assert os.path.exists(machine.path(DATABASE)) and os.path.exists(machine.path("etc/pgpgate/pgpgate.conf"))
    machine.run("apt-get -q -y purge pgpgate </dev/null")
    left = machine.run("find / -xdev -iname '*pgpgate*' -not -path '/root/*' -not -path '/proc/*' -not -path '/tmp/*' "
                       "-not -path '/var/cache/apt/*' -not -path '/var/log/*' -not -path '/var/tmp/*'").stdout
    assert left == "", left
    assert postfix_configuration(machine) == configuration


def test_autopkgtest(machine, package, built):
    """DEP-8 as it is meant: autopkgtest installs the packages and runs debian/tests. The machine is thrown away, which
    no server that is within it can promise."""
    packages = [name for name in debs(built) if "dbgsym" not in name]
    for name in packages:
        shutil.copy(os.path.join(built, name), machine.path("root"))
    machine.run("apt-get -q -y --no-install-recommends install autopkgtest")
    done = machine.run(f"autopkgtest --ignore-restrictions=breaks-testbed {' '.join(f'/root/{n}' for n in packages)} "
                       "/root/src/ -- null 2>&1", False)
    assert done.returncode == 0 and re.search(r"(?m)^behind-postfix +PASS$", done.stdout), done.stdout[-4000:]


def test_same_package_from_another_folder(folder, source, built):
    other = build_deb(folder, "another-with-a-longer-name", source)
    digests = [{name: hashlib.sha256(open(path, "rb").read()).hexdigest() for name, path in debs(f).items()}
               for f in (built, other)]
    assert digests[0] == digests[1] and len(digests[0]) >= 2, digests


def test_lintian(built):
    (changes,) = [name for name in os.listdir(built) if name.endswith(".changes")]
    done = subprocess.run(["lintian", "--allow-root", "--pedantic", "-E", os.path.join(built, changes)],
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr

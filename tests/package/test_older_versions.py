# SPDX-License-Identifier: ISC
"""Upgrades from what earlier commits of this repository really were: their programs make the database and judge mail;
then today's package comes. A migration that fails leaves all as it was, and says what to do; afterwards rules, settings
and verdicts are there. Wants a clone whose history reaches back."""

import os
import re
import shutil
import sqlite3
import subprocess

import pytest

from acts import DATABASE, SEND, are_running, install, schema, start_without_systemd, stop_daemons
from conftest import TOP
from machine import run

FIRST_PACKAGE = "bd9987be102f551f9773d47586f5445cf923f01c"  # schema 10
BEFORE_PACKAGES = "27a39a97b62eb0970f6aa65c6cef1c1ec1243565"  # schema 3

STUB = """Package: pgpgate
Version: {version}
Architecture: amd64
Maintainer: The pgpgate authors <pgpgate@example.org>
Depends: {depends}
Description: what "make install" put there before there was a package
"""
STUB_POSTINST = """#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
systemd-sysusers pgpgate.conf
systemd-tmpfiles --create pgpgate.conf
pgpgate db init
[ ! -d /run/systemd/system ] || { systemctl daemon-reload; systemctl enable --now pgpgate-filter pgpgate-policyd; }
"""


def tree_of(commit, folder):
    """The tree of a commit, in a folder of its own."""
    if subprocess.run(["git", "-C", TOP, "cat-file", "-e", f"{commit}^{{commit}}"], capture_output=True,
                      check=False).returncode != 0:
        pytest.skip(f"the history of this clone does not reach back to {commit[:7]}")
    os.makedirs(folder)
    run("sh", "-c", f"git -C {TOP} archive {commit} | tar -x -C {folder}")
    return folder


def first_package(folder, _package):
    tree = tree_of(FIRST_PACKAGE, os.path.join(folder, "first", "src"))
    path = os.path.join(tree, "debian", "changelog")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("(0.1.0)", "(0.0.9~first)", 1))
    run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=tree, env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck parallel=2"})
    return os.path.join(folder, "first", "pgpgate_0.0.9~first_amd64.deb")


def before_packages(folder, package):
    tree, content = tree_of(BEFORE_PACKAGES, os.path.join(folder, "schema-3", "src")), os.path.join(folder, "schema-3", "content")
    run("autoreconf", "-fi", cwd=tree)
    run("./configure", "-q", "--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var", cwd=tree)
    run("make", "-s", "-j2", cwd=tree)
    run("make", "-s", "install-strip", f"DESTDIR={content}", "unitdir=/lib/systemd/system", cwd=tree)
    control = os.path.join(content, "DEBIAN")
    os.makedirs(control)
    depends = run("dpkg-deb", "-f", package, "Depends").strip()
    for name, text in (("control", STUB.format(version="0.0.8~schema3", depends=depends)), ("postinst", STUB_POSTINST),
                       ("conffiles", "/etc/pgpgate/pgpgate.conf\n")):
        with open(os.path.join(control, name), "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod(os.path.join(control, "postinst"), 0o755)
    path = os.path.join(folder, "pgpgate_0.0.8~schema3_amd64.deb")
    run("dpkg-deb", "--root-owner-group", "-b", content, path)
    return path


OLDER = {"schema 3, without a package": (before_packages, 3), "the first package": (first_package, 10)}


@pytest.fixture(scope="session", params=list(OLDER))
def older(request, folder, package):
    make, its_schema = OLDER[request.param]
    return make(folder, package), its_schema


def send(machine):
    with open(machine.path("root/send"), "w", encoding="ascii") as file:
        file.write(SEND)
    answers = machine.run("bash /root/send").stdout
    assert "queued as" in answers, answers


def in_database(machine, sql):
    database = sqlite3.connect(machine.path(DATABASE), isolation_level=None)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def test_upgrade_from(machine, older, package):
    path, its_schema = older
    version = re.search(r"_(.*)_", os.path.basename(path)).group(1)
    shutil.copy(path, machine.path("root"))
    machine.run("postconf -e maillog_file=/var/log/mail.log smtpd_milters=unix:pgpgate/filter.sock "
                "milter_default_action=tempfail; postfix reload 2>/dev/null || postfix start")
    install(machine, path)
    start_without_systemd(machine)
    assert schema(machine) == its_schema
    machine.run("pgpgate require kept@example.org --note 'a rule'; pgpgate exempt news@ --sender shop.test; "
                "sed -i 's/^#max_cleartext_bytes.*/max_cleartext_bytes = 17/' /etc/pgpgate/pgpgate.conf")
    send(machine)
    assert "bob@example.net" in machine.run("pgpgate log").stdout
    stop_daemons(machine)
    rules = in_database(machine, "SELECT count(*) FROM rule")
    verdicts = in_database(machine, "SELECT id, time_unix, verdict FROM verdict ORDER BY id")
    assert rules == [(2,)] and len(verdicts) == 1

    # the last of the migrations fails
    in_database(machine, "CREATE TABLE site_bounce (in_the_way INTEGER)")
    done = install(machine, package, check=False)
    assert done.returncode != 0
    for words in (f"as version {version} left it", "dpkg --configure pgpgate", "site_bounce"):
        assert words in done.stdout, done.stdout
    assert schema(machine) == its_schema
    assert in_database(machine, "SELECT count(*) FROM rule") == rules
    assert in_database(machine, "SELECT id, time_unix, verdict FROM verdict ORDER BY id") == verdicts

    # what was in its way is gone, and what it said is typed
    in_database(machine, "DROP TABLE site_bounce")
    machine.run("dpkg --configure pgpgate")
    assert schema(machine) > its_schema
    told = machine.run("pgpgate rules").stdout
    assert "kept@example.org" in told and "a rule" in told and "news@" in told and "shop.test" in told, told
    assert "= 17" in machine.run("pgpgate config max_cleartext_bytes").stdout
    assert "bob@example.net" in machine.run("pgpgate log").stdout
    machine.run("pgpgate db check")
    assert in_database(machine, "SELECT id, time_unix, verdict FROM verdict ORDER BY id") == verdicts
    assert not machine.has_systemd or are_running(machine)
    start_without_systemd(machine)
    send(machine)
    log = machine.run("pgpgate log").stdout
    assert log.count("bob@example.net") == 2, log
    machine.run("postconf -X smtpd_milters milter_default_action; postfix reload")
    stop_daemons(machine)
    machine.run("apt-get -q -y purge pgpgate </dev/null")

# SPDX-License-Identifier: ISC
"""The file system of the database is remounted read-only, or is full: 451 and never 5xx of our own, no cleartext, commands
fail with a sentence and have changed nothing, and all goes on by itself afterwards."""

import os
import subprocess

import pytest

from harness import messages
from harness.place import wait_until
from harness.smtp import send

ALICE, BOB = "alice@example.org", "bob@example.net"
FILE_SYSTEM_MIB = 24
MANY = 60  # a refusal comes with the second, mostly


@pytest.fixture(scope="module")
def mount(place):
    """A file system of its own for the state of the pair: tmpfs."""
    path = place.directory("mounted")
    user = place.user
    options = f"size={FILE_SYSTEM_MIB}m,mode=2770,uid={user.pw_uid},gid={user.pw_gid}"
    run = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], check=False)
    if run.returncode != 0:
        pytest.skip("nothing may be mounted here")
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture(scope="module")
def pair(mount, make_pair):
    return make_pair("mounted", database=f"sqlite:{mount}/pgpgate.db")


@pytest.fixture(scope="module")
def mx(make_postfix, pair):
    return make_postfix("mounted-mx", pair)


def read_only(path):
    """For whoever opens a file from now on: what is open for writing keeps the kernel from remounting the file system itself, so
    that it is mounted again over itself."""
    subprocess.run(["mount", "--bind", path, path], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", path], check=True)
    return lambda: subprocess.run(["umount", "-l", path], check=True)


def fill(path):
    with open(os.path.join(path, "filler"), "ab", buffering=0) as f:
        size = 1 << 20
        while size:
            try:
                f.write(b"x" * size)
            except OSError:
                size //= 2


def full(path):
    fill(path)
    return lambda: os.unlink(os.path.join(path, "filler"))


def exempt_until_refused(pair, name, mount, harm):
    """The rules that were confirmed, the one that was not, and its end. Nothing has to be refused at once where all is full:
    the mover writes the log back then, and what comes next goes into the blocks that the log has; a segment of the journal that
    goes leaves some, too."""
    confirmed = []
    for i in range(MANY):
        rule = f"during{i}@{name}.example.org"
        run = pair.run("exempt", rule)
        if run.code != 0:
            return confirmed, rule, run
        assert harm is full, run
        confirmed.append(rule)
        fill(mount)
    raise AssertionError(f"{MANY} rules, and none was refused")


def without(exported, rules):
    """Each of these rules is there once; what is left."""
    for rule in rules:
        lines = [line for line in exported.splitlines(True) if rule in line]
        assert len(lines) == 1, (rule, exported)
        exported = exported.replace(lines[0], "")
    return exported


@pytest.mark.parametrize("harm", [read_only, full])
def test_mail_and_commands_on_a_file_system_that_takes_nothing(pair, mx, keys, mount, harm):
    name = harm.__name__.replace("_", "-")
    assert pair.run("exempt", f"before@{name}.example.org").code == 0
    encrypted, cleartext = messages.pgp_mime(keys.gpg_armor()), messages.cleartext()
    assert send(mx.port, BOB, ALICE, encrypted).code == 250
    assert send(mx.port, BOB, ALICE, cleartext).code == 550
    rules = pair.must("export")
    answers = []
    mend = harm(mount)
    try:
        for _ in range(4):
            for message in (encrypted, cleartext):
                answers.append((message is cleartext, send(mx.port, BOB, ALICE, message).code))
        while harm is full and 451 not in {code for _, code in answers} and len(answers) < MANY:
            fill(mount)
            answers.append((False, send(mx.port, BOB, ALICE, encrypted).code))
        confirmed, rule, refused = exempt_until_refused(pair, name, mount, harm)
        assert refused.code != 0 and refused.err.count("\n") == 1, refused
        assert "mount it for writing" in refused.err if harm is read_only else "space" in refused.err, refused
        assert refused.code == (77 if harm is read_only else 74), refused
        during = pair.must("export")
        assert rule not in during and without(during, confirmed) == rules, (confirmed, refused, during)
    finally:
        mend()
    # Our faults are 4xx; what is judged and on record may be refused as ever, and cleartext is never taken.
    assert {code for is_cleartext, code in answers if is_cleartext} <= {451, 550}, answers
    assert {code for is_cleartext, code in answers if not is_cleartext} <= {250, 451}, answers
    if harm is full:
        assert 451 in {code for _, code in answers}, answers
    wait_until(lambda: send(mx.port, BOB, ALICE, encrypted).code == 250, lambda: f"mail\n{pair.filter.log()[-3000:]}")
    assert send(mx.port, BOB, ALICE, cleartext).code == 550
    assert pair.must("export") == during
    assert pair.run("exempt", f"after@{name}.example.org").code == 0
    assert pair.run("db", "check").code == 0
    for daemon in (pair.filter, pair.policyd):
        assert daemon.process.poll() is None

# SPDX-License-Identifier: ISC
"""The database's own file under harm: octets changed at random, and commands killed while they write. A damaged copy
makes no command crash, hang or say "in order" where the engine finds damage; a killed command leaves what was before
it or what it makes, never a mixture. tests/long runs both for longer."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess

import pytest

from harness.gate_of_user import Gate

SIGNALLED = range(-64, 0)


def write_rules(gate, n):
    path = os.path.join(gate.dir, f"rules-{n}")
    with open(path, "w", encoding="ascii") as f:
        f.writelines(f"exempt r{i}@example.org\n" for i in range(n))
    return path


def damage(path, chance):
    size = os.path.getsize(path)
    with open(path, "r+b") as f:
        for _ in range(chance.choice((1, 4, 64))):
            f.seek(chance.randrange(size))
            f.write(chance.randbytes(chance.choice((1, 8, 512))))
        if chance.random() < 0.2:
            f.truncate(chance.randrange(size))


def damaged_databases(place, name, n):
    gate = Gate(place, name)
    gate.must("db", "init")
    gate.must("import", write_rules(gate, 500))
    good, bad = os.path.join(gate.dir, "good.db"), os.path.join(gate.dir, "bad.db")
    gate.must("db", "backup", good)
    chance = random.Random(20261130)
    n_found = 0
    for i in range(n):
        shutil.copyfile(good, bad)
        damage(bad, chance)
        gate.put(bad)
        commands = [("rules",), ("export",), ("db", "status"), ("explain", "r1@example.org"), ("db", "check"),
                    ("exempt", "new@example.org"), ("db", "prune", "--older-than", "1d"), ("db", "compact"), ("db", "restore", bad)]
        results = {words: gate.run(*words) for words in commands}
        for words, result in results.items():
            assert result.code not in SIGNALLED and result.code < 128, (i, words, result)
            assert "ERROR: AddressSanitizer" not in result.err, (i, words, result)
        n_found += results[("db", "check")].code != 0
        if results[("db", "check")].code == 0:  # and the engine's own command agrees
            with contextlib.closing(sqlite3.connect(gate.database)) as d:
                assert d.execute("PRAGMA integrity_check").fetchall() == [("ok",)], i
        gate.must("db", "restore", good)
        assert len(gate.must("export").splitlines()) == 500, i
    print(f"{n} damaged databases, {n_found} of them told of as damaged")


def rules_of(gate):
    return set(gate.must("export").splitlines())


def kill_commands(place, name, n):
    gate = Gate(place, name)
    gate.must("db", "init")
    gate.must("import", write_rules(gate, 200))
    gate.must("exempt", "keep@example.org")
    good = os.path.join(gate.dir, "good.db")
    gate.must("db", "backup", good)
    before = rules_of(gate)
    many = write_rules(gate, 2000)
    all_many = {f"exempt r{i}@example.org" for i in range(2000)} | before
    copy = os.path.join(gate.dir, "copy.db")
    commands = {
        ("exempt", "x@example.org"): before | {"exempt x@example.org"},
        ("forget", "keep@example.org"): before - {"exempt keep@example.org"},
        ("import", many): all_many,
        ("pause", "--for", "1h"): before, ("resume",): before,
        ("db", "init"): before, ("db", "migrate"): before, ("db", "prune", "--older-than", "1d"): before,
        ("db", "compact"): before, ("db", "compact", "--rebuild"): before,
        ("db", "init", "--new-key"): before, ("db", "backup", copy): before, ("db", "restore", good): before,
    }
    chance = random.Random(20261130)
    n_killed = 0
    for words, after in commands.items():
        for i in range(n):
            gate.clear()
            gate.must("db", "restore", good)
            with subprocess.Popen(gate.words(*words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                try:
                    process.wait(chance.random() * 0.03)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                process.wait()
                n_killed += process.returncode == -signal.SIGKILL
            assert rules_of(gate) in (before, after), (words, i)
            assert gate.run("db", "check").code == 0, (words, i)
            if os.path.exists(copy):  # it was quicker than the kill: whole, and not to be replaced
                gate.must("-o", "user=", "-o", f"database=sqlite:{copy}", "db", "check")
                os.unlink(copy)
            result = gate.run(*words)  # and it can be done again
            assert result.code in (0, 1), (words, i, result)
            assert rules_of(gate) == after, (words, i)
            if os.path.exists(copy):
                assert gate.must("-o", "user=", "-o", f"database=sqlite:{copy}", "db", "check")
                os.unlink(copy)
    # and one that makes the database
    for i in range(n):
        gate.clear()
        with subprocess.Popen(gate.words("db", "init"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(chance.random() * 0.03)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.wait()
            n_killed += process.returncode == -signal.SIGKILL
        gate.must("-o", "log_addresses=hashed", "db", "init")
        gate.must("-o", "log_addresses=hashed", "exempt", "x@example.org")
        assert os.path.getsize(gate.database + ".key") == 32, i
    print(f"{n} runs of {len(commands) + 1} commands, {n_killed} of them killed")


@pytest.fixture
def mounted(place):
    """A gate whose state directory is a file system of its own, and a function that mounts it read-only."""
    gate = Gate(place, "mounted")

    def mount(*options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", gate.state], check=True)

    mount("size=16m", "mode=2770", f"uid={gate.user.pw_uid}", f"gid={gate.user.pw_gid}")
    yield gate, lambda: mount("remount", "ro")
    subprocess.run(["umount", "-l", gate.state], check=True)


def test_a_read_only_file_system_is_no_matter_of_owners(mounted):
    gate, make_read_only = mounted
    gate.must("db", "init")
    gate.must("exempt", "a@example.org")
    make_read_only()
    for words in [("rules",), ("log",), ("exempt", "b@example.org"), ("db", "init"), ("db", "status"), ("db", "compact")]:
        result = gate.run(*words)
        assert result.code == 77 and "mount" in result.err, (words, result)
        assert "owner and mode" not in result.err and "group" not in result.err, (words, result)


def test_damaged_databases(place):
    damaged_databases(place, "damaged", 15)


def test_every_command_that_writes_is_killed(place):
    kill_commands(place, "killed", 3)

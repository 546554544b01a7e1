# SPDX-License-Identifier: ISC
"""The administrator's command, without Postfix: help, misuse, settings, output; and its exit codes."""

import os
import pwd
import re
import sqlite3
import subprocess

import pytest

from harness.gate import CONFIG, DATAERR, NOINPUT, PGPGATE, Result


@pytest.mark.skipif(os.geteuid() != 0 or "pgpgate" in {u.pw_name for u in pwd.getpwall()},
                    reason="root, before the package has made the user")
def test_root_before_there_is_a_user(gate):
    """The default user is not there yet: nobody is in its group. One that was named has to be."""
    with open(gate.conf, "w", encoding="utf-8") as f:
        f.write(f"database = sqlite:{gate.database}\n")
    assert "rule 1" in gate.must("exempt", "a@example.org")
    result = gate.run("-o", "user=nosuchuser", "rules")
    assert result.code == 67 and "nosuchuser" in result.err, result


COMMANDS = re.findall(r"^  ([a-z]+)\b", subprocess.run([PGPGATE, "--help"], capture_output=True, text=True,
                                                      check=False).stdout, re.M) if os.access(PGPGATE, os.X_OK) else []


@pytest.mark.parametrize("command", COMMANDS)
def test_help_goes_to_stdout_within_80_columns(bare, command):
    for words in ([command, "--help"], [command, "-h"], ["help", command]):
        result = bare.run(*words)
        assert result.code == 0 and result.err == "", result
        assert result.out.startswith(f"Usage: pgpgate {command}"), result
        assert max(map(len, result.out.splitlines())) <= 80, result


def test_help_and_version(bare):
    assert "Commands:" in bare.must("--help")
    assert bare.must("--help") == bare.must("help") == bare.must("-h")
    assert bare.must("--version").startswith("pgpgate ")
    for sub in ("init", "status", "migrate", "check", "backup"):
        assert bare.must("db", sub, "--help").startswith(f"Usage: pgpgate db {sub}")


def test_misuse_is_one_line_and_64(gate):
    gate.misuse(says="no command")
    gate.misuse("frobnicate", says=["frobnicate", "--help"])
    gate.misuse("exmpt", says=["exmpt", "'exempt'"])
    gate.misuse("db", "statsu", says="'status'")
    gate.misuse("config", "enforze", says="'enforce'")
    gate.misuse("--frob", "rules", says="--frob")
    gate.misuse("rules", "--frob", says="--frob")
    gate.misuse("rules", "-x", says="-x")
    gate.misuse("rules", "--unused=1", says="--unused")
    gate.misuse("log", "--since", says="--since")
    gate.misuse("-c", says="-c")
    gate.misuse("rules", "-c", "/x", says="-c is there twice")
    gate.misuse("pause", "--for", "1h", "more", says="operand")
    gate.misuse("pause", "--for", "0", says="--for")
    gate.misuse("pause", "--for", "1000d", says="30d")
    gate.misuse("forget", "--id", "1", "a@example.org")
    gate.misuse("forget", "--history", "a@example.org")
    gate.misuse("explain", "a@example.org", "b@example.org")
    gate.misuse("explain", "<>", says="recipient")
    gate.misuse("explain", "a@example.org", "--client", "10.0.0.0/8", says="--client")
    gate.misuse("check", "--sender", "a@b@", "-", says="--sender")
    gate.misuse("log", "--recipient", "user@", says="user@")
    gate.misuse("import", "--map", "OK=exempt", says="access")
    gate.misuse("import", "--format", "access", says="--map")
    gate.misuse("import", "--format", "xml", says="xml")
    gate.misuse("exempt", "a@example.org", "--note", "x" * 501, says="--note")
    gate.misuse("exempt", "a@example.org", "--note", "a\nb", says="--note")
    gate.misuse("exempt", "a@example.org", "--help-url", "see our page", says="--help-url")
    gate.misuse("exempt", "a@example.org", "--expires", "2001-01-01", says="past")
    gate.misuse("exempt", "a@example.org", "--starts", "+7d", "--expires", "+1d", says="after")


def test_bad_operands_change_nothing(gate):
    gate.misuse("exempt", "good@example.org", "a@b@c", says="a@b@c")
    assert gate.json("rules") == []


def test_terminal_sequences_in_operands_are_escaped(gate):
    for words in (["exempt", "\x1b[2J@x"], ["check", "/no\x1b[2Jsuch"], ["\x1b]0;x\x07"], ["config", "\x1b[2J"]):
        result = gate.run(*words)
        assert result.code != 0 and "\x1b" not in result.err + result.out, result


def test_configuration_that_is_wrong(bare):
    with open(bare.conf, "a", encoding="utf-8") as f:
        f.write("enforze = yes\n")
    for command in ("rules", "config", "export", "resume"):
        bare.misuse(command, code=CONFIG, says=[f"{bare.conf}:3:", "enforze"])
    bare.misuse("-o", "enforce=perhaps", "rules", code=CONFIG)
    assert "enforce = yes" in bare.must("config", "-d")  # the defaults can always be seen


def test_database_that_is_not_there_or_wrong(bare):
    for words in (["rules"], ["exempt", "a@example.org"], ["log"], ["explain", "a@example.org"], ["db", "status"]):
        bare.misuse(*words, code=NOINPUT, says=[bare.database, "db init"])
    bare.file("pgpgate.db", "this is no database, but it is longer than a header of one: " * 40)
    bare.misuse("rules", code=DATAERR, says=bare.database)


def test_schema_from_the_future(gate):
    with sqlite3.connect(gate.database) as d:
        d.execute("PRAGMA user_version = 9999")
    d.close()
    gate.misuse("rules", code=CONFIG, says="9999")
    gate.misuse("db", "migrate", code=CONFIG)


def test_config(gate):
    everything = gate.must("config")
    assert f"database = sqlite:{gate.database}\n" in everything and "enforce = yes\n" in everything
    assert gate.must("config", "enforce", "help_url") == "enforce = yes\nhelp_url =\n"
    different = gate.must("-o", "enforce=no", "config", "-n")
    assert "enforce = no" in different and "refuse_code" not in different
    assert "enforce = yes" in gate.must("-o", "enforce=no", "config", "-d")
    rows = {r["name"]: r for r in gate.json("config", "-o", "enforce=no")}
    assert rows["enforce"]["value"] == "no" and rows["enforce"]["default"] == "yes"
    # what config prints is a configuration
    again = gate.file("again.conf", everything)
    assert Result(subprocess.run([PGPGATE, "-c", again, "config"], capture_output=True, text=True,
                                 check=False)).out == everything


def test_config_prints_long_lists_whole(bare):
    nets = [f"10.{i}.{j}.0/24" for i in range(20) for j in range(20)]
    with open(bare.conf, "a", encoding="utf-8") as f:
        f.write("local_clients =\n" + "".join(f"  {n}\n" for n in nets))
    assert bare.must("config", "local_clients") == f"local_clients = {', '.join(nets)}\n"
    assert bare.json("config", "local_clients")[0]["value"] == ", ".join(nets)


def test_output_that_cannot_be_written_is_an_error(gate):
    gate.must("exempt", "a@example.org")
    for words in (["export"], ["--help"], ["-V"], ["rules", "--help"], ["db", "--help"], ["config"], ["help"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            run = subprocess.run([PGPGATE, "-c", gate.conf, *words], stdout=full, stderr=subprocess.PIPE, check=False)
        assert run.returncode == 74 and b"write" in run.stderr, run

# SPDX-License-Identifier: ISC
"""Bad input of the administrator: one line that names place and mend, and a sysexits(3) code."""

import os
import re
import shutil
import sqlite3

import pytest

from harness.pair import Pair, program, run_program

USAGE, DATAERR, NOINPUT, NOPERM, CONFIG = 64, 65, 66, 77, 78
DAEMONS = ("pgpgate-filter", "pgpgate-policyd")


@pytest.fixture(scope="module")
def idle(place):
    """A configuration and a database, without daemons."""
    pair = Pair(place, "idle")
    pair.must("db", "init")
    return pair


def one_line(result, code, *parts):
    assert result.code == code, result
    assert len(result.err.strip().splitlines()) == 1, result
    for part in parts:
        assert part in result.err, (part, result)
    assert "\x1b" not in result.err


BAD_CONFIGURATIONS = [
    ("misspelt key", "enforze = yes\n", 1, "enforze"),
    ("wrong boolean", "# comment\nenforce = perhaps\n", 2, "enforce"),
    ("wrong word", "enforce = yes\non_refusal = explode\n", 2, "on_refusal"),
    ("wrong duration", "reply_window = soon\n", 1, "reply_window"),
    ("out of range", "max_connections = 0\n", 1, "max_connections"),
    ("not a number", "max_connections = many\n", 1, "max_connections"),
    ("no equals sign", "enforce\n", 1, "enforce"),
    ("classes that differ", "refuse_code = 550 4.7.1\n", 1, "refuse_code"),
    ("not a refusal", "refuse_code = 250 2.0.0\n", 1, "refuse_code"),
    ("bad network", "local_clients = 10.0.0.0/99\n", 1, "local_clients"),
    ("bad pattern", "exempt_recipients = a@b@c d\n", 1, "exempt_recipients"),
    ("bad requirement", "default_requirement = cleartext\n", 1, "default_requirement"),
    ("bad socket", "filter_socket = pipe:/x\n", 1, "filter_socket"),
    ("bad database", "database = mysql://x\n", 1, "database"),
    ("bad action list", "policy_actions = encrypted\n", 1, "policy_actions"),
    ("bad umask", "socket_umask = 999\n", 1, "socket_umask"),
    ("continuation first", "   yes\n", 1, ""),
    ("NUL byte", "refuse_text = a\0b\n", 1, ""),
    ("separator in refuse_text", "refuse_text = please: encrypt\n", 1, "refuse_text"),
]


@pytest.mark.parametrize("name,text,line,key", BAD_CONFIGURATIONS, ids=[c[0] for c in BAD_CONFIGURATIONS])
def test_bad_configuration_names_file_and_line(place, name, text, line, key):
    path = os.path.join(place.path, "bad.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    for words in (["pgpgate", "-c", path, "config"], *([d, "-n", "-c", path] for d in DAEMONS)):
        one_line(run_program([program(words[0]), *words[1:]]), CONFIG, f"{path}:{line}: ", key)


def test_bad_override_is_named(idle):
    for words in (["pgpgate", "-c", idle.conf, "-o", "enforce=perhaps", "config"],
                  *([d, "-n", "-c", idle.conf, "-o", "enforce=perhaps"] for d in DAEMONS)):
        one_line(run_program([program(words[0]), *words[1:]]), CONFIG, "-o enforce=perhaps")


def test_missing_configuration_that_was_asked_for(idle):
    for words in (["pgpgate", "-c", "/nonexistent.conf", "config"],
                  *([d, "-n", "-c", "/nonexistent.conf"] for d in DAEMONS)):
        one_line(run_program([program(words[0]), *words[1:]]), CONFIG, "/nonexistent.conf")


def test_check_only_says_nothing_about_a_good_configuration(idle):
    for daemon in DAEMONS:
        result = run_program([program(daemon), "-n", "-c", idle.conf])
        assert result.code == 0 and result.err == "", result


MISUSE = [
    (["frobnicate"], "frobnicate"), (["exmpt", "a@example.org"], "exempt"), ([], "command"),
    (["exempt"], ""), (["--frob", "rules"], "--frob"), (["rules", "--frob"], "--frob"),
    (["exempt", "*"], "--yes"), (["exempt", "a@example.org", "--expires", "someday"], "someday"),
    (["exempt", "a@example.org", "--client", "10.0.0.0/99"], "10.0.0.0/99"),
    (["exempt", "a@example.org", "--client", "somebody"], "somebody"),
    (["exempt", "a@example.org", "--sender", "not a sender"], "not a sender"),
    (["require", "a@example.org", "--level", "strong"], "strong"),
    (["forget"], ""), (["forget", "--id", "abc"], "abc"), (["log", "--verdict", "fine"], "fine"),
    (["log", "--since", "someday"], "someday"), (["log", "-n", "-3"], "-3"), (["explain"], ""), (["db"], ""),
    (["db", "frob"], "frob"), (["pause"], "--for"), (["pause", "--for", "soon"], "soon"), (["check"], ""),
]


@pytest.mark.parametrize("words,part", MISUSE, ids=[" ".join(m[0]) or "nothing" for m in MISUSE])
def test_misuse(idle, words, part):
    result = idle.run(*words)
    one_line(result, USAGE, part)
    assert result.out == ""


@pytest.mark.parametrize("pattern", ["a@b@example.org", "@", "", "a b@example.org", "*@example.org", ".", "a@",
                                     "example..org", "-", "ex*mple.org", "a@example.org\n", "\x1b[2J@example.org"])
def test_pattern_that_is_none(idle, pattern):
    before = idle.must("export")
    result = idle.run("exempt", "--", pattern)
    if pattern == "a@":  # user@ is a pattern: that mailbox in every domain
        assert result.code == 0
        idle.must("forget", "a@")
        return
    assert result.code in (USAGE, DATAERR), result
    one_line(result, result.code)
    assert idle.must("export") == before


def test_forget_of_what_is_not_there(idle):
    result = idle.run("forget", "nobody@example.org")
    assert result.code == 1, result
    assert "nobody@example.org" in result.err + result.out


def test_unreadable_message_file(idle, place):
    one_line(idle.run("check", "/nonexistent.eml"), NOINPUT, "/nonexistent.eml")
    result = idle.run("explain", "a@example.org", "--message", "/nonexistent.eml")
    one_line(result, NOINPUT, "/nonexistent.eml")


def test_import_names_file_and_line_and_changes_nothing(idle, place):
    path = os.path.join(place.path, "rules.txt")
    before = idle.must("export")
    for bad in ("exempt", "frob a@example.org", "exempt a@b@c@", "exempt a@example.org color=red",
                "exempt a@example.org expires=someday", 'exempt a@example.org note="unclosed'):
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"# good\nexempt good@example.org\n\n{bad}\n")
        one_line(idle.run("import", path), DATAERR, f"{path}:4: ")
        assert idle.must("export") == before, bad
    one_line(idle.run("import", "/nonexistent.txt"), NOINPUT, "/nonexistent.txt")


def test_missing_database(place):
    pair = Pair(place, "missing")
    one_line(pair.run("rules"), NOINPUT, pair.database, "db init")


def test_schema_from_the_future(idle, place):
    pair = Pair(place, "future")
    pair.must("db", "init")
    with sqlite3.connect(pair.database) as d:
        d.execute("PRAGMA user_version = 9999")
    d.close()
    one_line(pair.run("rules"), CONFIG, pair.database, "9999")
    for daemon in DAEMONS:
        result = run_program([program(daemon), "-f", "-c", pair.conf])
        assert result.code == CONFIG, result
        assert "9999" in result.err


def test_database_that_is_none(place):
    pair = Pair(place, "garbage")
    with open(pair.database, "w", encoding="ascii") as f:
        f.write("this is no database\n" * 500)
    result = pair.run("rules")
    one_line(result, DATAERR, pair.database)
    other = Pair(place, "foreign")
    with sqlite3.connect(other.database) as d:
        d.execute("CREATE TABLE t (x)")
    d.close()
    result = other.run("rules")
    assert result.code in (DATAERR, CONFIG), result
    one_line(result, result.code, other.database)


def test_init_twice_is_harmless_and_keeps_the_rules(idle):
    idle.must("exempt", "keep@example.org")
    idle.must("db", "init")
    assert "keep@example.org" in idle.must("export")
    idle.must("forget", "keep@example.org")


def test_unwritable_directory_for_init(place):
    pair = Pair(place, "nodir")
    shutil.rmtree(pair.state)
    result = pair.run("db", "init")
    one_line(result, NOINPUT, pair.state)


def test_daemon_misuse(idle):
    for daemon in DAEMONS:
        result = run_program([program(daemon), "-c", idle.conf, "-Z"])
        assert result.code == USAGE and result.err, result
        result = run_program([program(daemon), "-V"])
        assert result.code == 0 and re.match(rf"{daemon} \d", result.out), result
        result = run_program([program(daemon), "-f", "-c", idle.conf, "-u", "no-such-user"])
        assert result.code > 1 and "no-such-user" in result.err, result


@pytest.mark.parametrize("daemon", DAEMONS)
def test_daemon_help(daemon):
    result = run_program([program(daemon), "-h"])
    assert result.code == 0 and not result.err, result
    # the place of the configuration is as long as it is
    lines = [line for line in result.out.splitlines() if ".conf" not in line]
    assert max(map(len, lines)) <= 80, result
    assert set(re.findall(r"^  -([a-zA-Z])", result.out, re.M)) >= set("copufnPvV"), result

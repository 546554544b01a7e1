# SPDX-License-Identifier: ISC
"""What the administrator's command shows on a terminal: tables, pager, colour, progress, local times."""

import os
import pty
import re
import sqlite3
import subprocess
import time

from harness.gate import PGPGATE, add_verdict, fill_log, on_screen, on_terminal
from harness.schema import sql_back_to


def test_as_it_is_typed(gate):
    for command in ("encrypted", "signed", "ratchet"):
        gate.must(command, f"{command}@example.org")
    gate.must("import", data="require x@example.org\n")
    assert [r["requirement"] for r in gate.json("rules")] == ["encrypted", "signed", "ratchet", "encrypted"]
    for words in (["exempt", "a@x.test", "--sender", "A@y.test", "--sender", "b@y.test"], ["log", "-n", "1", "-n", "2"],
                  ["import", "--owner", "a", "--owner", "b"], ["log", "--since", "1d", "--since", "2d"]):
        gate.misuse(*words, says="twice")
    for word, meant in (("list", "rules"), ("add", "exempt"), ("delete", "forget"), ("status", "db status"),
                        ("show", "rules"), ("version", "--version"), ("remove", "forget")):
        gate.misuse(word, says=f"pgpgate {meant}")
    gate.misuse("exempt", "a@x.test,b@x.test", says="a@x.test b@x.test")
    gate.misuse("exempt", "*@x.test", says="x.test")


def test_times_are_local_where_nothing_else_is_said(gate):
    tz = {"TZ": "CET-1"}
    for when in ("7d", "today", "tomorrow", "friday", "2099-12-04 18:00"):
        gate.must("exempt", f"{when.split()[0]}@example.org", "--expires", when, env=tz)
    ends = {r["recipient"]: r["expires_at"] for r in gate.json("rules")}
    assert ends["2099-12-04@example.org"] == "2099-12-04T17:00:00Z"
    assert all(ends[f"{day}@example.org"].endswith("T23:00:00Z") for day in ("today", "tomorrow", "friday")), ends
    assert time.gmtime(time.time() + 3600).tm_mday == int(ends["today@example.org"][8:10])


def test_rules_on_a_terminal_are_a_table(gate):
    gate.must("exempt", "alice@example.org", "--sender", "x" * 60 + ".a-shop-with-a-long-name.test", "--note", "n " * 200,
              "--help-url", "https://example.org/" + "u" * 200)
    gate.must("require", "tips@example.org", "--expires", "2099-12-04", env={"TZ": "CET-1"})
    table = on_screen(gate, "rules", TZ="CET-1").splitlines()
    assert len(table) == 3 and all(len(line) < 80 for line in table), table
    assert re.match(r" +rule +demands +for +until +hits$", table[0]) and "..." in table[1]
    assert re.match(r" +2  encrypted  tips@example\.org +2099-12-04 +-$", table[2])
    for words in (["rules", "-l"], ["rules", "--history"]):
        shown = on_screen(gate, *words, PAGER="cat")
        assert all(len(line) < 80 for line in shown.splitlines()), shown
        assert "".join(shown.split()).count("u" * 200) == 1  # nothing is lost
    assert "2099-12-05 00:00:00 CET" in on_screen(gate, "rules", "-l", TZ="CET-1")
    assert "2099-12-04T23:00:00Z" in gate.must("rules")


def test_a_long_list_goes_to_a_pager_as_git_does_it(gate):
    gate.must("import", data="".join(f"exempt u{i}@example.org\n" for i in range(100)))
    pager = {"PAGER": "sed s/^/more-here/"}
    assert on_screen(gate, "rules", **pager).count("more-here") == 101
    assert "more-here" not in on_screen(gate, "rules", rows=200, **pager)  # it fits
    assert "more-here" not in on_screen(gate, "rules", PGPGATE_PAGER="cat", **pager)
    assert "more-here" not in on_screen(gate, "rules", PGPGATE_PAGER="", **pager)
    assert "more-here" not in on_screen(gate, "rules", **{**pager, "TERM": "dumb"})
    assert "more-here" not in on_screen(gate, "rules", "u1@example.org", **pager)
    # whoever leaves early is not told of a broken pipe
    shown = on_screen(gate, "rules", PAGER="head -n 3 | sed s/^/more-here/")
    assert shown.count("more-here") == 3 and "Broken" not in shown, shown


def test_log_keeps_to_the_screen(gate):
    long = "a" * 60 + "@" + "b" * 50 + ".example.org"
    add_verdict(gate, time.time(), long, [(long, "encrypted", None, False)] * 6, action="quarantine", would="quarantine",
                verdict="invalid", form="pgp-inline", reason="text-after-the-ciphertext")
    add_verdict(gate, time.time(), "x@x.test", [("a@example.org", "encrypted", None, False)], action="accept",
                would="quarantine", verdict="invalid", form="pgp-inline", reason="text-after-the-ciphertext")
    shown = on_screen(gate, "log", PAGER="cat", TZ="CET-1")
    assert all(len(line) < 80 for line in shown.splitlines()), shown
    assert "".join(shown.split()).count(long) == 5 and "and 2 more" in " ".join(shown.split())
    assert "would quarantine" in shown


def test_report_shows_the_newest_days(gate):
    today = int(time.time()) // 86400
    database = sqlite3.connect(gate.database)
    database.executemany("INSERT INTO daily VALUES (?, 'cleartext', 'accept', 'accept', 1, 1, 1)",
                         [(today - n,) for n in range(1, 6)])
    database.commit()
    database.close()
    days = [row["key"] for row in gate.json("report", "--since", "20d")][1:]
    assert len(days) == 5 and days == sorted(days)
    assert [row["key"] for row in gate.json("report", "--since", "20d", "-n", "2")][1:] == days[-2:]
    text = gate.must("report", "--since", "20d", "-n", "2")
    assert days[-1] in text and days[-2] in text and days[-3] not in text and "and 3 more" in text


def test_a_migration_says_how_long_it_may_take_on_a_terminal(gate):
    fill_log(gate)
    for words in (("db", "migrate"), ("db", "init")):
        database = sqlite3.connect(gate.database)
        # how many there are is estimated from the ids
        database.executescript("UPDATE verdict SET id = 1234567 WHERE id = (SELECT max(id) FROM verdict);"
                               + sql_back_to(database, 1))
        first = database.execute("SELECT min(id) FROM verdict").fetchone()[0]
        database.close()
        code, out, shown = on_terminal(gate, *words)
        assert code == 0 and "migrated, schema" in out, (out, shown)
        assert f"Schema 1 to 2: about {1234567 - first + 1:,} verdicts, which takes some 12 s." in shown, shown
        assert "temporary error" in shown, shown
    database = sqlite3.connect(gate.database)
    database.executescript(sql_back_to(database, 1))
    database.close()
    result = gate.run("db", "migrate")
    assert result.code == 0 and result.err == "", result


def test_colour_only_on_a_terminal_and_without_no_color(gate):
    fill_log(gate)

    def on_terminal(**env):
        master, slave = pty.openpty()
        run = subprocess.Popen([PGPGATE, "-c", gate.conf, "log"], stdout=slave, stderr=subprocess.DEVNULL,
                               env={**os.environ, "TERM": "xterm", **env})
        os.close(slave)
        out = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        os.close(master)
        assert run.wait(60) == 0
        return out

    assert b"\x1b[3" in on_terminal()
    assert b"\x1b" not in on_terminal(NO_COLOR="1")
    assert b"\x1b" not in on_terminal(TERM="dumb")
    assert "\x1b" not in gate.must("log", env={"TERM": "xterm"})

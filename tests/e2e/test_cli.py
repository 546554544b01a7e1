# SPDX-License-Identifier: ISC
"""The administrator's command, without Postfix: every command, in text and JSON, and its exit codes."""

import fcntl
import json
import os
import pty
import pwd
import re
import select
import signal
import sqlite3
import struct
import subprocess
import termios
import time

import pytest

from harness.schema import sql_back_to

PROVIDERS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "dist", "providers"))

BUILD = os.environ.get("PGPGATE_BUILD") or os.path.join(os.path.dirname(__file__), "..", "..", "build")
PGPGATE = os.path.join(os.path.abspath(BUILD), "pgpgate")
USAGE, DATAERR, NOINPUT, CONFIG = 64, 65, 66, 78

RULE_FIELDS = ["id", "recipient", "sender", "client", "requirement", "starts_at", "expires_at", "note", "help_url",
               "author", "created_at", "hits", "last_hit_at", "owner"]
LOG_FIELDS = ["time", "queue_id", "host", "client", "authenticated", "sender", "recipients", "verdict", "form",
              "reason", "detail", "action", "reply", "size", "message_id"]
CHECK_FIELDS = ["file", "verdict", "form", "reason", "detail", "size", "cleartext_bytes", "key_ids"]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

CLEARTEXT = "From: a@x.test\nTo: b@example.org\nSubject: hi\n\nplain words\n"


class Result:
    def __init__(self, run):
        self.code, self.out, self.err = run.returncode, run.stdout, run.stderr

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Gate:
    """A configuration and a database of its own."""

    def __init__(self, path):
        self.path = str(path)
        self.database = os.path.join(self.path, "pgpgate.db")
        self.conf = os.path.join(self.path, "pgpgate.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"database = sqlite:{self.database}\nuser =\n")

    def run(self, *words, data=None, env=None):
        return Result(subprocess.run([PGPGATE, "-c", self.conf, *map(str, words)], input=data, text=True,
                                     encoding="utf-8", errors="surrogateescape", capture_output=True, timeout=300,
                                     env={**os.environ, **(env or {})}, check=False))

    def must(self, *words, code=0, **more):
        result = self.run(*words, **more)
        assert result.code == code, result
        return result.out

    def json(self, *words, code=0, **more):
        return [json.loads(line) for line in self.must("--json", *words, code=code, **more).splitlines()]

    def misuse(self, *words, code=USAGE, says=()):
        result = self.run(*words)
        assert result.code == code, result
        assert result.out == "", result
        assert len(result.err.splitlines()) == 1 and result.err.startswith("pgpgate: "), result
        for part in [says] if isinstance(says, str) else says:
            assert part in result.err, (part, result)
        return result.err

    def file(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as f:
            f.write(text)
        return path


@pytest.fixture
def bare(tmp_path):
    """Without a database."""
    return Gate(tmp_path)


@pytest.fixture
def gate(bare):
    bare.must("db", "init")
    return bare


def key_of(address):
    """An address as the database keeps it: reversed domain, '@', local part."""
    if "@" not in address:
        return address
    local, domain = address.rsplit("@", 1)
    return ".".join(reversed(domain.split("."))) + "@" + local


def add_verdict(gate, when, sender, recipients, verdict="cleartext", action="refuse", queue_id="4Q1", **more):
    """A verdict as the filter writes it. recipients: (address, requirement, rule id or None, passes)."""
    row = {"host": "mx.example.org", "client": "192.0.2.1", "authenticated": "", "message_id": "<1@x.test>",
           "form": "none", "reason": "no-openpgp", "detail": "readable text", "would": action,
           "reply": "550 5.7.1 OpenPGP-encrypted mail required", "size_bytes": 1234, "cleartext_bytes": 1000,
           "is_local": 0, **more}
    with sqlite3.connect(gate.database) as d:
        cursor = d.execute(
            "INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, header_from_key,"
            " is_local, message_id, declared_size_bytes, size_bytes, verdict, form, reason, detail, cleartext_bytes,"
            " returns_readable, action, would, reply) VALUES (?,?,?,?,?,?,NULL,?,?,NULL,?,?,?,?,?,?,0,?,?,?)",
            (int(when), queue_id, row["host"], row["client"], row["authenticated"], key_of(sender), row["is_local"],
             row["message_id"], row["size_bytes"], verdict, row["form"], row["reason"], row["detail"],
             row["cleartext_bytes"], action, row["would"], row["reply"]))
        for position, (address, requirement, rule, passes) in enumerate(recipients):
            d.execute("INSERT INTO verdict_recipient VALUES (?,?,?,1,?,?,?,?,?)",
                      (cursor.lastrowid, position, key_of(address), requirement, requirement,
                       "rule" if rule else "default", rule, int(passes)))
    d.close()


@pytest.mark.skipif(os.geteuid() != 0 or "pgpgate" in {u.pw_name for u in pwd.getpwall()},
                    reason="root, before the package has made the user")
def test_root_before_there_is_a_user(gate):
    """The default user is not there yet: nobody is in its group. One that was named has to be."""
    with open(gate.conf, "w", encoding="utf-8") as f:
        f.write(f"database = sqlite:{gate.database}\n")
    assert "rule 1" in gate.must("exempt", "a@example.org")
    result = gate.run("-o", "user=nosuchuser", "rules")
    assert result.code == 67 and "nosuchuser" in result.err, result


# ---- help and misuse ---------------------------------------------------------------------------------

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


# ---- rules -------------------------------------------------------------------------------------------

def test_rules_are_made_listed_and_forgotten(gate):
    out = gate.must("exempt", "Alice@Example.ORG", "--note", "her key", "--sender", "shop.test", "--expires", "+7d")
    assert re.match(r"exempt alice@example\.org from shop\.test until .* \(rule 1\)\n$", out), out
    gate.must("require", ".example.org", "tips@example.org", "--level", "signed")
    gate.must("observe", "*", "--yes")
    rules = gate.json("rules")
    assert [list(r) for r in rules] == [RULE_FIELDS] * 4
    assert [(r["requirement"], r["recipient"]) for r in rules] == [
        ("exempt", "alice@example.org"), ("signed", ".example.org"), ("signed", "tips@example.org"), ("observe", "*")]
    assert rules[0]["sender"] == "shop.test" and rules[0]["note"] == "her key" and rules[0]["hits"] == 0
    assert TIME.match(rules[0]["expires_at"]) and TIME.match(rules[0]["created_at"])
    assert rules[1]["sender"] is rules[1]["client"] is rules[1]["note"] is rules[1]["expires_at"] is None
    text = gate.must("rules")
    assert max(map(len, text.splitlines())) <= 80 and "unused" in text and '"her key"' in text
    assert [r["id"] for r in gate.json("rules", ".example.org")] == [2]
    assert len(gate.json("rules", "--unused")) == 4 and gate.json("rules", "--expired") == []
    # forgetting
    result = gate.run("forget", "alice@example.org")
    assert result.code == 1 and "--all" in result.err, result
    assert "1 rule forgotten" in gate.must("forget", "alice@example.org", "--sender", "shop.test")
    assert gate.json("forget", "--id", "2") == [
        {"pattern": "rule 2", "forgotten": 1, "result": "removed", "change": 5, "dry_run": False}]
    gate.must("forget", "--id", "2", code=1)
    assert [r["id"] for r in gate.json("rules")] == [3, 4]


def test_forget_all_takes_the_narrowed_ones(gate):
    gate.must("exempt", "a@example.org")
    gate.must("exempt", "a@example.org", "--sender", "x.test")
    gate.must("exempt", "a@example.org", "--client", "192.0.2.0/24")
    gate.must("exempt", "b@example.org")
    assert gate.json("forget", "a@example.org", "--all")[0]["forgotten"] == 3
    assert [r["recipient"] for r in gate.json("rules")] == ["b@example.org"]


def test_replacing_is_said(gate):
    gate.must("exempt", "a@example.org")
    assert "replaces: exempt a@example.org (rule 1)" in gate.must("require", "a@example.org")
    out = gate.json("observe", "a@example.org")[0]
    assert out["requirement"] == "observe" and out["replaced"]["requirement"] == "encrypted"
    assert len(gate.json("rules")) == 1


def test_everyone_wants_yes(gate):
    for command in ("exempt", "observe", "require"):
        gate.misuse(command, "*", says="--yes")
    assert gate.json("rules") == []
    gate.must("exempt", "*", "--yes")


def test_json_may_come_after_the_command(gate):
    gate.must("exempt", "a@example.org")
    assert json.loads(gate.must("rules", "--json"))["recipient"] == "a@example.org"
    assert json.loads(gate.must("db", "status", "--json"))["rules"] == 1
    assert json.loads(gate.must("db", "--json", "status"))["rules"] == 1


def test_require_says_when_nothing_is_enforced(gate):
    assert gate.run("require", "a@example.org").err == ""
    assert "enforce = no" in gate.run("-o", "enforce=no", "require", "a@example.org").err


def test_author_is_the_login_name(gate):
    gate.must("exempt", "a@example.org", env={"SUDO_USER": "martin"})
    gate.must("exempt", "b@example.org", env={"SUDO_USER": ""})
    authors = [r["author"] for r in gate.json("rules")]
    assert authors[1] == subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    if os.geteuid() == 0:
        assert authors[0] == "martin"


def test_history_of_rules(gate):
    gate.must("exempt", "a@example.org")
    gate.must("require", "a@example.org")
    gate.must("exempt", "b@example.org")
    gate.must("forget", "a@example.org")
    gate.must("pause", "--for", "1h")
    gate.must("resume")
    changes = gate.json("rules", "--history")
    assert [c["what"] for c in changes] == ["add", "replace", "add", "forget", "pause", "resume"]
    assert changes[1]["before"] == "exempt a@example.org" and changes[1]["after"] == "encrypted a@example.org"
    assert [c["what"] for c in gate.json("rules", "--history", "a@example.org")] == ["add", "replace", "forget"]
    assert "replace" in gate.must("rules", "--history")


def test_pause_is_shown_by_every_command(gate):
    mail = gate.file("m.eml", CLEARTEXT)
    assert "paused until" in gate.must("pause", "--for", "1h")
    for words in (["rules"], ["log"], ["export"], ["config"], ["check", mail], ["explain", "a@example.org"],
                  ["db", "status"], ["db", "migrate"], ["exempt", "a@example.org"]):
        err = gate.run(*words).err.splitlines()
        assert len(err) == 1 and "PAUSED" in err[0], (words, err)
    assert gate.json("explain", "a@example.org")[0]["is_enforced"] is False
    assert "resumed" in gate.must("resume")
    assert "not paused" in gate.must("resume")
    assert gate.run("rules").err == ""


# ---- what was so already, and what can be taken back ---------------------------------------------------

def test_the_same_again_is_unchanged(gate):
    first = gate.json("exempt", "a@example.org", "--note", "x")[0]
    assert first["result"] == "added" and first["replaced"] is None
    again = gate.json("exempt", "a@example.org", "--note", "x", env={"SUDO_USER": "other"})[0]
    assert {**again, "result": "added"} == first and again["result"] == "unchanged"
    assert gate.must("exempt", "a@example.org", "--note", "x") == "exempt a@example.org (rule 1): unchanged\n"
    changed = gate.json("require", "a@example.org")[0]
    assert changed["result"] == "changed" and changed["replaced"]["requirement"] == "exempt"
    assert gate.json("forget", "a@example.org")[0]["result"] == "removed"
    assert json.loads(gate.must("--json", "forget", "a@example.org", code=1))["result"] == "unchanged"
    assert gate.json("pause", "--for", "1h")[0]["result"] == "added"
    assert gate.json("pause", "--for", "2h")[0]["result"] == "changed"
    assert gate.json("resume")[0]["result"] == "removed" and gate.json("resume")[0]["result"] == "unchanged"
    changes = gate.json("rules", "--history")
    assert [c["what"] for c in changes] == ["add", "replace", "forget", "pause", "pause", "resume"]
    assert [c["number"] for c in changes] == [1, 2, 3, 4, 5, 6]


def test_a_sync_makes_the_rules_of_an_owner_exactly_the_file(gate):
    gate.must("exempt", "typed@example.org")
    gate.must("require", "boss@example.org")
    file = gate.file("ldap.txt", "".join(f"exempt {u}@example.org\n" for u in ("alice", "bob", "boss")))
    result = gate.json("import", "--replace", "--owner", "ldap", file)[0]
    assert (result["added"], result["kept"], result["change"]) == (2, 1, 3)
    history = len(gate.json("rules", "--history"))
    again = gate.json("import", "--replace", "--owner", "ldap", file)[0]
    assert (again["unchanged"], again["added"] + again["changed"] + again["removed"], again["change"]) == (2, 0, None)
    assert len(gate.json("rules", "--history")) == history
    # bob has left, carol has come: first looked at, then done
    with open(file, "w", encoding="utf-8") as to:
        to.write("exempt alice@example.org\nexempt carol@example.org\n")
    before = gate.must("export")
    diff = gate.must("import", "--replace", "--owner", "ldap", "--dry-run", file)
    assert diff.splitlines()[:2] == ["+exempt carol@example.org owner=ldap", "-exempt bob@example.org owner=ldap"], diff
    assert "1 added, 1 removed, 1 unchanged" in diff and "dry run" in diff
    assert gate.must("export") == before
    gate.must("import", "--replace", "--owner", "ldap", file)
    assert set(gate.must("export").splitlines()) == {
        "exempt typed@example.org", "encrypted boss@example.org", "exempt alice@example.org owner=ldap",
        "exempt carol@example.org owner=ldap"}
    assert {r["recipient"]: r["owner"] for r in gate.json("rules")}["alice@example.org"] == "ldap"
    # a query that failed is no site without rules
    assert "--allow-empty" in gate.run("import", "--replace", "--owner", "ldap", data="").err
    assert gate.run("import", "--replace", "--owner", "ldap", data="# nobody\n").code == DATAERR
    assert gate.json("import", "--replace", "--owner", "ldap", "--allow-empty", data="")[0]["removed"] == 2
    # without an owner: everything
    assert gate.json("import", "--replace", data="observe x@example.org\n")[0] == {
        "imported": 1, "replaced": 0, "added": 1, "changed": 0, "unchanged": 0, "removed": 2, "kept": 0, "change": 6,
        "dry_run": False}
    gate.misuse("import", "--owner", "two words", says="--owner")
    gate.misuse("import", "--allow-empty", says="--replace")
    assert "--owner is b" in gate.run("import", "--owner", "b", data="exempt a@example.org owner=a\n").err


def test_every_change_can_be_looked_at_before(gate):
    gate.must("exempt", "a@example.org")
    before = gate.must("rules", "--history"), gate.must("export")
    assert gate.must("require", "a@example.org", "b@example.org", "--dry-run").splitlines() == [
        "-exempt a@example.org", "+encrypted a@example.org", "+encrypted b@example.org"]
    assert gate.must("exempt", "a@example.org", "--dry-run") == ""
    assert gate.must("forget", "a@example.org", "--dry-run").splitlines() == ["-exempt a@example.org"]
    assert gate.must("pause", "--for", "1h", "--dry-run").startswith("+paused until ")
    assert gate.must("resume", "--dry-run") == "was not paused\n"
    assert gate.must("undo", "--dry-run").splitlines()[0] == "-exempt a@example.org"
    assert gate.json("require", "a@example.org", "--dry-run")[0]["dry_run"] is True
    assert (gate.must("rules", "--history"), gate.must("export")) == before


def test_undo(gate):
    gate.must("undo", code=1)
    gate.must("exempt", "a@example.org", "b@example.org", "--note", "theirs")
    gate.must("forget", "a@example.org", "b@example.org")
    out = gate.must("undo")
    assert "took back change 2" in out and "2 added" in out, out
    assert gate.must("export").splitlines() == ['exempt a@example.org note="theirs"', 'exempt b@example.org note="theirs"']
    assert [r["id"] for r in gate.json("rules")] == [1, 2]
    gate.must("import", data="signed a@example.org\nsigned c@example.org\n")
    assert gate.json("undo")[0]["undone"] == 4
    assert len(gate.json("rules")) == 2
    gate.must("require", "a@example.org")
    result = gate.run("undo", "1")
    assert result.code == 1 and "encrypted a@example.org" in result.err, result
    gate.must("pause", "--for", "1h")
    assert "not paused" in gate.must("undo")
    history = gate.must("rules", "--history")
    assert re.search(r"^ +3 .*undo of 2", history, re.M) and re.search(r"^ +8 .*undo of 7", history, re.M), history
    gate.misuse("undo", "x", says="number")
    gate.misuse("undo", "1", "2")
    gate.must("undo", "99", code=1)


def test_forgetting_several(gate):
    gate.must("exempt", "a@example.org", "b@example.org", "c@example.org")
    result = gate.run("forget", "a@example.org", "b@example.org", "nosuch@example.org")
    assert result.code == 1 and "nosuch@example.org: no such rule" in result.out, result
    assert [r["recipient"] for r in gate.json("rules")] == ["c@example.org"]
    database = sqlite3.connect(gate.database)
    database.execute("UPDATE rule SET expires_at_unix = 5")
    database.commit()
    database.close()
    gate.must("exempt", "d@example.org", "--expires", "tomorrow")
    assert "1 rule forgotten" in gate.must("forget", "--expired")
    gate.must("forget", "--expired", code=1)
    assert [r["recipient"] for r in gate.json("rules")] == ["d@example.org"]
    gate.misuse("forget", "--expired", "d@example.org")


def everything_in(gate):
    database = sqlite3.connect(gate.database)
    try:
        return "\n".join(database.iterdump())
    finally:
        database.close()


def fill_person(gate):
    gate.must("exempt", "alice@example.org", "bob@example.org")
    gate.must("require", "bob@example.org", "--sender", "alice@example.org")
    gate.must("forget", "alice@example.org")
    gate.must("signed", "alice@example.org", "malice@example.org")
    now = int(time.time())
    add_verdict(gate, now - 9, "alice@example.org", [("x@x.test", "exempt", None, True)])
    add_verdict(gate, now - 8, "x@x.test", [("alice@example.org", "encrypted", None, False)])
    add_verdict(gate, now - 7, "x@x.test", [("bob@example.org", "encrypted", None, False),
                                            ("alice@example.org", "encrypted", None, False)])
    add_verdict(gate, now - 6, "malice@example.org", [("bob@example.org", "encrypted", None, False)])
    database = sqlite3.connect(gate.database)
    database.executescript(
        "UPDATE verdict SET reply = '550 <alice@example.org> <bob@example.org>' WHERE id = 3;"
        "UPDATE verdict SET header_from_key = 'org.example@alice' WHERE id = 4;"
        "INSERT INTO pair (sender_key, recipient_key, n_cleartext, last_cleartext_unix) VALUES "
        "('org.example@alice', 'test.x@x', 1, 5), ('test.x@x', 'org.example@alice', 1, 5), ('test.x@x', 'org.example@bob', 1, 5);"
        "INSERT INTO outgoing VALUES ('org.example@alice', 'x.test', 5);"
        "INSERT INTO bounce_window VALUES ('org.example@alice', 5, 0, 0);"
        "INSERT INTO split_evidence (sender_key, recipient_key, declared_size_bytes, digest, passed, yields, time_unix) VALUES "
        "('test.x@x 192.0.2.0/24', 'org.example@alice', 5, zeroblob(32), 1, 0, 5), "
        "('org.example@alice 192.0.2.0/24', 'test.x@x', 5, zeroblob(32), 1, 0, 5);"
        "INSERT INTO split_vain VALUES ('org.example@alice x.test', 5, 1, 5);")
    database.close()


def test_forget_a_person(gate):
    fill_person(gate)
    exported = gate.json("forget", "--person", "Alice@example.org", "--export")
    assert sorted(o["kind"] for o in exported) == ["pair", "pair", "rule", "rule", "verdict", "verdict", "verdict"]
    before = everything_in(gate)
    assert gate.must("forget", "--person", "alice@example.org", "--dry-run") == "-3 verdicts\n-2 pairs\n-2 rules\n"
    assert everything_in(gate) == before
    result = gate.run("--json", "forget", "--person", "alice@example.org")
    assert result.code == 0 and "backups" in result.err and "mail log" in result.err, result
    told = json.loads(result.out)
    assert (told["verdicts"], told["recipients"], told["pairs"], told["rules"], told["changes"]) == (2, 1, 2, 2, 4), told
    left = everything_in(gate)
    assert not re.search(r"(?<!m)alice@example|example@alice", left), re.findall(r".*(?<!m)alice@example.*", left)
    assert "malice@example.org" in left and "bob@example.org" in left and "org.example@bob" in left
    assert [len(row["recipients"]) for row in gate.json("log")] == [1, 1]
    history = gate.json("rules", "--history")
    assert history[-1]["what"] == "forget-person" and "2 verdicts" in history[-1]["before"]
    gate.must("db", "check")
    gate.must("forget", "--person", "alice@example.org", code=1)
    for n in (2, 3, history[-1]["number"]):  # nobody brings it back
        gate.must("undo", str(n), code=1)
    gate.misuse("forget", "--person", "example.org", says="no address")
    gate.misuse("forget", "a@example.org", "--export", says="--person")


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


def on_screen(gate, *words, rows=24, columns=80, keys=b"", **env):
    """What a terminal of that size is shown, which standard output and error are; keys are typed at the first screen."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    run = subprocess.Popen([PGPGATE, "-c", gate.conf, *words], stdin=slave, stdout=slave, stderr=slave,
                           start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                           env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **env})
    os.close(slave)
    shown = b""
    try:
        while piece := os.read(master, 65536):
            shown += piece
            if keys and b"more-here" in shown:
                os.write(master, keys)
                keys = b""
    except OSError:  # EIO: the other side is closed
        pass
    os.close(master)
    assert run.wait(60) == 0, shown
    return shown.decode().replace("\r\n", "\n")


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


def test_log_of_a_client_and_of_a_message_id(gate):
    fill_log(gate)
    database = sqlite3.connect(gate.database)
    database.execute("UPDATE verdict SET client = '203.0.113.7', message_id = '<one@x.test>' WHERE id = 1")
    database.execute("UPDATE verdict SET client = '2001:db8::7' WHERE id = 2")
    database.commit()
    database.close()

    def ids(*words):
        return [row["id"] for row in gate.json("log", *words)]

    assert ids("--client", "203.0.113.7") == ids("--client", "203.0.113.0/24") == ids("--message-id", "one@x.test") == [1]
    assert ids("--client", "2001:db8::/32", "-n", "5") == [2] and ids("--client", "198.51.100.1") == []
    assert ids("--message-id", "<one@x.test>", "-n", "1") == [1] and ids("--message-id", "one") == []
    gate.misuse("log", "--client", "x", says="--client")


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


# ---- import and export -------------------------------------------------------------------------------

RULES = [
    ["exempt", "alice@example.org", "--note", 'say "hello" \\ to Zoë = # ; 漢字', "--sender", "shop.test"],
    ["exempt", "bücher.example.org", "--client", "2001:db8::/32", "--starts", "2026-12-01", "--expires", "2099-12-31"],
    ["require", "*", "--yes", "--help-url", "https://example.org/pgp?a=b&c=%20"],
    ["observe", "abuse@", "--client", "authenticated", "--sender", "<>"],
    ["require", ".example.org", "--level", "ratchet"],
    ["require", "user+ext@example.org", "--level", "signed", "--note", "'"],
]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_export_then_import_is_the_identity(gate, tmp_path, form):
    for words in RULES:
        gate.must(*words)
    exported = gate.must("export", *form)
    assert len(exported.splitlines()) == len(RULES)
    other = tmp_path / "other"
    other.mkdir()
    other = Gate(other)
    other.must("db", "init")
    assert f"imported {len(RULES)} rules" in other.must("import", data=exported)
    assert other.must("export") == gate.must("export")
    volatile = {"id", "created_at"}
    strip = [{k: v for k, v in r.items() if k not in volatile} for r in gate.json("export")]
    assert [{k: v for k, v in r.items() if k not in volatile} for r in other.json("export")] == strip
    assert strip[0]["note"] == RULES[0][3]
    # again: all are as they were
    again = other.json("import", data=exported)[0]
    assert again == {"imported": 6, "replaced": 0, "added": 0, "changed": 0, "unchanged": 6, "removed": 0, "kept": 0,
                     "change": None, "dry_run": False}
    assert other.must("export") == gate.must("export")


def test_import_is_all_or_nothing_and_collects_errors(gate):
    gate.must("exempt", "before@example.org")
    before = gate.must("export")
    path = gate.file("rules.txt", "exempt a@example.org\nfrob b@example.org\n\n# c\nexempt c@d@e\nexempt f@example.org\n")
    result = gate.run("import", path)
    assert result.code == DATAERR and result.out == "", result
    lines = result.err.splitlines()
    assert lines[0].startswith(f"pgpgate: {path}:2: ") and lines[1].startswith(f"pgpgate: {path}:5: ")
    assert len(lines) == 3 and "nothing was imported" in lines[2]
    assert gate.must("export") == before
    result = gate.run("import", data="frob x\n" * 100)
    assert len(result.err.splitlines()) == 21 and "stdin:20:" in result.err and "first 20" in result.err, result
    result = gate.run("import", data="exempt a@example.org\n" + "x" * 20000 + "\nfrob z\n")
    assert "stdin:2:" in result.err and "too long" in result.err and "stdin:3:" in result.err, result
    result = gate.run("import", data="exempt a@example.org note=\"a\0b\"\n")
    assert result.code == DATAERR and "stdin:1:" in result.err, result
    assert gate.must("export") == before
    gate.misuse("import", "/nonexistent.txt", code=NOINPUT, says="/nonexistent.txt")
    gate.misuse("import", gate.path, code=NOINPUT, says=gate.path)
    assert "imported 0 rules" in gate.must("import", data="# nothing\n\n")


def test_import_takes_what_windows_programs_write(gate):
    gate.must("import", "-", data="\ufeff# rules\r\nexempt a@example.org\r\n\r\nobserve b@example.org note=\"x y\"\r\n")
    gate.must("import", "-", data='\ufeff{"recipient": "c@example.org", "requirement": "signed"}\r\n')
    assert gate.must("export").splitlines() == ["exempt a@example.org", 'observe b@example.org note="x y"',
                                                "signed c@example.org"]
    assert "stdin:2:" in gate.run("import", "-", data="exempt a@x.test\n\ufeffexempt b@x.test\n").err


def test_import_of_json_lines_names_the_line(gate):
    result = gate.run("import", data='{"recipient":"a@example.org","requirement":"exempt"}\n{"recipient":7}\n{oops\n')
    assert result.code == DATAERR, result
    assert "stdin:2:" in result.err and "stdin:3: column" in result.err
    assert gate.json("rules") == []


def test_import_of_a_postfix_access_file(gate):
    path = gate.file("access", "# whitelist\nexample.org\tOK\n.sub.test   OK\nuser@other.test\n    REJECT go away\n"
                     "abuse@ OK\n\nold.test DUNNO\n")
    gate.must("import", "--format", "access", "--map", "OK=exempt", "--map", "REJECT=encrypted", "--map", "DUNNO=skip",
              path)
    assert gate.must("export").splitlines() == [
        "exempt example.org", "exempt .example.org", "exempt .sub.test", "encrypted user@other.test", "exempt abuse@"]
    result = gate.run("import", "--format", "access", "--map", "OK=exempt", path)
    assert result.code == DATAERR and f"{path}:4:" in result.err and f"{path}:8:" in result.err, result


def test_many_rules_are_imported(gate):
    n = 20000
    out = gate.must("import", data="".join(f"exempt u{i}@example.org\n" for i in range(n)))
    assert "imported 20,000 rules" in out
    assert gate.json("explain", "u19999@example.org")[0]["requirement"] == "exempt"
    assert gate.json("db", "status")[0]["rules"] == n


# ---- explain -----------------------------------------------------------------------------------------

def test_explain_names_the_winner_and_the_losers(gate):
    gate.must("require", "*", "--yes")
    gate.must("exempt", "example.org", "--sender", "shop.test", "--note", "orders")
    gate.must("exempt", "alice@example.org", "--starts", "+7d")
    answer = gate.json("explain", "Alice@Example.org", "--sender", "bob@shop.test")[0]
    assert list(answer)[:5] == ["recipient", "requirement", "source", "rule", "why"]
    assert answer["recipient"] == "alice@example.org" and answer["requirement"] == "exempt"
    assert answer["source"] == "rule" and answer["rule"] == 2
    considered = {r["id"]: r["why_lost"] for r in answer["rules"]}
    assert considered[2] is None and considered[1] and considered[3], considered
    assert "start" in considered[3]
    text = gate.must("explain", "alice@example.org", "--sender", "bob@shop.test")
    assert max(map(len, text.splitlines())) <= 80 and "orders" in text and "lost" in text and "wins" in text
    other = gate.json("explain", "alice@example.org")[0]
    assert other["rule"] == 1 and other["requirement"] == "encrypted"
    default = gate.json("explain", "a@b.test", "--authenticated", "martin")[0]
    assert default["rule"] == 1


def test_explain_of_defaults(gate):
    assert gate.json("explain", "a@b.test")[0]["source"] == "default"
    assert gate.json("explain", "a@b.test")[0]["requirement"] == "encrypted"
    assert gate.json("explain", "a@b.test", "--client", "127.0.0.1")[0]["requirement"] == "observe"
    assert gate.json("explain", "a@b.test", "--local")[0]["requirement"] == "observe"
    postmaster = gate.json("explain", "postmaster@b.test")[0]
    assert postmaster["source"] == "exempt_recipients" and postmaster["requirement"] == "exempt"
    assert postmaster["rule"] is None


def test_explain_with_a_message_gives_the_reply(gate):
    mail = gate.file("m.eml", CLEARTEXT)
    gate.must("require", "b@example.org", "--help-url", "https://example.org/pgp")
    answer = gate.json("explain", "b@example.org", "--sender", "a@x.test", "--message", mail)[0]
    assert (answer["verdict"], answer["form"], answer["action"]) == ("cleartext", "none", "refuse")
    assert answer["reply"].startswith("550-5.7.1 Your message was not delivered. OpenPGP-encrypted mail required")
    assert "<b@example.org>" in answer["reply"] and "https://example.org/pgp" in answer["reply"]
    text = gate.must("explain", "b@example.org", "--message", mail)
    assert "550 5.7.1" in text and max(map(len, text.splitlines())) <= 80
    answer = gate.json("-o", "enforce=no", "explain", "b@example.org", "--message", mail)[0]
    assert answer["action"] == "accept" and answer["would"] == "refuse"
    result = gate.run("explain", "b@example.org", "--message", "-", data=CLEARTEXT)
    assert result.code == 0 and "refuse" in result.out, result


def test_explain_of_a_queue_id(gate):
    now = time.time()
    gate.must("require", "b@example.org")
    add_verdict(gate, now - 100, "a@x.test", [("b@example.org", "encrypted", 1, False)], queue_id="4OLD")
    add_verdict(gate, now - 50, "a@x.test", [("b@example.org", "encrypted", 1, False),
                                            ("c@example.org", "observe", None, False)], queue_id="4NEW")
    text = gate.must("explain", "--queue-id", "4NEW")
    assert "b@example.org" in text and "rule 1" in text and "550 5.7.1" in text and "4OLD" not in text
    assert gate.json("explain", "--queue-id", "4NEW")[0]["queue_id"] == "4NEW"
    gate.misuse("explain", "--queue-id", "NONE", code=1, says="NONE")


def test_history_of_a_pair(gate):
    with sqlite3.connect(gate.database) as d:
        d.execute("INSERT INTO pair VALUES (?, ?, ?, ?, 2, NULL, NULL, 0)",
                  (key_of("a@x.test"), key_of("b@example.org"), int(time.time()) - 90, int(time.time()) - 60))
    d.close()
    gate.must("require", "b@example.org", "--level", "ratchet")
    answer = gate.json("explain", "b@example.org", "--sender", "a@x.test")[0]
    assert answer["history"]["encrypted"] == 2 and answer["history"]["cleartext"] == 0
    assert answer["requirement"] == "ratchet" and answer["demand"] == "encrypted" and answer["source"] == "history"
    assert "encrypted" in gate.must("explain", "b@example.org", "--sender", "a@x.test")
    assert gate.json("explain", "b@example.org", "--sender", "z@x.test")[0]["demand"] == "observe"
    assert "counts no more" in gate.must("forget", "--history", "A@X.test", "b@example.org")
    gate.must("forget", "--history", "a@x.test", "b@example.org", code=1)
    assert gate.json("explain", "b@example.org", "--sender", "a@x.test")[0]["demand"] == "observe"


# ---- check -------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def armored(tmp_path_factory):
    """An OpenPGP message by GnuPG, encrypted to a password."""
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    run = subprocess.run(["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback", "--passphrase", "x",
                          "--armor", "--symmetric"], input=b"hello\n", capture_output=True, check=False)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], capture_output=True, check=False)
    if run.returncode != 0:
        pytest.skip("no gpg")
    return run.stdout.decode()


@pytest.fixture
def lenient(gate, armored):
    """Accepts messages to passwords only, so that no key is needed; has an encrypted message."""
    with open(gate.conf, "a", encoding="utf-8") as f:
        f.write("accept_password_only = yes\n")
    gate.encrypted = "From: a@x.test\nTo: b@example.org\nSubject: ...\n\n" + armored
    return gate


def test_check_exit_codes(lenient):
    good = lenient.file("good.eml", lenient.encrypted)
    bad = lenient.file("bad.eml", CLEARTEXT)
    assert "encrypted  pgp-inline" in lenient.must("check", good)
    assert "cleartext" in lenient.must("check", bad, code=1)
    assert "2 messages: 1 encrypted, 1 cleartext" in lenient.must("check", good, bad, code=1)
    result = lenient.run("check", good, "/nonexistent.eml", bad)
    assert result.code == NOINPUT and "/nonexistent.eml" in result.err and "cleartext" in result.out, result
    lenient.must("check", "-", data=lenient.encrypted)
    lenient.must("check", "-", data=CLEARTEXT, code=1)
    lenient.must("check", "-", data="", code=1)
    # accept_forms says what counts as encrypted, here as in the filter
    text = lenient.must("-o", "accept_forms=pgp-mime", "check", good, code=1)
    assert "encrypted  pgp-inline" in text and "PGP/MIME" in text, text
    lenient.must("-o", "accept_forms=pgp-mime, pgp-inline", "check", good)


def test_check_json_fields(lenient):
    good = lenient.file("good.eml", lenient.encrypted)
    found = lenient.json("check", good)[0]
    assert list(found) == CHECK_FIELDS
    assert (found["file"], found["verdict"], found["form"]) == (good, "encrypted", "pgp-inline")
    assert found["key_ids"] == [] and found["size"] > 0 and found["cleartext_bytes"] == 0
    found = lenient.json("check", "-", data=CLEARTEXT, code=1)[0]
    assert found["file"] == "-" and found["verdict"] == "cleartext" and found["cleartext_bytes"] == 10


def test_check_of_an_mbox(lenient):
    def entry(message):
        return "From a@x.test Sat Nov 21 12:34:56 2026\n" + message + "\n"
    box = lenient.file("box", entry(lenient.encrypted) + entry(CLEARTEXT + "\n>From here on\n") + entry(lenient.encrypted))
    found = lenient.json("check", box, code=1)
    assert [(f["message"], f["verdict"]) for f in found] == [(1, "encrypted"), (2, "cleartext"), (3, "encrypted")]
    assert {f["file"] for f in found} == {box}
    assert "3 messages: 2 encrypted, 1 cleartext" in lenient.must("check", box, code=1)
    assert len(lenient.json("check", "-", data=entry(lenient.encrypted) * 2)) == 2


def test_check_of_maildirs_and_trees(lenient):
    for name in ("Mail/cur/1:2,S", "Mail/new/2", "Mail/.Sent/cur/3:2,S"):
        lenient.file(name, lenient.encrypted)
    for name in ("Mail/tmp/4", "Mail/dovecot-uidlist", "Mail/subscriptions", "Mail/.Sent/maildirfolder",
                 "Mail/.Sent/new/.hidden"):
        lenient.file(name, CLEARTEXT)
    os.makedirs(os.path.join(lenient.path, "Mail/.Sent/tmp"), exist_ok=True)
    found = lenient.json("check", os.path.join(lenient.path, "Mail"))
    assert sorted(os.path.relpath(f["file"], lenient.path) for f in found) == [
        "Mail/.Sent/cur/3:2,S", "Mail/cur/1:2,S", "Mail/new/2"]
    lenient.file("tree/a/b.eml", CLEARTEXT)
    lenient.file("tree/c.eml", lenient.encrypted)
    lenient.file("tree/.hidden.eml", CLEARTEXT)
    os.symlink(os.path.join(lenient.path, "tree"), os.path.join(lenient.path, "tree", "loop"))
    os.mkfifo(os.path.join(lenient.path, "tree", "fifo"))
    found = lenient.json("check", os.path.join(lenient.path, "tree") + "/", code=1)
    assert sorted(os.path.relpath(f["file"], lenient.path) for f in found) == ["tree/a/b.eml", "tree/c.eml"]


def test_check_shows_the_tree_of_parts(lenient, armored):
    mail = lenient.file("m.eml", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n" +
                        armored + "\n--b\nContent-Type: text/html\n\nwords\n--b--\n")
    text = lenient.must("check", "--explain", mail, code=1)
    assert "partial" in text and "multipart/mixed" in text and "text/html" in text and "text/plain" in text
    found = lenient.json("check", "--explain", mail, code=1)[0]
    assert [p["type"] for p in found["parts"] if not p["is_multipart"]] == ["text/plain", "text/html"]


def test_check_takes_the_envelope(lenient):
    report = lenient.file("report.eml", "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;"
                          " boundary=b\n\n--b\nContent-Type: text/plain\n\nfailed\n--b\nContent-Type: message/delivery-status\n\n"
                          "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; a@x.test\nAction: failed\n"
                          "Status: 5.1.1\n\n--b--\n")
    assert lenient.json("check", report, code=1)[0]["verdict"] == "cleartext"
    assert lenient.json("check", "--sender", "<>", report, code=1)[0]["verdict"] == "report"
    assert lenient.json("check", "--sender", "a@x.test", report, code=1)[0]["verdict"] == "cleartext"


def test_check_escapes_names_and_reads_odd_ones(lenient):
    path = lenient.file("odd\x1b[31m \udcff.eml", CLEARTEXT)
    result = lenient.run("check", path)
    assert result.code == 1 and "\x1b" not in result.out and "\\x1B[31m \\xFF.eml" in result.out, result
    assert lenient.json("check", path, code=1)[0]["verdict"] == "cleartext"


def test_check_memory_does_not_grow_with_the_message(lenient):
    """200 MB through an address space of 100 MB more than the program takes at rest."""
    line = b"x" * 75 + b"\n"
    run = subprocess.Popen(["prlimit", "--data=60000000", PGPGATE, "-c", lenient.conf, "check", "-"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if os.environ.get("PGPGATE_SANITIZED"):
        run.kill()
        pytest.skip("sanitizers take memory of their own")
    for _ in range(100):
        run.stdin.write(line * 13000)
    out, err = run.communicate(timeout=300)
    assert run.returncode == 1, (out, err)


# ---- log ---------------------------------------------------------------------------------------------

def fill_log(gate):
    now = int(time.time())
    add_verdict(gate, now - 86400 * 40, "old@x.test", [("b@example.org", "encrypted", None, False)], queue_id="4A")
    add_verdict(gate, now - 3600, "a@x.test", [("b@example.org", "encrypted", None, False)], queue_id="4B")
    add_verdict(gate, now - 60, "a@mail.y.test", [("c@sub.example.org", "encrypted", None, True)], queue_id="4C",
                verdict="encrypted", action="accept", form="pgp-mime", reason="pgp-mime", reply="")
    add_verdict(gate, now - 30, "<>", [("b@example.org", "exempt", 1, True), ("d@z.test", "observe", None, False)],
                queue_id="4D", action="accept", reply="")
    with sqlite3.connect(gate.database) as d:  # the sums by day, which know what there is to look for
        d.execute("INSERT OR REPLACE INTO daily SELECT time_unix / 86400, verdict, action, would, count(*), count(*),"
                  " sum(size_bytes) FROM verdict GROUP BY 1, 2, 3, 4")
    d.close()
    return now


def ids(rows):
    return [r["queue_id"] for r in rows]


def test_log_filters(gate):
    fill_log(gate)
    rows = gate.json("log")
    assert ids(rows) == ["4A", "4B", "4C", "4D"]
    for row in rows:
        assert set(LOG_FIELDS) <= set(row)
        assert TIME.match(row["time"])
    assert rows[3]["recipients"][0]["address"] == "b@example.org" and rows[3]["recipients"][0]["rule"] == 1
    assert rows[3]["recipients"][1]["requirement"] == "observe" and rows[3]["recipients"][1]["rule"] is None
    assert rows[3]["sender"] == "<>" and rows[1]["client"] == "192.0.2.1" and rows[1]["size"] == 1234
    for words, expected in ([["-n", "2"], "4C 4D"], [["--since", "-2h"], "4B 4C 4D"], [["--since", "2h"], "4B 4C 4D"],
                            [["--until", "-2h"], "4A"], [["--recipient", "b@example.org"], "4A 4B 4D"],
                            [["--recipient", "B@EXAMPLE.ORG", "-n", "1"], "4D"],
                            [["--recipient", ".example.org"], "4C"], [["--recipient", "example.org"], "4A 4B 4D"],
                            [["--sender", "<>"], "4D"], [["--sender", "x.test"], "4A 4B"],
                            [["--sender", ".y.test"], "4C"], [["--verdict", "encrypted"], "4C"],
                            [["--action", "refuse"], "4A 4B"], [["--action", "refuse", "--since", "-2h"], "4B"],
                            [["--queue-id", "4C"], "4C"], [["--sender", "nobody@x.test"], ""]):
        assert ids(gate.json("log", *words)) == expected.split(), words
    text = gate.must("log")
    assert "4D" in text and "b@example.org" in text and text.index("4A") < text.index("4D")
    assert "no verdicts" in gate.must("log", "--sender", "nobody@x.test")


def test_log_follows(gate):
    fill_log(gate)
    run = subprocess.Popen([PGPGATE, "-c", gate.conf, "--json", "log", "--follow", "-n", "1"], stdout=subprocess.PIPE,
                           text=True)
    try:
        assert json.loads(run.stdout.readline())["queue_id"] == "4D"
        add_verdict(gate, time.time(), "a@x.test", [("b@example.org", "encrypted", None, False)], queue_id="4E")
        assert select.select([run.stdout], [], [], 60)[0]
        assert json.loads(run.stdout.readline())["queue_id"] == "4E"
        run.send_signal(signal.SIGINT)
        assert run.wait(60) == 0
    finally:
        run.kill()
        run.stdout.close()
        run.wait()


def test_log_of_a_database_that_somebody_else_wrote_is_escaped(gate):
    add_verdict(gate, time.time(), "a@x.test", [("b@example.org", "encrypted", None, False)],
                queue_id="4\x1b[2J", detail="\x1b]0;evil\x07", reply="550 \x9b31m")
    for words in (["log"], ["explain", "--queue-id", "4\x1b[2J"], ["--json", "log"]):
        out = gate.must(*words)
        assert "\x1b" not in out and "\x07" not in out and "\x9b" not in out, out


# ---- config, db, terminal ----------------------------------------------------------------------------

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


def test_backup_that_cannot_be_made(gate):
    good = os.path.join(gate.path, "good.db")
    assert "backed up" in gate.must("db", "backup", good)
    for target, part in ((good, "exists"), (gate.database, "exists"), ("/nonexistent/b.db", "No such file")):
        result = gate.run("db", "backup", target)
        assert result.code == 73 and part in result.err and target in result.err, result


def test_db_commands(bare):
    assert "created" in bare.must("db", "init")
    assert "there already" in bare.must("db", "init")
    assert "current" in bare.must("db", "migrate")
    bare.must("exempt", "a@example.org")
    status = bare.json("db", "status")[0]
    assert status["rules"] == 1 and status["verdicts"] == 0 and status["path"] == bare.database
    assert "rules      1" in bare.must("db", "status")
    assert "in order" in bare.must("db", "check")
    backup = os.path.join(bare.path, "backup.db")
    assert "backed up" in bare.must("db", "backup", backup)
    result = bare.run("db", "backup", backup)
    assert result.code not in (0, 1) and backup in result.err, result
    assert bare.must("-o", f"database=sqlite:{backup}", "export") == "exempt a@example.org\n"


def on_terminal(gate, *words, **env):
    """Exit status, standard output, and what the terminal that is standard error was shown."""
    master, slave = pty.openpty()
    run = subprocess.Popen([PGPGATE, "-c", gate.conf, *words], stdout=subprocess.PIPE, stderr=slave, text=True,
                           env={**os.environ, "TERM": "xterm", **env})
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 4096):
            shown += chunk
    except OSError:  # EIO: the other side is closed
        pass
    out = run.stdout.read()
    os.close(master)
    return run.wait(), out, shown.decode()


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


def test_a_backup_of_hashed_addresses_names_the_key(gate):
    key = f"{gate.database}.key"
    for name, hashed in (("plain", False), ("hashed", True)):
        words = ["-o", "log_addresses=hashed"] if hashed else []
        code, out, shown = on_terminal(gate, *words, "db", "backup", os.path.join(gate.path, name))
        assert code == 0 and "backed up" in out, shown
        assert (key in shown) == hashed and ("not in the backup" in shown) == hashed, shown
    result = gate.run("-o", "log_addresses=hashed", "db", "backup", os.path.join(gate.path, "cron"))
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


def test_output_that_cannot_be_written_is_an_error(gate):
    gate.must("exempt", "a@example.org")
    for words in (["export"], ["--help"], ["-V"], ["rules", "--help"], ["db", "--help"], ["config"], ["help"]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            run = subprocess.run([PGPGATE, "-c", gate.conf, *words], stdout=full, stderr=subprocess.PIPE, check=False)
        assert run.returncode == 74 and b"write" in run.stderr, run


# ---- report, simulate, suggest, metrics, prune, doctor -------------------------------------------------

def add_daily(gate):
    """The sums by day of what add_verdict() has stored: the filter keeps them in the same transaction."""
    with sqlite3.connect(gate.database) as d:
        d.execute("DELETE FROM daily")
        d.execute("INSERT INTO daily SELECT time_unix / 86400, verdict, action, would, count(*), sum((SELECT count(*)"
                  " FROM verdict_recipient WHERE verdict_id = verdict.id)), sum(size_bytes) FROM verdict"
                  " GROUP BY 1, 2, 3, 4")
    d.close()


NOON = int(time.time()) // 86400 * 86400 - 43200  # yesterday's


def utc(when):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


def fill_report(gate):
    """10 days of: a shop that is refused twice a day, a partner that encrypts once a day, and observed mail. Hours lie
    between them, so that it does not matter how long a test takes."""
    hour = 3600
    for day in range(10):
        when = NOON - day * 86400
        for i in range(2):
            add_verdict(gate, when + i * hour, "news@shop.test", [("tips@example.org", "encrypted", None, False)])
        add_verdict(gate, when + 3 * hour, "bob@partner.test", [("tips@example.org", "encrypted", None, True),
                                                       ("bob@example.org", "observe", None, True)],
                    verdict="encrypted", action="accept", form="pgp-mime", reason="ok", cleartext_bytes=0)
        add_verdict(gate, when + 4 * hour, "<>", [("alice@example.org", "observe", None, True)], action="accept",
                    would="refuse" if day == 0 else "accept")
        add_verdict(gate, when + 5 * hour, "carol@partner.test", [("bob@example.org", "observe", None, True)],
                    verdict="encrypted", action="accept", form="pgp-mime", reason="ok", cleartext_bytes=0)
    add_daily(gate)


def test_report_of_nothing_is_one_line(gate):
    assert len(gate.must("report").splitlines()) == 1
    assert len(gate.must("report", "--by", "sender").splitlines()) == 1


def test_report_counts(gate):
    assert "0 messages" in gate.must("report")
    fill_report(gate)
    total, *days = gate.json("report")
    assert (total["messages"], total["encrypted"], total["refused"], total["would_be_refused"]) == (50, 20, 20, 1)
    assert total["bytes"] == 50 * 1234 and len(days) == 10
    assert total["verdicts"]["cleartext"] == 30 and days[0]["verdicts"]["encrypted"] == 2, days[0]
    # When they came is what the rows say, not when the day began.
    with sqlite3.connect(gate.database) as d:
        first, last = d.execute("SELECT min(time_unix), max(time_unix) FROM verdict").fetchone()
    d.close()
    assert (total["first_at"], total["last_at"]) == (utc(first), utc(last)), total
    assert days[0]["first_at"] == utc(first) and days[-1]["last_at"] == utc(last)
    assert all((d["by"], d["messages"], d["refused"]) == ("day", 5, 2) for d in days)
    assert [d["key"] for d in days] == sorted(d["key"] for d in days)
    by = {w: {r["key"]: r for r in gate.json("report", "--by", w)[1:]} for w in
          ("recipient", "sender", "domain", "verdict", "reason", "pair", "rule")}
    assert by["reason"]["no-openpgp"]["messages"] == 30
    assert by["pair"]["news@shop.test -> tips@example.org"]["messages"] == 20 and len(by["pair"]) == 2, by["pair"]
    assert by["rule"]["default"]["messages"] == 60, by["rule"]
    assert by["recipient"]["tips@example.org"]["messages"] == 30
    assert by["recipient"]["bob@example.org"]["encrypted"] == 20
    assert by["sender"]["news@shop.test"]["refused"] == 20 and by["sender"]["<>"]["would_be_refused"] == 1
    assert by["domain"]["partner.test"]["messages"] == 20
    assert by["verdict"]["cleartext"]["messages"] == 30 and by["verdict"]["encrypted"]["messages"] == 20
    assert len(gate.json("report", "--by", "recipient", "-n", "1")) == 2
    text = gate.must("report", "--by", "recipient")
    assert "50 messages" in text and "tips@example.org" in text and max(map(len, text.splitlines())) <= 80
    text = gate.must("report")
    assert re.search(r"^day +mails +clear +encr\. +refus\.$", text, re.M) and max(map(len, text.splitlines())) <= 80, text
    assert gate.json("report", "--since", "-3d")[0]["messages"] < 20
    gate.misuse("report", "--by", "colour", says="colour")


def test_report_html_is_one_page_without_anything_else(gate):
    fill_report(gate)
    add_verdict(gate, NOON, "<script>alert(1)</script>@x.test", [("tips@example.org", "encrypted", None, False)])
    page = os.path.join(gate.path, "report.html")
    gate.must("report", "--html", page, "--title", "Example & Sons")
    with open(page, encoding="utf-8") as f:
        text = f.read()
    assert text.startswith("<!doctype html>") and "<svg" in text
    assert "<title>Encrypted mail: Example   Sons</title>" in text and "Example &amp; Sons</h1>" in text
    assert "tips@<wbr/>example.<wbr/>org" in text and "overflow-wrap:anywhere" not in text
    assert "Would be refused" in text and "What decided" in text
    assert "<script" not in text and "http://" not in text and "https://" not in text and "&lt;script&gt;" in text
    assert "prefers-color-scheme" in text and "@media print" in text and "width=device-width" in text
    import xml.etree.ElementTree as tree
    body = text[text.index("<body>"):text.index("</html>")].replace("&nbsp;", " ")
    assert tree.fromstring(body) is not None  # well-formed
    gate.misuse("report", "--html", "/nonexistent/x.html", code=73, says="/nonexistent/x.html")


def test_report_and_metrics_keep_what_prune_takes(gate):
    fill_report(gate)
    before = gate.json("report")[0]
    metrics = gate.must("metrics")
    assert 'pgpgate_messages_total{verdict="cleartext",action="refuse"} 20' in metrics
    assert 'pgpgate_unenforced_messages_total{would="refuse"} 1' in metrics
    removed = gate.json("db", "prune", "--older-than", str(int(time.time()) - (NOON - 4 * 86400 + 2 * 3600)))[0]["removed"]
    assert removed == 27
    assert len(gate.json("log")) == 23
    after = gate.json("report")[0]
    assert {k: after[k] for k in ("messages", "encrypted", "refused", "would_be_refused", "bytes")} == \
        {k: before[k] for k in ("messages", "encrypted", "refused", "would_be_refused", "bytes")}
    counters = [line for line in metrics.splitlines() if "_total" in line]
    assert counters == [line for line in gate.must("metrics").splitlines() if "_total" in line]
    assert gate.must("db", "check")
    gate.misuse("db", "prune", "--older-than", "0")
    assert gate.json("db", "prune") == [{"removed": 0}]


def test_prune_does_not_believe_a_clock_that_was_set_forward(gate):
    """All verdicts are half a year old: as if the clock were wrong by that much."""
    fill_report(gate)
    with sqlite3.connect(gate.database) as d:
        d.execute("UPDATE verdict SET time_unix = time_unix - 180 * 86400")
    d.close()
    n = len(gate.json("log"))
    gate.misuse("db", "prune", "--older-than", "90d", code=69, says="--clock-is-right")
    assert len(gate.json("log")) == n
    assert gate.json("db", "prune", "--older-than", "90d", "--clock-is-right") == [{"removed": n}]


def test_metrics_follow_the_conventions(gate):
    gate.must("pause", "--for", "1h")
    seen = set()
    name = None
    for line in gate.must("metrics").splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in seen
            seen.add(name)
        elif line.startswith("# TYPE "):
            kind = line.split()[3]
            assert line.split()[2] == name and kind in ("counter", "gauge", "histogram")
            assert (kind == "counter") == name.endswith("_total"), line
        else:
            sample = f"{name}(_bucket|_sum|_count)" if kind == "histogram" else name
            assert re.match(rf'^{sample}(\{{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\}})? -?\d+(\.\d+)?$', line), line
    assert "pgpgate_enforce 0" in gate.must("metrics")


def test_simulate_replays_the_log(gate):
    fill_report(gate)
    found = gate.json("simulate", "require", "example.org")[0]
    assert (found["messages"], found["refused"], found["senders_refused"]) == (50, 30, 2)
    assert found["newly_refused"] == 10 and found["senders"][0] == {"sender": "news@shop.test", "messages": 20,
                                                                    "refused": 20}
    found = gate.json("simulate", "exempt", "tips@example.org", "--sender", "shop.test")[0]
    assert (found["messages"], found["refused"], found["newly_accepted"]) == (20, 0, 20)
    assert not found["newly_refused_pairs"]
    pair = found["newly_accepted_pairs"][0]
    assert (pair["sender"], pair["recipient"], pair["messages"]) == ("news@shop.test", "tips@example.org", 20), pair
    text = gate.must("simulate", "exempt", "tips@example.org", "--sender", "shop.test")
    assert "news@shop.test -> tips@example.org" in text and "newly refused:" not in text, text
    assert gate.json("simulate", "require", "bob@example.org")[0]["refused"] == 0
    # a more specific rule that decided keeps deciding
    gate.must("exempt", "alice@example.org")
    with sqlite3.connect(gate.database) as d:
        d.execute("UPDATE verdict_recipient SET rule_id = 1, source = 'rule' WHERE recipient_key = ?",
                  (key_of("alice@example.org"),))
    d.close()
    assert gate.json("simulate", "require", "example.org")[0]["messages"] == 40
    assert gate.json("simulate", "require", "alice@example.org")[0]["messages"] == 10
    text = gate.must("simulate", "ratchet", "*")
    assert "40 messages" in text.replace("\n", " ") and max(map(len, text.splitlines())) <= 80
    # the same order as the policy: authenticated before every network, user+ext@ before user@
    gate.must("require", "n@example.org", "--client", "192.0.2.0/24")
    gate.must("require", "u+x@")
    add_verdict(gate, NOON, "s@x.test", [("n@example.org", "encrypted", 2, False)], authenticated="joe")
    add_verdict(gate, NOON, "s@x.test", [("u+x@example.org", "encrypted", 3, False)])
    found = gate.json("simulate", "exempt", "n@example.org", "--client", "authenticated")[0]
    assert (found["messages"], found["newly_accepted"]) == (1, 1)
    assert gate.json("simulate", "exempt", "u@")[0]["messages"] == 0
    assert gate.json("simulate", "exempt", "u+x@")[0]["messages"] == 1
    # no rule lowers what a doubtful address must meet
    add_verdict(gate, NOON, "s@x.test", [("a%b@doubt.test", "encrypted", None, False)])
    with sqlite3.connect(gate.database) as d:
        d.execute("UPDATE verdict_recipient SET is_trustworthy = 0 WHERE recipient_key = ?",
                  (key_of("a%b@doubt.test"),))
    d.close()
    assert gate.json("simulate", "exempt", "doubt.test")[0]["messages"] == 0
    assert gate.json("simulate", "require", "doubt.test")[0]["refused"] == 1
    gate.misuse("simulate", "require", says="simulate require")
    gate.misuse("simulate", "forbid", "*", says="forbid")


def test_explain_takes_what_people_have_in_hand(gate):
    gate.must("require", "alice@example.org", "--note", "tips")
    gate.must("exempt", ".lists.example.org")
    gate.must("exempt", "example.net")
    add_verdict(gate, NOON, "bob@shop.test", [("alice@example.org", "encrypted", 1, False)], queue_id="4cDmS64YQkz1Xq",
                message_id="<42@shop.test>")
    for words, text in ((["4cDmS64YQkz1Xq"], None), (["<42@shop.test>"], None),
                        (["-"], "> <alice@example.org>: host mx said: 550-5.7.1 Your message\n> 550 5.7.1 Reference:\n"
                                ">  4cDmS64YQkz1Xq (in reply to end of DATA command)\n"),
                        (["-"], "--x\nContent-Type: message/rfc822\n\nMessage-ID: <42@shop.test>\nTo: alice\n\nhi\n")):
        result = gate.run("--json", "explain", *words, data=text)
        assert result.code == 0, (words, result)
        found = json.loads(result.out)
        assert found["queue_id"] == "4cDmS64YQkz1Xq", words
        commands = {c["command"] for c in found["changes"]}
        assert {"pgpgate exempt alice@example.org --sender bob@shop.test --expires +30d",
                "pgpgate exempt alice@example.org", "pgpgate forget --id 1"} == commands, commands
        shown = gate.run("explain", *words, data=text).out
        assert "What would change it" in shown and "--sender bob@shop.test" in shown
    for words in (["4cDmS64YQkz1Xx"], ["-"]):
        result = gate.run("explain", *words, data="nothing of interest")
        assert result.code == 1 and "pgpgate:" in result.err, words
    # An address in angle brackets that is no Message-ID is an address.
    assert gate.json("explain", "<alice@example.org>")[0]["requirement"] == "encrypted"
    scopes = {(r["recipient"], r["scope"]) for r in gate.json("explain", "example.org")}
    assert scopes == {("alice@example.org", "address"), (".lists.example.org", "below")}, scopes
    assert {r["scope"] for r in gate.json("explain", "a.lists.example.org")} == {"domain"}
    text = gate.must("explain", "example.org")
    assert "alice@example.org" in text and "default_requirement = encrypted" in text and "example.net" not in text
    assert max(map(len, text.splitlines())) <= 80
    for command in sorted(commands, reverse=True):  # "forget" before what replaces that rule
        gate.must(*command.split()[1:])


def test_suggest_prints_commands_that_work(gate):
    suggest = ("-o", f"mail_providers={PROVIDERS}", "suggest")
    assert "nothing" in gate.must(*suggest)
    fill_report(gate)
    for i in range(12):  # forged senders must not become commands
        add_verdict(gate, NOON - i * 86400, "x@$(reboot)", [("tips@example.org", "encrypted", None, False)])
    gate.must("exempt", "old@example.org")
    with sqlite3.connect(gate.database) as d:
        d.execute("UPDATE rule SET created_at_unix = 1")
    d.close()
    found = {s["command"]: s["evidence"] for s in gate.json(*suggest)}
    assert set(found) == {"pgpgate require bob@example.org", "pgpgate forget --id 1",
                          "pgpgate exempt tips@example.org --sender shop.test --expires +90d"}
    assert "20" in found["pgpgate require bob@example.org"]
    before = gate.must("export")
    text = gate.must(*suggest)
    assert gate.must("export") == before and "$(" not in text
    for command in found:
        gate.must(*command.split()[1:])


def test_suggest_takes_no_blank_in_a_sender_for_its_end(gate):
    """A local part may hold blanks: what stands before one is not the sender, and not a provider's domain."""
    for i in range(12):
        for to in ("a", "b", "c"):
            add_verdict(gate, NOON - i * 86400, "gmail.com x@gmail.com", [(f"{to}@example.org", "encrypted", None, False)])
    found = [s["command"] for s in gate.json("-o", f"mail_providers={PROVIDERS}", "suggest")]
    assert found == ["pgpgate observe example.org"], found


def test_suggest_is_a_page_for_a_site_of_300_mailboxes(gate):
    """Newsletters to everybody, strangers at a provider, mailboxes that only get encrypted mail."""
    suggest = ("-o", f"mail_providers={PROVIDERS}", "suggest")
    refused = ("cleartext", "refuse", "encrypted", 0)
    mail = [(day, sender, f"user{i}@example.org", *refused) for day in range(6) for i in range(300)
            for sender in ("news@shop.test", "bob@gmail.com", "x@forum.github.io", "y@github.io")]
    mail += [(day, "p@partner.test", f"open{i}@example.net", "encrypted", "accept", "observe", 1)
             for day in range(12) for i in range(45)]
    with sqlite3.connect(gate.database) as d:
        for day, sender, recipient, verdict, action, requirement, passes in mail:
            row = d.execute("INSERT INTO verdict (time_unix, queue_id, host, client, authenticated, sender_key, is_local,"
                            " message_id, size_bytes, verdict, form, reason, detail, cleartext_bytes, returns_readable,"
                            " action, would, reply) VALUES (?, 'Q', '', '', '', ?, 0, '', 9, ?, 'none', 'x', '', 9, 0, ?,"
                            " ?, '')", (int(NOON - day * 86400), key_of(sender), verdict, action, action)).lastrowid
            d.execute("INSERT INTO verdict_recipient (verdict_id, position, recipient_key, is_trustworthy, requirement,"
                      " demand, source, rule_id, passes) VALUES (?, 0, ?, 1, ?, ?, 'default', NULL, ?)",
                      (row, key_of(recipient), requirement, requirement, passes))
    d.close()
    found = gate.json(*suggest)
    by_kind = {kind: [s["command"] for s in found if s["kind"] == kind] for kind in ("require", "exempt", "observe")}
    # The shop's domain, a site of its own at a host of many, but a person where everybody may be one.
    assert sorted(by_kind["exempt"]) == sorted(
        f"pgpgate exempt example.org --sender {sender} --expires +90d"
        for sender in ("shop.test", "bob@gmail.com", "forum.github.io", "y@github.io")), by_kind
    assert by_kind["observe"] == ["pgpgate observe example.org"]
    # Strictness is never suggested for addresses that nobody has seen.
    assert [len(c.split()) - 2 for c in by_kind["require"]] == [20, 20, 5], by_kind
    text = gate.must(*suggest)
    assert max(map(len, text.splitlines())) <= 80 and len(text.splitlines()) < 60, text
    commands = [line for line in text.replace("\\\n", "").splitlines() if line and not line.startswith("#")]
    assert sorted(" ".join(c.split()) for c in commands) == sorted(s["command"] for s in found)
    assert len(gate.json(*suggest, "-n", "2")) == 2
    for command in commands:
        gate.must(*command.split()[1:])
    # Without the list nobody's domain is named.
    assert not [s for s in gate.json("-o", "mail_providers=/nonexistent", "suggest") if "--sender shop.test" in s["command"]]


def fake_postfix(gate, main, master="smtp inet n - y - - smtpd\n"):
    """A configuration directory of Postfix; nothing runs."""
    etc = os.path.join(gate.path, "postfix")
    os.makedirs(etc, exist_ok=True)
    above = etc
    while os.stat(above := os.path.dirname(above)).st_mode & 0o001 == 0:
        os.chmod(above, os.stat(above).st_mode | 0o011)  # Postfix's programs are never run as root
    queue = os.path.join(gate.path, "queue")
    with open(os.path.join(etc, "main.cf"), "w", encoding="utf-8") as f:
        f.write(f"compatibility_level = 3.6\nqueue_directory = {queue}\nmyhostname = mx.example.org\n"
                f"alias_maps =\n{main}")
    with open(os.path.join(etc, "master.cf"), "w", encoding="utf-8") as f:
        f.write(master)
    with open(gate.conf, "w", encoding="utf-8") as f:
        f.write(f"database = sqlite:{gate.database}\nuser =\nfilter_socket = local:{queue}/pgpgate/filter.sock\n"
                f"policy_socket = local:{queue}/pgpgate/policy.sock\n")
    return etc


GOOD_MAIN = ("smtpd_milters = unix:pgpgate/filter.sock\nnon_smtpd_milters = unix:pgpgate/filter.sock\n"
             "smtpd_forbid_bare_newline = yes\n"
             "smtpd_recipient_restrictions = check_policy_service unix:pgpgate/policy.sock\n")


def doctor(gate, etc):
    result = gate.run("--json", "doctor", "--postfix-config", etc)
    assert result.code in (0, 1) and result.err == "", result
    return [json.loads(line) for line in result.out.splitlines()], result.code


def problems(found, topic):
    return [f["text"] for f in found if f["topic"] == topic and f["state"] == "problem"]


@pytest.mark.skipif(not os.path.exists("/usr/sbin/postconf"), reason="no Postfix")
def test_doctor_reads_the_configuration_of_postfix(gate):
    found, code = doctor(gate, fake_postfix(gate, GOOD_MAIN))
    assert problems(found, "postfix") == [] and problems(found, "database") == [], found
    assert code == 1 and problems(found, "filter") and problems(found, "policyd")  # neither runs here
    etc = fake_postfix(gate, "milter_default_action = accept\nsmtpd_forbid_bare_newline = no\n"
                       "smtpd_milter_maps = inline:{192.0.2.1=DISABLE}\n",
                       "smtp inet n - y - 5000 smtpd\n"
                       "10025 inet n - y - - smtpd\n -o smtpd_proxy_filter=127.0.0.1:10026\n"
                       "10027 inet n - y - - smtpd\n -o smtpd_milters=\n")
    found, code = doctor(gate, etc)
    told = "\n".join(problems(found, "postfix"))
    for part in ("smtpd_milters does not name", "milter_default_action = accept", "smtpd_forbid_bare_newline is off",
                 "smtpd_milter_maps", "10027/inet goes without our filter", "10025/inet has smtpd_proxy_filter",
                 "5200 smtpd processes"):
        assert part in told, (part, told)
    assert all(f["mend"] for f in found if f["state"] == "problem" and f["topic"] == "postfix")
    etc = fake_postfix(gate, GOOD_MAIN.replace("unix:pgpgate/filter", f"unix:{gate.path}/queue/pgpgate/filter"))
    assert any("absolute path" in t for t in problems(doctor(gate, etc)[0], "postfix"))
    found = [json.loads(line) for line in gate.run("--json", "-o", "filter_socket=local:/run/x.sock", "doctor",
                                                  "--postfix-config", etc).out.splitlines()]
    assert any("outside" in t for t in problems(found, "filter")), found
    text = gate.must("doctor", "--postfix-config", etc, code=1)
    assert "MEND" in text and "to mend." in text


@pytest.mark.skipif(not os.path.exists("/usr/sbin/postconf"), reason="no Postfix")
def test_doctor_finds_exempt_aliases_of_protected_mailboxes(gate):
    etc = fake_postfix(gate, GOOD_MAIN + "virtual_alias_maps = inline:{news@example.org=tips@example.org}\n")
    gate.must("exempt", "news@example.org")
    gate.must("require", "tips@example.org")
    found, _ = doctor(gate, etc)
    assert "tips@example.org" in problems(found, "aliases")[0]
    gate.must("exempt", "tips@example.org")
    found, _ = doctor(gate, etc)
    assert problems(found, "aliases") == []


def test_doctor_says_how_to_mend_the_database(bare):
    result = bare.run("--json", "doctor")
    found = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 1 and problems(found, "database")
    assert [f["mend"] for f in found if f["topic"] == "database"] == [f"pgpgate -c {bare.conf} db init"]
    bare.must("db", "init")
    os.chmod(bare.database, 0o666)
    result = bare.run("doctor")
    assert "chmod o= " in result.out, result

# SPDX-License-Identifier: ISC
"""Rules by command, without Postfix: made, listed, forgotten, brought in line, taken back."""

import json
import os
import re
import sqlite3
import subprocess

from harness.gate import CLEARTEXT, DATAERR, TIME

RULE_FIELDS = ["id", "recipient", "sender", "client", "requirement", "starts_at", "expires_at", "note", "help_url",
               "author", "created_at", "hits", "last_hit_at", "owner"]


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

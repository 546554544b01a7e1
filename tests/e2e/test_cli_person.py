# SPDX-License-Identifier: ISC
"""Forgetting a person, without Postfix."""

import json
import re
import sqlite3
import time

from harness.gate import add_verdict


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

# SPDX-License-Identifier: ISC
"""Why: explain, in text and JSON, without Postfix."""

import json
import sqlite3
import time

from harness.gate import CLEARTEXT, NOON, add_verdict, key_of


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

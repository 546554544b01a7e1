# SPDX-License-Identifier: ISC
"""What would be: simulate and suggest, without Postfix."""

import os
import sqlite3

from harness.gate import NOON, add_verdict, fill_report, key_of

PROVIDERS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "dist", "providers"))


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

# SPDX-License-Identifier: ISC
"""The record, read: pgpgate log, without Postfix."""

import json
import select
import signal
import sqlite3
import subprocess
import time

from harness.gate import PGPGATE, TIME, add_verdict, fill_log, ids

LOG_FIELDS = ["time", "queue_id", "host", "client", "authenticated", "sender", "recipients", "verdict", "form",
              "reason", "detail", "action", "reply", "size", "message_id"]


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

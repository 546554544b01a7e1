# SPDX-License-Identifier: ISC
"""The database, by command: status, check, backup, prune, without Postfix."""

import os
import sqlite3

from harness.gate import fill_report, on_terminal


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


def test_a_backup_of_hashed_addresses_names_the_key(gate):
    key = f"{gate.database}.key"
    for name, hashed in (("plain", False), ("hashed", True)):
        words = ["-o", "log_addresses=hashed"] if hashed else []
        code, out, shown = on_terminal(gate, *words, "db", "backup", os.path.join(gate.path, name))
        assert code == 0 and "backed up" in out, shown
        assert (key in shown) == hashed and ("not in the backup" in shown) == hashed, shown
    result = gate.run("-o", "log_addresses=hashed", "db", "backup", os.path.join(gate.path, "cron"))
    assert result.code == 0 and result.err == "", result


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

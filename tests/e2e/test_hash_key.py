# SPDX-License-Identifier: ISC
"""The key of hashed addresses belongs to one database: a missing or another one is refused, with its mend, and never
made anew by the way; what a killed command leaves is mended by the next."""

import contextlib
import os
import sqlite3

import pytest

from harness.pair import program, run_program

KEY_BYTES = 32


class Gate:
    def __init__(self, place, name):
        self.state = place.directory(f"{name}", place.user.pw_uid, place.user.pw_gid, 0o2770)
        self.database = os.path.join(self.state, "pgpgate.db")
        self.key = self.database + ".key"
        self.conf = os.path.join(place.path, f"{name}.conf")
        self.user = place.user
        self.write("hashed")

    def write(self, log_addresses):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"database = sqlite:{self.database}\nuser = {self.user.pw_name}\nlog_addresses = {log_addresses}\n")

    def run(self, *words):
        return run_program([program("pgpgate"), "-c", self.conf, *words], timeout=60)

    def must(self, *words):
        result = self.run(*words)
        assert result.code == 0, result
        return result.out

    def key_bytes(self):
        with open(self.key, "rb") as f:
            return f.read()

    def put_key(self, octets):
        with open(self.key, "wb") as f:
            f.write(octets)
        os.chown(self.key, self.user.pw_uid, self.user.pw_gid)
        os.chmod(self.key, 0o640)


@pytest.fixture
def gate(place, request):
    return Gate(place, request.node.name.replace("[", "-").replace("]", ""))


READS = [("rules",), ("log",), ("db", "status")]
WRITES = [("exempt", "a@example.org"), ("pause", "--for", "1h"), ("db", "init")]


@pytest.mark.parametrize("octets,says", [(None, "is lost"), (b"x" * KEY_BYTES, "not the key"), (b"", "restore")],
                         ids=["missing", "another", "empty"])
def test_a_key_that_is_not_the_databases_is_refused(gate, octets, says):
    gate.must("db", "init")
    right = gate.key_bytes()
    os.unlink(gate.key)
    if octets is not None:
        gate.put_key(octets)
    for words in READS + WRITES:
        result = gate.run(*words)
        assert result.code == 66 and says in result.err, (words, result)
    assert os.path.exists(gate.key) == (octets is not None)  # and none was made by the way
    for name in ("pgpgate-filter", "pgpgate-policyd"):
        result = run_program([program(name), "-c", gate.conf, "-f", "-p", f"unix:{gate.state}/x.sock"], timeout=60)
        assert result.code == 66 and says in result.err, (name, result)
    doctor = gate.run("doctor")
    assert doctor.code == 1 and says in " ".join(doctor.out.split()), doctor
    gate.put_key(right)
    for words in READS + WRITES:
        gate.must(*words)
    assert gate.key_bytes() == right


def test_another_key_is_made_only_when_told_to(gate):
    gate.must("db", "init")
    right = gate.key_bytes()
    os.unlink(gate.key)
    assert "new key" in gate.must("db", "init", "--new-key")
    assert len(gate.key_bytes()) == KEY_BYTES and gate.key_bytes() != right
    gate.must("exempt", "a@example.org")
    gate.must("db", "init", "--new-key")  # while there is one, too
    gate.must("rules")
    gate.put_key(right)
    assert gate.run("rules").code == 66


def test_what_a_killed_init_leaves_is_mended(gate):
    """Older versions made the key's file before its octets were written; ours writes beside."""
    gate.must("db", "init")
    with contextlib.closing(sqlite3.connect(gate.database, isolation_level=None)) as d:
        d.execute("UPDATE state SET hash_key_check = NULL")
    for left in (b"", b"x" * 5):
        gate.put_key(left)
        with open(gate.key + ".new", "wb") as f:
            f.write(b"half")
        os.chown(gate.key + ".new", gate.user.pw_uid, gate.user.pw_gid)
        gate.must("db", "init")
        assert len(gate.key_bytes()) == KEY_BYTES and not os.path.exists(gate.key + ".new")
        gate.must("exempt", "a@example.org")
        with contextlib.closing(sqlite3.connect(gate.database, isolation_level=None)) as d:
            d.execute("UPDATE state SET hash_key_check = NULL")


def test_a_key_lost_before_the_database_knew_it(gate):
    gate.must("db", "init")
    with contextlib.closing(sqlite3.connect(gate.database, isolation_level=None)) as d:
        d.execute("UPDATE state SET hash_key_check = NULL")
        d.execute("INSERT INTO pair (sender_key, recipient_key, first_encrypted_unix, last_encrypted_unix, n_encrypted)"
                  " VALUES ('h:0123456789abcdef@h:0123456789abcdef', 'h:0123456789abcdef@h:0123456789abcdee', 1, 1, 1)")
    os.unlink(gate.key)
    result = gate.run("db", "init")
    assert result.code == 66 and "is lost" in result.err and not os.path.exists(gate.key), result


def test_addresses_in_the_clear_need_no_key(gate):
    gate.write("full")
    gate.must("db", "init")
    os.unlink(gate.key)
    for words in READS + WRITES:
        gate.must(*words)
    gate.write("hashed")
    result = gate.run("rules")
    assert result.code == 66 and "is lost" in result.err, result

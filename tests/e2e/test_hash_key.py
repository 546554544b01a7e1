# SPDX-License-Identifier: ISC
"""The key of hashed addresses belongs to one database: a missing or another one is refused, with its mend, and never
made anew by the way; what a killed command leaves is mended by the next."""

import contextlib
import os
import resource
import sqlite3
import subprocess

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


def add_keys(gate, n):
    """In the clear, as under log_addresses = full; `db init` seals them."""
    with contextlib.closing(sqlite3.connect(gate.database, isolation_level=None)) as d:
        d.executemany("INSERT INTO recipient_key (pattern, key_id, fingerprint, primary_fingerprint, state, source, author,"
                      " created_at_unix) VALUES (?, ?, ?, '', 'active', 'add', 'root', 1)",
                      [(f"r{i}@example.org", i + 1, f"{i + 1:040X}") for i in range(n)])
    gate.must("db", "init")
    with contextlib.closing(sqlite3.connect(gate.database, isolation_level=None)) as d:
        assert d.execute("SELECT count(*) FROM recipient_key WHERE substr(fingerprint, 1, 2) = 's:'").fetchone() == (n,)


def test_a_new_key_that_does_not_fit_on_the_disk_leaves_the_old_one(gate):
    """The transaction that turns the keys of recipients fails: nothing has changed."""
    gate.must("db", "init")
    add_keys(gate, 400)
    right, listed = gate.key_bytes(), gate.must("keys", "list")
    result = subprocess.run([program("pgpgate"), "-c", gate.conf, "db", "init", "--new-key"], capture_output=True, timeout=60,
                            check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (36864, 36864)))
    assert result.returncode != 0, result
    assert gate.key_bytes() == right and gate.must("keys", "list") == listed
    assert "new key" in gate.must("db", "init", "--new-key")
    assert gate.key_bytes() != right and gate.must("keys", "list") == listed


@pytest.mark.parametrize("log_addresses", ["hashed", "full"])
@pytest.mark.parametrize("words", [("keys", "list"), ("exempt", "a@example.org"), ("db", "init"), ("db", "init", "--new-key")],
                         ids=["read", "write", "init", "another"])
def test_a_new_key_that_was_killed_before_it_had_its_name(gate, words, log_addresses):
    """The database knows the key already: whoever opens it takes that, and who may write gives it its name."""
    gate.must("db", "init")
    add_keys(gate, 3)
    old, listed = gate.key_bytes(), gate.must("keys", "list")
    gate.must("db", "init", "--new-key")
    new = gate.key_bytes()
    os.rename(gate.key, gate.key + ".new")
    gate.put_key(old)
    gate.write(log_addresses)
    gate.must(*words)
    assert gate.must("keys", "list") == listed
    if words == ("keys", "list"):
        assert gate.key_bytes() == old, "who only reads changes nothing"
    else:
        assert not os.path.exists(gate.key + ".new")
        assert (gate.key_bytes() == new) == (words[-1] != "--new-key")
    gate.write("hashed")
    gate.must("db", "init")
    assert gate.must("keys", "list") == listed and not os.path.exists(gate.key + ".new")


def test_a_first_key_that_was_killed_before_it_had_its_name(gate):
    gate.must("db", "init")
    key = gate.key_bytes()
    os.rename(gate.key, gate.key + ".new")
    gate.must("rules")
    gate.must("exempt", "a@example.org")
    assert gate.key_bytes() == key


def test_keys_that_go_with_their_key_are_counted(gate):
    gate.must("db", "init")
    add_keys(gate, 5)
    os.unlink(gate.key)
    result = gate.run("db", "init", "--new-key")
    assert result.code == 0 and "5 keys of recipients" in result.err, result
    assert "keys of recipients" not in gate.run("db", "init", "--new-key").err


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

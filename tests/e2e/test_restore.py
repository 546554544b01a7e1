# SPDX-License-Identifier: ISC
"""Restore: from every form that a backup can have, with the daemons running, stopped and killed; what was there is
kept, nothing is mixed, and the key of hashed addresses comes with it."""

import contextlib
import fcntl
import os
import shutil
import signal
import sqlite3

import pytest

from harness.pair import program, run_program

BACK, LATER = "back@example.org", "later@example.org"
TEMPFAIL = 75
ALL = os.environ.get("PGPGATE_STORAGE") == "all"  # every form and copy; by default those that differ most


def rules(pair):
    return {line.split()[1] for line in pair.must("export").splitlines()}


def opened(path):
    """Closed at the end, as sqlite3's own context is not."""
    return contextlib.closing(sqlite3.connect(path, isolation_level=None))


def by_command(pair, file):
    pair.must("db", "backup", file)


def by_command_with_key(pair, file):
    pair.must("db", "backup", "--with-key", file)


def by_sqlite_backup(pair, file):
    with opened(pair.database) as d, opened(file) as to:
        d.backup(to)


def by_vacuum(pair, file):
    with opened(pair.database) as d:
        d.execute("VACUUM INTO ?", (file,))


def by_cp_with_wal(pair, file):
    """Of a system that stands still: nobody writes, the daemons have it open, the write-ahead log is not empty."""
    for suffix in ("", "-wal"):
        shutil.copyfile(pair.database + suffix, file + suffix)
    assert os.path.getsize(file + "-wal") > 0


FORMS = [by_command, by_command_with_key, by_sqlite_backup, by_vacuum, by_cp_with_wal]


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.__name__)
def test_restore(make_pair, form):
    pair = make_pair(f"restore-{form.__name__}", log_addresses="hashed" if form is by_command_with_key else "full")
    pair.must("exempt", BACK)
    file = os.path.join(pair.dir, "copy.db")
    form(pair, file)
    assert os.path.exists(file + ".key") == (form is by_command_with_key)
    pair.must("exempt", LATER)

    # running: refused, and nothing has changed
    result = pair.run("db", "restore", file)
    assert result.code == TEMPFAIL and "stop the daemons" in result.err, result
    assert f"process {pair.filter.process.pid}" in result.err or f"process {pair.policyd.process.pid}" in result.err
    assert rules(pair) == {BACK, LATER}

    # killed: a write-ahead log lies there that must not come into the copy
    assert (pair.filter.end(signal.SIGKILL), pair.policyd.end(signal.SIGKILL)) == (-9, -9)
    assert os.path.getsize(pair.database + "-wal") > 0
    out = pair.must("db", "restore", file)
    assert rules(pair) == {BACK}
    assert pair.run("db", "check").code == 0
    kept = out.split("what was there: ")[1].split("\n")[0]
    with opened(kept) as d:
        assert d.execute("SELECT count(*) FROM rule").fetchone() == (2,)

    if form not in (by_command_with_key, by_cp_with_wal) and not ALL:  # to stop takes libmilter seconds
        return

    # stopped: one file is all there is
    pair.start()
    pair.must("exempt", "third@example.org")
    pair.ask_to_stop()
    assert (pair.filter.end(), pair.policyd.end()) == (0, 0)
    assert not os.path.exists(pair.database + "-wal") and not os.path.exists(pair.database + "-shm")
    if form is by_command_with_key:
        os.unlink(pair.database + ".key")
        with open(pair.database + ".key.new", "xb") as f:  # of `db init --new-key`, killed before it was named
            f.write(b"pending" * 4 + b"....")
        shutil.chown(pair.database + ".key.new", pair.place.user.pw_uid, pair.place.user.pw_gid)
    os.unlink(kept)
    pair.must("db", "restore", file)
    assert rules(pair) == {BACK}
    assert pair.run("db", "check").code == 0
    st = os.stat(pair.database)
    assert (st.st_uid, st.st_gid, st.st_mode & 0o777) == (pair.place.user.pw_uid, pair.place.user.pw_gid, 0o660)
    if form is by_command_with_key:
        with open(pair.database + ".key.new", "rb") as f:
            assert f.read() == b"pending" * 4 + b"...."
        os.unlink(pair.database + ".key.new")
    left = [name for name in os.listdir(pair.state) if ".restore" in name or ".new" in name]
    assert left == []


def test_restore_refuses_what_is_no_good_backup(make_pair):
    pair = make_pair("refuses", policyd=False, log_addresses="hashed")
    pair.must("exempt", BACK)
    good = os.path.join(pair.dir, "good.db")
    pair.must("db", "backup", "--with-key", good)
    pair.filter.end()

    def variant(name, change=None, with_key=True):
        path = os.path.join(pair.dir, name)
        shutil.copyfile(good, path)
        if with_key:
            shutil.copyfile(good + ".key", path + ".key")
        if change:
            change(path)
        return path

    def damage(path):
        with open(path, "r+b") as f:
            f.seek(4096 * 3 + 8)
            f.write(os.urandom(4096))

    def newer(path):
        with opened(path) as d:
            d.execute("PRAGMA user_version = 999")

    def foreign(path):
        os.unlink(path)
        with opened(path) as d:
            d.execute("CREATE TABLE mine (x)")

    def text(path):
        with open(path, "w", encoding="ascii") as f:
            f.write("no database at all\n")

    def wrong_key(path):
        with open(path + ".key", "wb") as f:
            f.write(b"x" * 32)

    def link(path):
        os.unlink(path)
        os.symlink(good, path)

    before = sorted(os.listdir(pair.state))
    for name, change, code, says in [
            ("damaged", damage, 74, "damaged"), ("newer", newer, 78, "999"), ("foreign", foreign, 65, "another program"),
            ("text", text, 65, "no database"), ("wrongkey", wrong_key, 66, "not the key"), ("link", link, 66, "symbolic link"),
            ("absent", lambda path: os.unlink(path), 66, "No such file")]:
        result = pair.run("db", "restore", variant(name, change))
        assert result.code == code and says in result.err, (name, result)
        assert sorted(os.listdir(pair.state)) == before, name
        assert rules(pair) == {BACK}, name
    # without its key, and the key here is another one
    with open(pair.database + ".key", "rb") as f:
        key = f.read()
    with open(pair.database + ".key", "wb") as f:
        f.write(b"y" * 32)
    bare = variant("bare", with_key=False)
    result = pair.run("db", "restore", bare)
    assert result.code == 66 and f"{bare}.key" in result.err, result
    out = pair.must("db", "restore", variant("whole"))
    assert "with its key" in out
    with open(pair.database + ".key", "rb") as f:
        assert f.read() == key
    assert rules(pair) == {BACK}


def test_restore_where_nothing_is_and_of_an_older_schema(make_pair):
    from harness.schema import sql_back_to
    pair = make_pair("moved", policyd=False)
    pair.must("exempt", BACK)
    pair.filter.end()
    file = os.path.join(pair.dir, "old.db")
    pair.must("db", "backup", file)
    with opened(file) as d:
        d.executescript(sql_back_to(d, 3))
    for name in os.listdir(pair.state):
        os.unlink(os.path.join(pair.state, name))
    result = pair.run("db", "restore", file)
    assert result.code == 0 and "schema 3" in result.out and "db migrate" in result.err, result
    assert "what was there" not in result.out
    pair.must("db", "migrate")
    assert rules(pair) == {BACK}


def test_a_backup_with_its_key(make_pair):
    pair = make_pair("withkey", policyd=False, log_addresses="hashed")
    file = os.path.join(pair.dir, "copy.db")
    pair.must("db", "backup", "--with-key", file)
    with open(file + ".key", "rb") as f, open(pair.database + ".key", "rb") as own_key:
        assert f.read() == own_key.read()
    for path in (file, file + ".key"):
        assert (os.stat(path).st_uid, os.stat(path).st_mode & 0o777) == (0, 0o600)
    # the key's name is taken: no half of a pair is made
    other = os.path.join(pair.dir, "other.db")
    with open(other + ".key", "wb"):
        pass
    result = pair.run("db", "backup", "--with-key", other)
    assert result.code == 73 and not os.path.exists(other) and not os.path.exists(other + ".partial"), result


def test_a_killed_restore_is_in_nobodys_way(make_pair):
    """Killed when the database has its second name, before the copy has its place."""
    pair = make_pair("killed-restore", policyd=False)
    pair.must("exempt", "before@example.org")
    pair.stop()
    good, kept = os.path.join(pair.dir, "good.db"), f"{pair.database}.before-20261130T000000Z"
    pair.must("db", "backup", good)
    for path in (pair.database, f"{pair.database}.key"):
        os.link(path, kept + path[len(pair.database):])
    with open(pair.database, "r+b") as database:  # another restore is between its steps, and needs both names
        fcntl.lockf(database, fcntl.LOCK_EX, 510, 0x40000002)  # SQLite's bytes for readers
        assert pair.run("db", "restore", good).code != 0 and os.path.exists(kept)
    assert "before@example.org" in pair.must("db", "restore", good) + pair.must("export")
    assert os.stat(f"{pair.database}.key").st_nlink == os.stat(pair.database).st_nlink == 1
    assert not os.path.exists(kept)


def test_an_interrupted_backup_is_in_nobodys_way(make_pair):
    pair = make_pair("interrupted", policyd=False)
    file = os.path.join(pair.dir, "copy.db")
    with open(file + ".partial", "wb") as f:
        f.write(os.urandom(100000))
    pair.must("db", "backup", file)
    assert not os.path.exists(file + ".partial") and not os.path.exists(file + "-journal")
    result = run_program([program("pgpgate"), "-c", pair.conf, "-o", "user=", "-o", f"database=sqlite:{file}", "db", "check"])
    assert result.code == 0, result


def sizes(pair):
    """Of the database and what belongs to it; what the filter tells of itself may change."""
    return {name: os.path.getsize(os.path.join(pair.state, name)) for name in os.listdir(pair.state) if ".status." not in name}


COPIES = [by_command, by_vacuum, by_sqlite_backup][:3 if ALL else 1]


@pytest.mark.parametrize("form", COPIES, ids=lambda f: f.__name__)
def test_a_write_ahead_log_of_another_database_is_refused(make_pair, form):
    """Killed, and then a backup copied over the database by hand: the engine would replay the old log into it."""
    pair = make_pair(f"foreign-{form.__name__}", policyd=False)
    pair.must("exempt", BACK)
    file = os.path.join(pair.dir, "copy.db")
    form(pair, file)
    pair.must("exempt", LATER)
    pair.filter.end()  # the log is written back: another generation begins
    pair.start(policyd=False)
    for i in range(20):
        pair.must("exempt", f"r{i}@example.org")
    # a log that is its own is taken, whatever of it was written back
    assert pair.filter.end(signal.SIGKILL) == -9 and os.path.getsize(pair.database + "-wal") > 0
    for name in ("killed.db", "kept.db"):
        for suffix in ("", "-wal"):
            shutil.copyfile(pair.database + suffix, os.path.join(pair.dir, name + suffix))
    assert len(rules(pair)) == 22
    assert not os.path.exists(pair.database + "-wal")
    shutil.copyfile(os.path.join(pair.dir, "kept.db-wal"), pair.database + "-wal")
    there = os.stat(pair.database)
    os.chown(pair.database + "-wal", there.st_uid, there.st_gid)  # as it was left behind; another's is refused for that
    shutil.copyfile(file, pair.database)
    before = sizes(pair)
    for words in (("rules",), ("exempt", LATER), ("db", "check"), ("db", "init")):
        result = pair.run(*words)
        assert result.code == 74 and "db restore" in result.err, (words, result)
    result = run_program([program("pgpgate-filter"), "-c", pair.conf, "-f", "-p", f"unix:{pair.state}/x.sock"], timeout=60)
    assert result.code == 74 and "db restore" in result.err, result
    assert sizes(pair) == before
    pair.must("db", "restore", file)
    assert rules(pair) == {BACK}
    # and where no log was replayed: one that was killed is as it was
    pair.must("db", "restore", os.path.join(pair.dir, "killed.db"))
    assert len(rules(pair)) == 22

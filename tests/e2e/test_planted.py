# SPDX-License-Identifier: ISC
"""Root runs the command line in a state directory where the daemons' user, who may be an attacker by now, has planted
links, hard links, FIFOs and directories under every name that anything there is opened by: no file outside is made,
changed, emptied or given away, and the command ends."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess

import pytest

from harness.pair import program, run_program

SECRET = b"root's alone\n"
BESIDE = ["", ".lock", ".import", ".key", "-wal", "-shm", "-journal"]
ALL = os.environ.get("PGPGATE_STORAGE") == "all"  # every combination; by default those that differ most
PROTECTED = [f"/proc/sys/fs/protected_{what}" for what in ("symlinks", "hardlinks", "fifos", "regular")]


def set_sysctl(path, value):
    with open(path, "w", encoding="ascii") as f:
        f.write(f"{value}\n")


@pytest.fixture(params=[0, 1], ids=["links-unprotected", "links-protected"])
def protected(request):
    """fs.protected_symlinks and those like it, both ways; what they were comes back."""
    before = {}
    try:
        for path in PROTECTED:
            with open(path, encoding="ascii") as f:
                before[path] = f.read().strip()
            set_sysctl(path, request.param)
    except OSError as e:
        pytest.skip(f"{path} cannot be set here: {e}")
    yield request.param
    for path, value in before.items():
        set_sysctl(path, value)


class State:
    """A state directory of the daemons' user, and beside it a directory that only root may enter."""

    def __init__(self, place, name, user):
        self.user = place.user
        self.dir = place.directory(name)
        self.state = place.directory(f"{name}/state", self.user.pw_uid, self.user.pw_gid, 0o2770)
        self.private = place.directory(f"{name}/private")
        os.chmod(self.private, 0o700)
        self.secret = os.path.join(self.private, "secret")
        with open(self.secret, "wb") as f:
            f.write(SECRET)
        os.chmod(self.secret, 0o600)
        self.absent = os.path.join(self.private, "absent")
        self.database = os.path.join(self.state, "pgpgate.db")
        self.conf = os.path.join(self.dir, "pgpgate.conf")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(f"database = sqlite:{self.database}\nuser = {user}\nlog_addresses = hashed\n")

    def run(self, *words, **more):
        return run_program([program("pgpgate"), "-c", self.conf, *words], timeout=60, **more)

    def plant(self, path, kind):
        """As the attacker: with his rights, over whatever is there."""
        def make():
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            elif os.path.lexists(path):
                os.unlink(path)
            {"link": lambda: os.symlink(self.secret, path),
             "dangling": lambda: os.symlink(self.absent, path),
             "fifo": lambda: os.mkfifo(path, 0o666),
             "directory": lambda: os.mkdir(path)}[kind]()
        if kind == "hardlink":  # without protected_hardlinks anybody makes one
            if os.path.lexists(path):
                os.unlink(path)
            os.link(self.secret, path)
            return
        pid = os.fork()
        if pid == 0:
            try:
                os.setgroups([])
                os.setgid(self.user.pw_gid)
                os.setuid(self.user.pw_uid)
                make()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0

    def must_be_untouched(self, said):
        st = os.stat(self.secret)
        with open(self.secret, "rb") as f:
            assert f.read() == SECRET, said
        assert (st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)) == (0, 0, 0o600), (st, said)
        assert os.listdir(self.private) == ["secret"], (os.listdir(self.private), said)


def commands(state):
    rules = os.path.join(state.dir, "rules")
    with open(rules, "w", encoding="ascii") as f:
        f.write("exempt list@example.org\n")
    backup = os.path.join(state.dir, "backup.db")
    if os.path.exists(backup):
        os.unlink(backup)
    return [("db", "init"), ("exempt", "a@example.org"), ("import", rules), ("rules",), ("export",), ("pause", "--for", "1h"),
            ("resume",), ("log",), ("report",), ("db", "status"), ("db", "check"), ("db", "prune", "--older-than", "90d"),
            ("db", "migrate"), ("db", "backup", backup), ("config",), ("check", state.conf)]


@pytest.mark.parametrize("user", ["the daemons'", "root itself"])
def test_no_name_beside_the_database_leads_root_out(place, protected, user):
    state = State(place, f"beside-{protected}-{user.replace(' ', '')}", place.user.pw_name if user != "root itself" else "")
    assert state.run("db", "init").code == 0
    is_thorough = ALL or (user != "root itself" and not protected)
    kinds = ("link", "dangling") if protected else ("link", "dangling", "hardlink", "fifo", "directory")
    kinds = kinds if is_thorough else kinds[:1]
    for suffix in BESIDE:
        path = state.database + suffix
        for kind in kinds:
            kept = path + ".kept"
            if os.path.lexists(path):
                os.rename(path, kept)
            doctor = [("doctor",)] if is_thorough and kind == "link" and suffix in ("", "-shm") else []  # a second each
            few = commands(state) if kind in ("link", "hardlink") else commands(state)[:4]
            for words in few + doctor:
                state.plant(path, kind)
                result = state.run(*words)
                state.must_be_untouched((suffix, kind, words, result))
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            elif os.path.lexists(path):
                os.unlink(path)
            if os.path.lexists(kept):
                os.rename(kept, path)
    result = state.run("db", "check")
    assert result.code == 0, result


@pytest.mark.parametrize("name", ["report.html", "copy.db", "copy.db.partial"])
def test_a_file_that_root_names_in_the_state_directory(place, protected, name):
    state = State(place, f"named-{protected}-{name}", place.user.pw_name)
    assert state.run("db", "init").code == 0
    target = os.path.join(state.state, name)
    named = target.removesuffix(".partial")
    words = ("report", "--html", named) if name == "report.html" else ("db", "backup", named)
    for kind in ("link", "dangling", "hardlink", "fifo", "directory"):
        state.plant(target, kind)
        result = state.run(*words)
        state.must_be_untouched((kind, result))
        assert result.code == 73 and named in result.err, (kind, result)
        if os.path.isdir(target) and not os.path.islink(target):
            os.rmdir(target)
        else:
            os.unlink(target)
    result = state.run(*words)
    assert result.code == 0 and os.path.isfile(named), result
    assert os.stat(named).st_uid == 0


def test_a_backup_that_root_restores_from_there_reads_nothing_of_others(place, protected):
    """The key beside it, or the file itself, is a name of what only root may read; in root's own folder names may be many."""
    state = State(place, f"restored-{protected}", place.user.pw_name)
    assert state.run("db", "init").code == 0
    copy, kept = os.path.join(state.state, "copy.db"), os.path.join(state.private, "kept.db")
    assert state.run("db", "backup", copy).code == 0
    for name in (copy + ".key", copy + "-wal", copy):
        for kind in ("link", "hardlink"):
            if name == copy and not os.path.exists(kept):
                os.rename(copy, kept)
            state.plant(name, kind)
            if name == copy and kind == "hardlink":
                os.unlink(copy)
                os.link(kept, copy)
            result = state.run("db", "restore", copy)
            assert result.code != 0 and name in result.err and "name" in result.err, (name, kind, result)
            state.must_be_untouched(result) if name != copy else None
            os.unlink(name)
    os.link(kept, kept + ".2")
    assert state.run("db", "restore", kept).code == 0


def test_a_report_that_root_names_in_dev_shm(place):
    """Below /dev, and everybody's: no device."""
    state = State(place, "shm", place.user.pw_name)
    assert state.run("db", "init").code == 0
    named = f"/dev/shm/pgpgate-{os.getpid()}.html"
    try:
        state.plant(named, "link")
        result = state.run("report", "--html", named)
        state.must_be_untouched(result)
        assert result.code == 73 and named in result.err, result
        os.unlink(named)
        result = state.run("report", "--html", named)
        assert result.code == 0 and os.path.getsize(named) > 0, result
    finally:
        if os.path.lexists(named):
            os.unlink(named)
    for device in ("/dev/stdout", "/dev/fd/1"):
        assert "<!doctype html>" in state.run("report", "--html", device).out, device


# A public key without key material, and the user id that it is published for: RFC 9580 sections 4.2, 5.5, 5.11.
PACKETS_OF_A = b"\x99\x00\x06\x04\x00\x00\x00\x00\x16" + b"\xb4\x0da@example.org"


@pytest.mark.parametrize("where", [".well-known", "direct", ".well-known/openpgpkey/example.org", "hu/file"])
def test_a_key_directory_that_root_names_is_somebody_elses(place, where):
    """Such as the web server's: none of the folders that are there is a way out of it."""
    state = State(place, "wkd-" + where.replace("/", "-"), place.user.pw_name)
    assert state.run("db", "init").code == 0
    key = "D1E2" * 10
    with sqlite3.connect(state.database) as d:
        d.execute("INSERT INTO certificate (fingerprint, packets) VALUES (?, ?)", (key, PACKETS_OF_A))
        d.execute("INSERT INTO recipient_key (pattern, fingerprint, key_id, primary_fingerprint, state, source, author,"
                  " created_at_unix) VALUES ('a@example.org', ?, 1, ?, 'active', 'import', 'root', 1)", (key, key))
    wkd = place.directory(os.path.basename(state.dir) + "/wkd", state.user.pw_uid, state.user.pw_gid)
    folder = os.path.join(wkd, ".well-known/openpgpkey/example.org/hu")
    planted = os.path.join(wkd, where) if where != "hu/file" else os.path.join(folder, "xyz")
    assert state.run("keys", "export", "--wkd", wkd).code == 0
    files = [os.path.join(folder, name) for name in os.listdir(folder)]
    assert len(files) == 1
    if where == "hu/file":
        for path in (files[0], files[0] + ".new"):
            if os.path.exists(path):
                os.unlink(path)
            os.symlink(state.secret, path)
        result = state.run("keys", "export", "--wkd", wkd)
        assert result.code == 0 and not os.path.islink(files[0]) and not os.path.lexists(files[0] + ".new"), result
    else:
        shutil.rmtree(planted)
        os.symlink(state.private, planted)
        result = state.run("keys", "export", "--wkd", wkd)
        assert result.code == 73, result
    state.must_be_untouched(result)


@pytest.mark.parametrize("suffix", ["-wal", "-shm", ".lock", ".key"])
def test_what_root_has_copied_there_is_named_and_the_mend_is_one(place, suffix):
    state = State(place, f"foreign{suffix}", place.user.pw_name)
    assert state.run("db", "init").code == 0
    assert state.run("exempt", "before@example.org").code == 0
    path = state.database + suffix
    with open(path, "ab"):  # as it is, or made
        os.chown(path, 0, 0)
        os.chmod(path, 0o600)
    if suffix != ".key":  # nothing that is written here is hashed
        result = state.run("exempt", "during@example.org")
        assert result.code == 77 and f"{path}: belongs to user 0 (mode 0600)" in result.err, result
        mend = result.err.split("the owner of the database: ")[1].split("\n")[0]
        assert mend == f"chown -h --reference={state.database} {path}"
    told = [json.loads(line) for line in state.run("--json", "doctor").out.splitlines()]
    told = [one for one in told if one["state"] == "problem" and one["text"].startswith(f"{path} does not belong to")]
    assert len(told) == 1, told
    subprocess.run(["sh", "-c", told[0]["mend"]], check=True)
    assert state.run("exempt", "after@example.org").code == 0
    assert sorted(r.split()[1] for r in state.run("export").out.splitlines()) == ["after@example.org", "before@example.org"]


def test_what_root_makes_is_the_users(place):
    state = State(place, "owner", place.user.pw_name)
    assert state.run("db", "init").code == 0
    assert state.run("exempt", "b@example.org").code == 0
    assert state.run("import", "-", data=b"exempt c@example.org\n").code == 0
    for name in sorted(os.listdir(state.state)):
        st = os.stat(os.path.join(state.state, name))
        mode = 0o640 if name.endswith(".key") else 0o660
        assert (st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)) == \
            (state.user.pw_uid, state.user.pw_gid, mode), (name, st)
    rules = state.run("--json", "rules").out
    assert '"author":"root"' in rules and f'"author":"{state.user.pw_name}"' not in rules, rules


def test_root_reads_and_writes_where_only_root_may(place):
    state = State(place, "private", place.user.pw_name)
    assert state.run("db", "init").code == 0
    rules = os.path.join(state.private, "rules")
    with open(rules, "w", encoding="ascii") as f:
        f.write("exempt d@example.org\n")
    for words in [("import", rules), ("report", "--html", os.path.join(state.private, "page.html")),
                  ("db", "backup", os.path.join(state.private, "copy.db"))]:
        result = state.run(*words)
        assert result.code == 0, result
    copy = os.path.join(state.private, "copy.db")
    assert (os.stat(copy).st_uid, stat.S_IMODE(os.stat(copy).st_mode)) == (0, 0o600)
    exported = run_program([program("pgpgate"), "-c", state.conf, "-o", "user=", "-o", "log_addresses=full",
                            "-o", f"database=sqlite:{copy}", "export"])
    assert exported.code == 0 and "exempt d@example.org" in exported.out, exported


def test_a_user_that_does_not_exist_is_said(place):
    state = State(place, "nouser", "no-such-user")
    for words in [("db", "init"), ("rules",), ("db", "backup", os.path.join(state.dir, "x.db"))]:
        result = state.run(*words)
        assert result.code == 67 and "no-such-user" in result.err, result
    assert os.listdir(state.state) == []
    assert "no-such-user" in state.run("doctor").out


@pytest.mark.parametrize("kind", ["link", "dangling", "hardlink", "fifo", "directory"])
@pytest.mark.parametrize("name", ["pgpgate-filter", "pgpgate-policyd"])
def test_a_pid_file_that_was_planted(place, protected, name, kind):
    state = State(place, f"pid-{protected}-{name}-{kind}", place.user.pw_name)
    assert state.run("db", "init").code == 0
    path = os.path.join(state.state, "daemon.pid")
    state.plant(path, kind)
    result = subprocess.run([program(name), "-c", state.conf, "-f", "-P", path,
                             "-p", f"unix:{state.state}/daemon.sock"],
                            capture_output=True, timeout=60, check=False)
    assert result.returncode == 73, result
    state.must_be_untouched(result)

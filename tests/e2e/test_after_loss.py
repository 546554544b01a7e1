# SPDX-License-Identifier: ISC
"""A restore as it is after a loss: another machine, with nothing but the package on it, and a backup that somebody copied
there, in every way in which that goes wrong. Each way has a sentence, and takes nothing away."""

import os
import shutil
import subprocess

import pytest

from harness.gate_of_user import Gate

BACK = "back@example.org"


@pytest.fixture(scope="module")
def backup(place):
    """What the lost machine left: a database of some size, made by `pgpgate db backup`."""
    lost = Gate(place, "lost")
    lost.must("db", "init")
    lost.must("exempt", BACK)
    rules = os.path.join(lost.dir, "rules")
    with open(rules, "w", encoding="ascii") as f:
        f.writelines(f"exempt r{i}@example.org\n" for i in range(3000))
    lost.must("import", rules)
    path = os.path.join(lost.dir, "backup.db")
    lost.must("db", "backup", path)
    return path


def names(gate):
    return sorted(os.listdir(gate.state))


# label, owner, mode of the copy, owner and mode of its folder: root may read all of them, the daemons' user none
COPIED = [
    ("root's, for root alone", 0, 0o600, 0, 0o700),
    ("somebody's", 12345, 0o644, 12345, 0o755),
    ("nobody may", 12345, 0o000, 0, 0o700),
    ("everybody may write", 0, 0o666, 0, 0o1777),
]


@pytest.mark.parametrize("label, owner, mode, folder_owner, folder_mode", COPIED, ids=[c[0] for c in COPIED])
def test_copy_of_whatever_owner_and_mode(place, backup, label, owner, mode, folder_owner, folder_mode):
    gate = Gate(place, f"new-{mode:o}-{owner}")
    folder = place.directory(f"copied-{mode:o}-{owner}", folder_owner, folder_owner, folder_mode)
    copy = shutil.copyfile(backup, os.path.join(folder, "pgpgate.db"))
    os.chown(copy, owner, owner)
    os.chmod(copy, mode)
    result = gate.run("db", "restore", copy)
    assert (result.code, result.err) == (0, ""), (label, result)  # nothing to be told: its key was never used
    st = os.stat(gate.database)
    assert (st.st_uid, st.st_gid, st.st_mode & 0o777) == (gate.user.pw_uid, gate.user.pw_gid, 0o660), label
    assert len(gate.must("export").splitlines()) == 3001
    assert gate.run("db", "check").code == 0
    assert os.stat(copy).st_mode & 0o777 == mode and os.stat(copy).st_uid == owner  # it is as it was


def test_half_a_copy_is_none(place, backup):
    """As scp leaves it when the line breaks, and as a full disk does: cut anywhere, or as long as it was, with zeros."""
    gate = Gate(place, "half")
    gate.must("db", "init")
    gate.must("exempt", "here@example.org")
    before = names(gate)
    size = os.path.getsize(backup)
    copy = os.path.join(gate.dir, "copy.db")
    for length in (0, 1, 50, 100, 4096, 5000, size // 2, size - 4096, size - 1):
        for is_filled in (False, True):
            shutil.copyfile(backup, copy)
            os.truncate(copy, length)
            if is_filled and length > size - 4096:
                continue  # an octet more or less within a value is nothing that anybody could see
            if is_filled:
                os.truncate(copy, size)
            result = gate.run("db", "restore", copy)
            assert result.code in (65, 74) and len(result.err.splitlines()) == 1, (length, is_filled, result)
            assert copy in result.err, (length, is_filled, result)
            assert names(gate) == before, (length, is_filled)
            assert gate.must("export").split() == ["exempt", "here@example.org"]


def test_where_the_directory_was_not_made(place, backup):
    gate = Gate(place, "bare")
    os.rmdir(gate.state)
    result = gate.run("db", "restore", backup)
    assert result.code in (66, 73) and gate.state in result.err and len(result.err.splitlines()) == 1, result
    place.directory("bare/state", gate.user.pw_uid, gate.user.pw_gid, 0o2770)
    gate.must("db", "restore", backup)
    assert len(gate.must("export").splitlines()) == 3001


def test_a_full_disk_takes_nothing(place, backup):
    """There is room for what is there and not for both; then there is."""
    gate = Gate(place, "full")
    size = os.path.getsize(backup)

    def mount(*options):
        subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", gate.state], check=True)

    mount("size=4m", "mode=2770", f"uid={gate.user.pw_uid}", f"gid={gate.user.pw_gid}")
    try:
        gate.must("db", "init")
        gate.must("exempt", "here@example.org")
        free = os.statvfs(gate.state)
        filler = os.path.join(gate.state, "filler")
        with open(filler, "wb") as f:
            f.write(bytes(max(0, free.f_bavail * free.f_bsize - size // 2)))
        before = names(gate)
        result = gate.run("db", "restore", backup)
        assert result.code == 74 and len(result.err.splitlines()) == 1, result
        assert "space" in result.err or "full" in result.err, result
        assert names(gate) == before
        assert gate.must("export").split() == ["exempt", "here@example.org"]
        os.unlink(filler)
        gate.must("db", "restore", backup)
        assert len(gate.must("export").splitlines()) == 3001
    finally:
        subprocess.run(["umount", "-l", gate.state], check=True)

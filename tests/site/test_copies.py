# SPDX-License-Identifier: ISC
"""Copies of a host: a clone, or a backup that was put back, while the host itself is down, and when it comes back."""

import os
import subprocess

import pytest

from harness.place import wait_until
from test_site import take


def machine(spot, digit):
    """Words before a program's: it runs on another machine, or on this one after it was started anew."""
    path = os.path.join(spot.directory("machines", mode=0o755), digit)
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{digit * 8}-0000-0000-0000-000000000000\n")
    words = ["unshare", "-m", "sh", "-c", f'mount --bind {path} /proc/sys/kernel/random/boot_id && exec "$@"', "sh"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mount can be made here")
    return words


def go_down(s, host, silent="0"):
    host.end_sync()
    s.centre.sql(f"UPDATE pgpgate.host SET lease_until = now(), last_seen = last_seen - interval '{silent}'")  # instead of waiting


def test_an_older_copy_does_not_take_the_place_of_its_host(site, spot):
    s = site(1)
    one = s.hosts[0]
    take(one, "8A0")
    s.wait_same()
    path = one.back_up()
    for _ in range(2):  # minutes
        before = one.ask("SELECT incarnation FROM site")
        s.centre.sql("UPDATE pgpgate.host SET incarnation_at = now() - interval '1 hour'")
        wait_until(lambda before=before: one.ask("SELECT incarnation FROM site") > before, "another mark")
    take(one, "8A1")
    s.wait_same()

    # It is started anew; meanwhile its old copy wakes up elsewhere.
    go_down(s, one)
    copy = s.add("copy", join=False)
    s.hosts.remove(copy)
    try:
        copy.prefix = machine(spot, "c")
        copy.put_back(path)
        take(copy, "8B1")
        copy.start_sync()
        copy.wait_said("an older copy of mx1", 0)
        one.prefix = machine(spot, "a")
        one.start_sync()
        take(one, "8A2")
        s.wait_same()

        # Away for longer: the copy takes its place, under another id. It ends when the host is back, at once.
        go_down(s, one, "11 minutes")
        wait_until(lambda: s.centre.sql("SELECT queue_id FROM pgpgate.verdicts WHERE mx = 'mx1'") == ["8B1"],
                   lambda: f"what the copy took, alone under that name: {copy.sync_log()[-900:]}")
        log = len(copy.sync_log())
        one.start_sync()
        take(one, "8A3")
        s.wait_same()
        copy.wait_said("has this one been cloned", log)
        copy.end_sync()
        left = copy.run("site", "leave")
        assert "was not told" in left.err, left
        take(one, "8A4")
        s.wait_same()
        assert s.centre.sql("SELECT mx LIKE 'mx1 until %', queue_id FROM pgpgate.verdicts ORDER BY 2") == [
            "f|8A0", "f|8A1", "f|8A2", "f|8A3", "f|8A4", "t|8B1"]
    finally:
        copy.end_sync()
        copy.ask_to_stop()
        copy.stop()
        copy.proxy.close()


def test_a_backup_from_before_a_person_was_forgotten(site):
    """Whom it should forget nobody knows any more: its log says so, whether it applies changes one by one or takes all anew."""
    s = site(1)
    one = s.hosts[0]
    take(one, "8C0", "gone@example.org")
    s.wait_same()
    path = one.back_up()
    one.must("forget", "--person", "gone@example.org")
    wait_until(lambda: s.centre.sql("SELECT count(*) FROM pgpgate.change WHERE detail ? 'person'") == ["0"], "nobody knows who it was")
    for extra in ("", "UPDATE site SET rules_mark = 'none'"):
        one.put_back(path)
        if extra:
            one.ask_write(extra)
        go_down(s, one)
        log = len(one.sync_log())
        one.start_sync()
        one.wait_said("a person was forgotten whom", log)
    one.must("forget", "--person", "gone@example.org")
    s.wait_same()
    assert one.ask("SELECT 1 FROM verdict_recipient WHERE recipient_key = 'org.example@gone'") == []

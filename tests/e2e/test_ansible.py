# SPDX-License-Identifier: ISC
"""The Ansible role of dist/, with a real ansible-playbook on this machine: the first run changes, the second does not,
--check only looks."""

import json
import os
import re
import shutil
import subprocess

import pytest

from harness.pair import TOP, program

PLAYBOOK = shutil.which("ansible-playbook")
pytestmark = pytest.mark.skipif(PLAYBOOK is None, reason="no ansible-playbook; install ansible-core")


@pytest.fixture
def site(tmp_path):
    conf = tmp_path / "pgpgate.conf"
    conf.write_text(f"database = sqlite:{tmp_path}/pgpgate.db\nuser =\n")
    command = tmp_path / "pgpgate"
    command.write_text(f'#!/bin/sh\nexec "{program("pgpgate")}" -c "{conf}" "$@"\n')
    command.chmod(0o755)
    subprocess.run([command, "db", "init"], check=True, capture_output=True)
    return tmp_path


def play(site, rules, *words):
    """(how many tasks changed something, how many failed)"""
    book = [{"hosts": "localhost", "connection": "local", "gather_facts": False,
             "roles": [{"role": "pgpgate_rules", "vars": {"pgpgate_command": str(site / "pgpgate"), "pgpgate_rules": rules}}]}]
    (site / "play.yml").write_text(json.dumps(book))
    done = subprocess.run(
        [PLAYBOOK, "-i", "localhost,", *words, str(site / "play.yml")], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "ANSIBLE_ROLES_PATH": f"{TOP}/dist/ansible/roles", "ANSIBLE_NOCOLOR": "1", "HOME": str(site),
             "ANSIBLE_LOCAL_TEMP": f"{site}/tmp", "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3", "LC_ALL": "C.UTF-8"})
    counts = re.search(r"changed=(\d+) .*failed=(\d+)", done.stdout)
    assert counts, done.stdout + done.stderr
    return int(counts.group(1)), int(counts.group(2))


def export(site):
    return subprocess.run([site / "pgpgate", "export"], check=True, capture_output=True, text=True).stdout.splitlines()


def test_the_role_is_idempotent(site):
    subprocess.run([site / "pgpgate", "exempt", "typed@example.org"], check=True, capture_output=True)
    rules = [{"requirement": "encrypted", "recipient": "tips@example.org"},
             {"requirement": "exempt", "recipient": "alice@example.org", "sender": "shop.test", "note": "her \"key\"",
              "expires_at": "2099-01-31T00:00:00Z"}]
    assert play(site, rules, "--check") == (1, 0)
    assert export(site) == ["exempt typed@example.org"]
    assert play(site, rules) == (1, 0)
    assert len(export(site)) == 3 and "encrypted tips@example.org owner=ansible" in export(site)
    assert play(site, rules) == (0, 0)
    assert play(site, rules[1:]) == (1, 0)
    assert len(export(site)) == 2
    assert play(site, []) == (0, 1)  # a variable that is missing empties nothing
    assert len(export(site)) == 2

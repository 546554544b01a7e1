# SPDX-License-Identifier: ISC
"""Databases that were damaged, and commands that were killed: PGPGATE_DAMAGED copies (default 500), PGPGATE_KILLS kills
of each command that writes (default 200). Short forms of both are in tests/e2e/test_storage.py."""

import os

import test_storage


def test_damaged_databases(place):
    test_storage.damaged_databases(place, "damaged-long", int(os.environ.get("PGPGATE_DAMAGED", "500")))


def test_every_command_that_writes_is_killed(place):
    test_storage.kill_commands(place, "killed-long", int(os.environ.get("PGPGATE_KILLS", "200")))

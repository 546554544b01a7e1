# SPDX-License-Identifier: ISC
"""One temporary directory for all that a run makes, the users it runs as, ports, bounded waiting."""

import os
import pwd
import random
import shutil
import socket
import tempfile
import time


class Trouble(Exception):
    """Something that a person has to mend; the text says what and how."""


def wait_until(claim, what, seconds=60.0, every=0.02):
    """Polls claim() until it is true and returns its value; Trouble names `what` when time is up. The time is that of
    a machine which does much else at once: only a failure takes so long."""
    end = time.monotonic() + seconds
    while True:
        value = claim()
        if value:
            return value
        if time.monotonic() > end:
            raise Trouble(f"waited {seconds:.0f} s in vain: {what() if callable(what) else what}")
        time.sleep(every)


def is_port_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


_claims = {}


def _claim(port):
    """Keeps other test runs on this machine away from a port until this process ends."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0pgpgate-test-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
    return True


def free_port():
    """A port that is free now and ours from now on: below the kernel's ephemeral range, so that no client takes it
    meanwhile, and claimed, so that no other test run does."""
    while True:
        port = random.randrange(20000, 32000)
        if port not in _claims and is_port_free(port) and _claim(port):
            return port


def _is_reachable(directory):
    """May a user without privileges walk down to `directory`?"""
    path = os.path.realpath(directory)
    while True:
        if not os.stat(path).st_mode & 0o001:
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


class Place:
    """A directory that root, Postfix and the daemons' user can all enter. remove() takes it away."""

    def __init__(self, name="e2e"):
        base = tempfile.gettempdir()
        if not _is_reachable(base):
            base = "/var/tmp"
        self.path = tempfile.mkdtemp(prefix=f"pgpgate-{name}.", dir=base)
        os.chmod(self.path, 0o755)
        self.user = daemon_user()
        self.postfix = _account("postfix")
        self._tidy = []

    def directory(self, name, owner=None, group=None, mode=0o755):
        path = os.path.join(self.path, name)
        os.makedirs(path, exist_ok=True)
        if owner is not None:
            os.chown(path, owner, group)
        os.chmod(path, mode)
        return path

    def at_end(self, call):
        """call() when the place is removed, latest first."""
        self._tidy.append(call)

    def remove(self):
        while self._tidy:
            try:
                self._tidy.pop()()
            except Exception as e:  # one that fails must not keep the others from running
                print(f"while cleaning up: {e}")
        shutil.rmtree(self.path, ignore_errors=True)


def _account(name):
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise Trouble(f"there is no user {name}: apt-get install postfix") from None


def daemon_user():
    """Who the daemons become: whoever called sudo, else nobody. Never root."""
    name = os.environ.get("SUDO_USER", "")
    if name and name != "root":
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    return _account("nobody")

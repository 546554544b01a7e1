# SPDX-License-Identifier: ISC
"""The two daemons and the command line, from the build directory, with a configuration of their own."""

import json
import os
import signal
import socket
import sqlite3
import subprocess

from .place import Trouble, wait_until

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../../.."))
BUILD = os.path.realpath(os.environ.get("PGPGATE_BUILD", os.path.join(TOP, "build")))

# local_clients: 198.51.100.0/24 instead of 127.0.0.0/8, since the tests and the sending Postfix come from
# 127.0.0.1 and play strangers.
DEFAULTS = {"local_clients": "198.51.100.0/24"}


def program(name):
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise Trouble(f"{path} is not there: build first, or set PGPGATE_BUILD")
    return path


class Result:
    def __init__(self, run):
        self.code = run.returncode
        self.out = run.stdout.decode("utf-8", "replace")
        self.err = run.stderr.decode("utf-8", "replace")

    def __repr__(self):
        return f"exit {self.code}\nstdout: {self.out}\nstderr: {self.err}"


def run_program(words, data=b"", timeout=300, **more):
    return Result(subprocess.run(words, input=data, capture_output=True, timeout=timeout, **more))


class Daemon:
    """One daemon in the foreground (-f), its log in a file."""

    def __init__(self, pair, name, path, words=()):
        self.pair, self.name, self.path, self.words = pair, name, path, list(words)
        self.log_path = os.path.join(pair.dir, f"{name}.log")
        self.process = None
        self.prefix = self._confined() if os.environ.get("PGPGATE_CONFINED") else []  # what runs it, such as prlimit

    def _confined(self):
        """Under what its service asks of systemd; see there."""
        return ["/usr/bin/python3", "-B", os.path.join(TOP, "tests/package/confine.py"), self.name,
                f"{self.pair.place.path}:{BUILD}", self.pair.place.user.pw_name]

    def start(self, wait=True):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, program(self.name), "-f", "-c", self.pair.conf, *self.words],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if wait:
            wait_until(self._is_up, lambda: f"{self.name} listening\n{self.log()[-2000:]}")
        return self

    def _is_up(self):
        if self.process.poll() is not None:
            raise Trouble(f"{self.name} ended at once, exit {self.process.returncode}:\n{self.log()[-2000:]}")
        with socket.socket(socket.AF_UNIX) as s:
            return s.connect_ex(self.path) == 0

    def reload(self):
        """Rereads the configuration and waits until that is done."""
        before = self.log().count("configuration reread")
        self.signal(signal.SIGUSR1)
        wait_until(lambda: self.log().count("configuration reread") > before,
                   lambda: f"{self.name} rereading its configuration\n{self.log()[-2000:]}")

    def ask_to_end(self, sig=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sig)

    def end(self, sig=signal.SIGTERM):
        """Ends it and returns its exit code (negative: the signal)."""
        if self.process is None:
            return 0
        self.ask_to_end(sig)
        process, self.process = self.process, None
        try:
            code = process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Trouble(f"{self.name} did not end within 90 s of signal {sig}:\n{self.log()[-2000:]}") from None
        log = self.log()
        for sign in ("ERROR: AddressSanitizer", "runtime error:", "ThreadSanitizer:", "LeakSanitizer:"):
            if sign in log:
                raise Trouble(f"{self.name}: {log[log.index(sign):][:3000]}")
        return code

    def signal(self, sig):
        self.process.send_signal(sig)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()


class Pair:
    """Configuration, database, pgpgate-filter, pgpgate-policyd, pgpgate. settings: of pgpgate.conf."""

    def __init__(self, place, name="pair", **settings):
        user, postfix = place.user, place.postfix
        self.place = place
        self.dir = place.directory(name)
        self.run_dir = place.directory(f"{name}/run", user.pw_uid, postfix.pw_gid, 0o2770)
        self.state = place.directory(f"{name}/state", user.pw_uid, user.pw_gid, 0o2770)
        self.database = os.path.join(self.state, "pgpgate.db")
        self.conf = os.path.join(self.dir, "pgpgate.conf")
        filter_path = os.path.join(self.run_dir, "filter.sock")
        policy_path = os.path.join(self.run_dir, "policy.sock")
        self.milter = f"unix:{filter_path}"
        self.policy = f"unix:{policy_path}"
        self.settings = {
            "filter_socket": self.milter, "policy_socket": self.policy, "user": user.pw_name,
            "database": f"sqlite:{self.database}", **DEFAULTS, **settings}
        self.write_conf()
        self.filter = Daemon(self, "pgpgate-filter", filter_path)
        self.policyd = Daemon(self, "pgpgate-policyd", policy_path)
        place.at_end(self.stop)

    def write_conf(self, **settings):
        self.settings.update(settings)
        with open(self.conf, "w", encoding="utf-8") as f:
            f.writelines(f"{k} = {v}\n" for k, v in self.settings.items())

    def start(self, policyd=True):
        self.must("db", "init")
        self.filter.start()
        if policyd:
            self.policyd.start()
        return self

    def ask_to_stop(self):
        """libmilter looks at SIGTERM every 5 s only: whoever ends several pairs asks all of them first."""
        self.filter.ask_to_end()
        self.policyd.ask_to_end()

    def stop(self):
        self.ask_to_stop()
        codes = []
        for daemon in (self.filter, self.policyd):
            codes.append(daemon.end())
        if any(codes):
            raise Trouble(f"exit codes after SIGTERM: filter {codes[0]}, policyd {codes[1]}\n"
                          f"{self.filter.log()[-1500:]}\n{self.policyd.log()[-1500:]}")

    def run(self, *words, data=b"", timeout=300):
        return run_program([program("pgpgate"), "-c", self.conf, *map(str, words)], data, timeout)

    def must(self, *words, data=b"", timeout=300):
        """Runs a command that has to succeed; returns its standard output."""
        result = self.run(*words, data=data, timeout=timeout)
        if result.code != 0:
            raise Trouble(f"pgpgate {' '.join(map(str, words))}: {result!r}")
        return result.out

    def json(self, *words, data=b""):
        """The objects that `pgpgate --json WORDS` prints."""
        result = self.run("--json", *words, data=data)
        if result.code not in (0, 1) or result.err:
            raise Trouble(f"pgpgate --json {' '.join(map(str, words))}: {result!r}")
        return [json.loads(line) for line in result.out.splitlines()]

    def explain(self, recipient, *words):
        return self.json("explain", recipient, *words)[0]

    def last_verdict(self, mark):
        """The newest log entry of the message with that token."""
        rows = [r for r in self.json("log", "-n", "200") if mark in (r["message_id"] or "")]
        return rows[-1] if rows else None

    def forget_all_rules(self):
        for rule in self.json("rules"):
            self.must("forget", "--id", rule["id"])

    def let_time_pass(self, seconds):
        """Makes everything that decides from history look older, instead of waiting."""
        database = sqlite3.connect(self.database, timeout=30)
        with database:
            for table, column in (("split_attempt", "last_counted_unix"), ("split_evidence", "time_unix"),
                                  ("outgoing", "last_cleartext_unix")):
                database.execute(f"UPDATE {table} SET {column} = {column} - ?", (seconds,))
        database.close()
